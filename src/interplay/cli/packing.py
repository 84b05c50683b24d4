"""Installs Python packages into the folder that sandboxes read."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from interplay.contracts.sandbox import Packages

_LIST = "installed.txt"
"""The words that were installed, one a line: written when all of them are there, so that what was
broken off is done again."""


class NotPacked(Exception):
    """Packages could not be installed; the message says the way out."""


def missing(folder: Path, wanted: Iterable[str]) -> list[str]:
    """Those of `wanted` that were never installed there, by the very words."""
    there = _listed(folder)
    return [word for word in dict.fromkeys(wanted) if _plain(word) not in there]


def install(place: Packages, words: list[str]) -> None:
    """Runs pip, which says on stderr how far it is. Raises NotPacked."""
    try:
        place.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        # Whoever a sandbox runs as reads them, whatever the mask of this shell says.
        done = subprocess.run([*_pip(place), *words], stdout=2, umask=0o022)
        mode = place.folder.stat().st_mode
        if mode & 0o555 != 0o555:
            place.folder.chmod(stat.S_IMODE(mode) | 0o555)
        if done.returncode != 0:
            raise NotPacked(f"pip did not install {', '.join(words)}; its words are above.")
        listed = sorted({*_listed(place.folder), *map(_plain, words)})
        (place.folder / _LIST).write_text("\n".join(listed) + "\n", "utf-8")
    except OSError as error:
        raise NotPacked(f"{place.folder} cannot be filled: {error}") from error


def _pip(place: Packages) -> list[str]:
    """The command up to the packages, by whatever pip there is; it need not be that of the Python
    they are for."""
    target = ["--upgrade", "--only-binary=:all:", "--target", str(place.folder)]
    pip = [sys.executable, "-m", "pip"] if find_spec("pip") else [shutil.which("pip") or ""]
    if pip != [""]:
        # What else that Python has is no matter here.
        quiet = ["--disable-pip-version-check", "--no-input", "--root-user-action=ignore"]
        quiet += ["--no-warn-conflicts"]
        python = ["--python", str(place.python)]
        return [*pip, *python, "install", *quiet, *target]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--python", str(place.python), *target]
    raise NotPacked(f"There is no pip. Run: {sys.executable} -m ensurepip")


def _listed(folder: Path) -> set[str]:
    try:
        return set((folder / _LIST).read_text("utf-8").split("\n")) - {""}
    except FileNotFoundError:
        return set()


def _plain(word: str) -> str:
    """A requirement in the one spelling of its name: `Foo_bar` is `foo-bar`."""
    name = re.match(r"[A-Za-z0-9._-]+$", word)
    return re.sub(r"[-_.]+", "-", word).lower() if name else word
