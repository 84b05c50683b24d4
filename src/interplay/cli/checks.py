"""What `interplay doctor` looks at: this installation, its settings, folders, models and port."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import msgspec

from interplay.cli.client import Api, ApiFault, Unreachable
from interplay.cli.plain import fields, objects
from interplay.cli.steps import size
from interplay.settings import Settings, SettingsError

_SCARCE, _TOO_LITTLE = 2_000_000_000, 200_000_000
"""Free bytes below which a disk is worth a warning, and a failure."""
_PIP = f"{sys.executable} -m pip install"
"""For this installation: the `pip` of the shell may be another Python's."""


class Check(msgspec.Struct, frozen=True):
    """One thing looked at: what was found, and the way out where it is not well."""

    name: str
    state: Literal["ok", "warn", "fail"]
    found: str
    way_out: str = ""


def installation() -> Iterator[Check]:
    """Python, SQLite, and the packages Interplay needs."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", "ok", f"{version} ({sys.executable})")
    if sqlite3.sqlite_version_info >= (3, 40, 0):
        yield Check("sqlite", "ok", sqlite3.sqlite_version)
    else:
        yield Check("sqlite", "fail", sqlite3.sqlite_version, "Use a Python with SQLite 3.40.")
    yield from _packages()


def _packages() -> Iterator[Check]:
    wanted = metadata.requires("interplay") or []
    wrong: list[str] = []
    extras: dict[str, list[str]] = {}
    count = 0
    for line in wanted:
        requirement, _, marker = line.partition(";")
        if "extra ==" in marker:
            extras.setdefault(marker.split("'" if "'" in marker else '"')[1], []).append(line)
        elif "win32" not in marker or sys.platform != "win32":
            count += 1
            fault = package_fault(requirement.strip())
            wrong += [fault] if fault else []
    if wrong:
        yield Check("packages", "fail", "; ".join(wrong), f"Run: {_PIP} --upgrade interplay")
    else:
        yield Check("packages", "ok", f"{count} of {count} are there")
    for extra, lines in extras.items():
        faults = [package_fault(line.partition(";")[0].strip()) for line in lines]
        missing = "; ".join(fault for fault in faults if fault)
        way_out = f"For it: {_PIP} 'interplay[{extra}]'" if missing else ""
        yield Check(f"extra {extra}", "warn" if missing else "ok", missing or "installed", way_out)


def package_fault(requirement: str) -> str | None:
    """What is wrong with a requirement like `click<9,>=8.2` here; None when it is met."""
    at = min((requirement.find(mark) for mark in "<>=!~" if mark in requirement), default=None)
    name = requirement[:at].strip()
    try:
        there = metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"{name} is not installed"
    for bound in requirement[at:].split(",") if at is not None else ():
        sign, limit = ("<", bound[1:]) if bound[1:2].isdigit() else (bound[:2], bound[2:])
        have, want = _numbers(there), _numbers(limit)
        if (sign == "<" and have >= want) or (sign == ">=" and have < want):
            return f"{name} {there} is installed, {sign}{limit} is needed"
    return None


def _numbers(version: str) -> tuple[int, ...]:
    numbers: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)


def folders(settings: Settings) -> Iterator[Check]:
    """The data folder: writable, room on its disk, and who holds it."""
    path = settings.data_path
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    fault = _write_fault(there)
    if fault:
        yield Check("data folder", "fail", f"{path}: {fault}", "Choose another with data_dir.")
    else:
        note = "" if path.exists() else " (made at the first start)"
        yield Check("data folder", "ok", f"{path}{note}")
    free = shutil.disk_usage(there).free
    state = "fail" if free < _TOO_LITTLE else "warn" if free < _SCARCE else "ok"
    way_out = "" if state == "ok" else "Free space there, or choose another with data_dir."
    yield Check("disk", state, f"{size(free)} free under {there}", way_out)
    yield from _holder(path / "lock")


def _write_fault(folder: Path) -> str | None:
    if not folder.is_dir():
        return f"{folder} is no folder"
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return f"cannot be written: {error.strerror}"


def _holder(lock: Path) -> Iterator[Check]:
    """Looks without touching the file: opening it for writing could take the pid out of it."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        file = os.open(lock, os.O_RDONLY)
    except FileNotFoundError:
        yield Check("data lock", "ok", "no server holds the data folder")
        return
    except OSError as error:
        yield Check("data lock", "warn", f"{lock} cannot be read: {error.strerror}")
        return
    pid = os.read(file, 32).decode("ascii", "replace").strip() or "unknown"
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield Check("data lock", "ok", "no server holds the data folder")
    except BlockingIOError:
        found = f"process {pid} holds the data folder"
        yield Check("data lock", "ok", f"{found}; a second server needs another data_dir")
    finally:
        os.close(file)


def models(settings: Settings) -> Iterator[Check]:
    """The default model: whether what it needs is on this machine."""
    for model, entry in settings.models.items():
        variable = entry.get("api_key_env")
        if variable and not os.environ.get(variable):
            found = f"{variable} is not set; '{model}' takes its key from there"
            yield Check("model key", "warn", found, f"Set {variable} where the server runs.")
    name = settings.default_model
    entry = settings.models.get(name)
    if entry is not None and entry.get("backend") != "llama_cpp":
        yield Check("default model", "ok", f"{name} is answered by {entry.get('backend')}")
        return
    if find_spec("xllamacpp") is None:
        found = f"{name} runs beside the server, which needs the extra `local`"
        yield Check("default model", "fail", found, f"Run: {_PIP} 'interplay[local]'")
        return
    if entry is not None:
        name = str(entry.get("model") or name)
    if name.endswith(".gguf"):
        there = Path(name).expanduser().is_file()
        way_out = "" if there else "Put the file there, or choose another default_model."
        yield Check("default model", "ok" if there else "fail", name, way_out)
        return
    from interplay.plugins.models import catalogue

    rows = {row["name"]: row for row in catalogue.listed(settings.cache_path)}
    ready = [row["name"] for row in rows.values() if row["state"] == "ready"]
    yield Check("models here", "ok", ", ".join(ready) or "none has been fetched")
    if name not in rows:
        way_out = "Configure it under [models] in interplay.toml, or choose another default_model."
        yield Check("default model", "fail", f"'{name}' is neither configured nor fetched", way_out)
    elif rows[name]["state"] != "ready":
        found = f"{name} is {rows[name]['state']} ({size(rows[name]['size'])} to fetch)"
        yield Check("default model", "fail", found, f"Run: interplay models pull {name}")
    else:
        yield Check("default model", "ok", f"{name}: {rows[name]['path']}")


def isolation(settings: Settings) -> Iterator[Check]:
    """Where code of models is run. The server does without, so that what fails is a failure only
    where settings name a backend."""
    import asyncio

    from interplay.cli.isolation import preflight
    from interplay.contracts.failure import Failure

    chosen = str(settings.sandbox.get("backend", "auto"))
    if chosen == "none":
        yield Check("sandbox", "ok", "none, as the settings say; code_execution is refused")
        return
    state = "warn" if chosen == "auto" else "fail"
    try:
        looked = asyncio.run(preflight(settings))
    except (Failure, SettingsError) as error:
        yield Check("sandbox", "fail", str(error), "Correct the table [sandbox].")
        return
    amiss = [check for check in looked if not check.passed]
    for check in amiss:
        found = f"{check.name}: {check.found}"
        yield Check("sandbox", state if check.required else "warn", found, check.way_out)
    if not any(check.required for check in amiss):
        found = f"opened and contained ({', '.join(check.name for check in looked)})"
        yield Check("sandbox", "ok", f"{found}; `interplay sandbox check` tries its walls")


def listening(settings: Settings, url: str, key: str | None) -> Iterator[Check]:
    """The port: free, taken by this server, or taken by something else."""
    api = Api(url, key)
    try:
        status, body = api.health("/ready")
    except Unreachable:
        yield _bind(settings)
        return
    if b'"status"' not in body:
        way_out = "Stop it, or choose another port with --port."
        yield Check("port", "fail", f"something else answers at {url} ({status})", way_out)
        return
    ready = "is ready" if status == 200 else "is not ready"
    yield Check("port", "ok" if status == 200 else "warn", f"the server at {url} {ready}")
    yield _serves(api)


def _serves(api: Api) -> Check:
    try:
        found = objects(fields(api.get("models", seconds=5.0)).get("models"))
    except ApiFault as fault:
        way_out = "Give the key with --key or in INTERPLAY_API_KEY." if fault.status == 401 else ""
        return Check("server", "warn", fault.message, way_out)
    except Unreachable as error:
        return Check("server", "fail", str(error), "Look at the log of the server.")
    names = [str(model.get("name")).removeprefix("models/") for model in found]
    if not names:
        return Check("server", "warn", "it has no models", "Add one: see docs/models.md.")
    return Check("server", "ok", f"models: {', '.join(names)}")


def _bind(settings: Settings) -> Check:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    at = f"{settings.host}:{settings.port}"
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            way_out = "Choose another address or port (--host, --port)."
            return Check("port", "fail", f"{at} cannot be listened on: {error.strerror}", way_out)
    return Check("port", "ok", f"{at} is free; no server runs there")


def access(settings: Settings) -> Iterator[Check]:
    """Keys, and who can reach the server without one."""
    count = len(settings.api_keys)
    if settings.api_keys_file is not None:
        path = Path(settings.api_keys_file).expanduser()
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, ValueError) as error:
            yield Check("keys", "fail", f"{path} cannot be read: {error}", "Correct api_keys_file.")
            return
        count += sum(1 for line in lines if line.strip() and not line.startswith("#"))
        if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            found = f"{path} can be read by other users"
            yield Check("keys file", "warn", found, f"Run: chmod 600 {path}")
    if count:
        yield Check("keys", "ok", f"{count} configured")
    elif is_loopback(settings.host):
        yield Check("keys", "ok", f"none; only this machine reaches {settings.host}")
    elif settings.allow_insecure_public:
        found = f"none, and {settings.host} is public: everyone who reaches it may use it"
        yield Check("keys", "warn", found, "Set api_keys (INTERPLAY_API_KEYS=name:secret).")
    else:
        found = f"none, and {settings.host} is public: the server will not start"
        yield Check("keys", "fail", found, "Set api_keys, or listen on 127.0.0.1.")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def every(settings: Settings, url: str, key: str | None) -> Iterator[Check]:
    """All of them, in the order a first start would meet them."""
    looked: list[Any] = [
        installation(),
        folders(settings),
        models(settings),
        isolation(settings),
        access(settings),
        listening(settings, url, key),
    ]
    for checks in looked:
        yield from checks
