"""The ways out of a sandbox that are known, tried inside a real one."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from interplay.contracts.sandbox import Limits, SandboxGone
from interplay.plugins.sandboxes.bubblewrap import escapes, seccomp
from interplay.plugins.sandboxes.bubblewrap.root import _STAGES, HOME, reachable
from interplay.testing.contracts.sandbox import ran
from tests.sandboxes import backend, needs_bubblewrap

PROBES = Path(escapes.__file__).with_name("probes.py")
_PYTHONS = [Path(sys.executable), Path("/usr/bin/python{}.{}".format(*sys.version_info))]
PYTHON = next((path for path in _PYTHONS if path.exists() and reachable(path)), None)
"""One that an ordinary user can start."""


@needs_bubblewrap
async def test_nothing_that_is_known_gets_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    word, name = secrets.token_hex(16), f"interplay-{secrets.token_hex(8)}"
    monkeypatch.setenv("INTERPLAY_API_KEYS", word)
    canary = tmp_path / "canary"
    canary.write_text(word)
    box = await (sandboxes := backend(tmp_path)).open(Limits())
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind("\0" + name)
        abstract.listen()
        try:
            await box.write("probes.py", PROBES.read_bytes())
            await box.write("calls.json", json.dumps(seccomp.denied()).encode())
            given = [str(canary), word[::-1], str(os.getpid()), str(tcp.getsockname()[1]), name]
            said, end = await ran(box, box.python, "probes.py", *given)
        finally:
            await sandboxes.close()
    assert end.code == 0, said
    assert json.loads(said) == {}


@needs_bubblewrap
async def test_probes_that_do_not_come_to_their_end_are_no_proof(tmp_path: Path) -> None:
    box = await (sandboxes := backend(tmp_path)).open(Limits(seconds=0.001))
    try:
        with pytest.raises(SandboxGone, match="did not come to their end"):
            await escapes.tried(box)
    finally:
        await sandboxes.close()


def test_what_got_through_fails_the_check_of_its_wall() -> None:
    checks = escapes.told({"writes /usr/x": "/usr/x", "s4 family 40": "made"})
    failed = {check.name: check.found for check in checks if not check.passed}
    assert failed.pop("walls: files") == "writes /usr/x: /usr/x"
    assert failed == {"walls: kernel": "s4 family 40: made"}
    assert all(check.way_out for check in checks if not check.passed)
    assert len(checks) == 4


@needs_bubblewrap
async def test_the_probes_see_what_is_open(tmp_path: Path) -> None:
    """On what a sandbox does have they say so: they are not blind."""
    box = await (sandboxes := backend(tmp_path)).open(Limits())
    try:
        await box.write("probes.py", PROBES.read_bytes())
        getpid = {"x86_64": b"39", "aarch64": b"172"}[os.uname().machine]
        await box.write("calls.json", b'{"getpid": ' + getpid + b"}")
        await box.write("here", b"x")
        given = [f"{HOME}/here", "HTAP", "1", "1", "x"]
        said, _ = await ran(box, box.python, "probes.py", *given)
    finally:
        await sandboxes.close()
    found = json.loads(said)
    assert {"f1 host file", "p2 own environment", "s3 getpid", "p4 host process"} <= set(found)


@needs_bubblewrap
async def test_a_server_that_is_killed_leaves_no_process_group_or_mount(
    tmp_path: Path,
) -> None:
    script = f"""
import asyncio, pathlib, sys
from tests.sandboxes import backend
from interplay.contracts.sandbox import Command, Limits

async def main():
    box = await backend(pathlib.Path({str(tmp_path)!r})).open(Limits())
    script = "setsid sleep 3141 & echo runs; sleep 3142"
    async for piece in box.exec(Command(argv=["sh", "-c", script])):
        print("runs", flush=True)

asyncio.run(main())
"""
    mounts = _mounts("self")
    program = [sys.executable, "-c", script]
    server = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    try:
        async with asyncio.timeout(120):
            assert await server.stdout.readline() == b"runs\n"
            inside: list[str] = []
            while not inside:  # the word comes before what it announces
                await asyncio.sleep(0.05)
                inside = [at for at in _left(server.pid) if at.isdigit()]
            assert "/home/user" in {place for place, _ in _mounts(inside[0])}
            assert _mounts("self") <= mounts
            server.kill()
            await server.wait()
            while _left(server.pid):  # noqa: ASYNC110 - nobody tells of their end
                await asyncio.sleep(0.05)
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()
    assert _mounts("self") <= mounts


def _mounts(pid: str) -> set[tuple[str, str]]:
    """Where a process sees something mounted and what, of places a sandbox could have to do
    with."""
    lines = Path(f"/proc/{pid}/mountinfo").read_text("utf-8").splitlines()
    pairs = [(line.split()[4], line.partition(" - ")[2]) for line in lines]
    ours = (*_STAGES, "/tmp", "/home", "/newroot", "/oldroot", "/proc", "/dev")
    return {(place, what) for place, what in pairs if place.startswith(ours)}


def _left(pid: int) -> list[str]:
    """Commands of that test that run, and groups of that server."""
    mark = f"interplay-sandbox-{pid}-"
    found = [at for at, _, _ in os.walk("/sys/fs/cgroup") if Path(at).name.startswith(mark)]
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "cmdline").read_bytes() in (b"sleep\x003141\x00", b"sleep\x003142\x00"):
                found.append(entry.name)
    return found


UNPRIVILEGED = """
import asyncio, json, pathlib, sys
from tests.sandboxes import backend
from interplay.contracts.sandbox import Limits
from interplay.testing.contracts.sandbox import ran

async def main():
    sandboxes = backend(pathlib.Path("/nonexistent"))
    box = await sandboxes.open(Limits())
    await box.write("probes.py", pathlib.Path(sys.argv[1]).read_bytes())
    await box.write("calls.json", sys.argv[2].encode())
    said, end = await ran(box, box.python, "probes.py", sys.argv[1], "x" * 20, "99999", "1", "x")
    await sandboxes.close()
    print(said)

asyncio.run(main())
"""


@needs_bubblewrap
@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
@pytest.mark.skipif(
    PYTHON is None or not reachable(PROBES.parent),
    reason="an ordinary user cannot get to this Python or these tests",
)
def test_an_ordinary_user_has_the_same_walls() -> None:
    calls = json.dumps(seccomp.denied())
    ended = subprocess.run(
        [str(PYTHON), "-c", UNPRIVILEGED, str(PROBES), calls],
        env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        cwd=Path(__file__).parents[4],
        user=65_534,
        group=65_534,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {}
