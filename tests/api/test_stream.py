"""Streams: the order of events, resuming, and what a broken connection leaves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.api import fold, ids, kinds, requirement, text_of, until

CHUNKS = {"chunks": ["one ", "two ", "three"]}


@requirement("interactions:stream:order")
async def test_events_come_in_the_documented_order_with_dense_ids(opened: Any) -> None:
    api = await opened(CHUNKS)
    events = await api.stream(input="count")
    assert kinds(events) == [
        "interaction.created",
        "interaction.status_update",
        "step.start",
        "step.delta",
        "step.delta",
        "step.delta",
        "step.stop",
        "interaction.completed",
    ]
    assert ids(events) == list(range(8))
    head = events[0]["interaction"]
    assert (head["status"], head["object"], head["model"]) == ("in_progress", "interaction", "m")
    assert "steps" not in head
    last = events[-1]["interaction"]
    assert last["id"] == head["id"]
    assert last["status"] == "completed"
    assert last["usage"]["total_output_tokens"] == 3
    assert "steps" not in last
    assert events[2]["step"] == {"type": "model_output"}


@requirement("interactions:stream:function-call")
async def test_a_function_call_streams_its_arguments_as_fragments(opened: Any) -> None:
    call = {"name": "f", "arguments": {"city": "Paris"}, "id": "abcd1234"}
    api = await opened({"calls": [call]})
    tools = [{"type": "function", "name": "f", "parameters": {"type": "object"}}]
    events = await api.stream(input="a", tools=tools)
    start = next(event for event in events if event["event_type"] == "step.start")
    assert start["step"] == {
        "type": "function_call", "id": "abcd1234", "name": "f", "arguments": {},
    }  # fmt: skip
    assert sum(event["event_type"] == "step.delta" for event in events) == 2
    assert fold(events)[0]["arguments"] == {"city": "Paris"}
    assert events[-1]["interaction"]["status"] == "requires_action"


@requirement("interactions:resume:after-event")
async def test_resuming_after_any_event_gives_exactly_the_rest(opened: Any) -> None:
    api = await opened({"thought": {"summary": "Hm, well.", "signature": "c2ln"}, **CHUNKS})
    for background in (False, True):
        events = await api.stream(
            input="count",
            background=background,
            generation_config={"thinking_summaries": "auto"},
        )
        id = events[0]["interaction"]["id"]
        assert await api.replay(id) == events
        for number, event in enumerate(events):
            assert await api.replay(id, after=event["event_id"]) == events[number + 1 :]


async def test_a_unary_interaction_can_be_replayed_as_events(opened: Any) -> None:
    api = await opened(CHUNKS)
    made = (await api.create(input="count")).body
    events = await api.replay(made["id"])
    assert fold(events) == made["steps"]
    assert kinds(events)[-1] == "interaction.completed"
    stored = (await api.get(made["id"])).body
    assert events[-1]["interaction"]["usage"] == stored["usage"]
    for number, event in enumerate(events):
        assert await api.replay(made["id"], after=event["event_id"]) == events[number + 1 :]


@requirement("interactions:resume:foreign-event")
async def test_an_event_of_another_interaction_is_refused_with_400(opened: Any) -> None:
    api = await opened(CHUNKS, CHUNKS)
    one = await api.stream(input="a")
    two = await api.stream(input="b")
    id = two[0]["interaction"]["id"]
    for wrong in (one[3]["event_id"], "nonsense", f"{two[0]['event_id']}99", "x" * 5000):
        answer = await api.get(id, stream="true", last_event_id=wrong)
        assert answer.status == 400
        assert "last_event_id" in answer.message
    answer = await api.get(id, last_event_id=one[0]["event_id"])
    assert answer.status == 400


@requirement("interactions:resume:live")
async def test_a_second_client_follows_a_running_stream_from_any_event(
    opened: Any, house: Any
) -> None:
    api = await opened({"chunks": ["a ", "b ", {"hold": "middle"}, "c"]})
    async with api.opened(
        json={"model": "m", "input": "x", "stream": True, "background": True}
    ) as first:
        seen = [await anext(first) for _ in range(5)]
        id = seen[0]["interaction"]["id"]
        path = f"/v1/interactions/{id}?stream=true&last_event_id={seen[2]['event_id']}"
        async with api.opened("GET", path) as second:
            assert [await anext(second) for _ in range(2)] == seen[3:]
            house.model.gate("middle").open()
            rest = [event async for event in first]
            assert [event async for event in second] == rest
    assert text_of((await api.get(id)).body) == "a b c"


@requirement("interactions:resume:late")
@pytest.mark.parametrize("background", [False, True])
async def test_a_late_reader_gets_what_memory_has_let_go_from_the_store(
    opened: Any, house: Any, background: bool
) -> None:
    words = [f"{number} " for number in range(9_000)]
    chunks = [*words[:6_000], {"hold": "middle"}, *words[6_000:], {"hold": "end"}, "."]
    api = await opened({"chunks": chunks})
    body = {"model": "m", "input": "x", "stream": True, "background": background}
    async with api.opened(json=body) as first:
        seen = [await anext(first) for _ in range(6_003)]
        id = seen[0]["interaction"]["id"]
        house.model.gate("middle").open()
        seen += [await anext(first) for _ in range(3_000)]
        journal = house.server.app.assembly.runner.live[id].journal
        await until(lambda: journal.base > 4_000)
        async with api.opened("GET", f"/v1/interactions/{id}?stream=true") as late:
            assert [await anext(late) for _ in range(len(seen))] == seen
            path = f"/v1/interactions/{id}?stream=true&last_event_id={seen[77]['event_id']}"
            async with api.opened("GET", path) as later:
                assert [await anext(later) for _ in range(100)] == seen[78:178]
            house.model.gate("end").open()
            rest = [event async for event in first]
            assert [event async for event in late] == rest
    assert await api.replay(id) == [*seen, *rest]
    assert text_of((await api.get(id)).body) == "".join(words) + "."


@requirement("weather:client-drops")
async def test_a_foreground_run_whose_client_drops_still_ends_and_is_stored(
    opened: Any, house: Any
) -> None:
    api = await opened({"chunks": ["a ", {"hold": "middle"}, "b"]})
    async with api.opened(json={"model": "m", "input": "x", "stream": True}) as events:
        first = await anext(events)
    id = first["interaction"]["id"]
    await house.model.gate("middle").reached()
    house.model.gate("middle").open()
    body = await api.ended(id)
    assert body["status"] == "completed"
    assert text_of(body) == "a b"


@requirement("weather:never-reads")
async def test_a_client_that_never_reads_is_cut_off_and_the_run_goes_on(
    opened: Any, house: Any
) -> None:
    big = ["x" * 100_000] * 200
    api = await opened(
        {"chunks": [*big, {"hold": "end"}]},
        limits={"stream_stall_seconds": 0.2, "keepalive_seconds": 0.1},
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", house.server.settings.port)
    body = b'{"model":"m","input":"x","stream":true}'
    writer.write(
        b"POST /v1/interactions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%s" % (len(body), body)
    )
    await writer.drain()
    head = await reader.readuntil(b'"status"')
    await house.model.gate("end").reached()
    # It reads nothing: the server must let go of it by itself.
    await until(lambda: not house.server.app.assembly.interactions.tails)
    house.model.gate("end").open()
    await until(lambda: not house.server.app.assembly.runner.live)
    ended = (await api.get(head.split(b'"id":"')[1].split(b'"')[0].decode())).body
    assert len(text_of(ended)) == 20_000_000
    writer.close()


@requirement("interactions:stream:keepalive")
async def test_a_silent_stream_is_kept_alive_by_comments_that_say_what_happens(
    opened: Any, house: Any
) -> None:
    api = await opened({"chunks": [{"hold": "load"}, "done"]}, limits={"keepalive_seconds": 0.05})
    house.model.busy_with = "loading the model"
    async with api.session.post(
        f"{api.url}/v1/interactions", json={"model": "m", "input": "x", "stream": True}
    ) as response:
        assert await response.content.readline() == b": loading the model\n"
        raw = b""
        while raw.count(b": loading the model") < 2:
            raw += await asyncio.wait_for(response.content.readany(), 60)
        house.model.busy_with = None
        house.model.gate("load").open()
        raw += await response.content.read()
    assert raw.endswith(b"event: done\ndata: [DONE]\n\n")


async def test_a_comment_is_not_later_than_the_silence_that_is_allowed(
    opened: Any, house: Any
) -> None:
    api = await opened({"chunks": [{"hold": "h"}, "done"]}, limits={"keepalive_seconds": 1.0})
    body = {"model": "m", "input": "x", "stream": True}
    async with api.session.post(f"{api.url}/v1/interactions", json=body) as response:
        while b"status_update" not in await asyncio.wait_for(response.content.readany(), 60):
            pass
        assert (await asyncio.wait_for(response.content.readany(), 1.5)).startswith(b": ")
        house.model.gate("h").open()
        await response.content.read()


@requirement("interactions:stream:failure")
async def test_a_failure_in_a_stream_is_an_error_event_then_completed_then_done(
    opened: Any,
) -> None:
    api = await opened(
        {"text": "so far", "fail": {"code": "service_unavailable", "message": "It went away."}}
    )
    events = await api.stream(input="a")
    assert kinds(events)[-3:] == ["step.stop", "error", "interaction.completed"]
    assert events[-2]["error"] == {"code": "service_unavailable", "message": "It went away."}
    assert events[-1]["interaction"]["status"] == "failed"
    id = events[0]["interaction"]["id"]
    stored = (await api.get(id)).body
    assert stored["status"] == "failed"
    assert stored["errors"] == [{"code": "service_unavailable", "message": "It went away."}]
    assert text_of(stored) == "so far"
    assert await api.replay(id) == events
