"""Several processes over one store: whatever one of them runs, every other shows, resumes,
cancels and deletes."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import pytest

from interplay.contracts.store import Ending
from interplay.testing.scripted_model import ScriptedModel
from tests.api.api import Api, fold, ids, kinds, requirement, text_of, until

HELD = {"chunks": ["a ", {"hold": "h"}, "b"]}


class Pair:
    """Two servers over one store; the first runs what it is asked, with the model given."""

    def __init__(self, house: Any) -> None:
        self.house = house

    async def open(self, *replies: Any, second: str = "api", **given: Any) -> tuple[Api, Api]:
        self.model = ScriptedModel.of(*replies, echo=True)
        self.first, one = await self.house.start(models={"m": self.model}, shared=True, **given)
        self.other = ScriptedModel.of(echo=True)
        self.second, two = await self.house.start(
            models={"m": self.other}, shared=True, role=second, **given
        )
        return one, two


@pytest.fixture
def pair(house: Any) -> Pair:
    return Pair(house)


@requirement("processes:follow")
async def test_a_background_run_of_one_process_is_followed_live_at_another(pair: Pair) -> None:
    one, two = await pair.open(HELD)
    id = (await one.create(input="x", background=True)).body["id"]
    await pair.model.gate("h").reached()
    path = f"/v1/interactions/{id}?stream=true"
    async with asyncio.timeout(60), two.opened("GET", path) as live:
        seen = [await anext(live)]
        while "delta" not in seen[-1]:
            seen.append(await anext(live))
        polled = (await two.get(id)).body
        assert polled["status"] == "in_progress"
        assert polled["steps"] == (await one.get(id)).body["steps"]
        pair.model.gate("h").open()
        seen += [event async for event in live]
    assert kinds(seen)[-1] == "interaction.completed"
    assert ids(seen) == list(range(len(seen)))
    assert await one.replay(id) == seen
    assert (await two.get(id)).body == (await one.get(id)).body
    assert fold(seen) == (await two.get(id)).body["steps"][1:]


@requirement("processes:resume")
async def test_a_stream_goes_on_at_another_process_after_any_event(pair: Pair) -> None:
    one, two = await pair.open({"chunks": ["a ", "b ", {"hold": "h"}, "c"]})
    id = (await one.create(input="x", background=True)).body["id"]
    await pair.model.gate("h").reached()
    path = f"/v1/interactions/{id}?stream=true"
    async with asyncio.timeout(60), one.opened("GET", path) as live:
        seen = [await anext(live)]
        while seen[-1].get("delta", {}).get("text") != "b ":
            seen.append(await anext(live))
        rest = [asyncio.create_task(two.replay(id, after=event["event_id"])) for event in seen]
        await until(lambda: pair.second.app.assembly.reading._followed)
        pair.model.gate("h").open()
        whole = seen + [event async for event in live]
    for number, resumed in enumerate(await asyncio.gather(*rest)):
        assert resumed == whole[number + 1 :]


@requirement("processes:resume")
async def test_who_comes_as_the_last_reader_leaves_is_told_all_the_rest(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await pair.open({"chunks": ["a ", {"hold": "h"}, "b ", {"hold": "g"}, "c"]})
    id = (await one.create(input="x", background=True)).body["id"]
    await pair.model.gate("h").reached()
    path = f"/v1/interactions/{id}?stream=true"
    async with asyncio.timeout(60), two.opened("GET", path) as live:
        seen = [await anext(live)]
        while "delta" not in seen[-1]:
            seen.append(await anext(live))
        (followed,) = pair.second.app.assembly.reading._followed.values()
    store, looks = pair.second.app.assembly.store, [0]
    get = store.get

    async def counted(id: str) -> Any:
        looks[0] += not followed.readers
        return await get(id)

    monkeypatch.setattr(store, "get", counted)
    # It has looked once more since nobody reads, and waits; or it looks no longer.
    live_at_two = pair.second.app.assembly.reading._followed
    await until(lambda: looks[0] or not live_at_two)
    path += f"&last_event_id={seen[0]['event_id']}"
    async with asyncio.timeout(60), two.opened("GET", path) as live:
        rest = [await anext(live)]
        pair.model.gate("h").open()
        while rest[-1].get("delta", {}).get("text") != "b ":
            rest.append(await anext(live))
        pair.model.gate("g").open()
        rest += [event async for event in live]
    assert seen[:1] + rest == await one.replay(id)


@requirement("processes:resume")
async def test_a_process_that_slept_through_a_take_over_knows_the_events_made_meanwhile(
    pair: Pair,
) -> None:
    one, two = await pair.open(HELD, "c")
    id = (await one.create(input="x", background=True)).body["id"]
    await pair.model.gate("h").reached()
    store = pair.second.app.assembly.store
    async with asyncio.timeout(60):
        before = b""
        while b'"a "' not in before:
            before = b"".join((await store.events(id))[-1:])
    claimed = await store.claim(id, "someone who dies at once")
    event = json.loads(before)
    prefix, _, number = event["event_id"].rpartition(".")
    event["event_id"] = f"{prefix}.{int(number) + 1}"
    await store.append(id, claimed.epoch, claimed.last, [json.dumps(event).encode()])
    seen = await one.replay(id, after=event["event_id"])
    assert ids(seen)[0] == int(number) + 2
    assert kinds(seen)[-1] == "interaction.completed"
    assert text_of((await two.get(id)).body).startswith("a a ")


@requirement("processes:follow")
async def test_a_process_that_slept_through_a_take_over_tells_how_it_stands_now(
    pair: Pair,
) -> None:
    one, two = await pair.open(HELD)
    id = (await one.create(input="x", background=True)).body["id"]
    await pair.model.gate("h").reached()
    store = pair.second.app.assembly.store
    claimed = await store.claim(id, "someone who ends it")
    ending = Ending(
        status="cancelled", updated=claimed.created, steps=b"[]", replay=b"", last=claimed.last + 2
    )
    await store.append(id, claimed.epoch, claimed.last, [], status="cancelled", ending=ending)
    assert (await one.get(id)).body["status"] == "cancelled"
    assert (await one.get(id)).body == (await two.get(id)).body


@requirement("processes:resume")
async def test_what_a_foreground_stream_showed_before_it_was_stored_is_resumed_elsewhere(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await pair.open({"chunks": ["a ", "b ", "c ", {"hold": "h"}, "d"]})
    store, stored = pair.first.app.assembly.store, asyncio.Event()
    append = store.append

    async def late(*given: Any, **more: Any) -> None:
        await stored.wait()
        await append(*given, **more)

    monkeypatch.setattr(store, "append", late)
    body = {"model": "m", "input": "x", "stream": True}
    tails = pair.second.app.assembly.interactions.tails
    async with asyncio.timeout(60), one.opened(json=body) as live:
        seen = [await anext(live)]
        while seen[-1].get("delta", {}).get("text") != "c ":
            seen.append(await anext(live))
        id = seen[0]["interaction"]["id"]
        rest: list[asyncio.Task[Any]] = []
        for number, event in enumerate(reversed(seen), 1):  # the furthest first
            rest.append(asyncio.create_task(two.replay(id, after=event["event_id"])))
            await until(lambda number=number: len(tails) == number)
        stored.set()
        pair.model.gate("h").open()
        whole = seen + [event async for event in live]
        resumed = await asyncio.gather(*rest)
    assert resumed[::-1] == [whole[number + 1 :] for number in range(len(seen))]


@requirement("processes:resume")
async def test_who_saw_more_than_was_stored_is_told_the_end(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await pair.open({"chunks": ["a ", "b ", "c ", {"hold": "h"}, "d"]})
    store, stored = pair.first.app.assembly.store, asyncio.Event()
    append = store.append

    async def late(*given: Any, **more: Any) -> None:
        await stored.wait()
        await append(*given, **more)

    monkeypatch.setattr(store, "append", late)
    body = {"model": "m", "input": "x", "stream": True}
    async with asyncio.timeout(60), one.opened(json=body) as live:
        seen = [await anext(live)]
        while seen[-1].get("delta", {}).get("text") != "c ":
            seen.append(await anext(live))
        id = seen[0]["interaction"]["id"]
        resumed = asyncio.create_task(two.replay(id, after=seen[-1]["event_id"]))
        await until(lambda: pair.second.app.assembly.interactions.tails)
        assert (await two.cancel(id)).body["status"] == "cancelled"
        assert kinds(await resumed) == ["interaction.completed"]
        stored.set()
        assert kinds([event async for event in live])[-1] == "interaction.completed"


@requirement("processes:cancel")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_cancel_at_another_process_stops_the_run(pair: Pair, stream: bool) -> None:
    one, two = await pair.open(HELD)
    how = {"stream": True} if stream else {"background": True}
    asking = asyncio.create_task(one.create(input="x", **how))
    await pair.model.gate("h").reached()
    (id,) = pair.first.app.assembly.runner.live
    assert (await two.cancel(id)).body["status"] == "cancelled"
    async with asyncio.timeout(60):
        await pair.model.abandoned()
        await asking
    events = await one.replay(id)
    assert kinds(events)[-1] == "interaction.completed"
    assert events[-1]["interaction"]["status"] == "cancelled"
    assert kinds(events).count("interaction.completed") == 1


async def test_a_delete_at_another_process_stops_the_run_and_leaves_nothing(pair: Pair) -> None:
    one, two = await pair.open(HELD)
    id = (await one.create(input="x", background=True)).body["id"]
    await pair.model.gate("h").reached()
    assert (await two.delete(id)).status == 200
    async with asyncio.timeout(60):
        await pair.model.abandoned()
    assert (await one.get(id)).status == 404
    assert (await two.get(id)).status == 404


@requirement("processes:roles")
async def test_what_an_api_process_is_asked_a_worker_does(pair: Pair) -> None:
    one, two = await pair.open("done", second="api")
    made = (await two.create(input="x", background=True)).body
    assert made["status"] == "queued"
    async with asyncio.timeout(60):
        ended = await two.ended(made["id"])
    assert (ended["status"], text_of(ended)) == ("completed", "done")
    assert pair.other.turns == []
    assert await one.replay(made["id"]) == await two.replay(made["id"])


async def test_a_streamed_background_run_is_streamed_by_the_process_that_was_asked(
    pair: Pair,
) -> None:
    _, two = await pair.open("done")
    async with asyncio.timeout(60):
        events = await two.stream(input="x", background=True)
    assert kinds(events)[0] == "interaction.created"
    assert kinds(events)[-1] == "interaction.completed"
    assert events == await two.replay(events[0]["interaction"]["id"])


@requirement("processes:retries")
@pytest.mark.parametrize("how", [{}, {"stream": True}, {"background": True}])
async def test_one_idempotency_key_at_two_processes_makes_one_interaction(
    pair: Pair, how: dict[str, Any]
) -> None:
    one, two = await pair.open(HELD, HELD, second="all")
    key = {"headers": {"Idempotency-Key": "k"}}
    first = asyncio.create_task(one.create(input="x", **how, **key))
    await pair.model.gate("h").reached()
    second = asyncio.create_task(two.create(input="x", **how, **key))
    if not how.get("background"):
        await until(lambda: pair.second.app.assembly.reading._followed)
    pair.model.gate("h").open()
    answers = await asyncio.gather(first, second)
    assert [answer.status for answer in answers] == [200, 200]
    listed = (await one.call("GET", "/v1/interactions")).body["interactions"]
    assert len(listed) == 1
    assert pair.other.turns == []


async def test_a_chain_goes_on_at_another_process_and_ends_where_it_was_deleted(
    pair: Pair,
) -> None:
    one, two = await pair.open("first", second="all")
    parent = (await one.create(input="x")).body["id"]
    child = await two.create(input="y", previous_interaction_id=parent)
    assert child.status == 200
    assert (await one.delete(parent)).status == 200
    answer = await two.create(input="y", previous_interaction_id=parent)
    assert (answer.status, answer.code) == (404, "not_found")


@requirement("processes:hand-back")
async def test_a_process_that_stops_hands_its_run_to_another(house: Any) -> None:
    async with AsyncExitStack() as stack:
        model = ScriptedModel.of(HELD, facts={"prefill": True})
        _, one = await house.start(models={"m": model}, shared=True, stack=stack)
        id = (await one.create(input="x", background=True)).body["id"]
        await model.gate("h").reached()
        other = ScriptedModel.of("c", facts={"prefill": True})
        _, two = await house.start(models={"m": other}, shared=True)
        following = asyncio.create_task(two.replay(id))
    async with asyncio.timeout(60):
        events = await following
    assert kinds(events)[-1] == "interaction.completed"
    assert ids(events) == list(range(len(events)))
    assert text_of((await two.get(id)).body) == "a c"
    assert (await two.replay(id)) == events


async def test_runs_handed_back_often_are_not_given_up(house: Any) -> None:
    id = None
    for _ in range(7):
        async with AsyncExitStack() as stack:
            model = ScriptedModel.of({"chunks": [{"hold": "h"}, "b"]})
            _, api = await house.start(models={"m": model}, stack=stack)
            if id is None:
                id = (await api.create(input="x", background=True)).body["id"]
            await model.gate("h").reached()
    _, api = await house.start(models={"m": ScriptedModel.of("at last")})
    assert text_of(await api.ended(id)) == "at last"
