"""The paths of webhooks in the OpenAPI document."""

from __future__ import annotations

from interplay.interactions.paging import LARGEST_PAGE
from interplay.server.openapi_parts import (
    TEXT,
    VERSION,
    Json,
    answered,
    in_path,
    in_query,
    operation,
    schema_of,
)

_BODY_REFUSALS = (400, 401, 404, 413, 415, 503)
_WEBHOOK: Json = {"200": answered("The webhook.", "Webhook")}
_ONE: list[Json] = [VERSION, in_path("id", "The webhook's id.")]


def webhook_paths() -> Json:
    """Webhooks, their deliveries, and the keys that sign those of one request."""
    return _collection() | _webhook() | _verbs() | _deliveries() | _keys()


def _collection() -> Json:
    return {
        "/{version}/webhooks": {
            "parameters": [VERSION],
            "post": operation(
                "createWebhook",
                "Have events sent to an address",
                "The answer holds the secret that signs them, here and never again.",
                _WEBHOOK,
                (400, 401, 413, 415, 429, 503),
                tag="webhooks",
                requestBody=_body("WebhookInput"),
            ),
            "get": operation(
                "listWebhooks",
                "List webhooks",
                "The caller's webhooks, newest first.",
                {"200": answered("A page.", "WebhookListResponse")},
                (400, 401),
                tag="webhooks",
                parameters=_paging(),
            ),
        },
    }


def _webhook() -> Json:
    mask = in_query(
        "update_mask",
        {"type": "string", "examples": ["uri,subscribed_events"]},
        "The fields to change, comma-separated; without it those that are given.",
    )
    return {
        "/{version}/webhooks/{id}": {
            "parameters": _ONE,
            "get": operation(
                "getWebhook", "Read a webhook", "", _WEBHOOK, (401, 404), tag="webhooks"
            ),
            "patch": operation(
                "updateWebhook",
                "Change, disable or enable a webhook",
                "",
                _WEBHOOK,
                _BODY_REFUSALS,
                tag="webhooks",
                parameters=[mask],
                requestBody=_body("WebhookUpdate"),
            ),
            "delete": operation(
                "deleteWebhook",
                "Delete a webhook",
                "Nothing more is sent; its deliveries are deleted too.",
                {"200": answered("It is gone.", None)},
                (401, 404),
                tag="webhooks",
            ),
        },
    }


def _verbs() -> Json:
    rotated = answered("The new secret.", "WebhookRotateSigningSecretResponse")
    return {
        "/{version}/webhooks/{id}:ping": {
            "parameters": _ONE,
            "post": operation(
                "pingWebhook",
                "Send a test event",
                "One attempt, whatever the webhook's state; its deliveries tell what came of it.",
                {"200": answered("It will be sent.", "WebhookPingResponse")},
                _BODY_REFUSALS,
                tag="webhooks",
                requestBody=_body("PingWebhookRequest", required=False),
            ),
        },
        "/{version}/webhooks/{id}:rotateSigningSecret": {
            "parameters": _ONE,
            "post": operation(
                "rotateSigningSecret",
                "Make a new secret",
                "Also answers at `{id}/rotate_secret`.",
                {"200": rotated},
                _BODY_REFUSALS,
                tag="webhooks",
                requestBody=_body("RotateSigningSecretRequest", required=False),
            ),
        },
    }


def _deliveries() -> Json:
    return {
        "/{version}/webhooks/{id}/deliveries": {
            "parameters": _ONE,
            "get": operation(
                "listWebhookDeliveries",
                "List what was sent to a webhook",
                "Newest first, with every attempt and what came of it.",
                {"200": answered("A page.", "DeliveryListResponse")},
                (400, 401, 404),
                tag="webhooks",
                parameters=_paging(),
            ),
        },
    }


def _keys() -> Json:
    found = operation(
        "webhookKeys",
        "The keys that sign events of a `webhook_config`",
        "A JSON Web Key Set. The token in `webhook-signature` names its key.",
        {"200": answered("The keys.", None)},
        (503,),
        tag="webhooks",
    )
    return {"/.well-known/jwks.json": {"get": found | {"security": [{}]}}}


def _body(name: str, *, required: bool = True) -> Json:
    content = {"application/json": {"schema": schema_of(name)}}
    return {"required": required, "content": content}


def _paging() -> list[Json]:
    size: Json = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": 50}
    return [
        in_query("page_size", size, "How many on a page."),
        in_query("page_token", TEXT, "`next_page_token` of the page before."),
    ]
