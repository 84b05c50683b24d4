"""Connections are kept while they are good, and a server's whims never hang or fail a turn."""

import asyncio
import random
from collections.abc import Callable

import pytest
import uvloop

from interplay.plugins.models.remote.address import parse
from interplay.plugins.models.remote.http1 import Closed, Link
from interplay.plugins.models.remote.pool import Pool
from tests.plugins.models.openai_compatible.upstream import (
    STOP,
    STREAM_HEAD,
    Answer,
    Upstream,
    Wire,
    ask,
    keeps,
    model,
    stream,
    text,
    until,
    upstream,
)

CHUNKED = STREAM_HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"


def pool_of(at: Upstream) -> Pool:
    return Pool(parse(at.base_url), None, connect=5, silence=5)


async def answered(link: Link) -> bytes:
    """Sends a request and reads the whole answer."""
    link.send(REQUEST, b"{}")
    assert await link.head() == 200
    whole = b""
    while block := await link.read():
        whole += block
    return whole


async def test_the_connection_used_last_is_taken_first(server: Upstream):
    server.will(keeps(b"one"))
    pool = pool_of(server)
    first, second = await pool.open(), await pool.open()
    for link in (first, second):
        assert await answered(link) == b"one"
        pool.give_back(link)
    assert pool.kept() is second
    assert pool.kept() is first
    assert pool.kept() is None
    await pool.close()


async def test_a_free_connection_is_closed_after_some_seconds(server: Upstream):
    server.will(keeps(b"one"))
    pool = Pool(parse(server.base_url), None, connect=5, silence=5, idle=0.05)
    link = await pool.open()
    await answered(link)
    pool.give_back(link)
    await until(lambda: link.lost)
    assert pool.kept() is None
    await pool.close()


async def test_a_free_connection_that_the_server_closes_is_not_used_again(server: Upstream):
    async def answer(wire: Wire) -> None:
        await wire.send(CHUNKED + b"3\r\none\r\n0\r\n\r\n")

    server.will(answer)
    pool = pool_of(server)
    link = await pool.open()
    await answered(link)
    pool.give_back(link)
    await until(lambda: link.lost)
    assert pool.kept() is None
    await pool.close()


@pytest.mark.parametrize("after", [b"HTTP/1.1 200 OK\r\n", b"x", b"0\r\n\r\n"])
async def test_bytes_after_the_end_of_an_answer_spoil_the_connection(
    server: Upstream, after: bytes
):
    async def answer(wire: Wire) -> None:
        await wire.send(CHUNKED + b"3\r\none\r\n0\r\n\r\n" + after)
        wire.keep = True

    server.will(answer)
    pool = pool_of(server)
    link = await pool.open()
    assert await answered(link) == b"one"
    pool.give_back(link)
    assert pool.kept() is None
    await pool.close()


async def test_bytes_nobody_asked_for_spoil_a_free_connection(server: Upstream):
    go = asyncio.Event()

    async def answer(wire: Wire) -> None:
        await wire.send(CHUNKED + b"3\r\none\r\n0\r\n\r\n")
        await go.wait()
        await wire.send(b"HTTP/1.1 408 Too Slow\r\n\r\n")
        await wire.wait_for_the_end()

    server.will(answer)
    pool = pool_of(server)
    link = await pool.open()
    await answered(link)
    pool.give_back(link)
    go.set()
    await until(lambda: link.lost)
    assert pool.kept() is None
    await pool.close()


async def test_the_end_of_an_answer_may_come_after_the_turn_is_over(server: Upstream):
    go = asyncio.Event()

    async def answer(wire: Wire) -> None:
        body = text("one") + STOP
        await wire.send(CHUNKED + b"%x\r\n%b\r\n" % (len(body), body))
        await go.wait()
        await wire.send(b"0\r\n\r\n")
        wire.keep = True

    server.will(answer, keeps(text("two") + STOP))
    async with model(server) as made:
        assert (await ask(made)).text == "one"
        go.set()
        pool = made._connection.pool()  # pyright: ignore[reportPrivateUsage]
        await until(lambda: pool._idle)  # pyright: ignore[reportPrivateUsage]
        assert (await ask(made)).text == "two"
    assert [request.connection for request in server.requests] == [1, 1]


async def test_closing_the_pool_ends_whoever_waits(server: Upstream):
    async def answer(wire: Wire) -> None:
        await wire.send(CHUNKED + b"3\r\none\r\n")
        await wire.wait_for_the_end()

    server.will(answer)
    pool = pool_of(server)
    link = await pool.open()
    waiting = asyncio.create_task(answered(link))
    await until(lambda: link.status)
    async with asyncio.timeout(60):
        await pool.close()
        with pytest.raises(Closed):
            await waiting


async def test_a_request_on_a_closed_connection_fails_at_once(server: Upstream):
    server.will(keeps(b"one"))
    pool = pool_of(server)
    link = await pool.open()
    await pool.close()
    async with asyncio.timeout(60):
        with pytest.raises(Closed) as closed:
            await answered(link)
    assert not closed.value.begun


def whims(seed: int) -> Callable[[int], Answer]:
    """Answers of a server that keeps to HTTP and to nothing else: the first request of each
    connection is answered, later ones perhaps; connections close at any moment between."""
    dice = random.Random(seed)

    def answer(number: int) -> Answer:
        body = text(f"words {number} ") + text("x" * dice.choice((1, 10, 3000))) + STOP

        async def whim(wire: Wire) -> None:
            later = wire.answered > 0
            wire.answered += 1
            fate = dice.random()
            if later and fate < 0.15:
                if fate < 0.1:
                    wire.reset(hard=fate < 0.05)
                return
            cuts = sorted(dice.sample(range(len(body)), 3))
            parts = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
            framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts if part)
            whole = CHUNKED + framed + b"0\r\n\r\n"
            if fate > 0.9:
                whole = stream(body)
            each = 1 if len(whole) < 1000 and dice.random() < 0.1 else dice.choice((0, 0, 100, 977))
            await wire.send(whole, each=each)
            for _ in range(dice.randrange(12)):
                await asyncio.sleep(0)
            wire.keep = fate <= 0.75

        return whim

    return answer


class Whimsical(Upstream):
    """Answers every request by a whim of its own."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._whim = whims(seed)

    def answer(self) -> Answer:
        """The next answer."""
        return self._whim(len(self.requests))


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_thousands_of_turns_against_a_whimsical_server_neither_hang_nor_fail(loop_factory):
    async def load() -> int:
        async with (
            upstream(made=Whimsical(11)) as server,
            model(server, retries=0) as made,
            asyncio.timeout(50),
        ):

            async def worker() -> None:
                for _ in range(250):
                    said = await ask(made)
                    assert said.text.startswith("words ")
                    assert said.text.rstrip("x").endswith(" ")
                    assert said.end.reason == "stop"

            await asyncio.gather(*(worker() for _ in range(8)))
            return len(server.requests) - server.connections

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(load()) > 500, "connections were hardly ever used again"
