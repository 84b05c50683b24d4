"""Processes that make documents readable: few, bounded, replaced when a document ends them."""

from __future__ import annotations

import asyncio
import os
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from contextlib import suppress

import msgspec

from interplay.contracts.documents.parsing import Job, Parsed

_LENGTH = struct.Struct(">I")
_LOADING = 60.0
"""Seconds a process may take until its parser is loaded, also on a busy machine."""
_GRACE = 2.0
_DOCUMENTS = 200
"""After so many a process is replaced: parsers keep memory."""
_IDLE = 60.0
_MOST_ANSWER = 64 * 1024 * 1024
_KEPT = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "SYSTEMROOT", "LD_LIBRARY_PATH")
"""Of the environment; secrets of the server are nothing for a parser."""


class Parsers:
    """At most `count` processes of `memory` bytes each, started when they are needed."""

    def __init__(self, count: int, memory: int) -> None:
        self._places = asyncio.Semaphore(count)
        self._memory = memory
        self._idle: list[_Parser] = []
        self._ending: set[asyncio.Future[None]] = set()

    async def parse(self, job: Job) -> Parsed:
        """What the document holds; one that is too much for its parser has a failure."""
        async with self._places:
            parser = self._idle.pop() if self._idle else await _Parser.start(self._memory)
            parser.keep()
            try:
                found = await parser.parse(job)
            except (TimeoutError, EOFError, ConnectionError, msgspec.DecodeError) as error:
                await parser.end()
                late = isinstance(error, TimeoutError)
                return Parsed(
                    failure=f"The document was not parsed within {job.seconds:g} s"
                    if late
                    else "The document broke its parser"
                )
            except BaseException:
                await parser.end()
                raise
            if parser.documents < _DOCUMENTS:
                self._idle.append(parser)
                parser.idle(self._retire)
            else:
                await parser.end()
            return found

    def _retire(self, parser: _Parser) -> None:
        if parser in self._idle:
            self._idle.remove(parser)
            ending = asyncio.ensure_future(parser.end())
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """Ends every process that is idle; those at work end with their caller."""
        idle, self._idle = self._idle, []
        for parser in idle:
            await parser.end()
        await asyncio.gather(*self._ending)


class _Parser:
    """One process."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.documents = 0
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    async def start(cls, memory: int) -> _Parser:
        """A new process."""
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        # -P: nothing of the folder the server was started in is imported.
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "interplay.contracts.documents.parsing",
                str(memory),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=environment,
            )
        )

    async def parse(self, job: Job) -> Parsed:
        """Raises TimeoutError, EOFError, ConnectionError, DecodeError: the process is useless
        then."""
        self.documents += 1
        given, answers = self._process.stdin, self._process.stdout
        assert given is not None
        assert answers is not None
        async with asyncio.timeout(_LOADING):
            frame = msgspec.msgpack.encode(job)
            given.write(_LENGTH.pack(len(frame)))
            given.write(frame)
            await given.drain()
            answer = await _frame(answers)
        if not answer:
            async with asyncio.timeout(job.seconds + _GRACE):
                answer = await _frame(answers)
        return msgspec.msgpack.decode(answer, type=Parsed)

    def idle(self, retire: Callable[[_Parser], None]) -> None:
        """Begins to wait for work; after a while it is retired."""
        self._timer = asyncio.get_running_loop().call_later(_IDLE, retire, self)

    def keep(self) -> None:
        """Has work."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def end(self) -> None:
        """Ends it now."""
        self.keep()
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()


async def _frame(answers: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await answers.readexactly(_LENGTH.size))
    if length > _MOST_ANSWER:
        raise EOFError
    return await answers.readexactly(length)
