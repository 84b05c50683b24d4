"""The one place where refusals become HTTP."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.exceptions import HTTPException

from interplay.contracts.failure import Failure
from interplay.contracts.store import StoreUnavailable
from interplay.interactions.failures import Rejected, unavailable
from interplay.wire.errors import HTTP_STATUS, Error, ErrorBody

log = logging.getLogger("interplay.server")

App = Callable[[Any, Any, Any], Awaitable[None]]


def rejection(rejected: Rejected) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    """Status, body and headers of a refusal."""
    status = HTTP_STATUS.get(rejected.code, 400)
    body = msgspec.json.encode(ErrorBody(Error(rejected.code, rejected.message)))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    if rejected.retry_after is not None or status in (429, 503):
        seconds = max(1, math.ceil(rejected.retry_after or 1))
        headers.append((b"retry-after", str(seconds).encode()))
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    return status, body, headers


class Errors:
    """Wraps the app: what is raised becomes an answer in the API's form, and every answer is
    counted by `counted(method, status)`."""

    def __init__(self, app: App, counted: Callable[[str, int], None]) -> None:
        self._app, self._counted = app, counted

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        started = False
        extra: list[tuple[bytes, bytes]] = []

        def watched(message: Any) -> Awaitable[None]:
            nonlocal started
            if not started:
                started = True
                self._counted(scope["method"], message["status"])
            return send(message)

        try:
            await self._app(scope, receive, watched)
            return
        except Rejected as raised:
            rejected = raised
        except HTTPException as refused:
            allowed = (refused.headers or {}).get("Allow", "nothing")
            extra.append((b"allow", allowed.encode()))
            rejected = Rejected(
                "method_not_allowed",
                f"{scope['method']} is not possible at {scope['path'][:200]}; possible: {allowed}.",
            )
        except StoreUnavailable as error:
            rejected = unavailable(error)
        except Failure as failure:
            extra.extend(failure.headers)
            rejected = Rejected(failure.code, failure.message, retry_after=failure.retry_after)
        except Exception:
            # The boundary of a request: one fault of ours must not end the server.
            log.exception("request failed", extra={"path": scope["path"]})
            rejected = Rejected("api_error", "The server made a mistake; its log has it.")
        if started:
            raise ConnectionError(f"answer broken off: {rejected.message}")
        status, body, headers = rejection(rejected)
        headers += extra
        self._counted(scope["method"], status)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
