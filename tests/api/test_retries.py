"""Safe retries: Idempotency-Key, and the same body after a lost connection."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from interplay.testing.scripted_model import ScriptedModel
from tests.api.api import requirement, text_of, until

KEY = {"idempotency-key": "k-1"}
HELD = {"chunks": ["a ", {"hold": "h"}, "b"]}


@requirement("retries:key")
async def test_a_key_makes_the_work_once(opened: Any, house: Any) -> None:
    api = await opened("only")
    answers = [await api.create(input="x", headers=KEY) for _ in range(3)]
    assert len({answer.body["id"] for answer in answers}) == 1
    assert len(house.model.turns) == 1
    assert answers[0].body == answers[2].body


@requirement("retries:key-at-once")
async def test_requests_with_one_key_at_once_share_one_run(opened: Any, house: Any) -> None:
    api = await opened(HELD)
    asking = [asyncio.create_task(api.create(input="x", headers=KEY)) for _ in range(5)]
    await house.model.gate("h").reached()
    house.model.gate("h").open()
    bodies = [(await task).body for task in asking]
    assert len({body["id"] for body in bodies}) == 1
    assert all(text_of(body) == "a b" for body in bodies)
    assert len(house.model.turns) == 1


@requirement("retries:key-conflict")
async def test_a_key_with_another_body_is_409(opened: Any) -> None:
    api = await opened()
    await api.create(input="x", headers=KEY)
    answer = await api.create(input="y", headers=KEY)
    assert (answer.status, answer.code) == (409, "aborted")
    assert "k-1" in answer.message


@requirement("retries:key-survives-restart")
async def test_a_key_outlives_the_process(house: Any) -> None:
    async with AsyncExitStack() as stack:
        _, api = await house.start(models={"m": ScriptedModel.of("only")}, stack=stack)
        first = (await api.create(input="x", headers=KEY)).body
    model = ScriptedModel.of()
    _, api = await house.start(models={"m": model})
    again = await api.create(input="x", headers=KEY)
    assert again.status == 200
    assert again.body == first
    events = await api.stream(input="x", headers={"idempotency-key": "k-2"})
    assert events
    changed = await api.create(input="y", headers=KEY)
    assert changed.status == 409


@requirement("retries:body")
async def test_the_same_body_after_a_lost_connection_joins_the_first(
    opened: Any, house: Any
) -> None:
    api = await opened(HELD)
    lost = asyncio.create_task(api.create(input="x"))
    await house.model.gate("h").reached()
    lost.cancel()
    await asyncio.gather(lost, return_exceptions=True)
    again = asyncio.create_task(api.create(input="x"))
    # The second request must have found the first before its run may go on.
    await until(lambda: house.server.app.assembly.runner.live)
    await asyncio.wait([again], timeout=0.3)
    assert len(house.model.turns) == 1
    house.model.gate("h").open()
    assert (await again).text == "a b"
    assert len(house.model.turns) == 1


@requirement("retries:not-a-retry")
async def test_the_same_body_while_the_first_client_waits_is_work_of_its_own(
    opened: Any, house: Any
) -> None:
    api = await opened(HELD, "second")
    first = asyncio.create_task(api.create(input="x"))
    await house.model.gate("h").reached()
    assert (await api.create(input="x")).text == "second"
    house.model.gate("h").open()
    assert (await first).text == "a b"


async def test_the_same_body_after_an_answer_is_work_of_its_own(opened: Any, house: Any) -> None:
    api = await opened("one", "two")
    assert (await api.create(input="x")).text == "one"
    assert (await api.create(input="x")).text == "two"


async def test_a_dropped_stream_is_joined_by_its_retry(opened: Any, house: Any) -> None:
    api = await opened(HELD)
    body = {"model": "m", "input": "x", "stream": True}
    async with api.opened(json=body) as events:
        first = await anext(events)
    await house.model.gate("h").reached()
    async with api.opened(json=body) as again:
        assert await anext(again) == first
        house.model.gate("h").open()
        rest = [event async for event in again]
    assert rest[-1]["interaction"]["status"] == "completed"
    assert len(house.model.turns) == 1
