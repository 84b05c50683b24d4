"""One sandbox: what is said to its first process, and what comes back."""

from __future__ import annotations

import asyncio
import struct
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import msgspec

from interplay.contracts.sandbox import (
    Command,
    Entry,
    Exit,
    Limits,
    NoSuchFile,
    Output,
    SandboxGone,
)
from interplay.plugins.sandboxes.bubblewrap import root
from interplay.plugins.sandboxes.bubblewrap.launch import Started

_HEAD = struct.Struct(">cI")
_LENGTH = struct.Struct(">I")
_MOST_FRAME = 64 * 1024 * 1024
_GRACE = 15.0
"""Seconds a sandbox that does not answer is given beyond what a command may take."""
_STREAMS: dict[bytes, Any] = {b"o": "stdout", b"e": "stderr"}


class Box:
    """Speaks to the first process inside; when it is silent for too long, the sandbox ends."""

    def __init__(
        self,
        started: Started,
        limits: Limits,
        softly: bool,
        ended: Callable[[Box], None],
    ) -> None:
        """`softly`: nothing limits the memory of all processes together, so each one's is."""
        self._started, self._limits, self._ended = started, limits, ended
        self._rlimits = {
            "RLIMIT_NPROC": limits.processes,
            "RLIMIT_FSIZE": limits.file_bytes,
            "RLIMIT_NOFILE": 1_024,
            "RLIMIT_CORE": 0,
            "RLIMIT_MEMLOCK": 8 * 1024 * 1024,
        } | ({"RLIMIT_AS": limits.memory_bytes} if softly else {})
        self._turn = asyncio.Lock()
        self._closed = False
        self.python = ""

    async def begin(self, seconds: float) -> None:
        """Waits until it is there. Raises SandboxGone saying why it is not."""
        self._reader, self._writer = await asyncio.open_connection(sock=self._started.control)
        kind, data = await self._frame(seconds)
        if kind != b"j":
            await self._gone("It spoke out of turn.")
        self.python = msgspec.json.decode(data)["python"]

    async def exec(self, command: Command) -> AsyncIterator[Output | Exit]:
        """As interplay.contracts.sandbox.Sandbox."""
        limits = self._limits
        seconds = min(command.seconds or limits.seconds, limits.seconds)
        asked = {
            "op": "exec",
            "argv": list(command.argv),
            "stdin": b64encode(command.stdin).decode(),
            "env": {**root.environment(), **command.env},
            "cwd": command.cwd,
            "seconds": seconds,
            "output_bytes": limits.output_bytes,
            "limits": self._rlimits,
        }
        async with self._turn:
            over = False
            try:
                await self._say(asked)
                until = asyncio.get_running_loop().time() + seconds + _GRACE
                while not over:
                    left = until - asyncio.get_running_loop().time()
                    kind, data = await self._frame(max(left, 0.0))
                    if kind in _STREAMS:
                        yield Output(_STREAMS[kind], data)
                        continue
                    over = True
                    if kind == b"f":
                        await self._gone(_message(data))
                    yield msgspec.json.decode(data, type=Exit)
            finally:
                if not over:
                    await self.close()

    async def write(self, path: str, data: bytes) -> None:
        """As interplay.contracts.sandbox.Sandbox."""
        await self._answer({"op": "write", "path": path, "data": b64encode(data).decode()})

    async def read(self, path: str, most: int) -> bytes:
        """As interplay.contracts.sandbox.Sandbox."""
        return await self._answer({"op": "read", "path": path, "most": most})

    async def list(self) -> list[Entry]:
        """As interplay.contracts.sandbox.Sandbox."""
        files: list[tuple[str, int, int]] = msgspec.json.decode(await self._answer({"op": "list"}))[
            "files"
        ]
        return [Entry(path=path, size=size, changed=at) for path, size, at in files]

    async def close(self) -> None:
        """As interplay.contracts.sandbox.Sandbox."""
        if self._closed:
            return
        self._closed = True
        writer = getattr(self, "_writer", None)
        if writer is not None:
            writer.close()
        try:
            await asyncio.shield(asyncio.to_thread(self._started.kill))
        finally:
            self._ended(self)

    async def _answer(self, asked: dict[str, Any]) -> bytes:
        async with self._turn:
            whole = False
            try:
                await self._say(asked)
                kind, data = await self._frame(_GRACE)
                whole = True
            finally:
                if not whole:
                    await self.close()
        if kind == b"f":
            raise NoSuchFile(_message(data))
        return data

    async def _say(self, asked: dict[str, Any]) -> None:
        if self._closed:
            raise SandboxGone("The sandbox was closed.")
        data = msgspec.json.encode(asked)
        self._writer.write(_LENGTH.pack(len(data)) + data)
        try:
            await self._writer.drain()
        except OSError:
            await self._gone("Its first process has ended.")

    async def _frame(self, seconds: float) -> tuple[bytes, bytes]:
        try:
            async with asyncio.timeout(seconds):
                kind, size = _HEAD.unpack(await self._reader.readexactly(_HEAD.size))
                if size > _MOST_FRAME:
                    await self._gone("It spoke nonsense.")
                return kind, await self._reader.readexactly(size)
        except TimeoutError:
            await self._gone("It did not answer.")
        except (asyncio.IncompleteReadError, OSError):
            await self._gone("Its first process has ended.")
        raise AssertionError("unreachable")

    async def _gone(self, why: str) -> None:
        await self.close()
        with suppress(UnicodeDecodeError):
            why = f"{why} {self._started.said.decode(errors='replace').strip()[:500]}".strip()
        raise SandboxGone(f"The sandbox ended. {why}")


def _message(data: bytes) -> str:
    return str(msgspec.json.decode(data)["message"])
