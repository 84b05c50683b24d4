"""Control groups: memory and processes of a sandbox as a whole, where this server may make them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from interplay.contracts.sandbox import Limits

_NAME = "interplay-sandbox"
_MOUNTS = Path("/sys/fs/cgroup")


class Group(msgspec.Struct, frozen=True):
    """The folders of one sandbox; none where there are no groups."""

    folders: list[Path]
    limits_memory: bool
    limits_processes: bool

    def remove(self) -> None:
        """Takes them away, if nothing runs in them any more."""
        for folder in self.folders:
            with suppress(OSError):
                folder.rmdir()


class Cgroups:
    """Makes one group for each sandbox. What a server that was killed left empty is swept when the
    next one starts."""

    def __init__(self, given: str = "") -> None:
        self._places = _places(given)
        for _, parent in self._places:
            _sweep(parent)

    @property
    def found(self) -> str:
        """What there is, in words."""
        return ", ".join(f"{kind} in {parent}" for kind, parent in self._places) or "none"

    @property
    def memory(self) -> bool:
        """Whether the memory of a sandbox as a whole is limited."""
        return any(kind in ("memory", "v2") for kind, _ in self._places)

    def make(self, limits: Limits) -> Group:
        """A group with these limits. Raises OSError."""
        name = f"{_NAME}-{os.getpid()}-{secrets.token_hex(4)}"
        group = Group([], self.memory, any(kind in ("pids", "v2") for kind, _ in self._places))
        try:
            for kind, parent in self._places:
                folder = parent / name
                folder.mkdir()
                group.folders.append(folder)
                for file, value in _KNOBS[kind](limits):
                    _put(folder / file, value)
        except OSError:
            group.remove()
            raise
        return group


def _v1_memory(limits: Limits) -> list[tuple[str, int]]:
    return [
        ("memory.limit_in_bytes", limits.memory_bytes),
        ("memory.memsw.limit_in_bytes", limits.memory_bytes),
    ]


def _v1_pids(limits: Limits) -> list[tuple[str, int]]:
    return [("pids.max", limits.processes + 1)]


def _v2(limits: Limits) -> list[tuple[str, int]]:
    return [
        ("memory.max", limits.memory_bytes),
        ("memory.swap.max", 0),
        ("pids.max", limits.processes + 1),
    ]


_KNOBS: dict[str, Callable[[Limits], list[tuple[str, int]]]] = {
    "memory": _v1_memory,
    "pids": _v1_pids,
    "v2": _v2,
}


def _put(file: Path, value: int) -> None:
    if "sw" in file.name and not file.exists():
        return  # swap is not counted here
    file.write_text(str(value))


def _places(given: str) -> list[tuple[str, Path]]:
    """Where groups can be made: one place of v2, or one for each controller of v1."""
    own = _own()
    if given:
        candidates = [Path(given)]
    else:
        at = _MOUNTS / own.get("", "/").lstrip("/")
        candidates = [at, at.parent] if at != _MOUNTS else [at]
    for parent in candidates:
        if _usable_v2(parent):
            return [("v2", parent)]
    if given:
        return []
    found: list[tuple[str, Path]] = []
    for kind in ("memory", "pids"):
        parent = _MOUNTS / kind / own.get(kind, "/").lstrip("/")
        if kind in own and os.access(parent, os.W_OK) and _can_make(parent, "cgroup.procs"):
            found.append((kind, parent))
    return found


def _own() -> dict[str, str]:
    """Controller -> this process's group; the empty name is that of v2."""
    found: dict[str, str] = {}
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            found |= dict.fromkeys(controllers.split(","), path)
    return found


def _usable_v2(parent: Path) -> bool:
    try:
        controllers = (parent / "cgroup.controllers").read_text().split()
        control = parent / "cgroup.subtree_control"
        for wanted in ("memory", "pids"):
            if wanted not in controllers:
                return False
            if wanted not in control.read_text().split():
                control.write_text(f"+{wanted}")
    except OSError:
        return False
    return _can_make(parent, "memory.max")


def _can_make(parent: Path, file: str) -> bool:
    probe = parent / f"{_NAME}-{os.getpid()}-probe"
    try:
        probe.mkdir()
        with suppress(OSError):
            return os.access(probe / file, os.W_OK)
        return False
    except OSError:
        return False
    finally:
        with suppress(OSError):
            probe.rmdir()


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_NAME}-*"):
        pid = folder.name.removeprefix(f"{_NAME}-").partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            with suppress(OSError):
                folder.rmdir()
