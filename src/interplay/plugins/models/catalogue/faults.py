"""What can go wrong with the catalogue."""

from __future__ import annotations

from interplay.contracts.failure import Refused, Unavailable


class UnknownModel(Refused):
    """The catalogue has no model of this name."""

    code = "model_not_found"


class PullFailed(Unavailable):
    """The model could not be fetched; the message says what each source answered."""


class NoSpace(PullFailed):
    """The disk has no room for the model."""


class SourceFailed(Exception):
    """One source could not deliver; the next one is tried."""


class NotTheModel(SourceFailed):
    """What a source delivered does not have the pinned SHA-256; it was deleted."""
