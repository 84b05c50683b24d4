"""Addresses that events are to be sent to: refused before anything is begun."""

from __future__ import annotations

import msgspec

from interplay.contracts.egress import EgressRefused, Guard, Place
from interplay.interactions.failures import Rejected, invalid
from interplay.settings import Settings
from interplay.wire.webhook import WebhookConfig

METADATA_BYTES = 2_048
"""`user_metadata` as JSON. It travels in a header too, and servers take headers up to 8 KiB."""


def check_webhook_config(config: WebhookConfig, background: bool, settings: Settings) -> None:
    """Refuses a `webhook_config` that could never be served. Names are resolved later, when
    something is sent. Raises Rejected."""
    if not background:
        raise invalid("Events are sent for background=true only", "webhook_config")
    uris, most = config.uris or [], settings.webhooks.uris_per_request
    if not uris:
        raise invalid("Expected at least one address", "webhook_config.uris")
    if len(uris) > most:
        raise invalid(
            f"At most {most} addresses are possible (webhooks.uris_per_request)",
            "webhook_config.uris",
        )
    guard = Guard(settings.allowed_networks)
    for number, uri in enumerate(uris):
        check_uri(uri, f"webhook_config.uris[{number}]", guard)
    if len(msgspec.json.encode(config.user_metadata)) > METADATA_BYTES:
        raise invalid(
            f"The metadata has at most {METADATA_BYTES} bytes of JSON",
            "webhook_config.user_metadata",
        )


def check_uri(uri: str, path: str, guard: Guard) -> Place:
    """What stands at `path` as a place that can be sent to. Raises Rejected."""
    try:
        return guard.check(uri, plain=False)
    except EgressRefused as error:
        raise refused(error, path) from error


def refused(error: EgressRefused, path: str) -> Rejected:
    """A 400 that names the field."""
    return invalid(str(error), path)
