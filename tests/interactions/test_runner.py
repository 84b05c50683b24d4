"""How many runs at a time, and how each ends when the store, the clock or the server stops it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from interplay.testing.scripted_model import ScriptedModel
from tests.api.api import text_of, until
from tests.interactions.faulty_store import ID, FaultyStore, row

HELD = {"chunks": ["a ", {"hold": "h"}, "b"]}
FAULTY = "tests.interactions.faulty_store:FaultyStore"


def store_of(house: Any) -> FaultyStore:
    return house.server.app.assembly.store


async def test_requests_at_once_do_not_overrun_the_queue(opened: Any, house: Any) -> None:
    api = await opened(HELD, limits={"background_runs": 1, "queue": 2})
    asking = [api.create(input=f"{n}", background=True) for n in range(12)]
    statuses = [answer.status for answer in await asyncio.gather(*asking)]
    assert statuses.count(200) == 3
    assert statuses.count(429) == 9
    house.model.gate("h").open()


async def test_requests_at_once_do_not_overrun_what_one_key_may_run(
    opened: Any, house: Any
) -> None:
    api = await opened("root", *[HELD] * 12, limits={"runs_per_key": 2})
    first = (await api.create(input="x")).body["id"]
    house.server.app.assembly.history.clear()
    chained = {"previous_interaction_id": first}
    asking = [asyncio.create_task(api.create(input=f"{n}", **chained)) for n in range(12)]
    await until(lambda: sum(task.done() for task in asking) == 10)
    house.model.gate("h").open()
    statuses = [answer.status for answer in await asyncio.gather(*asking)]
    assert statuses.count(200) == 2


async def test_a_cancelled_run_leaves_its_place_in_the_queue(opened: Any, house: Any) -> None:
    api = await opened(HELD, "last", limits={"background_runs": 1, "queue": 1})
    await api.create(input="1", background=True)
    waiting = (await api.create(input="2", background=True)).body["id"]
    assert (await api.cancel(waiting)).body["status"] == "cancelled"
    assert await house.server.app.assembly.runner.queued() == 0
    other = await api.create(input="3", background=True)
    assert other.status == 200
    house.model.gate("h").open()
    assert text_of(await api.ended(other.body["id"])) == "last"


async def test_a_cancel_that_cannot_be_stored_says_so_and_stops_the_run(
    opened: Any, house: Any
) -> None:
    api = await opened(HELD, store=FAULTY)
    id = (await api.create(input="x", background=True)).body["id"]
    await house.model.gate("h").reached()
    store_of(house).full = True
    answer = await api.cancel(id)
    assert (answer.status, answer.code) == (503, "service_unavailable")
    await house.model.abandoned()
    store_of(house).full = False
    await until(lambda: "end" in store_of(house).log)
    assert (await api.get(id)).body["status"] == "cancelled"


async def test_a_server_stops_though_the_disk_is_full(house: Any) -> None:
    async with AsyncExitStack() as stack:
        model = ScriptedModel.of(HELD)
        server, api = await house.start(models={"m": model}, store=FAULTY, stack=stack)
        id = (await api.create(input="x", background=True)).body["id"]
        await model.gate("h").reached()
        server.app.assembly.store.full = True
        model.gate("h").open()
        await until(lambda: server.app.assembly.store.refused)
    _, api = await house.start(models={"m": ScriptedModel.of("again")}, store=FAULTY)
    assert text_of(await api.ended(id)).endswith("again")


async def test_a_foreground_run_whose_store_breaks_is_answered(opened: Any, house: Any) -> None:
    api = await opened(HELD, store=FAULTY)
    asking = asyncio.create_task(api.create(input="x"))
    await house.model.gate("h").reached()
    store_of(house).broken = True
    house.model.gate("h").open()
    async with asyncio.timeout(60):
        answer = await asking
    assert answer.status == 409
    assert house.server.app.assembly.runner.live == {}
    store_of(house).broken = False


async def test_a_timeout_inside_a_model_is_not_the_runs_own(opened: Any) -> None:
    api = await opened(TimeoutError("the backend's socket"))
    answer = await api.create(input="x")
    assert answer.status == 500
    assert "limits.run_seconds" not in answer.message


async def test_a_run_past_its_time_ends_as_failed(opened: Any, house: Any) -> None:
    api = await opened(HELD, limits={"run_seconds": 0.2})
    answer = await api.create(input="x")
    assert (answer.status, answer.code) == (504, "deadline_exceeded")
    await house.model.abandoned()


async def test_a_run_that_took_its_time_may_still_store_its_end(opened: Any, house: Any) -> None:
    api = await opened("ok", limits={"run_seconds": 1.0}, store=FAULTY)
    store_of(house).gate.clear()
    asking = asyncio.create_task(api.create(input="x"))
    await until(lambda: house.server.app.assembly.runner.live)
    await asyncio.wait([asking], timeout=1.3)
    store_of(house).gate.set()
    assert (await asking).text == "ok"


@pytest.mark.parametrize("background", [False, True])
async def test_a_finished_run_leaves_nothing_in_memory(
    opened: Any, house: Any, background: bool
) -> None:
    api = await opened("ok")
    id = (await api.create(input="x", background=background)).body["id"]
    await api.ended(id)
    runner = house.server.app.assembly.runner
    assert (runner.live, await runner.queued(), dict(runner._per_owner)) == ({}, 0, {})
    assert (runner._behind, runner._arriving) == (0, 0)


async def test_a_cancel_of_what_nobody_runs_does_not_wait_for_a_full_disk(
    opened: Any, house: Any
) -> None:
    api = await opened(store=FAULTY)
    store = store_of(house)
    await store.create(row(background=True))
    append = store.append

    async def full(*given: Any, **named: Any) -> None:
        store.full = True
        await append(*given, **named)

    store.append = full  # type: ignore[method-assign]
    answer = await api.cancel(ID)
    assert (answer.status, answer.code) == (503, "service_unavailable")
    store.full = False


@pytest.mark.parametrize("stream", [False, True])
async def test_a_foreground_run_that_outlasts_the_server_is_stored_as_failed(
    house: Any, stream: bool
) -> None:
    async with AsyncExitStack() as stack:
        model = ScriptedModel.of(HELD)
        _, api = await house.start(models={"m": model}, limits={"drain_seconds": 0.1}, stack=stack)
        asking = asyncio.create_task(api.create(input="x", stream=stream))
        await model.gate("h").reached()
    await asyncio.gather(asking, return_exceptions=True)
    _, api = await house.start(models={"m": ScriptedModel.of()})
    (line,) = (await api.call("GET", "/v1/interactions")).body["interactions"]
    body = (await api.get(line["id"])).body
    assert (body["status"], body["errors"][0]["code"]) == ("failed", "cancelled")
    assert text_of(body) == "a "


async def test_a_server_stops_though_an_end_is_being_stored(house: Any) -> None:
    async with AsyncExitStack() as stack:
        model = ScriptedModel.of(HELD)
        server, api = await house.start(
            models={"m": model}, limits={"drain_seconds": 0.1}, store=FAULTY, stack=stack
        )
        asking = asyncio.create_task(api.create(input="x"))
        await model.gate("h").reached()
        server.app.assembly.store.gate.clear()
        model.gate("h").open()
        live = server.app.assembly.runner.live
        await until(lambda: all(running.journal.closing for running in live.values()))
    await asyncio.gather(asking, return_exceptions=True)
    assert live == {}


async def test_queued_runs_wait_for_the_next_server(house: Any) -> None:
    async with AsyncExitStack() as stack:
        model = ScriptedModel.of(HELD)
        limits = {"background_runs": 1}
        _, api = await house.start(models={"m": model}, limits=limits, stack=stack)
        made = [(await api.create(input=f"{n}", background=True)).body for n in range(3)]
        await model.gate("h").reached()
    assert [body["status"] for body in made] == ["in_progress", "queued", "queued"]
    _, api = await house.start(models={"m": ScriptedModel.of(echo=True)}, limits=limits)
    for body in made:
        ended = await api.ended(body["id"])
        assert ended["status"] == "completed"
        events = await api.replay(body["id"])
        assert events[0]["interaction"]["status"] == body["status"]


async def test_a_run_whose_parent_is_deleted_ends_and_is_kept(opened: Any, house: Any) -> None:
    api = await opened("root")
    live = house.server.app.assembly.runner.live
    for fields in ({}, {"stream": True}, {"background": True}):
        parent = (await api.create(input="x")).body["id"]
        house.model._script += [{"chunks": ["a ", {"hold": f"{fields}"}, "b"]}]
        house.model._next = len(house.model._script) - 1
        asking = asyncio.create_task(
            api.create(input="y", previous_interaction_id=parent, **fields)
        )
        await house.model.gate(f"{fields}").reached()
        (id,) = live
        assert (await api.delete(parent)).status == 200
        house.model.gate(f"{fields}").open()
        await asking
        await until(lambda: not live)
        assert text_of((await api.get(id)).body) == "a b"
        assert (await api.get(parent)).status == 404
