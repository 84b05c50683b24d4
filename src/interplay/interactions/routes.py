"""`/interactions`: parse, call, answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from interplay.contracts.store import TERMINAL, Filter, StoredInteraction
from interplay.interactions import resource
from interplay.interactions.body import read_body, read_request
from interplay.interactions.failures import invalid
from interplay.interactions.followed import Followed
from interplay.interactions.frames import event_of
from interplay.interactions.journal import Journal
from interplay.interactions.legacy import (
    OutputsStream,
    interaction_view,
    plain_event_id,
    wants_outputs,
    with_outputs,
)
from interplay.interactions.paging import page_position, page_size
from interplay.interactions.reading import Reading
from interplay.interactions.retries import Retries, fingerprint
from interplay.interactions.runner import Running
from interplay.interactions.service import Request, Service
from interplay.interactions.tail import Connection, Receive, Send, Tail
from interplay.settings import Settings

Scope = dict[str, Any]
Endpoint = Callable[[Scope, Receive, Send], Awaitable[None]]
"""A handler as an ASGI app."""
_JSON = (b"content-type", b"application/json")
_SSE = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
_encode = msgspec.json.Encoder().encode
_decode_raw = msgspec.json.Decoder(list[msgspec.Raw]).decode


class OutputsView:
    """The stream in the beta `outputs` schema."""

    def __init__(self, after: str | None) -> None:
        self._stream = OutputsStream(after)

    def convert(self, frames: list[bytes]) -> list[bytes]:
        """Frames of events become the frames of that schema; `done` and comments stay."""
        converted: list[bytes] = []
        for frame in frames:
            if frame.startswith(b"event: done"):
                converted.append(frame)
                continue
            event = event_of(frame)
            for name, data in self._stream.frames(event):
                converted.append(b"event: " + name.encode() + b"\ndata: " + data + b"\n\n")
        return converted


class Interactions:
    """The handlers, as ASGI apps; `owner_of` tells whose request it is, or raises Rejected."""

    def __init__(
        self,
        settings: Settings,
        service: Service,
        reading: Reading,
        retries: Retries,
        owner_of: Any,
    ) -> None:
        self._settings, self._service, self._retries = settings, service, retries
        self._reading = reading
        self._owner_of = owner_of
        self.tails: set[Tail] = set()

    async def create(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /{version}/interactions"""
        owner = self._owner_of(scope)
        headers = scope["headers"]
        raw = await read_body(scope, receive, self._settings.limits.body_bytes)
        outputs = wants_outputs(headers, self._settings.default_revision)
        asked = read_request(raw, outputs=outputs)
        connection = Connection(receive, scope.get("extensions"))
        key = idempotency_key(headers)
        streams = bool(asked.stream)
        request = Request(
            asked=asked,
            owner=owner,
            fingerprint=fingerprint(raw),
            key=key,
            waits=not streams,
            left=connection.left,
        )
        made = await self._service.create(request)
        if isinstance(made, StoredInteraction):
            await self._elsewhere(made.id, request, outputs, connection, send)
        elif made.handed_over:
            await self._elsewhere(made.journal.row.id, request, outputs, connection, send, made)
        elif streams:
            whole = await self._tail(made.journal, 0, connection, send, outputs, made)
            if whole:
                self._retries.answered(owner, request.fingerprint, made)
        else:
            await self._unary(made, request, outputs, connection, send)

    async def _unary(
        self, made: Running, request: Request, outputs: bool, connection: Connection, send: Send
    ) -> None:
        if made.admitted.background and not made.journal.ended:
            body = resource.of_journal(made.journal, steps=False)
        else:
            await self._service.wait(made)
            body = self._service.waited(made)
        gone = connection.left()
        await answer(send, self._view(body, outputs, False), self._said(made))
        if not gone:
            self._retries.answered(request.owner, request.fingerprint, made)

    async def _elsewhere(
        self,
        id: str,
        request: Request,
        outputs: bool,
        connection: Connection,
        send: Send,
        made: Running | None = None,
    ) -> None:
        """The answer where the run is another process's or waits for a place, or where a repeated
        request has ended already."""
        owner = request.owner
        if not request.waits:
            source, start = await self._reading.follow(id, owner, None)
            whole = await self._tail(source, start, connection, send, outputs, made)
            gone = not whole
        else:
            stored = await self._reading.stored(id, owner)
            if stored.status not in TERMINAL and not stored.background:
                stored = await self._reading.ended(id, owner)
            body, gone = await self._reading.answer(stored), connection.left()
            said = self._said(made) if made is not None else None
            await answer(send, self._view(body, outputs, False), said)
        if made is not None and not gone:
            self._retries.answered(owner, request.fingerprint, made)

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/interactions/{id}, as JSON or as the stream of its events."""
        owner, id = self._owner_of(scope), scope["path_params"]["id"]
        query = query_of(scope)
        outputs = wants_outputs(scope["headers"], self._settings.default_revision)
        if flag(query, "stream") and scope["method"] == "GET":
            connection = Connection(receive, scope.get("extensions"))
            last = query.get("last_event_id") or None
            after = plain_event_id(last) if last is not None and outputs else last
            source, start = await self._reading.follow(id, owner, after)
            # That schema counts otherwise: its view reads from the start and leaves out the rest.
            start = 0 if outputs else start
            await self._tail(source, start, connection, send, outputs, None, after=last)
            return
        if query.get("last_event_id"):
            raise invalid("'last_event_id' needs stream=true.")
        if query.get("fields", "*") != "*":
            raise invalid("The value of 'fields' is not supported. Supported values: '*'.")
        body, input = await self._reading.get(id, owner)
        asked = flag(query, "include_input")
        await answer(send, self._view(body, outputs, asked, input))

    async def cancel(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /{version}/interactions/{id}/cancel, or {id}:cancel"""
        owner, id = self._owner_of(scope), scope["path_params"]["id"]
        body = await self._service.cancel(id, owner)
        outputs = wants_outputs(scope["headers"], self._settings.default_revision)
        await answer(send, self._view(body, outputs, False))

    async def delete(self, scope: Scope, receive: Receive, send: Send) -> None:
        """DELETE /{version}/interactions/{id}"""
        owner, id = self._owner_of(scope), scope["path_params"]["id"]
        await self._service.delete(id, owner)
        await answer(send, b"{}")

    async def list(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/interactions"""
        owner, query = self._owner_of(scope), query_of(scope)
        page = await self._reading.list(
            owner, _filter(query), page_size(query), page_position(query)
        )
        await answer(send, _encode(page))

    async def _tail(
        self,
        source: Journal | Followed | list[bytes],
        start: int,
        connection: Connection,
        send: Send,
        outputs: bool,
        made: Running | None,
        after: str | None = None,
    ) -> bool:
        found = made.admitted.model if made is not None else None
        again = None
        if not isinstance(source, list):
            again = partial(self._reading.frames_from, source.row.id)
        tail = Tail(
            source,
            start,
            connection,
            send,
            self._settings.limits,
            headers=_SSE + (self._said(made) if made is not None else []),
            view=OutputsView(after) if outputs else None,
            doing=found.model.doing if found is not None else lambda: None,
            again=again,
        )
        self.tails.add(tail)
        try:
            return await tail.run()
        finally:
            self.tails.discard(tail)

    def _view(self, body: bytes, outputs: bool, include_input: bool, input: bytes = b"[]") -> bytes:
        if not outputs and not self._settings.outputs_beside_steps:
            return body
        given, data = len(_decode_raw(input)), msgspec.json.decode(body)
        if not outputs:
            return _encode(with_outputs(data, input_steps=given))
        return _encode(interaction_view(data, include_input=include_input, input_steps=given))

    @staticmethod
    def _said(made: Running) -> list[tuple[bytes, bytes]]:
        """Headers that say what was decided for the caller."""
        headers: list[tuple[bytes, bytes]] = []
        found = made.admitted.model
        if found is not None and found.fallback:
            headers.append((b"x-interplay-model", f"{found.entry} (fallback)".encode()))
        if made.admitted.notices:
            headers.append((b"x-interplay-notice", "; ".join(made.admitted.notices).encode()))
        return headers


async def answer(
    send: Send, body: bytes, extra: list[tuple[bytes, bytes]] | None = None, status: int = 200
) -> None:
    """One JSON answer."""
    headers = [_JSON, (b"content-length", str(len(body)).encode()), *(extra or ())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def query_of(scope: Scope) -> dict[str, str]:
    """The query parameters, the last of each."""
    return dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))


def flag(query: dict[str, str], name: str) -> bool:
    """A boolean parameter, as the SDKs write it (true, True, 1). Raises Rejected."""
    value = query.get(name, "false").lower()
    if value not in ("true", "false", "1", "0", ""):
        raise invalid(
            f"The value '{value[:80]}' is not supported for '{name}'."
            " Supported values: 'true', 'false'."
        )
    return value in ("true", "1")


def idempotency_key(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The request's Idempotency-Key. Raises Rejected when it is too long."""
    value = dict(headers).get(b"idempotency-key", b"")
    if len(value) > 256:
        raise invalid("The header 'Idempotency-Key' has at most 256 characters.")
    return value.decode("latin-1") or None


def _filter(query: dict[str, str]) -> Filter:
    label = query.get("label")
    if label is not None and ":" not in label:
        raise invalid("Expected 'key:value'", "label")
    key, _, value = (label or "").partition(":")
    return Filter(
        status=query.get("status") or None,
        model=query.get("model") or None,
        agent=query.get("agent") or None,
        root=query.get("root") or None,
        label=(key, value) if label is not None else None,
    )
