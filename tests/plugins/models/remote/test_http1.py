"""Answers in every framing HTTP/1.1 has, and what is none."""

import asyncio
import random

import pytest

from interplay.contracts.failure import BadAnswer
from interplay.plugins.models.remote.address import parse
from interplay.plugins.models.remote.faults import CutOff
from interplay.plugins.models.remote.http1 import Closed, Link, NotHTTP, Silent
from interplay.plugins.models.remote.pool import Pool
from tests.plugins.models.openai_compatible.upstream import (
    STOP,
    STREAM_HEAD,
    Upstream,
    Wire,
    ask,
    failure,
    model,
    sends,
    stalls,
    stream,
    text,
    until,
)
from tests.plugins.models.remote.test_pool import CHUNKED, REQUEST, answered, pool_of

BODY = text("one") + STOP
LENGTH = STREAM_HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
IN_CHUNKS = CHUNKED + b"%x;note=1\r\n%b\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(BODY), BODY)
UNTIL_CLOSE = stream(BODY)
OLD = UNTIL_CLOSE.replace(b"HTTP/1.1", b"HTTP/1.0")
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + LENGTH


@pytest.mark.parametrize("each", [0, 1])
@pytest.mark.parametrize("answer", [LENGTH, IN_CHUNKS, UNTIL_CLOSE, OLD, EARLY])
async def test_a_body_is_whole_in_every_framing(server: Upstream, answer: bytes, each: int):
    server.will(sends(answer, each=each))
    async with model(server) as made:
        assert (await ask(made)).text == "one"


@pytest.mark.parametrize(
    "head", [STREAM_HEAD + b"Content-Length: 9999\r\n\r\n", CHUNKED + b"fff\r\n"]
)
async def test_an_answer_that_ends_too_early_is_broken_off(server: Upstream, head: bytes):
    fault = await failure(server, head + text("one"))
    assert isinstance(fault, CutOff)


async def test_a_head_that_breaks_off_is_an_answer_broken_off(server: Upstream):
    fault = await failure(server, b"HTTP/1.1 200 OK\r\nContent-Ty")
    assert isinstance(fault, CutOff)
    assert len(server.requests) == 1


async def test_a_reset_in_a_body_without_length_is_no_end_of_it(server: Upstream):
    async def answer(wire: Wire) -> None:
        await wire.send(stream(text("one")))
        await until(lambda: link.status)
        wire.reset(hard=True)

    server.will(answer)
    pool = pool_of(server)
    link = await pool.open()
    with pytest.raises(Closed) as closed:
        await answered(link)
    assert closed.value.begun
    await pool.close()


@pytest.mark.parametrize(
    "answer",
    [
        CHUNKED + b"zz\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello",
        STREAM_HEAD + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\nhello",
        STREAM_HEAD + b"X-Long: " + b"x" * 300_000,
        CHUNKED + b"3\r\none\r\n0\r\n" + b"X-Trailer: x\r\n" * 20_000,
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
async def test_what_is_not_http_is_a_bad_answer(server: Upstream, answer: bytes):
    fault = await failure(server, answer)
    assert isinstance(fault, BadAnswer)
    assert "not HTTP" in fault.message


async def test_a_compressed_answer_is_told_and_not_read(server: Upstream):
    fault = await failure(server, STREAM_HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08")
    assert isinstance(fault, BadAnswer)
    assert "gzip" in fault.message


async def test_random_bytes_end_in_a_fault_and_leave_nobody_waiting(server: Upstream):
    dice = random.Random(3)
    async with asyncio.timeout(60):
        for _ in range(300):
            whole = bytearray(dice.choice((LENGTH, IN_CHUNKS, EARLY)))
            for _ in range(dice.randint(1, 4)):
                at = dice.randrange(len(whole))
                whole[at : at + dice.randint(0, 4)] = dice.randbytes(dice.randint(0, 3))
            server.replace(bytes(whole))
            pool = pool_of(server)
            link = await pool.open()
            link.send(REQUEST, b"{}")
            try:
                await link.head()
                while await link.read():
                    pass
            except (Closed, NotHTTP):
                assert link.broken
            await pool.close()


async def read_all(link: Link) -> int:
    size = 0
    while block := await link.read():
        size += len(block)
    return size


async def test_a_server_that_is_faster_than_its_reader_is_made_to_wait(server: Upstream):
    size, sent = 64 * 1024 * 1024, 0

    async def answer(wire: Wire) -> None:
        nonlocal sent
        await wire.send(STREAM_HEAD + b"Content-Length: %d\r\n\r\n" % size)
        block = b"x" * 65_536
        while sent < size:
            await wire.send(block)
            sent += len(block)

    server.will(answer)
    pool = pool_of(server)
    link = await pool.open()
    link.send(REQUEST, b"{}")
    await link.head()
    await until(lambda: link._paused)  # pyright: ignore[reportPrivateUsage]
    before = -1
    while sent != before:
        before = sent
        for _ in range(100):
            await asyncio.sleep(0)
    assert sent < size / 2
    async with asyncio.timeout(60):
        assert await read_all(link) == size
    await pool.close()


async def test_a_slow_reader_is_not_a_silent_server(server: Upstream):
    size = 8 * 1024 * 1024
    server.will(sends(STREAM_HEAD + b"Content-Length: %d\r\n\r\n" % size + b"x" * size))
    pool = Pool(parse(server.base_url), None, connect=5, silence=0.1)
    link = await pool.open()
    link.send(REQUEST, b"{}")
    await link.head()
    began = asyncio.get_running_loop().time()
    await until(lambda: asyncio.get_running_loop().time() > began + 0.35)
    assert await read_all(link) == size
    await pool.close()


async def test_silence_counts_from_the_last_byte(server: Upstream):
    async def answer(wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        await wire.send(CHUNKED)
        for _ in range(6):
            after = loop.time() + 0.25
            await until(lambda after=after: loop.time() > after)
            await wire.send(b"1\r\nx\r\n")
        await wire.wait_for_the_end()

    server.will(answer)
    pool = Pool(parse(server.base_url), None, connect=5, silence=1.0)
    link = await pool.open()
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(Silent):
        await answered(link)
    assert loop.time() - began > 2
    await pool.close()


async def test_words_before_a_fault_are_read_before_it(server: Upstream):
    server.replace(stalls(CHUNKED + b"3\r\none\r\nzz"))
    pool = pool_of(server)
    link = await pool.open()
    link.send(REQUEST, b"{}")
    await until(lambda: link.broken)
    assert await link.head() == 200
    assert await link.read() == b"one"
    with pytest.raises(NotHTTP):
        await link.read()
    await pool.close()
