"""A whole server in the test's own process, on a loopback port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import uvicorn

from interplay.contracts.agent import Agent
from interplay.contracts.model import Model
from interplay.contracts.tool import Tool
from interplay.settings import Settings


class ServerDidNotStart(AssertionError):
    """The server did not come up; what its startup raised is the cause or stands in the log."""


class RunningServer:
    """A server that answers at `url`."""

    def __init__(self, url: str, app: Any, settings: Settings) -> None:
        self.url = url
        self.app = app
        self.settings = settings
        self._clients: list[Any] = []

    def client(self, api_key: str = "test", **http_options: Any) -> Any:
        """A google-genai client of this server; needs the package google-genai.

        Its `aio` half can be awaited in the test; its plain half blocks, so call it in a thread.
        """
        from google import genai

        options: Any = {"base_url": self.url, **http_options}
        client = genai.Client(api_key=api_key, http_options=options)
        # A client nobody holds closes itself, and its `aio` half with it.
        self._clients.append(client)
        return client


@asynccontextmanager
async def serve(
    models: dict[str, Model] | None = None,
    agents: dict[str, Agent] | None = None,
    tools: dict[str, Tool] | None = None,
    settings: Settings | None = None,
    *,
    seconds: float = 60.0,
) -> AsyncGenerator[RunningServer]:
    """Serves on a free loopback port until the block ends, then shuts down gracefully.

    Without `settings` the data lie in a temporary folder. `seconds` bounds start and stop.
    """
    from interplay.server.app import create_app

    with TemporaryDirectory(prefix="interplay-") as folder:
        chosen = settings or Settings(data_dir=f"{folder}/data", cache_dir=f"{folder}/cache")
        with socket.socket() as bound:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(("127.0.0.1", 0))
            chosen = msgspec.structs.replace(chosen, port=bound.getsockname()[1])
            app = create_app(chosen, models=models, agents=agents, tools=tools)
            door = "interplay.server.http1:Door"
            config = uvicorn.Config(app, http=door, log_config=None, lifespan="on")
            config.timeout_graceful_shutdown = 2
            server = _Guest(config)
            running = asyncio.create_task(_run(server, bound))
            try:
                await _started(server, running, seconds)
                yield RunningServer(f"http://127.0.0.1:{chosen.port}", app, chosen)
            finally:
                app.assembly.leave()
                server.should_exit = True
                await asyncio.wait_for(running, seconds)


class _Guest(uvicorn.Server):
    """A server that leaves the signal handlers of its process alone."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def _run(server: uvicorn.Server, bound: socket.socket) -> None:
    try:
        await server.serve(sockets=[bound])
    except SystemExit as error:
        # Let through, it would end the event loop of the test.
        raise ServerDidNotStart("The server's startup failed; its log says why.") from error


async def _started(server: uvicorn.Server, running: asyncio.Task[None], seconds: float) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not server.started and not running.done():
        if asyncio.get_running_loop().time() > deadline:
            raise ServerDidNotStart(f"The server did not start in {seconds:g} s.")
        await asyncio.sleep(0.005)
    if running.done():
        await running
