"""What goes wrong at a server -> failures in words a caller may read."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, cast

import msgspec

from interplay.contracts.failure import BadAnswer, Busy, Failure, Refused, TimedOut, Unavailable

_TOO_LONG = re.compile(
    r"context.{0,12}(length|size|window)|maximum context|too many tokens|prompt is too long"
    r"|exceed_context_size|context_length_exceeded",
    re.IGNORECASE,
)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_NO_CREDIT = "credit balance is too low"
_NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached", "insufficient_balance")


class Garbled(Exception):
    """What came is not the protocol; the message goes on after "The server at … "."""


class CutOff(BadAnswer):
    """The answer broke off before its end."""


class Said(msgspec.Struct):
    """What an error answer says, whatever form it has."""

    message: str = ""
    code: str = ""
    status: int | None = None
    """A status the error itself names; the stream it came in began with 200."""
    flagged: bool = False
    """The input was turned away by the server's moderation."""


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """The server as messages name it, and the words no message may hold."""

    where: str
    secrets: tuple[str, ...] = ()

    def clean(self, text: str, most: int = 500) -> str:
        """Text from outside without secrets and control characters, at most so long."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return text if len(text) <= most else f"{text[:most]}…"

    def garbled(self, fault: Garbled) -> BadAnswer:
        """The failure for an answer that is not the protocol."""
        return BadAnswer(f"The server at {self.where} {self.clean(str(fault))}.")

    def cut_off(self, detail: str = "") -> CutOff:
        """The failure for an answer that broke off."""
        tail = f": {self.clean(detail)}" if detail else ""
        return CutOff(f"The answer of the server at {self.where} broke off before its end{tail}.")

    def unreachable(self, model: str, error: Exception) -> Unavailable:
        """The failure for a server that cannot be connected to."""
        reason = self.clean(str(error) or type(error).__name__, 200)
        return Unavailable(
            f"The server at {self.where} that serves the model '{model}' cannot be reached:"
            f" {reason}. Start it, or set base_url of this model's entry in the settings."
        )

    def timed_out(self, seconds: float, connecting: bool) -> TimedOut:
        """The failure for a server that was silent for too long."""
        if connecting:
            return TimedOut(
                f"The server at {self.where} took no connection within {seconds:g} s"
                " (connect_seconds)."
            )
        return TimedOut(
            f"The server at {self.where} sent nothing for {seconds:g} s (timeout_seconds)."
        )

    def failed(
        self, status: int, said: Said, model: str, retry_after: float | None = None
    ) -> Failure:
        """The failure for an error answer. 404 is told apart by `not_there`."""
        words = self.clean(said.message) or f"HTTP {status} without a word"
        at = f"The server at {self.where}"
        if _TOO_LONG.search(f"{said.code} {said.message}") and status < 500:
            return Refused(f"The conversation is too long for '{model}'. {at} says: {words}")
        if status == 403 and said.flagged:
            return Refused(f"{at} refuses this input: {words}")
        if status in (401, 403):
            return Failure(
                f"{at} does not accept this installation's key ({status}): {words}. The operator"
                f" sets it with api_key or api_key_env of this model's entry in the settings.",
                code="service_unavailable",
            )
        if status == 402 or said.code in _NO_MONEY or _NO_CREDIT in said.message:
            return Failure(
                f"{at} says that this account is used up: {words}", code="quota_exceeded"
            )
        if status == 429:
            return Busy(f"{at} is taking no more requests: {words}", retry_after=retry_after)
        if status in (408, 504):
            return TimedOut(f"{at} ran out of time ({status}): {words}")
        if status == 501 or 400 <= status < 500:
            return Refused(f"{at} refuses this request ({status}): {words}")
        return Unavailable(f"{at} failed ({status}): {words}", retry_after=retry_after)

    def not_there(self, said: Said, path: str, model: str, listed: list[str] | None) -> Failure:
        """The failure for 404: an unknown model, or a base_url that is off."""
        words = self.clean(said.message) or "not found"
        if listed is None or model in listed:
            return Failure(
                f"The server at {self.where} answers 404 at {path}: {words}."
                " Check base_url of this model's entry in the settings; most servers want it to"
                " end in /v1.",
                code="service_unavailable",
            )
        names = ", ".join(f"'{self.clean(name, 100)}'" for name in listed[:20]) or "no model"
        return Failure(
            f"The server at {self.where} does not have the model '{model}': {words}."
            f" It lists {names}. Set model of this model's entry in the settings.",
            code="model_not_found",
        )


def read_body(body: bytes) -> Said:
    """What the body of an error answer says."""
    try:
        decoded: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        title = _TITLE.search(body[:65_536])
        if title is not None:
            return Said(title[1].decode("utf-8", "replace"))
        text = "" if body.lstrip().startswith(b"<") else body.decode("utf-8", "replace")
        return Said(text)
    return read_error(decoded)


def read_error(decoded: Any) -> Said:
    """What an error says: a text, an error object, or something with one inside."""
    if isinstance(decoded, list) and decoded:
        decoded = cast(list[Any], decoded)[0]
    if isinstance(decoded, str):
        return Said(decoded)
    if not isinstance(decoded, dict):
        return Said()
    found = cast(dict[str, Any], decoded)
    inner: Any = found.get("error")
    if isinstance(inner, dict | str) and inner:
        said = read_error(inner)
        said.status = said.status or _status(found.get("code"))
        return said
    message: Any = found.get("message") or found.get("detail") or found.get("msg") or ""
    if not isinstance(message, str):
        message = _faults(message)
    code: Any = found.get("code")
    kind: Any = found.get("type")
    words = [word for word in (code, kind) if isinstance(word, str)]
    metadata: Any = found.get("metadata")
    return Said(
        message,
        code=words[0] if words else "",
        status=_status(code),
        flagged=isinstance(metadata, dict) and "reasons" in metadata,
    )


def _status(code: Any) -> int | None:
    if isinstance(code, str) and code.isdigit():
        code = int(code)
    return code if isinstance(code, int) and 400 <= code < 600 else None


def _faults(detail: Any) -> str:
    """A list of faults, each with a place and a message, as one text."""
    if not isinstance(detail, list):
        return msgspec.json.encode(detail).decode()
    parts: list[str] = []
    for fault in cast(list[Any], detail):
        if isinstance(fault, dict):
            one = cast(dict[str, Any], fault)
            place = ".".join(str(part) for part in cast(list[Any], one.get("loc") or []))
            parts.append(f"{place}: {one.get('msg')}" if place else str(one.get("msg")))
        else:
            parts.append(str(fault))
    return "; ".join(parts)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds a server asks to wait; None when it does not say."""
    lowered = {name.lower(): value for name, value in headers.items()}
    milliseconds = _number(lowered.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = lowered.get("retry-after", "")
    seconds = _number(value)
    if seconds is not None or not value:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return max(0.0, value) if math.isfinite(value) else None


def shown(raw: bytes, most: int = 120) -> str:
    """The start of bytes from outside, fit to be quoted in a message."""
    text = raw[: most * 4].decode("utf-8", "replace")
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f"'{text[:most]}…'" if len(text) > most or len(raw) > most * 4 else f"'{text}'"
