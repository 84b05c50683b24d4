"""Records of triggers and executions: ids, and changes that meet other changes."""

from __future__ import annotations

from typing import Any

import pytest

from interplay.contracts.records import Record, Stale
from interplay.triggers.rows import (
    ExecutionRow,
    Rows,
    TriggerRow,
    asked_execution_id,
    execution_id,
    new_trigger_id,
)
from tests.triggers.conftest import OWNER, Shop, created


def test_a_tick_has_one_execution_id_whoever_makes_it():
    assert execution_id("t", 60.0) == execution_id("t", 60.0004)
    assert len({execution_id("t", 60), execution_id("t", 120), execution_id("u", 60)}) == 3


def test_an_id_comes_from_the_key_and_its_owner_where_there_is_one():
    assert new_trigger_id("a", "k") == new_trigger_id("a", "k") != new_trigger_id("b", "k")
    assert new_trigger_id("a", None) != new_trigger_id("a", None)
    assert asked_execution_id("t", "k") == asked_execution_id("t", "k")
    assert asked_execution_id("t", None) != asked_execution_id("t", None)
    assert asked_execution_id("t", "60") != execution_id("t", 60)
    assert "." not in new_trigger_id("a", "k")


async def test_a_change_is_made_again_after_another_came_between(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one)
    held = await one.rows.get(TriggerRow, trigger.id)
    assert held is not None

    def count(row: TriggerRow) -> bool:
        row.kept.failures += 1
        return True

    for _ in range(3):
        await one.rows.change(TriggerRow, trigger.id, count)
    with pytest.raises(Stale):
        await one.rows.put(held)
    row = await one.rows.get(TriggerRow, trigger.id)
    assert row is not None
    assert row.kept.failures == 3
    assert await one.rows.change(TriggerRow, "trg_nobody", count) is None


class Restless:
    """Records that somebody else changes all the time."""

    def __init__(self, records: Any) -> None:
        self._records, self.refused = records, 0

    async def get(self, kind: str, id: str) -> Record | None:
        return await self._records.get(kind, id)

    async def replace(self, record: Record) -> Record:
        self.refused += 1
        raise Stale(record.id)


async def test_a_record_that_changes_all_the_time_is_given_up(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one)
    restless: Any = Restless(one.rows.records)
    rows = Rows(restless, shop.clock)
    with pytest.raises(Stale, match=trigger.id):
        await rows.change(TriggerRow, trigger.id, lambda _: True)
    assert 10 < restless.refused < 1_000


@pytest.mark.parametrize(("days", "expires"), [(2.0, 2 * 86_400.0), (0.0, None)])
async def test_an_execution_that_ended_is_kept_as_long_as_an_interaction(
    shop: Shop, days: float, expires: float | None
) -> None:
    one = await shop.open()
    trigger = await created(one)
    asked = await one.triggers.run(trigger.id, OWNER, key=None)
    row = await one.rows.get(ExecutionRow, asked.id)
    assert row is not None
    assert row.record.expires is None
    Rows(one.rows.records, shop.clock, days).end(row, "skipped", "why")
    assert row.record.expires == (None if expires is None else shop.clock() + expires)
    assert (row.record.state, row.record.due, row.kept.error) == ("skipped", None, "why")
