"""What an earlier process left: taken up, ended, or put off, and never in the way of the start."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from interplay.testing.scripted_model import ScriptedModel
from interplay.testing.scripted_tool import ScriptedTool
from tests.api.api import fold, ids, kinds, text_of, until
from tests.interactions.faulty_store import FaultyStore, row


class FullStore(FaultyStore):
    """Full from the start."""

    def __init__(self, folder: Path, **given: Any) -> None:
        super().__init__(folder, **given)
        self.full = True


@asynccontextmanager
async def left_behind(house: Any):
    """The store as an earlier process leaves it."""
    (house.folder / "data").mkdir(exist_ok=True)
    store = FaultyStore(house.folder / "data")
    await store.open()
    yield store
    await store.close()


def asked(number: int, **given: Any) -> Any:
    fields = {
        "id": f"v1_{number:020}",
        "created": time.time(),
        "request": b'{"model":"m","background":true}',
        "input": b'[{"type":"user_input","content":[{"type":"text","text":"hi"}]}]',
        "background": True,
    }
    return row(**{**fields, **given})


async def test_a_run_that_broke_off_before_its_first_event_has_every_event(house: Any) -> None:
    async with left_behind(house) as store:
        await store.create(asked(1))
        await store.create(asked(2, background=False))
    model = ScriptedModel.of({"chunks": ["a ", {"hold": "h"}, "b"]})
    _, api = await house.start(models={"m": model})
    path = f"/v1/interactions/{asked(1).id}?stream=true"
    async with api.opened("GET", path) as live:
        seen = [await anext(live)]
        await model.gate("h").reached()
        model.gate("h").open()
        seen += [event async for event in live]
    assert kinds(seen)[0] == "interaction.created"
    assert ids(seen) == list(range(len(seen)))
    assert await api.replay(asked(1).id) == seen
    failed = await api.replay(asked(2).id)
    assert kinds(failed) == ["interaction.created", "error", "interaction.completed"]


async def test_a_row_that_cannot_be_read_fails_alone(house: Any) -> None:
    async with left_behind(house) as store:
        await store.create(asked(1))
        await store.append(asked(1).id, 1, -1, [b'{"event_type":"of a later version"}'])
        await store.create(asked(2, input=b'[{"type":"later"}]'))
        await store.create(asked(3))
    _, api = await house.start(models={"m": ScriptedModel.of("well")})
    assert text_of(await api.ended(asked(3).id)) == "well"
    failed = await api.ended(asked(1).id)
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", "aborted")
    assert kinds(await api.replay(asked(1).id))[-2:] == ["error", "interaction.completed"]
    listed = (await api.call("GET", "/v1/interactions")).body["interactions"]
    assert {line["id"]: line["status"] for line in listed}[asked(2).id] == "failed"


async def test_a_full_disk_does_not_keep_a_server_from_starting(house: Any) -> None:
    async with left_behind(house) as store:
        await store.create(asked(1))
        await store.create(asked(2, background=False))
    server, api = await house.start(
        models={"m": ScriptedModel.of("later")}, store="tests.interactions.test_recovery:FullStore"
    )
    assert (await api.create(input="x", store=False)).status == 200
    assert (await api.get(asked(1).id)).body["status"] == "in_progress"
    following = asyncio.create_task(api.replay(asked(1).id))
    server.app.assembly.store.full = False
    await until(lambda: server.app.assembly.store.log.count("end") == 2, 60)
    assert kinds(await following)[-1] == "interaction.completed"
    assert (await api.get(asked(2).id)).body["status"] == "failed"


async def test_a_tool_call_caught_by_a_crash_is_not_made_again(house: Any) -> None:
    calls = {"calls": [{"name": "google_search", "arguments": {"query": "q"}}]}
    first = ScriptedTool("google_search", [{"hold": "h"}, "found"])
    body = {"input": "x", "background": True, "tools": [{"type": "google_search"}]}
    async with AsyncExitStack() as stack:
        _, api = await house.start(
            models={"m": ScriptedModel.of(calls)}, tools={"google_search": first}, stack=stack
        )
        id = (await api.create(**body)).body["id"]
        await first.gate("h").reached()
    again = ScriptedTool("google_search", ["found"])
    model = ScriptedModel.of("done")
    _, api = await house.start(models={"m": model}, tools={"google_search": again})
    done = await api.ended(id)
    assert again.calls == []
    assert text_of(done) == "done"
    result = next(s for s in done["steps"] if s["type"] == "function_result")
    assert result["is_error"]
    assert "interrupted" in result["result"]
    assert fold(await api.replay(id)) == done["steps"][1:]


async def test_the_usage_of_turns_before_a_crash_counts(house: Any) -> None:
    def took(tokens: int) -> dict[str, int]:
        return {"total_input_tokens": tokens, "total_tokens": tokens}

    calls = {"calls": [{"name": "google_search", "arguments": {"query": "q"}}], "usage": took(100)}
    tool = ScriptedTool("google_search", [{"hold": "h"}, "found"])
    body = {"input": "x", "background": True, "tools": [{"type": "google_search"}]}
    async with AsyncExitStack() as stack:
        _, api = await house.start(
            models={"m": ScriptedModel.of(calls)}, tools={"google_search": tool}, stack=stack
        )
        id = (await api.create(**body)).body["id"]
        await tool.gate("h").reached()
    model = ScriptedModel.of({"text": "done", "usage": took(20)})
    tools = {"google_search": ScriptedTool("google_search")}
    _, api = await house.start(models={"m": model}, tools=tools)
    assert (await api.ended(id))["usage"]["total_input_tokens"] == 120


async def test_a_repeatable_tool_call_is_made_again_after_a_crash(house: Any) -> None:
    calls = {"calls": [{"name": "google_search", "arguments": {"query": "q"}}]}
    tool = ScriptedTool("google_search", [{"hold": "h"}, "found", "found"], repeatable=True)
    body = {"input": "x", "background": True, "tools": [{"type": "google_search"}]}
    async with AsyncExitStack() as stack:
        _, api = await house.start(
            models={"m": ScriptedModel.of(calls)}, tools={"google_search": tool}, stack=stack
        )
        id = (await api.create(**body)).body["id"]
        await tool.gate("h").reached()
    _, api = await house.start(
        models={"m": ScriptedModel.of("done")}, tools={"google_search": tool}
    )
    done = await api.ended(id)
    assert text_of(done) == "done"
    kinds_of = [step["type"] for step in done["steps"][1:]]
    assert kinds_of == ["google_search_call", "google_search_result", "model_output"]
    assert len(tool.calls) == 2
    assert [call[1].idempotency_key for call in tool.calls] == [f"{id}:0"] * 2
