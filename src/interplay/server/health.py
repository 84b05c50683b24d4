"""/health, /ready, /metrics, /openapi.json."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from interplay import __version__
from interplay.contracts.store import StoreUnavailable
from interplay.interactions.routes import answer
from interplay.server.assembly import Assembly
from interplay.server.openapi import document


class Health:
    """What an operator and an orchestrator ask."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly

    async def health(self, scope: Any, receive: Any, send: Any) -> None:
        """The process is alive."""
        await answer(send, b'{"status":"ok"}')

    async def ready(self, scope: Any, receive: Any, send: Any) -> None:
        """It takes requests: 200, or 503 while it starts or shuts down."""
        ready = self._assembly.ready
        body = b'{"status":"ready"}' if ready else b'{"status":"not ready"}'
        await answer(send, body, status=200 if ready else 503)

    async def metrics(self, scope: Any, receive: Any, send: Any) -> None:
        """Prometheus exposition; asks for a key when keys are configured."""
        self._assembly.keys.owner_of(scope)
        queued = None
        with suppress(StoreUnavailable):  # the other numbers are wanted most when it is away
            queued = await self._assembly.runner.queued()
        body = self._assembly.metrics.text(queued)
        headers = [
            (b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def openapi(self, scope: Any, receive: Any, send: Any) -> None:
        """The OpenAPI 3.1 document."""
        await answer(send, document(__version__))
