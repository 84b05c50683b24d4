"""The server as a process."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from types import FrameType

import uvicorn

from interplay.server import logs
from interplay.server.app import App, create_app
from interplay.server.auth import check_binding
from interplay.server.http1 import LeavingDoor
from interplay.settings import Settings, SettingsError, Sourced

log = logging.getLogger("interplay.server")


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, app: App) -> None:
        super().__init__(config)
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        # What was imported and built stays: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        # A busy event loop must not keep the store's threads waiting for 5 ms at each hand-over.
        sys.setswitchinterval(0.001)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            role = self._app.assembly.settings.role
            said = "worker is ready; its health page is" if role == "worker" else "is listening"
            print(f"Interplay {said} on http://{shown}:{port}", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Streams of background runs would keep their connections open for ever. The signal is not
        # kept to be raised again at the end: a graceful stop is a success.
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._app.assembly.leave)
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def serve(sourced: Sourced) -> int:
    """Serves until a signal ends it; answers the exit status. Raises SettingsError."""
    settings = sourced.settings
    _check(settings)
    logs.configure(settings)
    app = create_app(settings)
    check_binding(settings, app.assembly.keys)
    listener = _listen(settings)
    config = uvicorn.Config(
        app,
        http=LeavingDoor,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=max(1, int(settings.limits.drain_seconds)),
        timeout_keep_alive=75,
        lifespan="on",
    )
    server = _Server(config, app)
    server.run(sockets=[listener])
    return 0 if server.started else 1


def _check(settings: Settings) -> None:
    if settings.role not in ("all", "api", "worker"):
        raise SettingsError(f"role '{settings.role}' is none of all, api, worker.")
    if settings.database and not settings.on_postgres:
        raise SettingsError(
            "database is not a PostgreSQL URL (postgresql://user:password@host/name); leave it out"
            " for a file in data_dir."
        )
    if settings.role != "all" and not (settings.shared or settings.on_postgres):
        raise SettingsError(
            f"role {settings.role} needs other processes beside it: give all of them --shared and"
            " one data_dir, or one PostgreSQL (--database)."
        )


def _listen(settings: Settings) -> socket.socket:
    try:
        listener = socket.create_server(
            (settings.host, settings.port),
            family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET,
            backlog=2048,
            reuse_port=False,
        )
    except OSError as error:
        raise SettingsError(
            f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}. Another"
            " server may be running; choose another port (--port)."
        ) from error
    listener.setblocking(False)
    return listener
