"""What every store must do about who holds what, and about writes that are made again."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from interplay.contracts.records import Record
from interplay.contracts.store import Fenced, Store
from interplay.testing.contracts.store_reading import StoreReading, end, new


def record(id: str, **fields: Any) -> Record:
    """A record; its document says its id."""
    given: dict[str, Any] = {
        "kind": "delivery",
        "owner": "ann",
        "created": 1_800_000_000.25,
        "updated": 1_800_000_000.5,
        "doc": b'{"id":"%s"}' % id.encode(),
    }
    return Record(id=id, **{**given, **fields})


@pytest.mark.asyncio
class StoreHolding(StoreReading):
    """The part of StoreContract that is about holders; subclass that one."""

    async def test_a_row_says_who_runs_it(self, store: Store):
        await store.create(new("a", worker="w1"))
        await store.create(new("b"))
        for id, worker in (("a", "w1"), ("b", "")):
            row = await store.get(id)
            assert row is not None
            assert (row.worker, row.epoch, row.attempts) == (worker, 1, 0)
        claimed = await store.claim("b", "w2")
        assert (claimed.worker, claimed.epoch, claimed.attempts) == ("w2", 2, 1)
        assert claimed == await store.get("b")
        assert (await store.claim("b")).worker == ""

    async def test_workers_are_those_that_hold_unended_rows(self, store: Store):
        assert await store.workers() == set()
        await store.create(new("a", worker="w1"))
        await store.create(new("b", worker="w2"))
        await store.create(new("c", worker="w2"), end())
        assert await store.workers() == {"w1", "w2"}
        await store.create(new("d", status="queued"))
        await store.create(new("e", worker="w1"))
        assert await store.workers() == {"", "w1", "w2"}
        await store.claim("b", "w3")
        await store.append("a", 1, -1, [b"0"], ending=end(last=0))
        await store.delete("d")
        assert await store.workers() == {"w1", "w3"}

    async def test_held_names_the_unended_rows_of_one_oldest_first(self, store: Store):
        now = time.time()
        for id, worker, age in (
            ("young", "w1", 5),
            ("old", "w1", 30),
            ("middle", "w1", 20),
            ("other", "w2", 10),
            ("nobodys", "", 10),
            ("claimed", "w2", 40),
        ):
            await store.create(new(id, worker=worker, created=now - age))
        await store.create(new("ended", worker="w1", created=now - 50), end())
        await store.claim("claimed", "w1")
        assert await store.held("w1", now, 10) == ["claimed", "old", "middle", "young"]
        assert await store.held("w1", now - 7, 10) == ["claimed", "old", "middle"]
        assert await store.held("w1", now, 2) == ["claimed", "old"]
        assert await store.held("w2", now, 10) == ["other"]
        assert await store.held("", now, 10) == ["nobodys"]
        assert await store.held("w3", now, 10) == []
        await store.append("old", 1, -1, [b"0"], ending=end(last=0))
        assert await store.held("w1", now, 2) == ["claimed", "middle"]

    async def test_what_is_handed_back_is_nobodys_and_was_no_attempt(self, store: Store):
        await store.create(new("a", worker="w1"))
        await store.append("a", 1, -1, [b"0"])
        first = await store.claim("a", "w2")
        for _ in range(2):
            # Handing back what is nobody's already counts nothing off.
            await store.release("a", first.epoch)
        row = await store.get("a")
        assert row is not None
        assert (row.worker, row.epoch, row.last) == ("", first.epoch, 0)
        assert (await store.claim("a", "w3")).attempts == first.attempts

    async def test_only_the_epoch_that_holds_a_row_hands_it_back(self, store: Store):
        await store.create(new("a", worker="w1"))
        await store.claim("a", "w2")
        before = await store.get("a")
        await store.release("a", 1)
        await store.release("a", 3)
        assert await store.get("a") == before
        await store.append("a", 2, -1, [b"0"], ending=end(last=0))
        before = await store.get("a")
        await store.release("a", 2)
        assert await store.get("a") == before
        await store.release("nobody", 1)
        assert await store.get("nobody") is None

    async def test_lost_names_what_another_has_claimed_ended_or_deleted(self, store: Store):
        held = dict.fromkeys(["kept", "claimed", "ended", "deleted", "appended"], 1)
        for id in held:
            await store.create(new(id, worker="w1"))
        held["again"] = 2
        await store.create(new("again"))
        await store.claim("again", "w1")
        assert await store.lost({}) == []
        assert await store.lost(held) == []
        await store.append("appended", 1, -1, [b"0"])
        await store.claim("claimed", "w2")
        await store.append("ended", 1, -1, [b"0"], ending=end(last=0))
        await store.delete("deleted")
        assert sorted(await store.lost(held)) == ["claimed", "deleted", "ended"]
        assert sorted(await store.lost({"again": 1, "never": 1})) == ["again", "never"]

    async def test_an_append_made_again_succeeds_and_changes_nothing(self, store: Store):
        await store.create(new("a", status="queued"))
        await store.append("a", 1, -1, [b"0"])
        for _ in range(3):
            await store.append("a", 1, 0, [b"1", b"2"], status="in_progress")
        assert await store.events("a") == [b"0", b"1", b"2"]
        for events in ([b"1", b"other"], [b"2"], [b"1"], [b"1", b"2", b"3"], [b"", b"1", b"2"]):
            with pytest.raises(Fenced):
                await store.append("a", 1, 0, events)
        with pytest.raises(Fenced):
            await store.append("a", 1, 0, [b"1", b"2"], status="queued")
        await store.append("a", 1, 2, [b"3"])
        with pytest.raises(Fenced):
            await store.append("a", 1, 0, [b"1", b"2"], status="in_progress")
        await store.claim("a", "w")
        with pytest.raises(Fenced):
            await store.append("a", 1, 2, [b"3"])
        assert await store.events("a") == [b"0", b"1", b"2", b"3"]

    async def test_an_end_made_again_succeeds_and_changes_nothing(self, store: Store):
        await store.create(new("a"))
        await store.append("a", 1, -1, [b"0"])
        ending = end(last=2, updated=1_800_000_009.25, records=[record("r")])
        for _ in range(3):
            await store.append("a", 1, 0, [b"1", b"2"], ending=ending)
        row = await store.get("a")
        assert row is not None
        assert (row.status, row.last, row.steps) == ("completed", 2, ending.steps)
        for other in (
            end(last=2, updated=1_800_000_009.25, status="failed"),
            end(last=2, updated=1_800_000_009.25, steps=b'["another answer"]'),
            end(last=2, updated=1_800_000_010.0),
            end(last=3, updated=1_800_000_009.25),
        ):
            with pytest.raises(Fenced):
                await store.append("a", 1, 0, [b"1", b"2"], ending=other)
        with pytest.raises(Fenced):
            await store.append("a", 2, 0, [b"1", b"2"], ending=ending)
        assert await store.get("a") == row
        assert await store.events("a") == []

    async def test_of_two_ends_at_once_one_stands(self, store: Store):
        await store.create(new("a"))
        steps = [b'["%d"]' % number for number in range(10)]
        calls = [store.append("a", 1, -1, [b"0"], ending=end(last=0, steps=one)) for one in steps]
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(one) for one in done].count(Fenced) == 9
        row = await store.get("a")
        assert row is not None
        assert row.steps == steps[done.index(None)]

    async def test_an_end_brings_its_records(self, store: Store):
        there = record("there", doc=b'{"first":true}')
        await store.records.add(there)
        await store.create(new("a"))
        records = [record("one"), record("there", doc=b"{}"), record("two", due=5.0, group="g")]
        await store.append("a", 1, -1, [b"0"], ending=end(last=0, records=records))
        await store.create(new("b"), end(records=[record("three")]))
        for expected in (records[0], there, records[2], record("three")):
            assert await store.records.get("delivery", expected.id) == expected

    async def test_an_end_that_is_refused_brings_no_record(self, store: Store):
        await store.create(new("a", worker="w1", idempotency_key="k"))
        await store.claim("a", "w2")
        ending = end(last=0, records=[record("one")])
        with pytest.raises(Fenced):
            await store.append("a", 1, -1, [b"0"], ending=ending)
        with pytest.raises(KeyError):
            await store.create(new("b", idempotency_key="k"), ending)
        assert await store.records.get("delivery", "one") is None
