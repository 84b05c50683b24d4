"""A process that takes jobs, for the suite over dispatchers: it is told on stdin and tells on
stdout, a line each.

    python -m interplay.testing.dispatching module:function PLACE SILENCE

It says `open EXECUTOR` at first, then `began KIND ID`, `stopped KIND ID` and `ended KIND ID` for
its jobs. It understands `work KIND=PLACES ...`, `quick` (jobs end at once from now on),
`finish ID`, `submit KIND ID` and `drain`, which it answers by `drained`, and ends with its input.
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict

from interplay.contracts.dispatcher import Dispatcher, Handler
from interplay.contracts.registry import load


def _say(*words: str) -> None:
    print(*words, flush=True)


class _Worker:
    """Does what it is told with one dispatcher."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._quick = False
        self._finished: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def _handler(self, kind: str) -> Handler:
        async def handle(id: str) -> None:
            _say("began", kind, id)
            try:
                if not self._quick:
                    await self._finished[id].wait()
            except asyncio.CancelledError:
                _say("stopped", kind, id)
                raise
            _say("ended", kind, id)

        return handle

    async def obey(self, order: str) -> None:
        """Does one line."""
        match order.split():
            case ["work", *kinds]:
                places = {kind: int(count) for kind, _, count in (k.partition("=") for k in kinds)}
                self._dispatcher.work({kind: self._handler(kind) for kind in places}, places)
            case ["quick"]:
                self._quick = True
            case ["finish", id]:
                self._finished[id].set()
            case ["submit", kind, id]:
                await self._dispatcher.submit(kind, id)
            case ["drain"]:
                await self._dispatcher.drain()
                _say("drained")
            case _:
                raise ValueError(f"What is '{order}'?")


async def main(opens: str, place: str, silence: str) -> None:
    """Opens a dispatcher and obeys until there is nothing more to read."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with load("interplay.dispatchers", opens)(place, float(silence)) as dispatcher:
        worker = _Worker(dispatcher)
        _say("open", dispatcher.executor)
        while line := await reader.readline():
            await worker.obey(line.decode().strip())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
