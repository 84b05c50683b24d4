"""Logs: one line an event, as text or JSON, never contents and never secrets."""

from __future__ import annotations

import logging
import time
from typing import Any

import msgspec

from interplay.settings import Settings

_OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class Lines(logging.Formatter):
    """A line of text, or of JSON."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self._json = form == "json"

    def format(self, record: logging.LogRecord) -> str:
        """One record as one line (a traceback follows in text form)."""
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        when = f"{when}.{int(record.msecs):03d}Z"
        extra: dict[str, Any] = {k: v for k, v in vars(record).items() if k not in _OWN}
        trace = self.formatException(record.exc_info) if record.exc_info else None
        if self._json:
            line: dict[str, Any] = {
                "time": when,
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": record.getMessage(),
                **extra,
            }
            if trace:
                line["trace"] = trace
            return msgspec.json.encode(line, enc_hook=str).decode()
        pairs = "".join(f" {key}={value}" for key, value in extra.items())
        text = f"{when} {record.levelname:<7} {record.name}: {record.getMessage()}{pairs}"
        return f"{text}\n{trace}" if trace else text


def configure(settings: Settings) -> None:
    """Sends everything of this process to standard error in that form."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(settings.log_format))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
