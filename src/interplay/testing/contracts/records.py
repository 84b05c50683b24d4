"""What every store must do with records; see interplay.contracts.records."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from msgspec import structs

from interplay.contracts.records import Record, Records, Stale
from interplay.contracts.store import Store
from interplay.testing.contracts.store_holding import record


def ids(found: list[Record]) -> list[str]:
    """The ids of what was found, in order."""
    return [one.id for one in found]


@pytest.mark.asyncio
class RecordsContract:
    """Subclass it and give a `make` fixture: a callable that builds the store, not opened, on
    the same place each time; the place is empty when a test begins."""

    @pytest.fixture
    def make(self) -> Callable[[], Store]:
        """Builds the store under test."""
        raise NotImplementedError("Give your test class a `make` fixture.")

    @pytest.fixture
    async def records(self, make: Callable[[], Store]) -> AsyncIterator[Records]:
        """The records of the store, opened."""
        store = make()
        await store.open()
        yield store.records
        await store.close()

    async def listed(self, records: Records, *owner: str | None, **filter: Any) -> list[str]:
        """Ids of a first page."""
        return ids((await records.list("delivery", *owner, **filter))[0])

    async def test_a_record_is_read_as_it_was_written(self, records: Records):
        whole = record(
            "a",
            kind="künd",
            owner="ü'\"",
            group="g",
            state="s",
            due=1_800_000_000.125,
            expires=4_000_000_000.5,
            version=7,
            doc='{"ü\U0001f600":"\\u0000\\ud800"}'.encode(),
        )
        await records.add(whole)
        assert await records.get("künd", "a") == whole
        plain = record("a")
        await records.add(plain)
        assert await records.get("delivery", "a") == plain
        large = record("large", doc=b'"%s"' % (b"x" * 1_000_000))
        await records.add(large)
        assert await records.get("delivery", "large") == large
        assert await records.get("delivery", "b") is None
        assert await records.get("other", "large") is None

    async def test_they_are_there_after_the_store_was_closed_and_opened(
        self, make: Callable[[], Store]
    ):
        first = make()
        await first.open()
        await first.records.add(record("a", due=5.0, state="s", group="g"))
        await first.close()
        second = make()
        await second.open()
        try:
            found = await second.records.get("delivery", "a")
            assert found == record("a", due=5.0, state="s", group="g")
        finally:
            await second.close()

    async def test_an_id_is_given_once_for_each_kind(self, records: Records):
        await records.add(record("a"))
        with pytest.raises(KeyError):
            await records.add(record("a", owner="bob"))
        await records.add(record("a", kind="trigger"))
        found = await records.get("delivery", "a")
        assert found is not None
        assert found.owner == "ann"

    async def test_of_many_who_add_the_same_at_once_one_succeeds(self, records: Records):
        calls = [records.add(record("a", state=str(number))) for number in range(20)]
        calls += [records.add(record("b")), records.add(record("c"))]
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(one) for one in done[:20]].count(KeyError) == 19
        assert done[20:] == [None, None]
        found = await records.get("delivery", "a")
        assert found is not None
        assert found.state == str(done.index(None))

    async def test_a_replacement_counts_the_version_up(self, records: Records):
        await records.add(record("a", due=1.5))
        changed = record("a", owner="bob", group="g", state="s", updated=1_900_000_000.0, doc=b"1")
        answered = await records.replace(changed)
        assert answered == structs.replace(changed, version=2)
        assert await records.get("delivery", "a") == answered
        again = await records.replace(structs.replace(answered, due=9.25, expires=4e9))
        assert again.version == 3
        assert await records.get("delivery", "a") == again

    async def test_a_replacement_of_another_version_is_stale(self, records: Records):
        await records.add(record("a"))
        await records.replace(record("a", state="first"))
        for version in (0, 1, 3):
            with pytest.raises(Stale):
                await records.replace(record("a", state="late", version=version))
        with pytest.raises(Stale):
            await records.replace(record("nobody"))
        found = await records.get("delivery", "a")
        assert found is not None
        assert (found.state, found.version) == ("first", 2)
        assert await records.get("delivery", "nobody") is None

    async def test_of_many_who_replace_the_same_version_one_succeeds(self, records: Records):
        await records.add(record("a"))
        calls = [records.replace(record("a", state=str(number))) for number in range(20)]
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(one) for one in done].count(Stale) == 19
        (won,) = [one for one in done if isinstance(one, Record)]
        assert await records.get("delivery", "a") == won

    async def test_what_was_removed_is_gone(self, records: Records):
        await records.add(record("a"))
        await records.add(record("b"))
        await records.add(record("a", kind="trigger"))
        assert await records.remove("delivery", "a") is True
        assert await records.remove("delivery", "a") is False
        assert await records.get("delivery", "a") is None
        with pytest.raises(Stale):
            await records.replace(record("a"))
        assert await self.listed(records) == ["b"]
        assert await records.get("trigger", "a") is not None
        await records.add(record("a", state="new"))
        found = await records.get("delivery", "a")
        assert found is not None
        assert (found.state, found.version) == ("new", 1)

    async def test_a_group_is_removed_whole(self, records: Records):
        for id, group in (("a", "g"), ("b", "h"), ("c", "g"), ("g", "")):
            await records.add(record(id, group=group))
        await records.add(record("d", group="g", kind="execution"))
        assert await records.remove("delivery", "g", group=True) is True
        assert await records.remove("delivery", "g", group=True) is False
        assert await self.listed(records) == ["g", "b"]
        assert await records.get("execution", "d") is not None

    async def test_lists_are_newest_first_and_show_what_the_filter_says(self, records: Records):
        for id, owner, group, state in (
            ("a", "ann", "g", "on"),
            ("b", "bob", "g", "off"),
            ("c", "ann", "h", "on"),
            ("d", "ann", "g", "off"),
            ("e", "", "", ""),
        ):
            await records.add(record(id, owner=owner, group=group, state=state))
        await records.add(record("x", kind="other"))
        await records.replace(record("a", group="g", state="on"))
        assert await self.listed(records) == ["e", "d", "c", "b", "a"]
        assert await self.listed(records, None) == ["e", "d", "c", "b", "a"]
        assert await self.listed(records, "ann") == ["d", "c", "a"]
        assert await self.listed(records, "") == ["e"]
        assert await self.listed(records, "eve") == []
        assert await self.listed(records, group="g") == ["d", "b", "a"]
        assert await self.listed(records, "ann", group="g") == ["d", "a"]
        assert await self.listed(records, state="on") == ["c", "a"]
        assert await self.listed(records, "ann", group="g", state="off") == ["d"]
        assert await self.listed(records, "bob", group="h") == []
        assert ids((await records.list("other"))[0]) == ["x"]
        await records.replace(record("c", owner="bob", group="g", state="off"))
        assert await self.listed(records, "ann") == ["d", "a"]
        assert await self.listed(records, "bob", group="g", state="off") == ["c", "b"]

    @pytest.mark.parametrize("filter", [{}, {"group": "g"}, {"state": "on"}])
    @pytest.mark.parametrize("owner", [None, "ann"])
    async def test_pages_hold_everything_once(
        self, records: Records, owner: str | None, filter: dict[str, str]
    ):
        for number in range(7):
            await records.add(record(f"r{number}", group="g", state="on"))
        await records.add(record("other", owner="bob", group="h", state="off"))
        pages: list[list[str]] = []
        before: int | None = None
        wanted: dict[str, Any] = {"size": 3, **filter}
        while True:
            page, before = await records.list("delivery", owner, before=before, **wanted)
            pages.append([id for id in ids(page) if id != "other"])
            if before is None:
                break
            if len(pages) == 1:
                # What comes meanwhile moves no page.
                await records.add(record("late", group="g", state="on"))
                await records.remove("delivery", "r3")
        found = [id for page in pages for id in page]
        assert found == ["r6", "r5", "r4", "r2", "r1", "r0"]
        assert (await records.list("delivery", owner, size=50))[1] is None

    async def test_due_ones_come_the_longest_overdue_first(self, records: Records):
        for id, due in (("a", 30.0), ("b", 10.5), ("c", 20.0), ("d", None), ("e", 40.0)):
            await records.add(record(id, due=due))
        await records.add(record("x", kind="other", due=1.0))
        await records.add(record("y", due=5.0, expires=time.time() - 5))
        assert ids(await records.due("delivery", 30.0, 10)) == ["b", "c", "a"]
        assert ids(await records.due("delivery", 30.0, 2)) == ["b", "c"]
        assert ids(await records.due("delivery", 10.0, 10)) == []
        (first,) = await records.due("delivery", 15.0, 10)
        assert first == await records.get("delivery", "b")
        await records.replace(record("b", due=None))
        await records.replace(record("d", due=15.0))
        assert ids(await records.due("delivery", 20.0, 10)) == ["d", "c"]

    async def test_what_has_expired_is_not_there_any_more(self, records: Records):
        past = time.time() - 5
        for id in ("a", "b"):
            await records.add(record(id, group="g", expires=past))
        await records.add(record("c", group="g", expires=time.time() + 1_000))
        await records.add(record("d", group="g"))
        assert await records.get("delivery", "a") is None
        assert await self.listed(records) == ["d", "c"]
        assert await self.listed(records, "ann") == ["d", "c"]
        assert await self.listed(records, group="g") == ["d", "c"]
        assert await records.count("delivery", "ann") == 2
        with pytest.raises(Stale):
            await records.replace(record("a"))
        await records.add(record("a", state="new"))
        assert await self.listed(records) == ["a", "d", "c"]
        found = await records.get("delivery", "a")
        assert found == record("a", state="new")

    async def test_a_sweep_removes_what_has_expired_by_then_and_no_more_than_asked(
        self, records: Records
    ):
        for number in range(5):
            await records.add(record(f"r{number}", expires=100.0 + number))
        await records.add(record("x", kind="other", expires=100.0))
        await records.add(record("kept"))
        await records.add(record("later", expires=time.time() + 1_000))
        assert await records.sweep(99.0, 10) == 0
        assert await records.sweep(102.0, 10) == 4
        assert await records.sweep(200.0, 1) == 1
        assert await records.sweep(200.0, 10) == 1
        assert await records.sweep(200.0, 10) == 0
        assert await self.listed(records) == ["later", "kept"]

    async def test_count_is_for_one_kind_and_owner(self, records: Records):
        assert await records.count("delivery", "ann") == 0
        for id in "abc":
            await records.add(record(id))
        await records.add(record("d", owner="bob"))
        await records.add(record("e", kind="other"))
        await records.remove("delivery", "a")
        assert await records.count("delivery", "ann") == 2
        assert await records.count("delivery", "bob") == 1
        assert await records.count("delivery", "") == 0
