"""The backend: whether sandboxes can be had here, and one after the other."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import msgspec

from interplay.contracts.failure import Busy
from interplay.contracts.sandbox import (
    Check,
    Command,
    Exit,
    Limits,
    NoIsolation,
    Packages,
    SandboxGone,
)
from interplay.contracts.surroundings import Surroundings
from interplay.plugins.sandboxes.bubblewrap import escapes, launch, root
from interplay.plugins.sandboxes.bubblewrap.box import Box
from interplay.plugins.sandboxes.bubblewrap.cgroups import Cgroups
from interplay.plugins.sandboxes.bubblewrap.config import BubblewrapConfig
from interplay.plugins.sandboxes.bubblewrap.seccomp import UnknownMachine, program

_INSTALL = "Run: apt-get install bubblewrap, or pip install 'interplay[sandbox]'."
_NAMESPACES = (
    "Allow user namespaces: sysctl user.max_user_namespaces=10000, on Ubuntu also"
    " kernel.apparmor_restrict_unprivileged_userns=0; in Docker run with"
    " --security-opt seccomp=unconfined --security-opt systempaths=unconfined."
)
_DELEGATE = (
    "Run the server as root, or delegate a group (systemd: Delegate=yes) and name it in cgroup."
)


class Bubblewrap:
    """Sandboxes of namespaces with a root of their own, without any network."""

    Config: ClassVar[type[msgspec.Struct]] = BubblewrapConfig
    guarantee: ClassVar[str] = "G1"

    def __init__(self, config: BubblewrapConfig, surroundings: Surroundings) -> None:
        self._config, self._surroundings = config, surroundings
        self._open: dict[Box, int] = {}
        self._looked: list[Check] | None = None
        self._looking = asyncio.Lock()
        self._cgroups: Cgroups | None = None

    async def preflight(self) -> list[Check]:
        """As interplay.contracts.sandbox.Sandboxes."""
        checks = self._static()
        if all(check.passed for check in checks if check.required):
            checks.append(await self._canary())
        self._looked = checks
        return checks

    async def ready(self) -> None:
        """As interplay.contracts.sandbox.Sandboxes."""
        async with self._looking:
            checks = self._looked if self._looked is not None else await self.preflight()
        for check in checks:
            if check.required and not check.passed:
                self._looked = None  # it may be mended by the next time
                raise NoIsolation(
                    f"Nothing can be run in isolation: the check '{check.name}' failed"
                    f" ({check.found}). {check.way_out}".strip()
                )

    async def probe(self) -> list[Check]:
        """As interplay.contracts.sandbox.Sandboxes."""
        box = await self.open(Limits(seconds=60.0))
        try:
            return await escapes.tried(box)
        finally:
            await box.close()

    def packages(self) -> Packages:
        """As interplay.contracts.sandbox.Sandboxes."""
        try:
            python = root.interpreter(self._config.python)
        except root.NoRoot as error:
            raise NoIsolation(f"{error}. Name another Python in [sandbox] python.") from error
        return Packages(folder=self._folder(python), python=python)

    async def open(self, limits: Limits) -> Box:
        """As interplay.contracts.sandbox.Sandboxes."""
        await self.ready()
        return await self._opened(limits)

    async def close(self) -> None:
        """As interplay.contracts.sandbox.Sandboxes."""
        for box in list(self._open):
            await box.close()

    def _static(self) -> list[Check]:
        linux = sys.platform == "linux"
        checks = [Check(name="linux", passed=linux, found=sys.platform, way_out="Run on Linux.")]
        if not linux:
            return checks
        bwrap = launch.found(self._config.bwrap)
        found = str(bwrap or "there is none")
        checks.append(
            Check(name="bubblewrap", passed=bwrap is not None, found=found, way_out=_INSTALL)
        )
        try:
            words = f"{len(program()) // 8} instructions"
            checks.append(Check(name="system call filter", passed=True, found=words))
        except UnknownMachine as error:
            way_out = "Run on x86_64 or aarch64."
            checks.append(
                Check(name="system call filter", passed=False, found=str(error), way_out=way_out)
            )
        if bwrap is not None:
            checks.append(self._root(bwrap))
        if os.geteuid() == 0:
            tools = [name for name in ("setpriv", "unshare", "mount") if not shutil.which(name)]
            found = f"missing: {', '.join(tools)}" if tools else "the server runs as root"
            way_out = "Install util-linux, or run the server as an ordinary user."
            checks.append(Check(name="setpriv", passed=not tools, found=found, way_out=way_out))
        groups = self._groups()
        checks.append(
            Check(
                name="cgroups",
                passed=groups.memory,
                found=groups.found if groups.memory else "none: memory is limited per process only",
                way_out="" if groups.memory else _DELEGATE,
                required=False,
            )
        )
        return checks

    def _root(self, bwrap: Path) -> Check:
        try:
            parts = self._parts(bwrap)
            if os.geteuid() == 0:
                root.staged(parts)
        except root.NoRoot as error:
            way_out = "Name another Python in [sandbox] python."
            return Check(name="root", passed=False, found=str(error), way_out=way_out)
        lent = ", ".join(str(lent.source) for lent in parts.lent) or "/usr alone"
        return Check(name="root", passed=True, found=f"{parts.python}; lent: {lent}")

    async def _canary(self) -> Check:
        """A sandbox is opened, and looks at what it has."""
        name = "namespaces"
        try:
            box = await self._opened(Limits(seconds=30.0))
        except (SandboxGone, NoIsolation) as error:
            return Check(name=name, passed=False, found=error.message, way_out=_NAMESPACES)
        seen = b""
        async with asyncio.timeout(90.0):
            try:
                argv = [box.python, "-I", "-S", "-c", _CANARY]
                async for piece in box.exec(Command(argv=argv)):
                    seen += b"" if isinstance(piece, Exit) else piece.data
            except SandboxGone as error:
                return Check(name=name, passed=False, found=error.message, way_out=_NAMESPACES)
            finally:
                await box.close()
        words = seen.decode(errors="replace").strip()
        return Check(
            name=name,
            passed=words == "contained",
            found="a sandbox was opened and is contained" if words == "contained" else words,
            way_out="" if words == "contained" else "Do not use this backend here.",
        )

    async def _opened(self, limits: Limits) -> Box:
        if len(self._open) >= self._config.sandboxes:
            raise Busy(f"{len(self._open)} sandboxes are in use.", retry_after=5.0)
        bwrap = launch.found(self._config.bwrap)
        if bwrap is None:
            raise NoIsolation(f"There is no bubblewrap. {_INSTALL}")
        used = set(self._open.values())
        place = next(n for n in range(self._config.sandboxes) if n not in used)
        uid = self._config.first_uid + place if os.geteuid() == 0 else None
        groups = self._groups()
        try:
            group = groups.make(limits)
        except OSError as error:
            raise NoIsolation(f"No cgroup can be made: {error}.") from error
        try:
            started = await asyncio.to_thread(launch.start, self._parts(bwrap), limits, group, uid)
        except (OSError, root.NoRoot, UnknownMachine) as error:
            group.remove()
            raise NoIsolation(f"No sandbox can be started: {error}.") from error

        def ended(box: Box) -> None:
            self._open.pop(box, None)

        box = Box(started, limits, not group.limits_memory, ended)
        self._open[box] = place
        try:
            await box.begin(self._config.start_seconds)
        except BaseException:
            await box.close()
            raise
        return box

    def _parts(self, bwrap: Path) -> root.Parts:
        python = root.interpreter(self._config.python)
        return root.parts(bwrap, python, self._folder(python))

    def _folder(self, python: Path) -> Path:
        """Where packages for a Python lie; those of another version would not run."""
        given = self._config.packages
        if given:
            return Path(given).expanduser()
        return self._surroundings.cache("sandbox") / python.name

    def _groups(self) -> Cgroups:
        if self._cgroups is None:
            with suppress(OSError):
                self._cgroups = Cgroups(self._config.cgroup)
        return self._cgroups or Cgroups("/nonexistent")


_CANARY = """\
import os, socket
lines = open("/proc/self/status").read().splitlines()
status = dict(line.split(":\\t", 1) for line in lines if ":\\t" in line)
faults = []
if os.getuid() == 0:
    faults.append("root")
if int(status["CapEff"], 16):
    faults.append("capabilities")
if status["NoNewPrivs"] != "1":
    faults.append("new privileges")
if status["Seccomp"] != "2":
    faults.append("no system call filter")
for path, mode in (("sys/kernel/core_pattern", os.O_WRONLY), ("1/environ", os.O_RDONLY)):
    try:
        os.close(os.open("/proc/" + path, mode))
        faults.append(path)
    except OSError:
        pass
try:
    socket.create_connection(("1.1.1.1", 53), 1)
    faults.append("network")
except OSError:
    pass
print(", ".join(faults) or "contained")
"""
