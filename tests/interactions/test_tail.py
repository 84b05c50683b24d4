"""One reader: whether it is there, what it gets in one write, and when it is let go."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from interplay.interactions.failures import Rejected
from interplay.interactions.frames import DONE
from interplay.interactions.journal import Durability
from interplay.interactions.tail import CLIENT, Connection, Tail
from interplay.settings import Limits
from tests.api.api import frames_in, ids, until
from tests.interactions.faulty_store import FaultyStore, journal_of, progress, say

LEFT = {"type": "http.disconnect"}


class Client:
    """The two ends of ASGI: what the client does, and what it is sent."""

    def __init__(self) -> None:
        self.leaves = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()
        self.writes: list[bytes] = []
        self.whole = False

    async def receive(self) -> Any:
        await self.leaves.wait()
        return LEFT

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            self.writes.append(message["body"])
            self.whole = not message["more_body"]
            await self.reads.wait()

    def tail(self, source: Any, start: int = 0, **limits: Any) -> Tail:
        connection = Connection(self.receive)
        return Tail(source, start, connection, self.send, Limits(**limits), headers=[])

    def events(self) -> list[dict[str, Any]]:
        return frames_in(b"".join(self.writes).decode())


def journal(folder: Path) -> Any:
    made = journal_of(FaultyStore(folder), folder, Durability.NEVER)
    made.append(progress())
    return made


async def test_looking_whether_a_client_left_takes_nothing_away_and_does_not_wait() -> None:
    client = Client()
    connection = Connection(client.receive)
    assert [connection.left() for _ in range(3)] == [False] * 3
    client.leaves.set()
    assert connection.left()
    client.leaves.clear()
    assert connection.left()  # who has left does not come back
    async with asyncio.timeout(60):
        await connection.wait_gone()


async def test_events_that_are_ready_go_out_in_one_write(tmp_path: Path) -> None:
    client, source = Client(), journal(tmp_path)
    running = asyncio.create_task(client.tail(source).run())
    await until(lambda: client.writes)
    for _ in range(20):
        say(source, "a", "b")
    await source.end("completed")
    assert await running
    assert len(client.writes) <= 4
    assert ids(client.events()) == list(range(len(source.frames)))
    assert client.whole


async def test_one_write_is_bounded_however_much_there_is(tmp_path: Path) -> None:
    client, source = Client(), journal(tmp_path)
    say(source, *["x" * 100_000] * 30)
    await source.end("completed")
    assert await client.tail(source.frames).run()
    assert max(map(len, client.writes)) < 400_000
    assert ids(client.events()) == list(range(len(source.frames)))


async def test_a_slow_reader_misses_nothing_and_slows_nobody(tmp_path: Path) -> None:
    slow, quick, source = Client(), Client(), journal(tmp_path)
    readers = [asyncio.create_task(c.tail(source, 1).run()) for c in (slow, quick)]
    await asyncio.sleep(0)
    slow.reads.clear()
    say(source, "a", "b")
    await until(lambda: len(quick.events()) == 4)
    say(source, "c")
    await source.end("completed")
    assert await readers[1]
    slow.reads.set()
    assert await readers[0]
    assert slow.events() == quick.events()
    assert ids(slow.events())[0] == 1


async def test_a_reader_that_takes_nothing_is_let_go_also_after_the_end(tmp_path: Path) -> None:
    source = journal(tmp_path)
    say(source, "a")
    await source.end("completed")
    for given in (source, source.frames):
        client = Client()
        client.reads.clear()
        async with asyncio.timeout(60):
            limits = {"stream_stall_seconds": 0.1, "keepalive_seconds": 0.05}
            assert not await client.tail(given, **limits).run()


async def test_a_client_that_leaves_ends_its_tail_alone(tmp_path: Path) -> None:
    gone, there, source = Client(), Client(), journal(tmp_path)
    readers = [asyncio.create_task(c.tail(source).run()) for c in (gone, there)]
    await until(lambda: gone.writes and there.writes)
    gone.leaves.set()
    async with asyncio.timeout(60):
        assert not await readers[0]
    await source.end("completed")
    assert await readers[1]


async def test_a_silent_stream_gets_comments(tmp_path: Path) -> None:
    client, source = Client(), journal(tmp_path)
    running = asyncio.create_task(client.tail(source, keepalive_seconds=0.05).run())
    await until(lambda: client.writes.count(b": keep-alive\n\n") >= 2)
    await source.end("completed")
    assert await running
    assert client.whole


async def test_a_reader_of_a_lost_journal_is_not_told_that_this_was_all(tmp_path: Path) -> None:
    client, source = Client(), journal(tmp_path)
    running = asyncio.create_task(client.tail(source).run())
    await until(lambda: client.writes)
    await source.let_go()
    async with asyncio.timeout(60):
        assert not await running
    assert not client.whole
    assert b"[DONE]" not in b"".join(client.writes)


async def test_a_reader_who_finds_its_run_taken_by_another_process_is_asked_to_come_again(
    tmp_path: Path,
) -> None:
    client, source = Client(), journal(tmp_path)
    await source.let_go()
    with pytest.raises(Rejected) as refused:
        await client.tail(source, source.count).run()
    assert refused.value.code == "service_unavailable"
    assert refused.value.retry_after
    assert client.writes == []


class Asleep:
    """What runs elsewhere and was not looked at since; it has let go of its first events."""

    base, frames, ended, lost = 2, list[bytes](), False, False

    def __init__(self) -> None:
        self.readers: set[Any] = set()

    def observe(self) -> bool:
        return True


async def test_a_reader_who_finds_the_end_in_the_store_waits_for_nothing_more(
    tmp_path: Path,
) -> None:
    client, ended = Client(), journal(tmp_path)
    ended.observe()
    say(ended, "a", "b")
    await ended.end("completed")

    async def again(position: int) -> list[bytes]:
        return ended.frames[position:]

    connection = Connection(client.receive)
    source: Any = Asleep()
    tail = Tail(source, 0, connection, client.send, Limits(), headers=[], again=again)
    async with asyncio.timeout(60):
        assert await tail.run()
    assert ids(client.events()) == list(range(len(ended.frames)))
    assert client.whole


class Nearby(Client):
    """A client of a server that can write at once."""

    gone = False

    def __init__(self) -> None:
        super().__init__()
        self.at_once: list[bytes] = []
        self.takes = True

    def write(self, body: bytes) -> bool:
        if self.takes:
            self.at_once.append(body)
            self.writes.append(body)
        return self.takes

    def tail(self, source: Any, start: int = 0, **limits: Any) -> Tail:
        connection = Connection(self.receive, {CLIENT: self})
        return Tail(source, start, connection, self.send, Limits(**limits), headers=[])


async def test_a_reader_who_waits_is_sent_what_came_in_one_moment_without_its_task(
    tmp_path: Path,
) -> None:
    client, source = Nearby(), journal(tmp_path)
    tail = client.tail(source)
    running = asyncio.create_task(tail.run())
    await until(lambda: tail.waits)
    say(source, *"abcdefghij")
    await until(lambda: tail.position == len(source.frames))
    assert b"".join(client.at_once) == b"".join(source.frames[1:])
    assert len(client.at_once) < len(source.frames) - 1  # the first, then the others together
    assert tail.waits
    await source.end("completed")
    assert await running
    assert ids(client.events()) == list(range(len(source.frames)))


async def test_a_reader_who_is_slow_gets_everything_in_order_all_the_same(tmp_path: Path) -> None:
    client, source = Nearby(), journal(tmp_path)
    tail = client.tail(source)
    running = asyncio.create_task(tail.run())
    for takes in (True, False, True):
        await until(lambda: tail.waits and tail.position == len(source.frames))
        client.takes = takes
        say(source, "a", "b")
    await until(lambda: tail.position == len(source.frames))
    await source.end("completed")
    assert await running
    assert client.at_once
    assert len(client.writes) >= len(client.at_once) + 3  # head, refused, end
    assert ids(client.events()) == list(range(len(source.frames)))


async def test_the_head_of_a_stream_leaves_though_its_first_event_takes_long(
    tmp_path: Path,
) -> None:
    client, source = Client(), journal(tmp_path)
    running = asyncio.create_task(client.tail(source, start=1).run())
    await until(lambda: client.writes)
    assert client.writes == [b""]
    await source.end("completed")
    assert await running


async def test_the_end_of_a_stream_leaves_with_its_last_events(tmp_path: Path) -> None:
    client, source = Client(), journal(tmp_path)
    await source.end("completed")
    assert await client.tail(source).run()
    assert len(client.writes) == 1
    assert client.writes[0].endswith(DONE)
