"""A process that writes into a store until it is killed, and says what was answered."""

import asyncio
import sys
import time
from itertools import count
from pathlib import Path

from interplay.contracts.store import Ending, NewInteraction
from interplay.plugins.stores.sqlite import SqliteStore


def text_of(id: str, part: str) -> bytes:
    """What an interaction must hold: between one byte and some pages."""
    line = f"{id}/{part};".encode()
    return line * (1 + sum(id.encode()) % 700)


async def write(store: SqliteStore, writer: str) -> None:
    """One conversation: every second turn streams its events first."""
    parent = None
    for number in count():
        id = f"{writer}-{number}"
        new = NewInteraction(
            id=id,
            owner="ann",
            root=writer,
            parent=parent,
            created=time.time(),
            request=text_of(id, "request"),
            input=text_of(id, "input"),
        )
        ending = Ending(status="completed", updated=time.time(), steps=text_of(id, "steps"), last=3)
        if number % 2:
            await store.create(new)
            for last in range(-1, 3):
                await store.append(id, 1, last, [b"event %d" % (last + 1)])
                print("event", id, last + 1, flush=True)
            await store.append(id, 1, 3, [], ending=ending)
        else:
            await store.create(new, ending)
        print("ended", id, flush=True)
        parent = id


async def main(folder: str, name: str, how: str = "alone") -> None:
    """Writes for ever."""
    store = SqliteStore(Path(folder), shared=how == "shared")
    await store.open()
    await asyncio.gather(*(write(store, f"{name}.{number}") for number in range(8)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
