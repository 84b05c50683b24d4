"""What a place for code nobody vouches for promises: a machine of its own, with bounds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from interplay.contracts.failure import NotInstalled, Refused, Unavailable


class NoIsolation(NotInstalled):
    """A check of the backend failed, so that nothing may run; the message names it and the way
    out."""


class SandboxGone(Unavailable):
    """The sandbox ended, with what was in it: it ran out of memory, was closed, or broke."""


class NoSuchFile(Refused):
    """There is no regular file of this name in the sandbox, or it is larger than was asked for."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a backend needs, and whether it is there."""

    name: str
    passed: bool
    found: str
    way_out: str = ""
    """What to do where it failed."""
    required: bool = True
    """Nothing runs without it; else isolation holds, and a limit is softer."""


class Packages(msgspec.Struct, frozen=True, kw_only=True):
    """Where Python packages lie that every sandbox may read."""

    folder: Path
    """A folder of this machine; it need not be there yet."""
    python: Path
    """The Python they are for, as this machine has it."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one sandbox may take, its commands and files together. Sizes in bytes."""

    seconds: float = 60.0
    """Of one command."""
    memory_bytes: int = 1024 * 1024 * 1024
    processes: int = 128
    """Threads count."""
    output_bytes: int = 1024 * 1024
    """Of one command, both streams together; the rest is read and dropped."""
    disk_bytes: int = 256 * 1024 * 1024
    """Files in the working folder."""
    tmp_bytes: int = 128 * 1024 * 1024
    """Files in /tmp, and once more in /dev/shm."""
    file_bytes: int = 128 * 1024 * 1024
    """One file."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One program to run."""

    argv: Sequence[str]
    """Looked up in the PATH of the sandbox."""
    stdin: bytes = b""
    env: Mapping[str, str] = {}
    """Added to the few variables a sandbox has; nothing of the server's environment is among
    them."""
    cwd: str = ""
    """A folder inside; relative to the working folder, which it is when empty."""
    seconds: float | None = None
    """Less than the sandbox's own limit; None for that."""


class Output(msgspec.Struct, frozen=True):
    """Bytes as they came."""

    stream: Literal["stdout", "stderr"]
    data: bytes


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a command; nothing that it started lives on."""

    reason: Literal["exited", "killed", "timeout"]
    """killed: by a signal, such as for memory. A program that is not there exits with 127."""
    code: int = 0
    """The exit code, or for `killed` the signal."""
    truncated: bool = False
    """There was more output than the limit."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One regular file of the working folder."""

    path: str
    """Relative to it."""
    size: int
    changed: int
    """A number that is another one after each change."""


class Sandbox(Protocol):
    """One machine. Commands run one after the other and find the files of those before. Every
    method may raise SandboxGone. Names of files are relative to the working folder."""

    python: str
    """The path of Python inside."""

    def exec(self, command: Command) -> AsyncIterator[Output | Exit]:
        """Runs a command and yields what it writes while it runs, then its Exit. Whoever closes
        this early ends the sandbox. Commands are never repeated."""
        ...

    async def write(self, path: str, data: bytes) -> None:
        """Makes a file, and the folders it lies in. Raises NoSuchFile when it cannot lie there."""
        ...

    async def read(self, path: str, most: int) -> bytes:
        """A regular file of at most `most` bytes. Raises NoSuchFile."""
        ...

    async def list(self) -> list[Entry]:
        """The files there are, at most 2,000, links left out."""
        ...

    async def close(self) -> None:
        """Ends every process in it, and what it kept is gone. May be called again."""
        ...


class Sandboxes(Protocol):
    """A backend. Registered in the entry-point group `interplay.sandboxes`; built with an instance
    of its `Config` (msgspec struct, unknown fields forbidden) and a Surroundings."""

    guarantee: str
    """What stands between a command and this machine: G1 namespaces and a system call filter, G2
    a kernel in user space, G3 hardware."""

    async def preflight(self) -> list[Check]:
        """Looks whether sandboxes can be had here, by opening one."""
        ...

    async def ready(self) -> None:
        """Raises NoIsolation naming the first required check that failed; looks once."""
        ...

    async def probe(self) -> list[Check]:
        """Tries known ways out from inside of a sandbox, a second or two; a failed check says
        which was found. Raises NoIsolation, SandboxGone."""
        ...

    def packages(self) -> Packages | None:
        """None when packages are no matter of this machine. Raises NoIsolation when there is no
        Python to be had."""
        ...

    async def open(self, limits: Limits) -> Sandbox:
        """A fresh sandbox. Raises NoIsolation, and interplay.contracts.failure.Busy when there are
        as many as there may be."""
        ...

    async def close(self) -> None:
        """Ends every sandbox."""
        ...
