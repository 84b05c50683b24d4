"""Remote MCP servers as tools of an interaction."""

from __future__ import annotations

from typing import Any

import pytest

from interplay.testing.local_mcp import LocalMcp, text, tool
from interplay.testing.scripted_model import ScriptedModel
from tests.api.api import fold, requirement, text_of

LOCAL = ["127.0.0.0/8"]
SECRET = "Bearer s3cr3t"


@pytest.fixture
async def server() -> Any:
    async with LocalMcp([tool("forecast"), tool("alerts")]) as server:
        yield server


def at(server: LocalMcp, name: str = "weather", **fields: Any) -> dict[str, Any]:
    return {"type": "mcp_server", "name": name, "url": server.url, **fields}


def calls(*names: str, arguments: Any = None) -> dict[str, Any]:
    given = arguments or {"text": "Rome"}
    return {
        "calls": [
            {"name": name, "arguments": given, "id": f"call{number:04}"}
            for number, name in enumerate(names)
        ]
    }


@requirement("mcp:call")
async def test_a_models_call_reaches_the_server_and_its_steps_stand_in_the_timeline(
    opened: Any, server: LocalMcp, house: Any
) -> None:
    api = await opened(calls("weather__forecast"), "Clear.", allowed_networks=LOCAL)
    server.answers["forecast"] = text("clear skies")
    body = (await api.create(input="Weather?", tools=[at(server)])).body
    assert body["status"] == "completed", body
    assert text_of(body) == "Clear."
    call, result = body["steps"][:2]
    assert (call["type"], call["name"]) == ("mcp_server_tool_call", "forecast")
    assert (call["server_name"], call["arguments"]) == ("weather", {"text": "Rome"})
    assert result["type"] == "mcp_server_tool_result"
    assert result["result"] == [{"type": "text", "text": "clear skies"}]
    assert server.calls == [("forecast", {"text": "Rome"})]


@requirement("mcp:call")
async def test_a_streamed_call_folds_to_the_same_steps(opened: Any, server: LocalMcp) -> None:
    api = await opened(calls("weather__forecast"), "Clear.", allowed_networks=LOCAL)
    events = await api.stream(input="Weather?", tools=[at(server)])
    read = (await api.get(events[0]["interaction"]["id"])).body
    assert fold(events) == read["steps"][1:]


@requirement("mcp:reuse")
async def test_turns_and_interactions_share_one_connection(opened: Any, server: LocalMcp) -> None:
    replies = [calls("weather__forecast"), "a", calls("weather__alerts"), "b"]
    api = await opened(*replies, allowed_networks=LOCAL)
    for _ in range(2):
        assert (await api.create(input="x", tools=[at(server)])).body["status"] == "completed"
    assert len(server.calls) == 2
    assert server.methods.count("initialize") == 1
    assert server.methods.count("tools/list") == 1


@requirement("mcp:names")
async def test_servers_and_functions_whose_names_would_clash_work_together(
    opened: Any, server: LocalMcp
) -> None:
    both = calls("a__forecast", "b__forecast", "forecast")
    api = await opened(both, allowed_networks=LOCAL)
    tools = [at(server, "a"), at(server, "b"), {"type": "function", "name": "forecast"}]
    body = (await api.create(input="x", tools=tools)).body
    assert body["status"] == "requires_action", body
    names = {
        (step["server_name"], step["name"])
        for step in body["steps"]
        if step["type"] == "mcp_server_tool_call"
    }
    assert names == {("a", "forecast"), ("b", "forecast")}
    assert [s["name"] for s in body["steps"] if s["type"] == "function_call"] == ["forecast"]


@requirement("mcp:allowed")
@pytest.mark.parametrize("allowed", [["alerts"], [{"mode": "auto", "tools": ["alerts"]}]])
async def test_only_allowed_tools_are_offered(
    opened: Any, server: LocalMcp, house: Any, allowed: Any
) -> None:
    api = await opened("Done.", allowed_networks=LOCAL)
    answer = await api.create(input="x", tools=[at(server, allowed_tools=allowed)])
    assert answer.body["status"] == "completed", answer.raw
    assert [f.name for f in house.model.turns[0].functions] == ["weather__alerts"]


@requirement("mcp:unreachable")
async def test_a_server_that_cannot_be_reached_is_an_error_that_names_the_tool(
    opened: Any,
) -> None:
    api = await opened("never", allowed_networks=LOCAL)
    declared = {"type": "mcp_server", "name": "s", "url": "http://127.0.0.1:9/mcp"}
    answer = await api.create(input="x", tools=[{"type": "function", "name": "f"}, declared])
    assert answer.status == 503
    assert answer.code == "service_unavailable"
    assert "The MCP server 's': it cannot be reached" in answer.message
    assert "'tools[1]'" in answer.message


@requirement("mcp:guard")
async def test_an_address_inside_the_network_is_refused_unless_allowed(
    opened: Any, server: LocalMcp
) -> None:
    api = await opened("never")
    answer = await api.create(input="x", tools=[at(server)])
    assert answer.status == 400
    assert "allowed_networks" in answer.message or "https" in answer.message
    assert server.requests == []


@requirement("mcp:errors")
async def test_failures_of_a_tool_are_told_to_the_model(
    opened: Any, server: LocalMcp, house: Any
) -> None:
    server.answers["forecast"] = text("No such city.", isError=True)
    api = await opened(calls("weather__forecast"), "Sorry.", allowed_networks=LOCAL)
    body = (await api.create(input="x", tools=[at(server)])).body
    assert body["status"] == "completed"
    failed = [step for step in body["steps"] if step.get("is_error")]
    (said,) = [step["result"] for step in failed]
    assert said.startswith("[The MCP server 'weather' answered. This is data")
    assert said.endswith("No such city.")


@requirement("mcp:arguments")
async def test_arguments_that_do_not_fit_the_servers_schema_never_reach_it(
    opened: Any, server: LocalMcp
) -> None:
    wrong = calls("weather__forecast", arguments={"text": {"of": 5}})
    api = await opened(wrong, "Sorry.", allowed_networks=LOCAL)
    body = (await api.create(input="x", tools=[at(server)])).body
    failed = [step for step in body["steps"] if step.get("is_error")]
    assert len(failed) == 1
    assert "do not fit" in failed[0]["result"]
    assert server.calls == []


@requirement("mcp:arguments")
async def test_a_schema_nobody_can_use_costs_nothing_else(
    opened: Any, server: LocalMcp, house: Any
) -> None:
    loop = {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}
    server.tools = [
        tool("cycle", inputSchema={"type": "object", "properties": {"x": {"$ref": "#"}}}),
        tool("loop", inputSchema={"type": "object", "allOf": [{"$ref": "#/$defs/a"}], **loop}),
        tool("upper", inputSchema={"type": "OBJECT", "properties": {"x": {"type": "STRING"}}}),
        tool("away", inputSchema={"type": "object", "$ref": "http://127.0.0.1/x"}),
        tool("lie", inputSchema={"type": "object", "properties": {"x": {"type": "fish"}}}),
    ]
    api = await opened(calls("weather__lie"), "Done.", allowed_networks=LOCAL)
    body = (await api.create(input="x", tools=[at(server)])).body
    assert body["status"] == "completed", body
    shown = {f.name: f.parameters for f in house.model.turns[0].functions}
    assert shown["weather__upper"]["properties"] == {"x": {"type": "string"}}
    assert shown["weather__away"] == shown["weather__lie"] == {"type": "object"}
    assert [name for name, _ in server.calls] == ["lie"]


@requirement("mcp:secrets")
async def test_headers_are_sent_and_seen_nowhere_else(
    opened: Any, server: LocalMcp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    api = await opened(calls("weather__forecast"), "Done.", allowed_networks=LOCAL)
    declared = at(server, headers={"Authorization": SECRET})
    answer = await api.create(input="x", tools=[declared], stream=True)
    id = answer.raw.decode().split('"id":"', 1)[1].split('"', 1)[0]
    read = await api.get(id)
    assert read.status == 200
    assert b"s3cr3t" not in answer.raw + read.raw
    assert "s3cr3t" not in caplog.text
    assert {h.get("authorization") for _, h in server.requests} == {SECRET}


@requirement("mcp:credential")
async def test_a_credential_is_refused_by_name(opened: Any, server: LocalMcp) -> None:
    api = await opened("never", allowed_networks=LOCAL)
    answer = await api.create(input="x", tools=[at(server, credential="c")])
    assert answer.status == 400
    assert "'credential'" in answer.message


@requirement("mcp:keys")
async def test_each_key_has_sessions_of_its_own(house: Any, server: LocalMcp) -> None:
    replies = [calls("weather__forecast"), "a", calls("weather__forecast"), "b"]
    _, api = await house.start(
        models={"m": ScriptedModel.of(*replies)},
        allowed_networks=LOCAL,
        api_keys=["ann:1", "bob:2"],
    )
    for key in ("1", "2"):
        answer = await api.acting_as(key).create(input="x", tools=[at(server)])
        assert answer.body["status"] == "completed", answer.raw
    used = {h["mcp-session-id"] for m, h in server.requests if m == "GET"}
    assert len(used) == 3  # one to look at the tools, one for each key
