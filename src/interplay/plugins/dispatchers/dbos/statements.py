"""The statements of dispatch.sql by name."""

from __future__ import annotations

import re
from hashlib import blake2b
from pathlib import Path


def key_of(text: str) -> int:
    """The key of an advisory lock for a name: 64 bits, the same on every machine."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


REAPER = key_of("interplay dispatch: the reaper")
"""Held by the process that looks after what the dead have left."""
CLEANER = key_of("interplay dispatch: the cleaner")
"""Held by the process that clears away what has ended."""
CHANNEL = "interplay_dispatch"
"""Where a process tells others that there is work of a kind."""


def _read() -> dict[str, str]:
    text = (Path(__file__).parent / "dispatch.sql").read_text(encoding="utf-8")
    found = {"gate": str(key_of("interplay dispatch: the tables"))}
    for name, body in re.findall(r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", text, re.S | re.M):
        lines = [line for line in body.splitlines() if line and not line.startswith("--")]
        found[name] = "\n".join(lines)

    def fill(sql: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: fill(found[match[1]]), sql)

    return {name: fill(sql) for name, sql in found.items()}


SQL = _read()
