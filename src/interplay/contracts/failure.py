"""Failures a plugin may raise; each says what the caller is told."""

from __future__ import annotations

from collections.abc import Sequence


class Failure(Exception):
    """Something outside the caller's request went wrong, in words the caller may read.

    `code` is one of the API's error codes (interplay.wire.errors.HTTP_STATUS), `message`
    says what happened and the way out, `retry_after` is in seconds. The message must not
    hold secrets: it reaches the caller, the log and the stored interaction.
    """

    code = "api_error"
    headers: Sequence[tuple[bytes, bytes]] = ()
    """What the answer carries beside, where it is an answer of its own."""

    def __init__(self, message: str, *, code: str | None = None, retry_after: float | None = None):
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.retry_after = retry_after


class Unavailable(Failure):
    """The part behind this plugin cannot be reached or is not ready; trying again may help."""

    code = "service_unavailable"


class Busy(Failure):
    """The part behind this plugin is full; try again after `retry_after` seconds."""

    code = "too_many_requests"


class TimedOut(Failure):
    """The part behind this plugin did not answer in the time it was given."""

    code = "deadline_exceeded"


class BadAnswer(Failure):
    """The part behind this plugin answered with something that is not its protocol."""

    code = "bad_gateway"


class Refused(Failure):
    """The part behind this plugin refuses this request; sending it again will not help."""

    code = "invalid_request"


class NotInstalled(Failure):
    """A plugin or what it needs is not on this machine; the message names the command."""

    code = "service_unavailable"
