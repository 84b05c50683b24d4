"""Where the terminal event of one interaction is sent."""

from __future__ import annotations

from typing import Any

from interplay.wire.record import Record


class WebhookConfig(Record):
    """Where the events of one interaction go; `user_metadata` comes back in each of them."""

    uris: list[str] | None = None
    user_metadata: dict[str, Any] | None = None
