"""What tests fetch from package registries: kept between runs, made by one process at a time.

It lies in $INTERPLAY_SDK_CACHE, by default in ~/.cache/interplay-tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

CACHE = Path(os.environ.get("INTERPLAY_SDK_CACHE", "~/.cache/interplay-tests")).expanduser()
SECONDS = 600


class NotMade(RuntimeError):
    """A command that makes a folder failed; the message is the end of what it said."""


def kept(name: str, commands: Sequence[Sequence[str | Path]]) -> Path:
    """A folder of the cache, made once by these commands, which run in it; one that was left
    half made is made again."""
    folder = CACHE / name
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE / f"{name}.lock"):
        ready = folder / ".ready"
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for command in commands:
                _run(command, folder)
            ready.touch()
    return folder


def python_with(name: str, *packages: str) -> Path:
    """A Python of the cache that has these packages from PyPI."""
    version = f"py{sys.version_info.major}.{sys.version_info.minor}"
    name = f"{name}-{version}"
    python, uv = CACHE / name / "venv" / "bin" / "python", shutil.which("uv")
    if uv is not None:
        kept(
            name,
            [
                [uv, "venv", "--quiet", "--python", sys.executable, "venv"],
                [uv, "pip", "install", "--quiet", "--python", python, *packages],
            ],
        )
    else:
        kept(
            name,
            [
                [sys.executable, "-m", "venv", "venv"],
                [python, "-m", "pip", "install", "--quiet", *packages],
            ],
        )
    return python


def _run(command: Sequence[str | Path], folder: Path) -> None:
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotMade(f"{command[0]} took more than {SECONDS} s") from error
    if done.returncode:
        raise NotMade(f"{command[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
