"""What every backend of sandboxes must do; see interplay.contracts.sandbox."""

from __future__ import annotations

import asyncio
import signal
from contextlib import aclosing
from typing import Any

import pytest

from interplay.contracts.sandbox import (
    Command,
    Exit,
    Limits,
    NoSuchFile,
    Sandbox,
    Sandboxes,
    SandboxGone,
)


async def ran(sandbox: Sandbox, *argv: str, **more: Any) -> tuple[str, Exit]:
    """What a command wrote on both streams, and its end."""
    said, end = b"", Exit(reason="killed")
    async for piece in sandbox.exec(Command(argv=argv, **more)):
        if isinstance(piece, Exit):
            end = piece
        else:
            said += piece.data
    return said.decode(errors="replace"), end


@pytest.mark.asyncio
class SandboxContract:
    """Subclass it and give the fixture `sandboxes`, a backend that can run here."""

    limits = Limits(
        seconds=30.0,
        memory_bytes=192 * 1024 * 1024,
        processes=48,
        output_bytes=64 * 1024,
        disk_bytes=16 * 1024 * 1024,
        tmp_bytes=8 * 1024 * 1024,
        file_bytes=64 * 1024 * 1024,
    )

    @pytest.fixture
    def sandboxes(self) -> Any:
        """The backend under test."""
        raise NotImplementedError("Give your test class a `sandboxes` fixture.")

    @pytest.fixture
    async def sandbox(self, sandboxes: Sandboxes) -> Any:
        """One of it."""
        sandbox = await sandboxes.open(self.limits)
        yield sandbox
        await sandbox.close()

    async def test_every_required_check_passes(self, sandboxes: Sandboxes) -> None:
        """And each says what it found."""
        checks = await sandboxes.preflight()
        assert [check for check in checks if check.required and not check.passed] == []
        assert all(check.found for check in checks)
        assert sandboxes.guarantee in ("G1", "G2", "G3")

    async def test_no_known_way_out_is_open(self, sandboxes: Sandboxes) -> None:
        """Probes of the backend's own, from inside."""
        checks = await sandboxes.probe()
        assert checks
        assert [check for check in checks if not check.passed] == []

    async def test_packages_have_a_place(self, sandboxes: Sandboxes) -> None:
        """And a Python they are for, when they are a matter of this machine."""
        packages = sandboxes.packages()
        assert packages is None or packages.python.is_file()

    async def test_a_command_reads_and_writes_and_ends(self, sandbox: Sandbox) -> None:
        """Streams are apart, input and variables arrive, the code comes back."""
        script = 'cat; echo "$WORD" >&2; exit 3'
        command = Command(argv=["sh", "-c", script], stdin=b"in", env={"WORD": "err"})
        pieces = [piece async for piece in sandbox.exec(command)]
        streams = {"stdout": b"", "stderr": b""}
        for piece in pieces[:-1]:
            assert not isinstance(piece, Exit)
            streams[piece.stream] += piece.data
        assert streams == {"stdout": b"in", "stderr": b"err\n"}
        assert pieces[-1] == Exit(reason="exited", code=3)

    async def test_output_comes_while_a_command_runs(self, sandbox: Sandbox) -> None:
        """The first words are there though the command would go on for long."""
        made: Any = sandbox.exec(Command(argv=["sh", "-c", "echo early; sleep 20"]))
        async with aclosing(made):
            assert (await anext(made)).data == b"early\n"

    async def test_files_stay_for_the_next_command_and_not_for_others(
        self, sandboxes: Sandboxes, sandbox: Sandbox
    ) -> None:
        """One sandbox, one set of files."""
        await sandbox.write("folder/given.txt", b"given")
        assert (await ran(sandbox, "sh", "-c", "cat folder/given.txt; echo made > made"))[0] == (
            "given"
        )
        assert await sandbox.read("made", 100) == b"made\n"
        assert {entry.path: entry.size for entry in await sandbox.list()} == {
            "folder/given.txt": 5,
            "made": 5,
        }
        other = await sandboxes.open(self.limits)
        try:
            assert await other.list() == []
        finally:
            await other.close()

    async def test_what_is_no_file_cannot_be_read(self, sandbox: Sandbox) -> None:
        """Pipes, links, devices, large ones."""
        await ran(sandbox, "sh", "-c", "mkfifo pipe; ln -s /etc/passwd link; echo 12345 > large")
        for path in ("pipe", "link", "none", ".", "/dev/zero", "large"):
            with pytest.raises(NoSuchFile):
                await sandbox.read(path, 3)
        assert await sandbox.read("large", 6) == b"12345\n"

    async def test_time_ends_a_command_with_all_that_it_started(self, sandbox: Sandbox) -> None:
        """Also what left its session; the sandbox and its files stay."""
        script = "echo kept > file; (setsid sleep 1000 &) ; sleep 1000"
        _, end = await ran(sandbox, "sh", "-c", script, seconds=1.0)
        assert end.reason == "timeout"
        said, end = await ran(
            sandbox, "sh", "-c", "cat file; cat /proc/[0-9]*/comm | grep -c sleep"
        )
        assert said == "kept\n0\n"

    async def test_output_is_cut_at_its_limit(self, sandbox: Sandbox) -> None:
        """The command goes on to its end."""
        said, end = await ran(sandbox, "sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x; exit 4")
        assert len(said) == self.limits.output_bytes
        assert end == Exit(reason="exited", code=4, truncated=True)

    async def test_memory_has_a_limit(self, sandbox: Sandbox) -> None:
        """Whoever takes more is ended or refused, and the next command runs."""
        code = "held = bytearray(1_000_000_000); print('held')"
        said, end = await ran(sandbox, sandbox.python, "-c", code)
        assert "held" not in said.splitlines()
        assert (end.reason, end.code) in (("killed", signal.SIGKILL), ("exited", 1))
        assert (await ran(sandbox, "echo", "well"))[0] == "well\n"

    async def test_processes_have_a_limit(self, sandbox: Sandbox) -> None:
        """A fork bomb stops, and the next command runs."""
        code = (
            "import os, time\nmade = 0\ntry:\n while made < 500:\n"
            "  if os.fork() == 0: time.sleep(100)\n  made += 1\nexcept OSError: print(made)"
        )
        said, _ = await ran(sandbox, sandbox.python, "-c", code)
        assert 0 < int(said) <= self.limits.processes
        assert (await ran(sandbox, "echo", "well"))[0] == "well\n"

    @pytest.mark.parametrize("folder", [".", "/tmp", "/dev/shm"])
    async def test_files_have_a_limit(self, sandbox: Sandbox, folder: str) -> None:
        """And nothing else can be written."""
        script = f"cd {folder}; head -c 40000000 /dev/zero > big; wc -c < big"
        said, _ = await ran(sandbox, "sh", "-c", script)
        assert int(said.split()[-1]) <= self.limits.disk_bytes
        assert "space" in said

    async def test_a_closed_sandbox_is_gone(self, sandbox: Sandbox) -> None:
        """It says so, and can be closed again."""
        await sandbox.close()
        with pytest.raises(SandboxGone):
            await ran(sandbox, "true")
        await sandbox.close()

    async def test_whoever_stops_listening_ends_the_sandbox(self, sandbox: Sandbox) -> None:
        """A command nobody waits for does not run on."""
        made: Any = sandbox.exec(Command(argv=["sh", "-c", "echo a; sleep 1000"]))
        async with asyncio.timeout(60.0), aclosing(made):
            await anext(made)
        with pytest.raises(SandboxGone):
            await sandbox.list()
