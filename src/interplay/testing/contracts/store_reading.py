"""What every store must do where it is read: chains, lists, expiry."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from interplay.contracts.store import (
    ChainLink,
    Ending,
    Filter,
    Gone,
    NewInteraction,
    Store,
    StoredInteraction,
)


def new(id: str, parent: str | None = None, **fields: Any) -> NewInteraction:
    """A row to create; its input says its id."""
    given: dict[str, Any] = {
        "owner": "ann",
        "root": "root",
        "created": time.time(),
        "request": b'{"model":"m"}',
        "input": b'["%s"]' % id.encode(),
    }
    return NewInteraction(id=id, parent=parent, **{**given, **fields})


def end(**fields: Any) -> Ending:
    """An ending."""
    given: dict[str, Any] = {
        "status": "completed",
        "updated": time.time(),
        "steps": b'["answer"]',
        "last": 7,
    }
    return Ending(**{**given, **fields})


def past() -> float:
    """A moment that is over."""
    return time.time() - 5


def ids(found: list[ChainLink] | list[StoredInteraction]) -> list[str]:
    """The ids of what was found, in order."""
    return [one.id for one in found]


@pytest.mark.asyncio
class StoreReading:
    """The part of StoreContract that is about reading; subclass that one."""

    @pytest.fixture
    def make(self) -> Callable[[], Store]:
        """Builds the store under test."""
        raise NotImplementedError("Give your test class a `make` fixture.")

    @pytest.fixture
    async def store(self, make: Callable[[], Store]) -> AsyncIterator[Store]:
        """The store, opened."""
        store = make()
        await store.open()
        yield store
        await store.close()

    async def listed(self, store: Store, size: int = 50, **filter: Any) -> list[str]:
        """Ids of Ann's first page."""
        page, _ = await store.list("ann", Filter(**filter), size=size, before=None)
        return ids(page)

    async def test_what_is_not_there_is_none_or_gone(self, store: Store):
        assert await store.get("x") is None
        assert await store.events("x") == []
        assert await store.chain("x") == []
        assert await store.recall("x") == {}
        assert await store.find_key("ann", "x") is None
        for call in (
            store.claim("x"),
            store.delete("x"),
            store.remember("x", "k", b"1"),
            store.create(new("a", "x")),
        ):
            with pytest.raises(Gone):
                await call
        assert await store.get("a") is None

    async def test_a_chain_is_read_oldest_first_up_to_its_turn(self, store: Store):
        await store.create(new("a"), end(steps=b"[1]"))
        await store.create(new("b", "a"), end(steps=b"[2]"))
        await store.create(new("c", "b"))
        await store.create(new("d"), end())
        chain = await store.chain("c")
        assert ids(chain) == ["a", "b", "c"]
        assert [link.steps for link in chain] == [b"[1]", b"[2]", None]
        assert [link.input for link in chain] == [b'["a"]', b'["b"]', b'["c"]']
        assert [link.status for link in chain] == ["completed", "completed", "in_progress"]
        assert ids(await store.chain("b")) == ["a", "b"]

    async def test_a_new_child_of_a_turn_whose_child_was_deleted_stands_alone(self, store: Store):
        for id, parent in (("a", None), ("b", "a"), ("c", "b")):
            await store.create(new(id, parent), end())
        await store.delete("c")
        await store.create(new("d", "b"), end())
        await store.delete("b")
        await store.create(new("e", "a"), end())
        assert ids(await store.chain("d")) == ["a", "d"]
        assert ids(await store.chain("e")) == ["a", "e"]

    async def test_chains_are_those_of_a_walk_along_parents(self, store: Store):
        """Random creates, forks and deletes, against the plain walk."""
        dice = random.Random(7)
        parents: dict[str, str | None] = {}
        alive: list[str] = []
        for number in range(250):
            if alive and dice.random() < 0.15:
                await store.delete(alive.pop(dice.randrange(len(alive))))
                continue
            recent = alive[-3:] if dice.random() < 0.7 else alive
            parent = dice.choice(recent) if recent and dice.random() < 0.9 else None
            parents[f"i{number}"] = parent
            await store.create(new(f"i{number}", parent), end())
            alive.append(f"i{number}")
        for id in alive:
            walked: list[str] = []
            at: str | None = id
            while at is not None:
                walked.append(at)
                at = parents[at]
            expected = [one for one in reversed(walked) if one in alive]
            assert ids(await store.chain(id)) == expected

    async def test_lists_are_newest_first_in_pages_and_each_owners_own(self, store: Store):
        for number in range(7):
            await store.create(new(f"i{number}"), end())
        await store.create(new("other", owner="bob"))
        pages: list[list[str]] = []
        before: int | None = None
        while True:
            page, before = await store.list("ann", Filter(), size=3, before=before)
            pages.append(ids(page))
            if before is None:
                break
            if len(pages) == 1:
                # What comes meanwhile moves no page.
                await store.create(new("late"), end())
                await store.delete("i4")
        assert pages == [["i6", "i5", "i4"], ["i3", "i2", "i1"], ["i0"]]
        assert (await store.list("ann", Filter(), size=8, before=None))[1] is None
        assert (await store.list("eve", Filter(), size=3, before=None)) == ([], None)

    async def test_a_listed_row_comes_without_its_bodies(self, store: Store):
        await store.create(new("a", labels={"k": "v"}), end(usage=b"{}"))
        await store.create(new("b"))
        page, _ = await store.list("ann", Filter(), size=9, before=None)
        for row in page:
            whole = await store.get(row.id)
            assert whole is not None
            assert (row.request, row.input) == (b"", b"")
            for name in ("status", "labels", "usage", "created", "epoch", "last", "root"):
                assert getattr(row, name) == getattr(whole, name), name
        assert [row.steps for row in page] == [None, b""]

    async def test_lists_show_what_the_filter_says(self, store: Store):
        await store.create(new("a", root="r1", model="m", labels={"k": "1", "l": "1"}), end())
        await store.create(new("b", "a", root="r1", model="n", labels={"k": "2"}))
        await store.create(new("c", "a", root="r1", agent="g"), end(status="failed"))
        await store.create(new("d", root="r2", model="m", labels={"k": "1"}), end())
        shown: tuple[tuple[dict[str, Any], list[str]], ...] = (
            ({"status": "completed"}, ["d", "a"]),
            ({"status": "failed"}, ["c"]),
            ({"status": "no such status"}, []),
            ({"model": "m"}, ["d", "a"]),
            ({"agent": "g"}, ["c"]),
            ({"root": "r1"}, ["c", "b", "a"]),
            ({"root": "r1", "status": "in_progress"}, ["b"]),
            ({"label": ("k", "1")}, ["d", "a"]),
            ({"label": ("k", "1"), "root": "r1", "model": "m"}, ["a"]),
            ({"label": ("k", "3")}, []),
            ({"status": "completed", "model": "m", "root": "r2"}, ["d"]),
        )
        for filter, expected in shown:
            assert await self.listed(store, **filter) == expected, filter
            assert await self.listed(store, 1, **filter) == expected[:1], filter
        await store.delete("d")
        assert await self.listed(store, label=("k", "1")) == ["a"]

    async def test_what_has_expired_is_not_there_any_more(self, store: Store):
        await store.create(new("a"), end())
        await store.create(new("b", "a", expires=past(), idempotency_key="k"), end())
        await store.create(new("c", "a", expires=time.time() + 1_000), end())
        assert await store.get("b") is None
        assert await store.find_key("ann", "k") is None
        assert await store.chain("b") == []
        assert ids(await store.chain("c")) == ["a", "c"]
        assert await self.listed(store) == ["c", "a"]
        assert await self.listed(store, status="completed") == ["c", "a"]
        assert await self.listed(store, root="root") == ["c", "a"]
        with pytest.raises(Gone):
            await store.create(new("d", "b"))
        await store.create(new("e", idempotency_key="k"))
        found = await store.find_key("ann", "k")
        assert found is not None
        assert found.id == "e"

    async def test_expired_names_ended_rows_whose_time_is_over(self, store: Store):
        now = time.time()
        await store.create(new("a", expires=now - 10), end())
        await store.create(new("b", expires=now - 20), end())
        await store.create(new("c", expires=now + 60), end())
        await store.create(new("d", expires=now - 30))
        await store.create(new("e"), end())
        assert sorted(await store.expired(now, 10)) == ["a", "b"]
        assert len(await store.expired(now, 1)) == 1
        assert await store.expired(now - 50, 10) == []
        assert await store.get("d") is not None, "what still runs does not expire"

    async def test_a_read_sees_every_write_that_was_answered(self, store: Store):
        async def write_and_read(number: int) -> None:
            await store.create(new(f"i{number}"))
            for last in range(-1, 4):
                await store.append(f"i{number}", 1, last, [b"%d" % (last + 1)])
                assert len(await store.events(f"i{number}")) == last + 2

        await asyncio.gather(*(write_and_read(number) for number in range(25)))
