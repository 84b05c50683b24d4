"""What every store must do; see interplay.contracts.store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from interplay.contracts.store import Fenced, Gone, Store
from interplay.testing.contracts.store_holding import StoreHolding
from interplay.testing.contracts.store_reading import end, ids, new

BLOB = "ab" * 32
OTHER_BLOB = "cd" * 32


@pytest.mark.asyncio
class StoreContract(StoreHolding):
    """Subclass it and give a `make` fixture: a callable that builds the store, not opened, on
    the same place each time; the place is empty when a test begins."""

    async def test_a_row_is_read_as_it_was_written(self, store: Store):
        asked = new(
            "a",
            status="queued",
            model="m",
            agent="g",
            background=True,
            created=1_800_000_000.25,
            expires=1_900_000_000.5,
            labels={"k": "v", "ü": "'\"\x00 \U0001f600"},
            input='["ü\U0001f600"]'.encode(),
            fingerprint="f",
            idempotency_key="key",
            worker="w",
        )
        await store.create(asked)
        row = await store.get("a")
        assert row is not None
        for name in asked.__struct_fields__:
            if name not in ("blobs", "idempotency_key"):
                assert getattr(row, name) == getattr(asked, name), name
        assert (row.epoch, row.last, row.attempts) == (1, -1, 0)
        assert row.updated == row.created
        assert row.steps is None
        assert (row.replay, row.usage, row.errors) == (b"", b"", b"")

    async def test_a_row_created_at_its_end_is_whole(self, store: Store):
        ending = end(updated=1_800_000_001.5, replay=b"\x93", usage=b"{}", errors=b"[]")
        await store.create(new("a"), ending)
        row = await store.get("a")
        assert row is not None
        for name in ("status", "updated", "steps", "replay", "last", "usage", "errors"):
            assert getattr(row, name) == getattr(ending, name), name
        assert row.epoch == 1
        assert await store.workers() == set()

    async def test_everything_is_there_after_it_was_closed_and_opened(
        self, make: Callable[[], Store]
    ):
        first = make()
        await first.open()
        await first.create(new("a", blobs=[BLOB], labels={"k": "v"}), end())
        await first.create(new("b", "a"))
        await first.append("b", 1, -1, [b"0", b"1"])
        await first.remember("b", "m", b"1")
        before = await first.get("a"), await first.get("b")
        await first.close()
        second = make()
        await second.open()
        try:
            assert (await second.get("a"), await second.get("b")) == before
            assert await second.events("b") == [b"0", b"1"]
            assert await second.recall("b") == {"m": b"1"}
            assert await second.unreferenced([BLOB]) == []
            assert ids(await second.chain("b")) == ["a", "b"]
            assert await self.listed(second, label=("k", "v")) == ["a"]
            await second.append("b", 1, 1, [b"2"])
        finally:
            await second.close()

    async def test_events_are_read_after_any_number(self, store: Store):
        await store.create(new("a"))
        await store.create(new("b"))
        await store.append("a", 1, -1, [b"0", b"1"])
        await store.append("b", 1, -1, [b"other"])
        await store.append("a", 1, 1, [b"2"])
        assert await store.events("a") == [b"0", b"1", b"2"]
        assert await store.events("a", 0) == [b"1", b"2"]
        assert await store.events("a", 2) == []
        row = await store.get("a")
        assert row is not None
        assert row.last == 2

    async def test_an_append_from_the_wrong_place_is_fenced_and_writes_nothing(self, store: Store):
        await store.create(new("a"))
        await store.append("a", 1, -1, [b"0"])
        for epoch, last in ((1, -1), (1, 1), (2, 0), (0, 0)):
            with pytest.raises(Fenced):
                await store.append("a", epoch, last, [b"no"], status="queued")
            with pytest.raises(Fenced):
                await store.append("a", epoch, last, [b"no"], ending=end())
        with pytest.raises(Fenced):
            await store.append("x", 1, -1, [b"no"])
        row = await store.get("a")
        assert row is not None
        assert (row.status, row.last, row.steps) == ("in_progress", 0, None)
        assert await store.events("a") == [b"0"]

    async def test_a_claim_fences_those_before(self, store: Store):
        await store.create(new("a"))
        await store.append("a", 1, -1, [b"0"])
        claimed = await store.claim("a")
        assert (claimed.epoch, claimed.last, claimed.attempts) == (2, 0, 1)
        with pytest.raises(Fenced):
            await store.append("a", 1, 0, [b"zombie"])
        await store.append("a", 2, 0, [b"1"])
        assert (await store.claim("a")).attempts == 2
        assert await store.events("a") == [b"0", b"1"]

    async def test_of_two_who_append_at_once_one_is_fenced(self, store: Store):
        await store.create(new("a"))
        calls = [store.append("a", 1, -1, [b"%d" % number]) for number in range(20)]
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(one) for one in done].count(Fenced) == 19
        assert len(await store.events("a")) == 1

    async def test_an_append_may_change_the_status(self, store: Store):
        await store.create(new("a", status="queued"))
        await store.append("a", 1, -1, [b"0"], status="in_progress")
        row = await store.get("a")
        assert row is not None
        assert row.status == "in_progress"
        assert await self.listed(store, status="queued") == []
        assert await self.listed(store, status="in_progress") == ["a"]

    async def test_the_end_sets_the_row_and_drops_events_and_memos(self, store: Store):
        await store.create(new("a"))
        await store.append("a", 1, -1, [b"0"])
        await store.claim("a")
        await store.remember("a", "m", b"1")
        ending = end(status="incomplete", last=3, updated=1_800_000_009.0, usage=b"{}")
        await store.append("a", 2, 0, [b"1", b"2", b"3"], ending=ending)
        row = await store.get("a")
        assert row is not None
        assert (row.status, row.last, row.epoch, row.attempts) == ("incomplete", 3, 2, 1)
        assert (row.steps, row.usage, row.updated) == (ending.steps, b"{}", 1_800_000_009.0)
        assert await store.events("a") == []
        assert await store.recall("a") == {}
        assert await store.workers() == set()

    async def test_after_the_end_everybody_is_fenced(self, store: Store):
        await store.create(new("a"))
        await store.append("a", 1, -1, [b"0"], ending=end(last=0))
        for call in (
            store.append("a", 1, 0, [b"1"]),
            store.append("a", 1, 0, [], ending=end(status="failed")),
            store.claim("a"),
            store.remember("a", "m", b"1"),
        ):
            with pytest.raises(Fenced):
                await call
        row = await store.get("a")
        assert row is not None
        assert row.status == "completed"

    async def test_a_status_that_has_ended_comes_with_an_ending_only(self, store: Store):
        with pytest.raises(ValueError, match="ending"):
            await store.create(new("a", status="completed"))
        with pytest.raises(ValueError, match="ending"):
            await store.create(new("a"), end(status="in_progress"))
        await store.create(new("a"))
        with pytest.raises(ValueError, match="ending"):
            await store.append("a", 1, -1, [b"0"], status="failed")
        assert await store.events("a") == []

    async def test_memos_are_kept_by_key_and_behind_the_fence(self, store: Store):
        await store.create(new("a"))
        await store.remember("a", "m", b"1")
        await store.remember("a", "n", b"2", epoch=1)
        await store.remember("a", "m", b"3")
        await store.claim("a")
        with pytest.raises(Fenced):
            await store.remember("a", "m", b"zombie", epoch=1)
        assert await store.recall("a") == {"m": b"3", "n": b"2"}

    async def test_an_idempotency_key_is_given_once_for_each_owner(self, store: Store):
        await store.create(new("a", idempotency_key="k"))
        with pytest.raises(KeyError):
            await store.create(new("b", idempotency_key="k"))
        await store.create(new("c", owner="bob", idempotency_key="k"))
        assert await store.get("b") is None
        for owner, id in (("ann", "a"), ("bob", "c")):
            found = await store.find_key(owner, "k")
            assert found is not None
            assert found.id == id

    async def test_an_id_is_given_once(self, store: Store):
        await store.create(new("a"))
        with pytest.raises(ValueError, match="there already"):
            await store.create(new("a", owner="bob"))
        row = await store.get("a")
        assert row is not None
        assert row.owner == "ann"

    async def test_what_one_write_raises_is_its_own_callers_alone(self, store: Store):
        await store.create(new("a", idempotency_key="k"))
        calls = [store.create(new(f"good{number}")) for number in range(5)]
        calls += [store.create(new("a")), store.create(new("k", idempotency_key="k"))]
        calls += [store.append("a", 9, 9, [b"x"]), store.create(new("p", "nobody"))]
        calls += [store.create(new(f"more{number}")) for number in range(5)]
        done = await asyncio.gather(*calls, return_exceptions=True)
        raised = [type(one) for one in done if one is not None]
        assert raised == [ValueError, KeyError, Fenced, Gone]
        assert len(await self.listed(store)) == 11

    async def test_a_delete_takes_everything_of_the_row(self, store: Store):
        await store.create(new("a", idempotency_key="k", labels={"x": "y"}))
        await store.append("a", 1, -1, [b"0"])
        await store.remember("a", "m", b"1")
        assert await store.delete("a") == []
        with pytest.raises(Gone):
            await store.delete("a")
        assert await store.get("a") is None
        assert await store.events("a") == []
        assert await store.recall("a") == {}
        assert await store.workers() == set()
        with pytest.raises(Fenced):
            await store.append("a", 1, 0, [b"1"])
        await store.create(new("a", idempotency_key="k"))
        assert await store.events("a") == []
        assert await self.listed(store, label=("x", "y")) == []

    async def test_a_delete_answers_the_blobs_nobody_refers_to(self, store: Store):
        await store.create(new("a", blobs=[BLOB, OTHER_BLOB]), end(blobs=[BLOB]))
        await store.create(new("b", blobs=[BLOB]))
        await store.append("b", 1, -1, [b"0"], ending=end(blobs=["ef" * 32]))
        assert await store.unreferenced([BLOB, OTHER_BLOB, "00" * 32]) == ["00" * 32]
        assert await store.delete("a") == [OTHER_BLOB]
        assert sorted(await store.delete("b")) == [BLOB, "ef" * 32]
        assert sorted(await store.unreferenced([BLOB, OTHER_BLOB])) == [BLOB, OTHER_BLOB]

    async def test_a_caller_who_gives_up_harms_nobody(self, store: Store):
        calls = [asyncio.create_task(store.create(new(f"i{number}"))) for number in range(20)]
        await asyncio.sleep(0)
        for call in calls[::2]:
            call.cancel()
        for call in calls:
            with suppress(asyncio.CancelledError):
                await call
        for number in range(1, 20, 2):
            assert await store.get(f"i{number}") is not None
