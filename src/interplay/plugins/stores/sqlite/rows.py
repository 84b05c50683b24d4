"""The statements by name, and rows turned into what the contract promises."""

from __future__ import annotations

import re
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from interplay.contracts.store import StoredInteraction
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
"""The file holds indexes into this tuple: unended ones first, and a new one only at the end."""
CODES: dict[str, int] = {status: code for code, status in enumerate(STATUSES)}
UNENDED = 2
"""Codes below this have not ended."""

Row = tuple[Any, ...]

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


_FILES = ("sqlite.sql", "records.sql", "jobs.sql", "transfer.sql")
SQL = statements(
    "\n".join((Path(__file__).parent / name).read_text(encoding="utf-8") for name in _FILES)
)


def key_of(text: str) -> int:
    """What the indexes hold of an id or a root: 64 bits, the same on every machine."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def millis(seconds: float) -> int:
    """Unix seconds as the file holds them."""
    return round(seconds * 1000)


def status_of(code: int) -> InteractionStatus:
    """The status behind a code."""
    return STATUSES[code]


def is_expired(expires: int | None, status: int, now: int) -> bool:
    """Whether an ended row's time has passed."""
    return expires is not None and expires <= now and status >= UNENDED


def whole(row: Row) -> StoredInteraction:
    """A row of the `whole` statement."""
    (
        id, owner, root, parent, status, model, agent, background, created, updated, expires,
        labels, fingerprint, epoch, last, attempts, worker, usage, errors, request_size,
        asked_size, steps_size, asked, answered,
    ) = row  # fmt: skip
    text = (asked or b"") + (answered or b"")
    return StoredInteraction(
        id=id,
        owner=owner,
        root=root,
        parent=parent,
        status=status_of(status),
        model=model,
        agent=agent,
        background=bool(background),
        created=created / 1000,
        updated=updated / 1000,
        expires=None if expires is None else expires / 1000,
        labels=_labels.decode(labels) if labels else {},
        request=text[:request_size],
        input=text[request_size:asked_size],
        epoch=epoch,
        last=last,
        attempts=attempts,
        worker=worker,
        steps=None if steps_size is None else text[asked_size : asked_size + steps_size],
        replay=b"" if steps_size is None else text[asked_size + steps_size :],
        usage=usage or b"",
        errors=errors or b"",
        fingerprint=fingerprint,
    )


def listed(row: Row) -> StoredInteraction:
    """A row of a list, its position left off: no request, no input, no steps, no replay."""
    return whole((*row, 0, 0, 0 if row[4] >= UNENDED else None, None, None))
