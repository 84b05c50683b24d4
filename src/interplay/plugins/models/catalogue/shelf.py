"""Where fetched models lie: `<cache_dir>/models/<file>`, each with a note that it was verified."""

from __future__ import annotations

import difflib
import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec

from interplay.plugins.models.catalogue.entries import ENTRIES, Entry
from interplay.plugins.models.catalogue.faults import UnknownModel


class _Note(msgspec.Struct):
    """What the file looked like when its hash was last seen to be right."""

    size: int
    mtime_ns: int
    sha256: str


def find(name: str) -> Entry:
    """The entry of this name; raises UnknownModel with the names there are."""
    if entry := ENTRIES.get(name):
        return entry
    near = difflib.get_close_matches(name, ENTRIES, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise UnknownModel(
        f"No model '{name}' in the catalogue.{hint} There are: {', '.join(ENTRIES)}."
    )


def place(entry: Entry, cache_dir: Path) -> Path:
    """Where the model's file belongs, whether it is there or not."""
    return cache_dir / "models" / entry.file


def partial(entry: Entry, cache_dir: Path) -> Path:
    """The folder where an unfinished pull keeps what it has."""
    return cache_dir / "models" / ".partial" / entry.file


def present(entry: Entry, cache_dir: Path) -> Path | None:
    """The model's file when it is there and its hash is right, else None.

    The hash is computed once and noted; later calls are instant as long as size and time of
    the file stay the same. A file with a wrong hash is left alone.
    """
    path = place(entry, cache_dir)
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if status.st_size != entry.size:
        return None
    note = _Note(status.st_size, status.st_mtime_ns, entry.sha256)
    if _noted(path) == note:
        return path
    if file_sha256(path) != entry.sha256:
        return None
    write_note(path, entry)
    return path


def contents(entry: Entry, path: Path) -> dict[str, bytes]:
    """What a model's file holds, by the names of its members. Raises OSError."""
    with path.open("rb") as file:
        return {member.name: file.read(member.size) for member in entry.members}


def write_note(path: Path, entry: Entry) -> None:
    """Notes that the file at `path` was seen to have the entry's hash."""
    status = path.stat()
    note = _Note(status.st_size, status.st_mtime_ns, entry.sha256)
    aside = _note_path(path).with_suffix(f".{os.getpid()}")
    try:
        aside.write_bytes(msgspec.json.encode(note))
        aside.replace(_note_path(path))
    except PermissionError:
        return  # a read-only shelf is hashed at each start instead


def listed(cache_dir: Path) -> list[dict[str, Any]]:
    """One row per entry: name, size, licence, summary, path, and `state` (ready, partial,
    absent, damaged)."""
    rows: list[dict[str, Any]] = []
    for entry in ENTRIES.values():
        path = place(entry, cache_dir)
        if present(entry, cache_dir):
            state = "ready"
        elif path.exists():
            state = "damaged"
        else:
            state = "partial" if partial(entry, cache_dir).exists() else "absent"
        rows.append(
            {
                "name": entry.name,
                "state": state,
                "size": entry.size,
                "licence": entry.licence,
                "summary": entry.summary,
                "path": str(path),
            }
        )
    return rows


def remove(entry: Entry, cache_dir: Path) -> int:
    """Deletes the model's file and what an unfinished pull left; answers the bytes freed."""
    path, rest = place(entry, cache_dir), partial(entry, cache_dir)
    gone = [path, *(rest.rglob("*") if rest.exists() else ())]
    freed = sum(item.stat().st_blocks * 512 for item in gone if item.is_file())
    path.unlink(missing_ok=True)
    _note_path(path).unlink(missing_ok=True)
    shutil.rmtree(rest, ignore_errors=True)
    return freed


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _note_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.verified")


def _noted(path: Path) -> _Note | None:
    try:
        return msgspec.json.decode(_note_path(path).read_bytes(), type=_Note)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
