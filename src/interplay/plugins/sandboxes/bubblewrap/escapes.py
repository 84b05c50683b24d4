"""The host's side of the probes: what they are to look for, and what is said of their findings."""

from __future__ import annotations

import json
import os
import secrets
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from interplay.contracts.sandbox import Check, Command, Exit, SandboxGone
from interplay.plugins.sandboxes.bubblewrap import seccomp
from interplay.plugins.sandboxes.bubblewrap.box import Box

_KINDS = {"files": "fw", "processes": "p", "kernel": "s", "network": "n"}
"""What is told of -> the first letters of its probes."""
_WORD = "INTERPLAY_CANARY"


async def tried(box: Box) -> list[Check]:
    """Runs the probes in a fresh sandbox. Raises SandboxGone when they do not come to their end."""
    source = Path(__file__).with_name("probes.py").read_bytes()
    await box.write("probes.py", source)
    await box.write("calls.json", json.dumps(seccomp.denied()).encode())
    said = b""
    end = Exit(reason="killed")
    with _bait() as given:
        argv = [box.python, "-I", "-S", "probes.py", *given]
        async for piece in box.exec(Command(argv=argv)):
            if isinstance(piece, Exit):
                end = piece
            else:
                said += piece.data
    if end.reason != "exited" or end.code != 0:
        words = f"{end.reason} {end.code}: {said.decode(errors='replace').strip()[-200:]}"
        raise SandboxGone(f"The probes did not come to their end ({words}).")
    return told(json.loads(said))


def told(through: dict[str, str]) -> list[Check]:
    """A check for each kind of wall, from what got through it."""
    checks: list[Check] = []
    for kind, letters in _KINDS.items():
        found = [f"{probe}: {what}" for probe, what in through.items() if probe[0] in letters]
        checks.append(
            Check(
                name=f"walls: {kind}",
                passed=not found,
                found="; ".join(found) or "no known way through",
                way_out="Do not use this backend here, and report this." if found else "",
            )
        )
    return checks


@contextmanager
def _bait() -> Generator[list[str]]:
    """What a sandbox must not see: a file, a word in the environment, a process, a port, a
    socket. Gives the arguments of the probes."""
    word, name = secrets.token_hex(16), f"interplay-{secrets.token_hex(8)}"
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        canary = Path(folder, "canary")
        canary.write_text(word)
        abstract.bind("\0" + name)
        abstract.listen()
        os.environ[_WORD] = word
        try:
            yield [
                str(canary),
                word[::-1],
                str(os.getpid()),
                str(tcp.getsockname()[1]),
                name,
            ]
        finally:
            del os.environ[_WORD]
