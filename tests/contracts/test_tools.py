"""The shipped tool suite over the scripted tool, one class per type it serves."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from interplay.contracts import registry
from interplay.contracts.egress import Guard
from interplay.contracts.registry import load
from interplay.contracts.tool import CallSite, ToolCall
from interplay.plugins.tools.google_search import GoogleSearch as GoogleSearchTool
from interplay.plugins.tools.google_search import GoogleSearchConfig
from interplay.plugins.tools.tool_search import ToolSearch as ToolSearchTool
from interplay.plugins.tools.tool_search import ToolSearchConfig
from interplay.testing.contracts.tool import ClientToolContract, ToolContract
from interplay.testing.local_maps import LocalMaps
from interplay.testing.local_mcp import LocalMcp
from interplay.testing.local_web import LocalWeb
from interplay.testing.script import Fail, ScriptError
from interplay.testing.scripted_tool import ScriptedTool
from interplay.wire.tools import (
    CodeExecution,
    ComputerUse,
    ExaAISearchConfig,
    Function,
    GoogleMaps,
    GoogleSearch,
    MCPServer,
    Retrieval,
    ToolSearch,
    URLContext,
)
from tests import engines
from tests.engines import Around, Finds, hit
from tests.sandboxes import backend, needs_bubblewrap


class TestSearch(ToolContract):
    """google_search."""

    @pytest.fixture
    def tool(self):
        return ScriptedTool("google_search", ["one", "two"])

    @pytest.fixture
    def declaration(self):
        return GoogleSearch()

    @pytest.fixture
    def arguments(self):
        return {"query": "x"}


class TestUrlContext(TestSearch):
    """url_context."""

    @pytest.fixture
    def tool(self):
        return ScriptedTool("url_context", ["http://a", "http://b"])

    @pytest.fixture
    def declaration(self):
        return URLContext()

    @pytest.fixture
    def arguments(self):
        return {"url": "http://a"}


class TestUrlContextItself(ToolContract):
    """url_context as it ships, with the reader that ships, on a page of loopback."""

    @pytest.fixture
    async def web(self):
        async with LocalWeb() as web:
            web.text("/", "<p>words of a page")
            yield web

    @pytest.fixture
    async def tool(self, web: LocalWeb):
        lent: Any = SimpleNamespace(guard=Guard(["127.0.0.1/32"]))
        kind: Any = load("interplay.readers", "http")
        reader = kind(kind.Config(host_gap=0.0), lent)
        lent.reader = lambda: reader
        shipped: Any = load("interplay.tools", "url_context")
        yield shipped(shipped.Config(), lent)
        await reader.close()

    @pytest.fixture
    def declaration(self):
        return URLContext()

    @pytest.fixture
    def arguments(self, web: LocalWeb):
        return {"urls": [web.url("/")]}


class TestCode(TestSearch):
    """code_execution."""

    @pytest.fixture
    def tool(self):
        return ScriptedTool("code_execution", ["1", "2"])

    @pytest.fixture
    def declaration(self):
        return CodeExecution()

    @pytest.fixture
    def arguments(self):
        return {"code": "print(1)"}


@needs_bubblewrap
class TestCodeExecution(ToolContract):
    """The plugin code_execution in sandboxes of this machine."""

    @pytest.fixture
    async def tool(self, tmp_path: Path):
        sandboxes = backend(tmp_path)
        kind: Any = registry.load("interplay.tools", "code_execution")
        tool = kind(kind.Config(), SimpleNamespace(sandbox=lambda: sandboxes))
        yield tool
        await tool.close()
        await sandboxes.close()

    @pytest.fixture
    def declaration(self):
        return CodeExecution()

    @pytest.fixture
    def arguments(self):
        return {"code": "print(1)"}


class TestMcp(TestSearch):
    """mcp_server."""

    @pytest.fixture
    def tool(self):
        return ScriptedTool("mcp_server", ["1", "2"], offers="lookup")

    @pytest.fixture
    def declaration(self):
        return MCPServer(name="s", url="http://127.0.0.1/")

    @pytest.fixture
    def arguments(self):
        return {"text": "x"}


class TestMcpServer(ToolContract):
    """The plugin mcp_server against a server on loopback."""

    @pytest.fixture
    async def server(self):
        async with LocalMcp() as server:
            yield server

    @pytest.fixture
    async def tool(self):
        kind: Any = registry.load("interplay.tools", "mcp_server")
        tool = kind(kind.Config(), SimpleNamespace(guard=Guard(["127.0.0.0/8"])))
        yield tool
        await tool.close()

    @pytest.fixture
    def declaration(self, server):
        return MCPServer(name="s", url=server.url)

    @pytest.fixture
    def arguments(self):
        return {"text": "x"}


class TestGoogleSearch(TestSearch):
    """The plugin itself, over an engine that always finds."""

    @pytest.fixture
    def tool(self, tmp_path: Path):
        lent = Around(tmp_path, Finds([hit("rome"), hit("bonn")]))
        return GoogleSearchTool(GoogleSearchConfig(), lent)

    @pytest.fixture
    def arguments(self):
        return {"queries": ["rome", "bonn"]}


class TestGoogleMaps(ToolContract):
    """The plugin google_maps over a town on loopback."""

    @pytest.fixture
    async def tool(self):
        kind: Any = registry.load("interplay.tools", "google_maps")
        async with LocalMaps() as maps:
            urls = {"nominatim": maps.nominatim, "overpass": maps.overpass, "osrm": maps.osrm}
            tool = kind(kind.Config(pace=0.0, **urls), SimpleNamespace(guard=Guard()))
            yield tool
            await tool.close()

    @pytest.fixture
    def declaration(self):
        return GoogleMaps(latitude=54.65, longitude=8.33)

    @pytest.fixture
    def arguments(self):
        return {"queries": ["Harbour Pharmacy"]}


class TestRetrieval(ToolContract):
    """The plugin retrieval over a service on loopback."""

    @pytest.fixture
    async def tool(self):
        kind: Any = registry.load("interplay.tools", "retrieval")
        async with LocalWeb() as web:
            yield kind(kind.Config(exa_url=engines.exa(web)), SimpleNamespace(guard=Guard()))

    @pytest.fixture
    def declaration(self):
        return Retrieval(exa_ai_search_config=ExaAISearchConfig(api_key="key"))

    @pytest.fixture
    def arguments(self):
        return {"queries": ["rome"]}


class TestToolSearch(ToolContract):
    """The plugin itself, over one deferred function."""

    @pytest.fixture
    def tool(self):
        return ToolSearchTool(ToolSearchConfig(), SimpleNamespace())  # type: ignore[arg-type]

    @pytest.fixture
    def declaration(self):
        return ToolSearch()

    @pytest.fixture
    def arguments(self):
        return {"function_names": ["weather"]}

    def site(self, declaration: Any, key: str) -> CallSite:
        site = super().site(declaration, key)
        site.deferred = [Function(name="weather", defer_loading=True)]
        return site


class Silent(ScriptedTool):
    """A tool that forgets its result."""

    async def call(self, call: ToolCall, at: CallSite):
        async for piece in super().call(call, at):
            yield piece
            return


async def test_the_suite_catches_a_tool_without_a_result():
    with pytest.raises(AssertionError):
        await ToolContract().test_a_call_makes_a_call_step_and_its_result(
            Silent("google_search", ["x"]), GoogleSearch(), {"query": "x"}
        )


async def test_the_suite_catches_a_tool_that_serves_another_type():
    with pytest.raises(AssertionError):
        await ToolContract().test_it_serves_the_type_of_its_declaration(
            ScriptedTool("url_context"), GoogleSearch()
        )


async def test_a_call_beyond_the_script_and_a_result_left_over_are_errors():
    tool = ScriptedTool("google_search", ["one"])
    with pytest.raises(ScriptError, match="1 scripted results"):
        tool.verify()
    contract = ToolContract()
    await contract.made(tool, GoogleSearch(), {"query": "x"})
    tool.verify()
    with pytest.raises(ScriptError, match="no result left"):
        await contract.made(tool, GoogleSearch(), {"query": "x"})


async def test_a_scripted_failure_is_raised():
    tool = ScriptedTool("google_search", [Fail(message="engine down")])
    with pytest.raises(Exception, match="engine down"):
        await ToolContract().made(tool, GoogleSearch(), {"query": "x"})


class TestComputerUse(ClientToolContract):
    """computer_use as it ships, in a browser."""

    @pytest.fixture
    def tool(self):
        shipped: Any = load("interplay.tools", "computer_use")
        return shipped(shipped.Config(), SimpleNamespace())

    @pytest.fixture
    def declaration(self):
        return ComputerUse(environment="browser", enable_prompt_injection_detection=True)


class TestComputerUseOfEarlierModels(TestComputerUse):
    """The functions of earlier models."""

    @pytest.fixture
    def tool(self):
        shipped: Any = load("interplay.tools", "computer_use")
        return shipped(shipped.Config(functions="legacy"), SimpleNamespace())


class TestComputerUseOfAPhone(TestComputerUse):
    """A phone, where consent is nobody's matter."""

    @pytest.fixture
    def declaration(self):
        return ComputerUse(environment="mobile", disabled_safety_policies=["data_modification"])
