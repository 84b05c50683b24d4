"""HTTP as files need it: bodies that stream, headers and queries as text, JSON answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from interplay.files.faults import Interrupted, TooLarge, Unusable

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Endpoint = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

LARGEST_PAGE = 500


async def body_of(receive: Receive) -> AsyncIterator[bytes]:
    """A request's body as it comes. Raises Interrupted."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Interrupted
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body", False):
            return


async def gathered(stream: AsyncIterator[bytes], limit: int) -> bytes:
    """A body that is small. Raises TooLarge, Interrupted."""
    parts: list[bytes] = []
    size = 0
    async for data in stream:
        size += len(data)
        if size > limit:
            raise TooLarge(limit)
        parts.append(data)
    return b"".join(parts)


def read_object(raw: bytes) -> dict[str, Any]:
    """A JSON object; nothing at all is an empty one. Raises Unusable."""
    if not raw.strip():
        return {}
    try:
        given: Any = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unusable(f"The body is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise Unusable("The body must be a JSON object.")
    return given  # pyright: ignore[reportUnknownVariableType]


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers by their names in lower case."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def query_of(scope: Scope) -> dict[str, str]:
    """The query parameters, the last of each."""
    return dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))


def host_of(scope: Scope) -> str:
    """The address the client reached this server by, without a path."""
    host = headers_of(scope).get("host", "localhost")
    return f"{scope.get('scheme', 'http')}://{host}{scope.get('root_path', '')}"


def version_of(scope: Scope) -> str:
    """The version of the API that was asked."""
    return scope["path_params"]["version"]


def paging(query: dict[str, str]) -> tuple[int, int | None]:
    """The size of a page (50 unless told) and where it begins. Raises Unusable."""
    size = query.get("pageSize", query.get("page_size", "")) or "50"
    if not size.isascii() or not size.isdigit() or not 1 <= int(size[:9]) <= LARGEST_PAGE:
        raise Unusable(f"Expected number from 1 to {LARGEST_PAGE} at 'page_size'.")
    token = query.get("pageToken", query.get("page_token", ""))
    if token and (not token.isascii() or not token.isdigit() or len(token) > 17):
        raise Unusable("The page token is not one of this list's at 'page_token'.")
    return int(size), int(token) if token else None


async def answer(send: Send, body: bytes, extra: list[Header] | None = None) -> None:
    """One JSON answer."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *(extra or ()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
