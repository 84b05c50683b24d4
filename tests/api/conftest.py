"""A server for each test of the API, in process, on loopback."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from interplay.settings import Limits, Settings
from interplay.testing.scripted_model import ScriptedModel
from interplay.testing.server import RunningServer, serve
from tests.api.api import Api


class House:
    """Starts servers of one test over one data folder, and ends them."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder, self._stack = folder, stack
        self.model = ScriptedModel.of(echo=True)

    async def open(
        self,
        *replies: Any,
        models: dict[str, Any] | None = None,
        agents: dict[str, Any] | None = None,
        tools: dict[str, Any] | None = None,
        limits: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Api:
        """A server whose model `m` gives these replies, then echoes."""
        self.model = ScriptedModel.of(*replies, echo=True)
        server, api = await self.start(
            models={"m": self.model, **(models or {})},
            agents=agents,
            tools=tools,
            limits=limits,
            **settings,
        )
        self.server: RunningServer = server
        return api

    async def start(
        self, *, limits: dict[str, Any] | None = None, stack: Any = None, **given: Any
    ) -> tuple[RunningServer, Api]:
        """A server with exactly these plugins; `stack` ends it earlier than the test.
        `tool_settings` is the table `tools` of the settings."""
        plugins = {name: given.pop(name, None) for name in ("models", "agents", "tools")}
        given["tools"] = given.pop("tool_settings", {})
        settings = Settings(
            data_dir=str(self.folder / "data"),
            cache_dir=str(self.folder / "cache"),
            limits=msgspec.convert(limits or {}, Limits),
            **given,
        )
        at = stack or self._stack
        server = await at.enter_async_context(serve(settings=settings, **plugins))
        session = await at.enter_async_context(aiohttp.ClientSession())
        return server, Api(server.url, session)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with AsyncExitStack() as stack:
        yield House(tmp_path, stack)


@pytest.fixture
def opened(house: House) -> Callable[..., Any]:
    """`api = await opened("a reply", ...)`"""
    return house.open
