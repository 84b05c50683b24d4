"""The journal: the order of commit and publish, its end, and what a failing store does to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec
import pytest

from interplay.contracts.store import StoreUnusable
from interplay.interactions import terminal
from interplay.interactions.frames import frames_of
from interplay.interactions.journal import Durability, Ended, Journal, OutputLimit
from interplay.interactions.journals import row_of
from interplay.wire.errors import Error
from interplay.wire.events import StepStart
from interplay.wire.steps import ThoughtStep
from tests.api.api import until
from tests.interactions.faulty_store import ID, FaultyStore, journal_of, progress, say

STORED = [Durability.FIRST, Durability.BEHIND, Durability.AT_END]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[FaultyStore]:
    opened = FaultyStore(tmp_path / "data")
    await opened.open()
    yield opened
    opened.gate.set()
    await opened.close()


async def begun(store: FaultyStore, folder: Path, durability: Durability) -> Journal:
    journal = journal_of(store, folder, durability)
    await journal.begin()
    journal.append(terminal.created(journal.row, "in_progress"))
    journal.append(progress())
    return journal


@pytest.mark.parametrize("durability", STORED)
async def test_what_was_seen_live_is_what_a_replay_gives(
    store: FaultyStore, tmp_path: Path, durability: Durability
) -> None:
    journal = await begun(store, tmp_path, durability)
    assert journal.observe()
    say(journal, "a ", "b")
    await asyncio.sleep(0)
    say(journal, "c")
    assert await journal.end("completed")
    stored = await store.get(ID)
    assert stored is not None
    assert stored.status == "completed"
    assert stored.last == len(journal.frames) - 1
    assert frames_of(stored, journal.fold.steps, None) == journal.frames
    assert await store.events(ID) == []


async def test_a_background_event_is_committed_before_it_is_shown(
    store: FaultyStore, tmp_path: Path
) -> None:
    journal = await begun(store, tmp_path, Durability.FIRST)
    await journal.settle()
    store.gate.clear()
    say(journal, "a")
    await asyncio.sleep(0)
    assert len(journal.frames) == 2
    store.gate.set()
    await journal.settle()
    assert len(journal.frames) == 5
    assert len(await store.events(ID)) == 5


async def test_events_that_come_while_a_commit_runs_share_the_next(
    store: FaultyStore, tmp_path: Path
) -> None:
    journal = await begun(store, tmp_path, Durability.FIRST)
    store.gate.clear()
    await asyncio.sleep(0)
    for number in range(10):
        say(journal, str(number))
    store.gate.set()
    await journal.settle()
    assert store.log == ["create", "append 0+2", "append 2+30"]


async def test_a_foreground_stream_is_shown_at_once_and_committed_in_batches(
    store: FaultyStore, tmp_path: Path
) -> None:
    journal = await begun(store, tmp_path, Durability.BEHIND)
    say(journal, "a", "b")
    assert len(journal.frames) == 6
    assert store.log == []
    await until(lambda: store.log == ["create", "append 0+6"])
    await journal.end("completed")
    assert store.log[-1] == "end"


async def test_the_end_of_a_stream_does_not_wait_for_the_next_batch(
    store: FaultyStore, tmp_path: Path
) -> None:
    journal = journal_of(store, tmp_path, Durability.BEHIND, journal={"flush_seconds": 30})
    journal.append(progress())
    journal._flush()
    store.gate.clear()
    await asyncio.sleep(0)
    say(journal, "a")  # while the first batch is being committed
    store.gate.set()
    async with asyncio.timeout(60):
        assert await journal.end("completed")


async def test_an_answer_is_one_write(store: FaultyStore, tmp_path: Path) -> None:
    journal = await begun(store, tmp_path, Durability.AT_END)
    say(journal, "a", "b")
    await journal.end("completed")
    assert store.log == ["create ended"]


async def test_nothing_is_written_without_store(store: FaultyStore, tmp_path: Path) -> None:
    journal = await begun(store, tmp_path, Durability.NEVER)
    say(journal, "a")
    assert await journal.end("completed")
    assert store.log == []


@pytest.mark.parametrize("durability", Durability)
async def test_whoever_ends_first_decides_and_the_others_wait_for_it(
    store: FaultyStore, tmp_path: Path, durability: Durability
) -> None:
    journal = await begun(store, tmp_path, durability)
    store.gate.clear()
    first = asyncio.create_task(journal.end("cancelled"))
    await asyncio.sleep(0)
    second = asyncio.create_task(journal.end("completed"))
    await asyncio.sleep(0)
    with pytest.raises(Ended):
        journal.append(progress())
    store.gate.set()
    assert await asyncio.gather(first, second) == [True, False]
    assert journal.ending is not None
    assert journal.ending.status == "cancelled"


async def test_the_open_step_is_closed_by_the_end(store: FaultyStore, tmp_path: Path) -> None:
    journal = await begun(store, tmp_path, Durability.BEHIND)
    say(journal, "a")
    journal.append(StepStart(1, ThoughtStep()))
    await journal.end("failed", errors=[Error("api_error", "x")])
    kinds = [frame.split(b"\n")[0] for frame in journal.frames[-3:]]
    assert kinds == [b"event: step.stop", b"event: error", b"event: interaction.completed"]
    assert len(journal.fold.steps) == 2


async def test_a_claim_by_someone_else_ends_the_journal_for_its_readers(
    store: FaultyStore, tmp_path: Path
) -> None:
    journal = await begun(store, tmp_path, Durability.FIRST)
    await journal.settle()
    lost = asyncio.Event()
    journal.on_lost = lost.set
    waiting = asyncio.create_task(journal.wait_end())
    await store.claim(ID)
    say(journal, "a")
    async with asyncio.timeout(60):
        await waiting
        await lost.wait()
    assert journal.lost
    assert len(journal.frames) == 2
    assert not await journal.end("completed")
    stored = await store.get(ID)
    assert stored is not None
    assert stored.status == "in_progress"


async def test_a_full_disk_holds_a_background_run_until_there_is_space(
    store: FaultyStore, tmp_path: Path
) -> None:
    journal = await begun(store, tmp_path, Durability.FIRST)
    store.full = True
    say(journal, "a")
    await until(lambda: store.refused)
    assert len(journal.frames) <= 1
    store.full = False
    assert await journal.end("completed")
    numbers = [
        msgspec.json.decode(frame[frame.index(b"{") :])["event_id"] for frame in journal.frames
    ]
    assert [int(id.rsplit(".", 1)[1]) for id in numbers] == list(range(len(journal.frames)))


async def test_a_full_disk_fails_an_answer_at_once(store: FaultyStore, tmp_path: Path) -> None:
    store.full = True
    journal = await begun(store, tmp_path, Durability.AT_END)
    assert await journal.end("completed")
    assert journal.failure is not None


async def test_a_handed_back_run_does_not_wait_for_space(
    store: FaultyStore, tmp_path: Path
) -> None:
    journal = await begun(store, tmp_path, Durability.FIRST)
    await journal.settle()
    store.full = True
    say(journal, "a")
    await until(lambda: store.refused)
    async with asyncio.timeout(60):
        await journal.let_go()
    assert journal.lost


@pytest.mark.parametrize("durability", STORED)
async def test_an_end_that_breaks_leaves_nobody_waiting(
    store: FaultyStore, tmp_path: Path, durability: Durability
) -> None:
    journal = await begun(store, tmp_path, durability)
    await journal.settle()
    waiting = asyncio.create_task(journal.wait_end())
    store.broken = True
    with pytest.raises(StoreUnusable):
        await journal.end("completed")
    async with asyncio.timeout(60):
        await waiting
    assert journal.lost
    assert not await journal.end("failed")


@pytest.mark.parametrize("durability", STORED)
async def test_an_end_that_is_broken_off_leaves_nobody_waiting(
    store: FaultyStore, tmp_path: Path, durability: Durability
) -> None:
    journal = await begun(store, tmp_path, durability)
    await journal.settle()
    store.gate.clear()
    ending = asyncio.create_task(journal.end("completed"))
    await asyncio.sleep(0)
    ending.cancel()
    await asyncio.gather(ending, return_exceptions=True)
    async with asyncio.timeout(60):
        await journal.wait_end()
        assert not await journal.end("failed")


@pytest.mark.parametrize("durability", [Durability.FIRST, Durability.BEHIND])
async def test_a_store_that_breaks_in_mid_run_stops_the_run(
    store: FaultyStore, tmp_path: Path, durability: Durability
) -> None:
    journal = await begun(store, tmp_path, durability)
    lost = asyncio.Event()
    journal.on_lost = lost.set
    store.broken = True
    say(journal, "a")
    async with asyncio.timeout(60):
        await lost.wait()
        await journal.wait_end()
    with pytest.raises(Ended):
        journal.append(progress())


async def test_a_journal_taken_up_before_its_first_event_has_them_all(
    store: FaultyStore, tmp_path: Path
) -> None:
    journal = journal_of(store, tmp_path, Durability.FIRST)
    await journal.begin()
    claimed = await store.claim(ID)
    again = Journal.reopened(row_of(claimed), claimed, [], store=store, media=journal.kept._media)
    again.append(progress())
    say(again, "a")
    assert await again.end("completed")
    stored = await store.get(ID)
    assert stored is not None
    assert frames_of(stored, again.fold.steps, None) == again.frames


async def test_a_journal_taken_up_goes_on_where_it_stopped(
    store: FaultyStore, tmp_path: Path
) -> None:
    journal = await begun(store, tmp_path, Durability.FIRST)
    say(journal, "a", "b")
    await journal.settle()
    claimed = await store.claim(ID)
    again = Journal.reopened(
        row_of(claimed), claimed, await store.events(ID), store=store, media=journal.kept._media
    )
    assert again.frames == journal.frames
    assert again.fold.steps == journal.fold.steps
    say(again, "c")
    assert await again.end("completed")
    assert again.frames[: len(journal.frames)] == journal.frames


async def test_a_journal_takes_no_more_than_its_limit_also_after_it_was_taken_up(
    store: FaultyStore, tmp_path: Path
) -> None:
    journal = journal_of(store, tmp_path, Durability.FIRST, journal={"output_bytes": 1000})
    await journal.begin()
    say(journal, "x" * 500)
    with pytest.raises(OutputLimit):
        say(journal, "x" * 500)
    await journal.settle()
    claimed = await store.claim(ID)
    again = Journal.reopened(
        row_of(claimed), claimed, await store.events(ID),
        store=store, media=journal.kept._media, output_bytes=1000,
    )  # fmt: skip
    with pytest.raises(OutputLimit):
        say(again, "a")


async def test_the_plan_of_an_answer_that_is_being_stored_is_fixed(
    store: FaultyStore, tmp_path: Path
) -> None:
    journal = await begun(store, tmp_path, Durability.AT_END)
    say(journal, "a", "b")
    store.gate.clear()
    ending = asyncio.create_task(journal.end("completed"))
    await asyncio.sleep(0)
    assert not journal.observe()
    store.gate.set()
    assert await ending
    assert not journal.observe()
