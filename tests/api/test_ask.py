"""One body, asked in every way, is one Interaction."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.api import Api, fold, requirement

TOOLS = [{"type": "function", "name": "f", "parameters": {"type": "object"}}]
ASKS: dict[str, tuple[Any, dict[str, Any]]] = {
    "text": ({"chunks": ["Hé", "llo ", "wörld"]}, {}),
    "empty": ({"text": ""}, {}),
    "thought": (
        {"thought": {"summary": "Well, then.", "signature": "c2ln"}, "chunks": ["4", "2"]},
        {"generation_config": {"thinking_summaries": "auto"}},
    ),
    "calls": (
        {"text": "Let me look.", "calls": [
            {"name": "f", "arguments": {"a": 1, "b": ["x", None]}, "id": "aaaa1111"},
            {"name": "f", "raw": '{ "spaced" :  true }', "id": "bbbb2222"},
        ]},
        {"tools": TOOLS},
    ),
    "json": (
        {"text": '{"n": 1}'},
        {"response_format": {"type": "text", "mime_type": "application/json", "schema": {
            "type": "object", "properties": {"n": {"type": "integer"}}}}},
    ),
    "length": ({"text": "cut", "end": {"reason": "length"}}, {}),
    "blocked": ({"text": "no", "end": {"reason": "blocked", "code": "safety"}}, {}),
    "malformed": ({"calls": [{"name": "f", "raw": "{not json", "id": "cccc3333"}]},
                  {"tools": TOOLS}),
}  # fmt: skip


def same(interaction: dict[str, Any], *, input: bool) -> dict[str, Any]:
    """What must not depend on how it was asked."""
    kept = {k: v for k, v in interaction.items() if k not in ("id", "created", "updated")}
    if input:
        assert kept["steps"][0]["type"] == "user_input"
        kept["steps"] = kept["steps"][1:]
    return kept


async def resumed_every_three(api: Api, id: str) -> list[dict[str, Any]]:
    """The stream, taken three events at a time over a new connection each."""
    events: list[dict[str, Any]] = []
    while not events or events[-1]["event_type"] != "interaction.completed":
        after = f"&last_event_id={events[-1]['event_id']}" if events else ""
        async with api.opened("GET", f"/v1/interactions/{id}?stream=true{after}") as live:
            for _ in range(3):
                event = await anext(live, None)
                if event is None:
                    break
                events.append(event)
    return events


@requirement("ask:one-path")
@pytest.mark.parametrize("name", list(ASKS))
async def test_every_way_to_ask_folds_to_the_same_interaction(opened: Any, name: str) -> None:
    reply, fields = ASKS[name]
    api = await opened(*[reply] * 8)  # a malformed call is asked for twice
    whole = (await api.create(input="q", **fields)).body
    expected = same(whole, input=False)
    assert same((await api.get(whole["id"])).body, input=True) == expected

    events = await api.stream(input="q", **fields)
    streamed = (await api.get(events[0]["interaction"]["id"])).body
    assert same(streamed, input=True) == expected
    if name != "malformed":
        assert fold(events) == expected["steps"]
    assert events[-1]["interaction"]["status"] == expected["status"]
    assert events[-1]["interaction"].get("usage") == expected.get("usage")

    polled = (await api.create(input="q", background=True, **fields)).body
    assert same(await api.ended(polled["id"]), input=True) == expected

    behind = (await api.create(input="q", background=True, **fields)).body
    pieces = await resumed_every_three(api, behind["id"])
    assert pieces == await api.replay(behind["id"])
    assert same((await api.get(behind["id"])).body, input=True) == expected
