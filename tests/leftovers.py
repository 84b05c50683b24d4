"""What a run of the tests leaves behind: it should be nothing.

Temporary files of the tests and of every process they start go into one folder of the run, which
is empty in the end; the processes that carry its name in their environment, or hold files of the
run open, have ended.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

SECONDS = 15
"""How long processes that were told to end are given."""


class Leftovers:
    """Begins with a temporary folder of its own for the run."""

    def __init__(self) -> None:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.gettempdir()  # where failures are kept
        self._folder = Path(tempfile.mkdtemp(prefix="interplay-tests-"))
        self._folder.chmod(0o1777)  # as the one it stands for
        os.environ["TMPDIR"] = tempfile.tempdir = str(self._folder)

    def found(self, kept: Path) -> list[str]:
        """Removes the folder; sentences about what was left. `kept`: pytest's own folder."""
        until = time.monotonic() + SECONDS
        while (processes := self._processes(kept)) and time.monotonic() < until:
            time.sleep(0.1)
        files = sorted(path.name for path in self._folder.iterdir())
        shutil.rmtree(self._folder, ignore_errors=True)
        tempfile.tempdir = None
        os.environ["TMPDIR"] = os.environ.pop("PYTEST_DEBUG_TEMPROOT")
        return [f"still runs: {one}" for one in processes] + [f"a file: {one}" for one in files]

    def _processes(self, kept: Path) -> list[str]:
        mark, folders = f"TMPDIR={self._folder}".encode(), (str(kept), str(self._folder))
        return [
            f"{entry.name} {_read(entry / 'cmdline').replace(bytes(1), b' ').decode().strip()}"
            for entry in Path("/proc").glob("[0-9]*")
            if int(entry.name) != os.getpid()
            and (
                mark in _read(entry / "environ").split(bytes(1))
                or any(file.startswith(folders) for file in _open_files(entry))
            )
        ]


def _read(path: Path) -> bytes:
    with suppress(OSError):
        return path.read_bytes()
    return b""


def _open_files(entry: Path) -> list[str]:
    files: list[str] = []
    with suppress(OSError):
        for one in (entry / "fd").iterdir():
            with suppress(OSError):
                files.append(str(one.readlink()))
    return files
