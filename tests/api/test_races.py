"""A cancel and the end of a run at the same moment: one of them decides, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from interplay.testing.scripted_model import ScriptedModel
from tests.api.api import ids, kinds, requirement

TIMES = 1_000


@requirement("cancel:race")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("processes", [1, 2])
async def test_a_cancel_racing_the_end_a_thousand_times_gives_one_end(
    house: Any, processes: int
) -> None:
    shared = processes == 2
    model = ScriptedModel.of({"chunks": ["one ", "two ", "three"]}, repeat=True, pace=0.003)
    _, one = await house.start(models={"m": model}, shared=shared)
    two = one
    if shared:
        _, two = await house.start(models={"m": model}, shared=True, role="api")
    outcomes: Counter[str] = Counter()

    async def race(number: int) -> None:
        id = (await one.create(input="x", background=True)).body["id"]
        for _ in range(number % 12):
            await one.get(id)
        cancelled = await two.cancel(id)
        assert cancelled.status == 200
        status = cancelled.body["status"]
        events = await two.replay(id)
        assert await one.replay(id) == events
        assert (await one.ended(id))["status"] == status
        assert ids(events) == list(range(len(events)))
        assert kinds(events).count("interaction.completed") == 1
        assert kinds(events)[-1] == "interaction.completed"
        assert events[-1]["interaction"]["status"] == status
        outcomes[status] += 1

    for start in range(0, TIMES, 20):
        await asyncio.gather(*(race(start + number) for number in range(20)))
    assert set(outcomes) == {"cancelled", "completed"}
    assert sum(outcomes.values()) == TIMES
