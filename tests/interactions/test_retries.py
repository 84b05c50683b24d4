"""What counts as the same request sent again, at the edges: failures, deletes, many at once."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from interplay.interactions.retries import Retries, fingerprint
from interplay.testing.scripted_model import ScriptedModel
from tests.api.api import fold, ids, kinds, text_of

KEY = {"idempotency-key": "k-1"}
FAILS = {"fail": {"code": "too_many_requests", "message": "Full.", "retry_after": 1}}


async def test_a_failed_request_that_is_sent_again_is_worked_on_again(opened: Any) -> None:
    api = await opened(FAILS, "now")
    assert (await api.create(input="x")).status == 429
    again = await api.create(input="x")
    assert (again.status, again.text) == (200, "now")


async def test_a_deleted_interaction_is_not_given_to_a_retry(opened: Any) -> None:
    api = await opened("one", "two")
    first = (await api.create(input="x", headers=KEY)).body
    await api.delete(first["id"])
    again = (await api.create(input="x", headers=KEY)).body
    assert again["id"] != first["id"]
    assert text_of(again) == "two"


async def test_a_background_stream_asked_for_again_after_a_restart_is_the_running_one(
    house: Any,
) -> None:
    held = {"chunks": ["a ", {"hold": "h"}, "b"]}
    body = {"model": "m", "input": "x", "background": True, "stream": True}
    async with AsyncExitStack() as stack:
        _, api = await house.start(models={"m": ScriptedModel.of(held)}, stack=stack)
        api.headers |= KEY
        async with api.opened(json=body) as live:
            first = await anext(live)
    model = ScriptedModel.of(held)
    _, api = await house.start(models={"m": model})
    api.headers |= KEY
    async with api.opened(json=body) as live:
        seen = [await anext(live)]
        assert seen == [first]
        await model.gate("h").reached()
        model.gate("h").open()
        seen += [event async for event in live]
    assert seen[-1]["interaction"]["status"] == "completed"
    assert ids(seen) == list(range(len(seen)))
    assert kinds(seen).count("interaction.completed") == 1
    assert fold(seen) == (await api.get(first["interaction"]["id"])).body["steps"][1:]


async def test_only_one_request_with_a_key_begins_at_a_time() -> None:
    retries = Retries(10)
    inside, most = 0, 0

    async def some() -> None:
        nonlocal inside, most
        for _ in range(5):  # the next one comes in the moment the last one goes
            async with retries.turn("", "k"):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
                inside -= 1

    await asyncio.gather(*[some() for _ in range(5)])
    assert most == 1
    assert retries._turns == {}


async def test_a_key_that_is_too_long_is_refused(opened: Any) -> None:
    api = await opened()
    answer = await api.create(input="x", headers={"idempotency-key": "k" * 300})
    assert answer.status == 400
    assert "Idempotency-Key" in answer.message


def test_a_fingerprint_tells_bodies_apart() -> None:
    assert fingerprint(b"a") == fingerprint(b"a") != fingerprint(b"b")
