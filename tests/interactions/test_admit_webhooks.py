"""What a webhook_config may be."""

from __future__ import annotations

from typing import Any

import pytest

from interplay.interactions.admit import check_fields
from interplay.interactions.failures import Rejected
from interplay.settings import Settings, Webhooks
from interplay.wire.interaction import CreateInteraction
from interplay.wire.webhook import WebhookConfig

URI = "https://a.example/hook"


def check(config: WebhookConfig, settings: Settings | None = None, **asked: Any) -> None:
    given = {"background": True, **asked}
    check_fields(CreateInteraction(model="m", webhook_config=config, **given), settings)


def test_addresses_and_metadata_are_taken():
    check(WebhookConfig([URI], {"a": {"b": [1]}}))
    check(WebhookConfig([URI] * 10))
    check(WebhookConfig([URI]), background=None, service_tier="deferred")


@pytest.mark.parametrize(
    ("config", "asked", "path"),
    [
        (WebhookConfig([URI]), {"background": None}, "webhook_config"),
        (WebhookConfig([URI]), {"background": False}, "webhook_config"),
        (WebhookConfig(), {}, "webhook_config.uris"),
        (WebhookConfig([]), {}, "webhook_config.uris"),
        (WebhookConfig([URI] * 11), {}, "webhook_config.uris"),
        (WebhookConfig([URI, "http://a.example/"]), {}, "webhook_config.uris[1]"),
        (WebhookConfig(["https://10.0.0.1/"]), {}, "webhook_config.uris[0]"),
        (WebhookConfig([URI], {"a": "x" * 2_048}), {}, "webhook_config.user_metadata"),
    ],
)
def test_what_could_never_be_sent_is_refused_by_name(
    config: WebhookConfig, asked: dict[str, Any], path: str
):
    with pytest.raises(Rejected) as refused:
        check(config, **asked)
    assert refused.value.code == "invalid_request"
    assert refused.value.message.endswith(f" at '{path}'.")


def test_an_operator_can_allow_addresses_and_limit_their_number():
    settings = Settings(allowed_networks=["10.0.0.0/8"], webhooks=Webhooks(uris_per_request=1))
    check(WebhookConfig(["http://10.0.0.1:8000/"]), settings)
    with pytest.raises(Rejected):
        check(WebhookConfig([URI, URI]), settings)
