"""What the service refuses, and why; server/errors.py turns these into HTTP."""

from __future__ import annotations

import re

import msgspec

from interplay.contracts.store import StoreFull, StoreUnavailable


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with a request."""

    path: str
    message: str


class Rejected(Exception):
    """The request cannot be served; nothing was begun. `code` is one of the API's."""

    def __init__(self, code: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.retry_after = code, message, retry_after


def invalid(message: str, path: str | None = None) -> Rejected:
    """A 400 whose message ends with the path of the field."""
    return Rejected("invalid_request", f"{message} at '{path}'." if path else message)


def within(place: str, rejected: Rejected) -> Rejected:
    """The same refusal of an object that stands at `place` in a larger body: every path in its
    message begins there."""
    message = _AT.sub(f" at '{place}.", rejected.message)
    if message == rejected.message:
        message = f"{message.removesuffix('.')} at '{place}'."
    return Rejected(rejected.code, message, retry_after=rejected.retry_after)


_AT = re.compile(r" at '(?=[a-z_]+[\[.'])")


def not_found(interaction_id: str) -> Rejected:
    """A 404 that does not tell whether the id exists for someone else."""
    return Rejected(
        "not_found",
        f"Result not found. There is no interaction '{interaction_id[:80]}': it was never stored,"
        " was deleted, has expired, or belongs to another key.",
    )


def unavailable(error: StoreUnavailable) -> Rejected:
    """A 503 that says what the store waits for."""
    if isinstance(error, StoreFull):
        message = (
            "The disk is full or not writable: free space under data_dir, or send store=false."
        )
        return Rejected("service_unavailable", message, retry_after=30)
    return Rejected("service_unavailable", f"{error} Try again.", retry_after=2)


def elsewhere() -> Rejected:
    """A 503 for a run that another process is just taking over."""
    message = "The interaction is being taken over by another process of this server. Try again."
    return Rejected("service_unavailable", message, retry_after=1)


class GenerationFault(Exception):
    """The model's output cannot stand; the interaction ends as `failed` with this code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message
