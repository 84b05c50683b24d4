"""`/webhooks`: parse, call, answer."""

from __future__ import annotations

from typing import Any

import msgspec

from interplay.interactions.body import converted, read_body, read_object
from interplay.interactions.paging import page_position, page_size
from interplay.interactions.routes import Endpoint, Scope, answer, query_of
from interplay.interactions.tail import Receive, Send
from interplay.webhooks.keys import SigningKeys
from interplay.webhooks.service import WebhookService
from interplay.wire.webhook import (
    PingWebhookRequest,
    RotateSigningSecretRequest,
    WebhookInput,
    WebhookUpdate,
)

_encode = msgspec.json.Encoder().encode
_FRESH = [(b"cache-control", b"public, max-age=300")]


class WebhookRoutes:
    """The handlers, as ASGI apps; `owner_of` tells whose request it is, or raises Rejected."""

    def __init__(
        self, service: WebhookService, keys: SigningKeys, body_bytes: int, owner_of: Any
    ) -> None:
        self._service, self._keys = service, keys
        self._body_bytes, self._owner_of = body_bytes, owner_of

    def table(self) -> list[tuple[str, Endpoint, str]]:
        """Path below the version, handler and method of each."""
        one = "/webhooks/{id}"
        return [
            ("/webhooks", self.create, "POST"),
            ("/webhooks", self.list, "GET"),
            (f"{one}:ping", self.ping, "POST"),
            (f"{one}:rotateSigningSecret", self.rotate, "POST"),
            (f"{one}/rotate_secret", self.rotate, "POST"),
            (f"{one}/deliveries", self.deliveries, "GET"),
            (one, self.get, "GET"),
            (one, self.update, "PATCH"),
            (one, self.delete, "DELETE"),
        ]

    async def create(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /{version}/webhooks"""
        owner = self._owner_of(scope)
        given = converted(await self._object(scope, receive), WebhookInput)
        await answer(send, _encode(await self._service.create(given, owner)))

    async def list(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/webhooks"""
        owner, query = self._owner_of(scope), query_of(scope)
        page = await self._service.list(owner, page_size(query), page_position(query))
        await answer(send, _encode(page))

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/webhooks/{id}"""
        found = await self._service.get(_id(scope), self._owner_of(scope))
        await answer(send, _encode(found))

    async def update(self, scope: Scope, receive: Receive, send: Send) -> None:
        """PATCH /{version}/webhooks/{id}"""
        owner, query = self._owner_of(scope), query_of(scope)
        given = converted(await self._object(scope, receive), WebhookUpdate)
        mask = query.get("update_mask", query.get("updateMask"))
        changed = await self._service.update(_id(scope), owner, given, mask)
        await answer(send, _encode(changed))

    async def delete(self, scope: Scope, receive: Receive, send: Send) -> None:
        """DELETE /{version}/webhooks/{id}"""
        await self._service.delete(_id(scope), self._owner_of(scope))
        await answer(send, b"{}")

    async def ping(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /{version}/webhooks/{id}:ping"""
        owner = self._owner_of(scope)
        converted(await self._object(scope, receive, or_nothing=True), PingWebhookRequest)
        await self._service.ping(_id(scope), owner)
        await answer(send, b"{}")

    async def rotate(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /{version}/webhooks/{id}:rotateSigningSecret"""
        owner = self._owner_of(scope)
        body = await self._object(scope, receive, or_nothing=True)
        given = converted(body, RotateSigningSecretRequest)
        await answer(send, _encode(await self._service.rotate(_id(scope), owner, given)))

    async def deliveries(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/webhooks/{id}/deliveries"""
        owner, query = self._owner_of(scope), query_of(scope)
        page = await self._service.deliveries(
            _id(scope), owner, page_size(query), page_position(query)
        )
        await answer(send, _encode(page))

    async def jwks(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /.well-known/jwks.json, for everyone"""
        await answer(send, await self._keys.published(), _FRESH)

    async def _object(
        self, scope: Scope, receive: Receive, *, or_nothing: bool = False
    ) -> dict[str, Any]:
        if or_nothing and (b"content-length", b"0") in scope["headers"]:
            return {}  # whatever kind the client says that nothing is
        raw = await read_body(scope, receive, self._body_bytes)
        return {} if or_nothing and not raw.strip() else read_object(raw)


def _id(scope: Scope) -> str:
    return scope["path_params"]["id"]
