"""The steps the model sees: joined over the chain, the same warm and cold."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from interplay.contracts.store import Ending
from interplay.interactions.history import UNANSWERED, History, join, pending_calls
from interplay.interactions.media import Media
from interplay.plugins.blobs.files import FileBlobs
from interplay.testing.scripted_tool import ScriptedTool
from interplay.wire.content import TextContent
from interplay.wire.steps import (
    FunctionCallStep,
    FunctionResultStep,
    MCPServerToolCallStep,
    MCPServerToolResultStep,
    ModelOutputStep,
    Step,
    ThoughtStep,
    UserInputStep,
)
from tests.interactions.faulty_store import FaultyStore, row

WEATHER = {"type": "function", "name": "weather"}
CALL = FunctionCallStep({}, "c1", "f")


def test_a_call_followed_by_a_servers_tool_still_waits() -> None:
    steps: list[Step] = [
        UserInputStep([TextContent("x")]), CALL,
        MCPServerToolCallStep({}, "s1", "t", "s"), MCPServerToolResultStep("s1", "r"),
    ]  # fmt: skip
    assert pending_calls(steps) == [CALL]


def test_calls_before_the_last_input_do_not_wait() -> None:
    assert pending_calls([CALL, UserInputStep([TextContent("x")]), ModelOutputStep()]) == []


def test_parallel_calls_wait_in_the_order_they_were_made() -> None:
    other = FunctionCallStep({}, "c2", "f")
    assert pending_calls([CALL, other]) == [CALL, other]
    assert pending_calls([CALL, other, FunctionResultStep("c1", "r")]) == [other]


async def test_a_function_called_beside_a_servers_tool_can_be_answered(opened: Any) -> None:
    calls = {"calls": [{"name": "weather", "id": "call0001"}, {"name": "mcp_server"}]}
    tool = ScriptedTool("mcp_server", ["found"])
    api = await opened(calls, "done", tools={"mcp_server": tool})
    tools = [WEATHER, {"type": "mcp_server", "name": "s", "url": "http://127.0.0.1:1/"}]
    first = (await api.create(input="x", tools=tools)).body
    assert first["status"] == "requires_action", first
    result = {"type": "function_result", "call_id": "call0001", "result": "18"}
    second = await api.create(input=[result], previous_interaction_id=first["id"], tools=tools)
    assert second.status == 200, second.raw
    assert second.text == "done"


TEXT = st.text(max_size=8)
CALLS = st.lists(st.sampled_from(["c1", "c2", "c3", "c4"]), unique=True, max_size=3)


@st.composite
def turns(draw: st.DrawFn) -> list[tuple[list[Step], list[Step]]]:
    """Inputs and what was made of them; calls are answered, or not, by the next input."""
    chain: list[tuple[list[Step], list[Step]]] = []
    pending: list[str] = []
    for number in range(draw(st.integers(1, 5))):
        answered = [id for id in pending if draw(st.booleans())]
        asked: list[Step] = [FunctionResultStep(id, draw(TEXT)) for id in answered]
        if not asked or draw(st.booleans()):
            asked.append(UserInputStep([TextContent(draw(TEXT))]))
        made: list[Step] = []
        if draw(st.booleans()):
            made.append(ThoughtStep(signature="c2ln"))
        if draw(st.booleans()):
            made.append(ModelOutputStep([TextContent(draw(TEXT))]))
        pending = [f"{id}-{number}" for id in draw(CALLS)]
        made += [FunctionCallStep({}, id, "f") for id in pending]
        if draw(st.booleans()):  # a tool of the server's, after the functions
            made += [MCPServerToolCallStep({}, f"s{number}", "t", "s"),
                     MCPServerToolResultStep(f"s{number}", "r")]  # fmt: skip
        chain.append((asked, made))
    return chain


async def _same_warm_and_cold(folder: Path, chain: list[tuple[list[Step], list[Step]]]) -> None:
    store = FaultyStore(folder)
    await store.open()
    try:
        media = Media(FileBlobs(folder / "blobs"), 1024)
        warm = History(store, media, 10_000, 1_000_000)
        parent = None
        for number, (asked, made) in enumerate(chain):
            id = f"v1_{number:020}"
            ending = Ending(
                status="completed", updated=1.0, steps=msgspec.json.encode(made), last=1
            )
            input = msgspec.json.encode(asked)
            await store.create(row(id=id, parent=parent, input=input), ending)
            warm.follow(parent, id, "", [*asked, *made], input, ending.steps)
            assert warm.owner(id) == ""
            parent = id
            cold = History(store, media, 10_000, 1_000_000)
            steps = await warm.until(id, "")
            assert steps == await cold.until(id, "")
            assert steps == await cold.until(id, "")  # warm by now
            answered = {s.call_id for s in steps if isinstance(s, FunctionResultStep)}
            open_calls = {call.id for call in pending_calls(steps)}
            called = {s.id for s in steps if isinstance(s, FunctionCallStep)}
            assert called == answered | open_calls
    finally:
        await store.close()


@settings(max_examples=40, deadline=None)
@given(chain=turns())
def test_a_chain_is_the_same_warm_and_cold_and_every_call_has_its_result(
    tmp_path_factory: Any, chain: list[tuple[list[Step], list[Step]]]
) -> None:
    asyncio.run(_same_warm_and_cold(tmp_path_factory.mktemp("chain"), chain))


def test_a_call_left_unanswered_gets_a_result_that_says_so() -> None:
    steps: list[Step] = [CALL]
    join(steps, [UserInputStep([TextContent("never mind")])])
    assert steps[1] == FunctionResultStep("c1", UNANSWERED, is_error=True, name="f")


def follow(history: History, parent: str | None, id: str, size: int, steps: int = 1) -> None:
    """An interaction of so many steps, `size` bytes of JSON in all, has ended."""
    turn: list[Step] = [UserInputStep([TextContent("x")]) for _ in range(steps)]
    history.follow(parent, id, "", turn, b"i" * (size - 10), b"m" * 10)


def warm_ones(history: History, *ids: str) -> list[str]:
    return [id for id in ids if history.owner(id) is not None]


async def test_the_least_recent_chains_go_when_bytes_or_steps_are_too_many(tmp_path: Path) -> None:
    store = FaultyStore(tmp_path)
    history = History(store, Media(FileBlobs(tmp_path / "blobs"), 1024), 10, 1_000)
    for id in "abc":
        follow(history, None, id, 300)
    assert warm_ones(history, *"abc") == ["a", "b", "c"]
    assert await history.until("a", "") == [UserInputStep([TextContent("x")])]
    follow(history, None, "d", 300)  # a was read just now
    assert warm_ones(history, *"abcd") == ["a", "c", "d"]
    follow(history, "d", "e", 300)  # a chain weighs all it holds, and has one tip
    assert warm_ones(history, *"acde") == ["a", "e"]
    follow(history, "e", "f", 500)  # too much by itself: it pushes nobody out
    assert warm_ones(history, *"aef") == ["a"]
    follow(history, None, "g", 20, steps=9)
    follow(history, None, "h", 20, steps=2)
    assert warm_ones(history, *"gh") == ["h"]
    follow(history, "h", "i", 980, steps=8)  # both limits to the brim
    assert warm_ones(history, *"hi") == ["i"]
    history.clear()
    follow(history, None, "j", 1_000, steps=10)
    assert warm_ones(history, *"ij") == ["j"]


async def test_a_long_text_is_not_kept_warm(opened: Any, house: Any) -> None:
    api = await opened("ok", "ok", "ok", limits={"history_cache_bytes": 400_000})
    history = house.server.app.assembly.history
    small = (await api.create(input="x")).body["id"]
    assert history.owner(small) == ""
    large = (await api.create(input="x" * 1_000_000)).body["id"]
    assert history.owner(large) is None
    assert history.owner(small) == ""
    after = await api.create(previous_interaction_id=large, input="x")
    assert after.status == 200
    assert history.owner(after.body["id"]) is None


async def test_media_are_not_kept_warm(opened: Any, house: Any) -> None:
    api = await opened("ok")
    history = house.server.app.assembly.history
    picture = {
        "type": "image",
        "mime_type": "image/png",
        "data": b64encode(b"x" * 100_000).decode(),
    }
    seen = (await api.create(input=[picture])).body["id"]
    assert history.owner(seen) is None


async def test_a_chain_read_while_it_is_deleted_is_not_kept(tmp_path: Path) -> None:
    store = FaultyStore(tmp_path)
    await store.open()
    history = History(store, Media(FileBlobs(tmp_path / "blobs"), 1024), 1000, 1_000_000)
    ending = Ending(status="completed", updated=1.0, steps=b"[]", last=1)
    await store.create(row(), ending)
    reading = asyncio.create_task(history.until(row().id, ""))
    await asyncio.sleep(0)
    history.clear()
    await reading
    assert history.owner(row().id) is None
    await store.close()
