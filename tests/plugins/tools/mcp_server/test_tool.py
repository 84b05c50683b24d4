"""The tool type mcp_server against servers that behave."""

import asyncio

import msgspec
import pytest

from interplay.contracts.failure import Failure, Refused
from interplay.contracts.remote_tools import framed
from interplay.plugins.tools.mcp_server.target import target_of
from interplay.testing.local_mcp import LocalMcp, text, tool
from interplay.wire.content import ImageContent, TextContent
from interplay.wire.deltas import MCPServerToolResultDelta
from interplay.wire.steps import FunctionResultStep, MCPServerToolCallStep
from interplay.wire.tools import AllowedTools, MCPServer
from tests.api.api import until


async def test_a_call_gives_its_typed_steps_under_the_servers_own_names(bench, server, at):
    it = bench.tool()
    assert [spec.name for spec in await it.offer(at)] == ["s__echo"]
    made = await bench.call(it, at)
    assert made[0] == MCPServerToolCallStep({"text": "hi"}, "call0001", "echo", "s")
    assert made[-1] == MCPServerToolResultDelta([TextContent("hi")], name="echo", server_name="s")
    assert server.calls == [("echo", {"text": "hi"})]


async def test_five_hundred_tools_are_listed_by_page_and_asked_for_once(bench, server, at):
    server.tools = [tool(f"t{n}") for n in range(500)]
    it = bench.tool()
    for _ in range(3):
        assert len(await it.offer(at)) == 500
    assert server.methods.count("tools/list") == 5
    assert server.methods.count("initialize") == 1


async def test_a_changed_list_is_asked_for_again(bench, server, at):
    it = bench.tool()
    await it.offer(at)
    async with asyncio.timeout(60):
        await server.listening.wait()
    server.tools = [tool("other")]
    await server.changed()
    await until(lambda: it._pool._places[target_of(at, it._guard)].connection._tools is None)
    assert [spec.name for spec in await it.offer(at)] == ["s__other"]


@pytest.mark.parametrize(
    "allowed",
    [["b"], ["s:b"], [AllowedTools(tools=["b"], mode="auto")], [AllowedTools(tools=["s:b"])]],
)
async def test_allowed_tools_are_taken_in_every_form(bench, server, allowed):
    server.tools = [tool("a"), tool("b")]
    at = MCPServer(name="s", url=server.url, allowed_tools=allowed)
    assert [spec.name for spec in await bench.tool().offer(at)] == ["s__b"]


async def test_mode_none_offers_nothing_and_a_name_nobody_has_is_refused(bench, server):
    none = MCPServer(name="s", url=server.url, allowed_tools=[AllowedTools(mode="none")])
    assert await bench.tool().offer(none) == []
    wrong = MCPServer(name="s", url=server.url, allowed_tools=["nothing"])
    with pytest.raises(Failure, match="none of its tools: 'echo'"):
        await bench.tool().offer(wrong)


async def test_the_form_of_the_docs_decodes():
    raw = b'{"type":"mcp_server","allowed_tools":["a",{"mode":"auto","tools":["b"]}]}'
    decoded = msgspec.json.decode(raw, type=MCPServer)
    assert decoded.allowed_tools == ["a", AllowedTools(mode="auto", tools=["b"])]


async def test_images_resources_and_structured_content_reach_the_timeline(bench, server, at):
    server.answers["echo"] = {
        "content": [
            {"type": "image", "data": "aGk=", "mimeType": "image/png"},
            {"type": "image", "data": "no base64!", "mimeType": "image/png"},
            {"type": "resource", "resource": {"uri": "x://1", "text": "words"}},
            {"type": "resource_link", "uri": "x://2", "name": "two"},
        ],
        "structuredContent": {"sum": 3},
    }
    content = (await bench.call(bench.tool(), at))[-1].result
    assert content[0] == ImageContent(data="aGk=", mime_type="image/png")
    texts = [block.text for block in content[1:]]
    assert "not base64" in texts[0]
    assert texts[1:] == ["[Resource x://1]\nwords", "[Resource two: x://2]", '{"sum":3}']


async def test_structured_content_that_a_text_says_already_is_not_said_twice(bench, server, at):
    server.answers["echo"] = text('{"sum": 3}', structuredContent={"sum": 3})
    assert (await bench.call(bench.tool(), at))[-1].result == [TextContent('{"sum": 3}')]


async def test_a_tool_that_says_it_failed_gives_a_result_with_is_error(bench, server, at):
    server.answers["echo"] = text("No such city.", isError=True)
    made = await bench.call(bench.tool(), at)
    said = framed("s", "No such city.")
    assert made[-1] == FunctionResultStep("call0001", said, True, "s__echo")


async def test_arguments_that_do_not_fit_never_leave(bench, server, at):
    with pytest.raises(Refused, match="do not fit: 'text' is missing"):
        await bench.call(bench.tool(), at, faults=["'text' is missing"])
    assert server.calls == []


async def test_a_forgotten_session_is_opened_anew_and_the_call_made_once(bench, server, at):
    it = bench.tool()
    await it.offer(at)
    server.forget()
    await bench.call(it, at)
    assert server.calls == [("echo", {"text": "hi"})]
    assert server.methods.count("initialize") == 2


async def test_connections_are_shared_per_owner(bench, server, at):
    it = bench.tool()
    for owner in ("ann", "ann", "bob"):
        await bench.call(it, at, owner=owner)
    assert server.methods.count("initialize") == 2


async def test_an_idle_connection_is_closed_and_its_session_ended(bench, server, at):
    it = bench.tool(idle_seconds=0.01)
    await bench.call(it, at)
    await until(lambda: not server.sessions)
    assert "DELETE" in [method for method, _ in server.requests]


async def test_the_connection_idle_for_longest_makes_room(bench, server):
    async with LocalMcp() as other:
        it = bench.tool(connections=1)
        await it.offer(MCPServer(name="s", url=server.url))
        await it.offer(MCPServer(name="o", url=other.url))
        await until(lambda: not server.sessions)
        assert other.sessions


async def test_a_cancelled_call_is_told_to_the_server(bench, server, at):
    server.hangs.add("echo")
    it = bench.tool()
    task = asyncio.create_task(bench.call(it, at))
    await until(lambda: server.calls)
    async with asyncio.timeout(60):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await server.cancelled.wait()


async def test_headers_travel_with_every_request(bench, server):
    at = MCPServer(name="s", url=server.url, headers={"Authorization": "Bearer x", "X-A": "1"})
    await bench.call(bench.tool(), at)
    assert {headers.get("authorization") for _, headers in server.requests} == {"Bearer x"}
    assert {headers.get("x-a") for _, headers in server.requests} == {"1"}
