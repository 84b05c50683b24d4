"""`/triggers`: parse, call, answer."""

from __future__ import annotations

from typing import Any

import msgspec

from interplay.interactions import dialects
from interplay.interactions.body import converted, read_body, read_object
from interplay.interactions.failures import invalid
from interplay.interactions.paging import page_position, page_size
from interplay.interactions.retries import fingerprint
from interplay.interactions.routes import Endpoint, Scope, answer, idempotency_key, query_of
from interplay.interactions.tail import Receive, Send
from interplay.triggers.service import TriggerService
from interplay.wire.trigger import TriggerCreateParams, TriggerUpdate

_encode = msgspec.json.Encoder().encode


class TriggerRoutes:
    """The handlers, as ASGI apps; `owner_of` tells whose request it is, or raises Rejected."""

    def __init__(self, service: TriggerService, body_bytes: int, owner_of: Any) -> None:
        self._service, self._body_bytes, self._owner_of = service, body_bytes, owner_of

    def table(self) -> list[tuple[str, Endpoint, str]]:
        """Path below the version, handler and method of each."""
        return [
            ("/triggers", self.create, "POST"),
            ("/triggers", self.list, "GET"),
            ("/triggers/{id}", self.get, "GET"),
            ("/triggers/{id}", self.update, "PATCH"),
            ("/triggers/{id}", self.delete, "DELETE"),
            ("/triggers/{id}/executions", self.run, "POST"),
            ("/triggers/{id}/executions", self.executions, "GET"),
        ]

    async def create(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /{version}/triggers"""
        owner = self._owner_of(scope)
        raw = await read_body(scope, receive, self._body_bytes)
        made = await self._service.create(
            _create_params(raw),
            owner,
            key=idempotency_key(scope["headers"]),
            fingerprint=fingerprint(raw),
        )
        await answer(send, _encode(made))

    async def list(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/triggers"""
        owner, query = self._owner_of(scope), query_of(scope)
        page = await self._service.list(
            owner, query.get("filter"), page_size(query), page_position(query)
        )
        await answer(send, _encode(page))

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/triggers/{id}"""
        found = await self._service.get(_id(scope), self._owner_of(scope))
        await answer(send, _encode(found))

    async def update(self, scope: Scope, receive: Receive, send: Send) -> None:
        """PATCH /{version}/triggers/{id}"""
        owner = self._owner_of(scope)
        raw = await read_body(scope, receive, self._body_bytes)
        given = converted(read_object(raw), TriggerUpdate)
        await answer(send, _encode(await self._service.update(_id(scope), owner, given)))

    async def delete(self, scope: Scope, receive: Receive, send: Send) -> None:
        """DELETE /{version}/triggers/{id}"""
        await self._service.delete(_id(scope), self._owner_of(scope))
        await answer(send, b"{}")

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /{version}/triggers/{id}/executions"""
        owner = self._owner_of(scope)
        if _has_body(scope):  # clients name a type of a body that they do not send
            raw = await read_body(scope, receive, self._body_bytes)
            if raw and read_object(raw):
                raise invalid("A run takes no fields: what is run stands in the trigger.")
        made = await self._service.run(_id(scope), owner, key=idempotency_key(scope["headers"]))
        await answer(send, _encode(made))

    async def executions(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/triggers/{id}/executions"""
        owner, query = self._owner_of(scope), query_of(scope)
        page = await self._service.executions(
            _id(scope), owner, page_size(query), page_position(query)
        )
        await answer(send, _encode(page))


def _create_params(raw: bytes) -> TriggerCreateParams:
    given = read_object(raw)
    interaction: Any = given.get("interaction")
    if isinstance(interaction, dict):
        given["interaction"] = dialects.current(interaction)  # pyright: ignore[reportUnknownArgumentType]
    return converted(given, TriggerCreateParams)


def _has_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"


def _id(scope: Scope) -> str:
    return scope["path_params"]["id"]
