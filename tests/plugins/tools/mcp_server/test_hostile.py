"""Servers that lie, hang, send too much or lead elsewhere."""

import asyncio
import logging

import pytest
from aiohttp import web

from interplay.contracts.egress import Guard
from interplay.contracts.failure import Failure
from interplay.testing.local_mcp import text, tool
from interplay.wire.tools import MCPServer

SECRET = "s3cr3t-of-the-caller"


async def refused(awaitable) -> Failure:
    with pytest.raises(Failure) as caught:
        await awaitable
    return caught.value


@pytest.mark.parametrize(
    ("schema", "properties"),
    [
        ({"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}, {"a"}),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}}, {"a"}),
        ({"properties": [1], "required": "a"}, set()),
        ([], set()),
        (None, set()),
    ],
)
async def test_a_lie_about_one_schema_costs_no_other_tool(bench, server, at, schema, properties):
    server.tools = [tool("bad", inputSchema=schema), {"no": "name"}, 3, tool("good")]
    specs = await bench.tool().offer(at)
    assert [spec.name for spec in specs] == ["s__bad", "s__good"]
    assert set(specs[0].parameters.get("properties", {})) == properties


async def test_a_huge_schema_is_left_out(bench, server, at):
    server.tools = [tool(inputSchema={"type": "object", "description": "x" * 100_000})]
    assert (await bench.tool().offer(at))[0].parameters == {"type": "object"}


async def test_an_answer_of_fifty_megabytes_is_not_read(bench, server, at):
    def large(arguments):
        return text("x" * 50_000_000)

    server.answers["echo"] = large
    failure = await refused(bench.call(bench.tool(answer_bytes=1_000_000), at))
    assert failure.code == "bad_gateway"
    assert "larger than 1000000 bytes" in failure.message


async def test_fifty_megabytes_of_events_are_not_read_and_not_asked_for_again(bench, server, at):
    it = bench.tool(answer_bytes=100_000)
    await it.offer(at)
    asked = 0

    async def flood(request):
        nonlocal asked
        asked += 1
        stream = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await stream.prepare(request)
        try:
            for number in range(50_000):
                await stream.write(f"id: {number}\ndata:\n\n".encode() + b":" + b"x" * 1000 + b"\n")
        except ConnectionError:
            pass
        return stream

    server.reply = flood
    failure = await refused(bench.call(it, at))
    assert "larger than 100000 bytes" in failure.message
    assert asked == 1


async def test_a_server_that_hangs_is_given_up(bench, server, at):
    it = bench.tool(call_seconds=0.2)
    await it.offer(at)
    server.hangs.add("echo")
    failure = await refused(bench.call(it, at))
    assert failure.code == "deadline_exceeded"
    server.hangs.clear()
    assert (await bench.call(it, at))[-1].name == "echo"


async def test_a_server_that_never_answers_at_all_is_given_up(bench):
    done = asyncio.Event()

    async def silent(reader, writer):
        await done.wait()
        writer.close()

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    at = MCPServer(name="s", url=f"http://127.0.0.1:{port}/mcp")
    failure = await refused(bench.tool(connect_seconds=0.3).offer(at))
    done.set()
    listener.close()
    assert failure.code == "deadline_exceeded"
    assert "The MCP server 's': no answer within 0.3 s" in failure.message


async def test_nobody_at_the_address_is_said(bench, server):
    at = MCPServer(name="s", url="http://127.0.0.1:9/mcp")
    failure = await refused(bench.tool().offer(at))
    assert failure.code == "service_unavailable"
    assert "cannot be reached" in failure.message


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_elsewhere_is_not_followed(bench, server, at, status):
    it = bench.tool()
    await it.offer(at)

    async def away(request):
        headers = {"location": "http://169.254.169.254/latest/meta-data"}
        return web.Response(status=status, headers=headers)

    server.reply = away
    failure = await refused(bench.call(it, at))
    assert "not followed" in failure.message


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/mcp", "https://10.0.0.1/", "https://[::1]/"])
async def test_an_address_inside_the_network_is_refused(bench, url):
    failure = await refused(bench.tool(allowed=[]).offer(MCPServer(name="s", url=url)))
    assert failure.code == "invalid_request"
    assert "allowed_networks" in failure.message or "https" in failure.message


async def test_a_name_that_leads_inside_is_refused(bench):
    at = MCPServer(name="s", url="https://localhost.localdomain./mcp")

    async def resolve(host, port):
        return ["127.0.0.1"]

    it = bench.tool(guard=Guard(resolve=resolve))
    assert "may not reach" in (await refused(it.offer(at))).message


async def test_compressed_answers_are_refused_unread(bench, server, at):
    async def bomb(request):
        headers = {"content-encoding": "gzip", "content-type": "application/json"}
        return web.Response(body=b"\x1f\x8b" + b"0" * 100, headers=headers)

    server.reply = bomb
    assert "compressed" in (await refused(bench.tool().offer(at))).message


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "invalid_request"),
        (403, "invalid_request"),
        (429, "too_many_requests"),
        (503, "service_unavailable"),
    ],
)
async def test_a_refusal_by_status_keeps_its_meaning(bench, server, at, status, code):
    async def no(request):
        return web.Response(status=status, text="no")

    server.reply = no
    assert (await refused(bench.tool().offer(at))).code == code


@pytest.mark.parametrize("body", ["not json", '{"jsonrpc":"2.0"}', '{"tools":1}'])
async def test_what_is_not_the_protocol_is_a_bad_answer(bench, server, at, body):
    it = bench.tool()
    await it.offer(at)

    async def wrong(request):
        return web.Response(text=body, content_type="application/json")

    server.reply = wrong
    assert (await refused(bench.call(it, at))).code == "bad_gateway"


async def test_a_list_without_an_end_is_given_up(bench, server, at):
    listed = {"tools": [tool()], "nextCursor": "0"}
    server._listed = lambda start: listed
    assert "has no end" in (await refused(bench.tool().offer(at))).message


async def test_more_tools_than_the_limit_are_refused(bench, server, at):
    server.tools = [tool(f"t{n}") for n in range(30)]
    assert "more than 20 tools" in (await refused(bench.tool(tools=20).offer(at))).message


async def test_secrets_stand_in_no_error_and_no_log(bench, server, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger().setLevel(logging.DEBUG)

    async def no(request):
        return web.Response(status=401, text="no")

    server.reply = no
    at = MCPServer(name="s", url=f"{server.url}?key={SECRET}", headers={"authorization": SECRET})
    failure = await refused(bench.tool().offer(at))
    assert SECRET not in failure.message
    assert SECRET not in caplog.text
