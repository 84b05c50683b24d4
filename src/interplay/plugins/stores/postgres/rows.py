"""The statements by name, and rows turned into what the contract promises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from interplay.contracts.store import ChainLink, StoredInteraction
from interplay.wire.usage import InteractionStatus

STATUSES: tuple[InteractionStatus, ...] = (
    "queued",
    "in_progress",
    "requires_action",
    "completed",
    "failed",
    "cancelled",
    "incomplete",
    "budget_exceeded",
    "requires_continuation",
)
"""The rows hold indexes into this tuple: unended ones first, and a new one only at the end."""
CODES: dict[str, int] = {status: code for code, status in enumerate(STATUSES)}
UNENDED = 2
"""Codes below this have not ended."""

_AWKWARD = re.compile("[\x00\x10\ud800-\udfff]")
_ESCAPED = re.compile("\x10([0-9a-f]{4})")
_INDEXED_BYTES = 500

_labels = msgspec.json.Decoder(dict[str, str])


def statements(text: str) -> dict[str, str]:
    """The statements of a .sql file by the names in its `-- name:` lines, {names} filled in."""
    found: dict[str, str] = {}
    for name, body in re.findall(r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", text, re.S | re.M):
        lines = [line for line in body.splitlines() if line and not line.startswith("--")]
        found[name] = "\n".join(lines)
    found["unended"] = str(UNENDED)

    def fill(sql: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: fill(found[match[1]]), sql)

    return {name: fill(sql) for name, sql in found.items()}


_FILES = ("store.sql", "records.sql", "jobs.sql", "transfer.sql")
SQL = statements(
    "\n".join((Path(__file__).parent / name).read_text(encoding="utf-8") for name in _FILES)
)


def stored(text: str) -> str:
    """A text as columns hold it: PostgreSQL takes neither NUL nor half a surrogate pair."""
    if _AWKWARD.search(text) is None:
        return text
    return _AWKWARD.sub(lambda found: f"\x10{ord(found[0]):04x}", text)


def maybe(text: str | None) -> str | None:
    """The same for a text that may be missing."""
    return None if text is None else stored(text)


def told(text: str) -> str:
    """What `stored` was given."""
    if "\x10" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def indexed(text: str) -> str:
    """What an index holds of a text from outside that is only ever compared: an entry of an index
    has to fit into a third of a page."""
    text = stored(text)
    data = text.encode()
    if len(data) <= _INDEXED_BYTES:
        return text
    return f"\x10sha256:{sha256(data).hexdigest()}"


def millis(seconds: float) -> int:
    """Unix seconds as the columns hold them."""
    return round(seconds * 1000)


def maybe_millis(seconds: float | None) -> int | None:
    """The same for a time that may be missing."""
    return None if seconds is None else millis(seconds)


def seconds(millis: int | None) -> float | None:
    """Unix seconds of a column that may be null."""
    return None if millis is None else millis / 1000


def status_of(code: int) -> InteractionStatus:
    """The status behind a code."""
    return STATUSES[code]


def is_expired(expires: int | None, status: int, now: int) -> bool:
    """Whether an ended row's time has passed."""
    return expires is not None and expires <= now and status >= UNENDED


def put_labels(labels: Mapping[str, str]) -> bytes | None:
    """Labels as their column holds them."""
    return msgspec.json.encode(labels) if labels else None


def whole(row: Any) -> StoredInteraction:
    """A row of columns and bodies."""
    (
        id, owner, root, parent, status, model, agent, background, created, updated, expires,
        labels, fingerprint, epoch, last, attempts, worker, usage, errors, request, input, steps,
        replay,
    ) = row  # fmt: skip
    return StoredInteraction(
        id=told(id),
        owner=told(owner),
        root=told(root),
        parent=None if parent is None else told(parent),
        status=status_of(status),
        model=None if model is None else told(model),
        agent=None if agent is None else told(agent),
        background=background,
        created=created / 1000,
        updated=updated / 1000,
        expires=seconds(expires),
        labels={} if labels is None else _labels.decode(labels),
        request=request,
        input=input,
        epoch=epoch,
        last=last,
        attempts=attempts,
        worker=told(worker),
        steps=steps,
        replay=replay or b"",
        usage=usage,
        errors=errors,
        fingerprint=None if fingerprint is None else told(fingerprint),
    )


def listed(row: Any) -> StoredInteraction:
    """A row of a list, its position left off: no request, no input, no steps, no replay."""
    return whole((*row[1:], b"", b"", b"" if row[5] >= UNENDED else None, b""))


def link(row: Any) -> ChainLink:
    """A turn of a chain, its depth left off."""
    _, id, status, input, steps = row
    return ChainLink(id=told(id), status=status_of(status), input=input, steps=steps)
