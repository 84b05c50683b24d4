"""One request and its answer, without a network: what is written, when, and in how many writes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from interplay.server.exchange import BrokenAnswer, Exchange
from tests.api.api import until


class Wire(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.closed = True


class Line:
    """The connection of one exchange."""

    def __init__(self, app: Any = None) -> None:
        self.app = app
        self.transport = Wire()
        self.loop = asyncio.get_running_loop()
        self.paused = False
        self.default_headers: list[tuple[bytes, bytes]] = []
        self.drains: list[asyncio.Future[None]] = []
        self.over: list[Exchange] = []
        self.taken = 0

    def drained(self) -> asyncio.Future[None]:
        self.drains.append(self.loop.create_future())
        return self.drains[-1]

    def go_on(self) -> None:
        self.taken += 1

    def answered(self, exchange: Exchange) -> None:
        self.over.append(exchange)

    def exchange(self, **given: bool) -> Exchange:
        told = {"chunks": True, "keep_alive": True, "silent": False, "expects": False}
        return Exchange(self, **{**told, **given})


def start(*headers: tuple[bytes, bytes], status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(data: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def test_head_and_body_of_an_answer_leave_in_one_write() -> None:
    line = Line()
    exchange = line.exchange()
    await exchange.send(start((b"content-length", b"2"), (b"x-a", b"b")))
    assert line.transport.writes == []
    await exchange.send(body(b"hi"))
    assert line.transport.writes == [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-a: b\r\n\r\nhi"]
    assert line.over == [exchange]
    assert exchange.over


async def test_the_head_of_a_stream_leaves_with_its_first_chunk_or_with_an_empty_part() -> None:
    line = Line()
    first, second = line.exchange(), line.exchange()
    await first.send(start())
    await first.send(body(b"hello", more=True))
    await second.send(start())
    await second.send(body(b"", more=True))
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    assert line.transport.writes == [head + b"5\r\nhello\r\n", head]


async def test_a_part_is_written_at_once_only_where_nobody_has_to_wait() -> None:
    line = Line()
    exchange = line.exchange()
    assert not exchange.write(b"before the head")
    await exchange.send(start())
    assert not exchange.write(b"before the first part")
    await exchange.send(body(b"1", more=True))
    assert exchange.write(b"2")
    line.paused = True
    assert not exchange.write(b"to a slow reader")
    line.paused = False
    await exchange.send(body(b""))
    assert not exchange.write(b"after the end")
    assert line.transport.writes[1:] == [b"1\r\n2\r\n", b"0\r\n\r\n"]


async def test_nothing_is_written_to_a_client_who_has_gone() -> None:
    line = Line()
    exchange = line.exchange()
    await exchange.send(start())
    await exchange.send(body(b"1", more=True))
    exchange.leave()
    assert not exchange.write(b"2")
    await exchange.send(body(b"3"))
    assert len(line.transport.writes) == 1
    assert exchange.gone
    assert not exchange.over


async def test_sending_waits_while_the_client_is_slow() -> None:
    line = Line()
    exchange = line.exchange()
    line.paused = True
    sending = asyncio.create_task(exchange.send(start()))
    await until(lambda: line.drains)
    assert not sending.done()
    line.drains[0].set_result(None)
    async with asyncio.timeout(60):
        await sending


async def test_the_body_is_received_as_it_comes_and_then_the_departure() -> None:
    line = Line()
    exchange = line.exchange()
    exchange.take(b"one")
    exchange.take(b"two")
    first = await exchange.receive()
    assert first == {"type": "http.request", "body": b"onetwo", "more_body": True}
    assert line.taken == 1
    second = asyncio.create_task(exchange.receive())
    await asyncio.sleep(0)
    exchange.take_end()
    assert (await second) == {"type": "http.request", "body": b"", "more_body": False}
    waiting = [asyncio.create_task(exchange.receive()) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # one who gives up takes nothing from the other
    exchange.leave()
    assert (await waiting[1]) == {"type": "http.disconnect"}


async def test_an_app_that_breaks_is_answered_for() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("no secrets in here")

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        await send(start((b"content-length", b"5")))

    for app in (broken, silent):
        line = Line(app)
        await line.exchange().run({"path": "/"})
        (written,) = line.transport.writes
        assert written.startswith(b"HTTP/1.1 500 ")
        assert b"connection: close" in written
        assert b'"code":"api_error"' in written
        assert b"secrets" not in written


async def test_an_answer_that_breaks_midway_is_cut_off() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        await send(body(b"half", more=True))
        raise RuntimeError

    line = Line(app)
    await line.exchange().run({"path": "/"})
    assert line.transport.closed
    assert len(line.transport.writes) == 1
    assert not line.over


async def test_a_cancelled_app_is_answered_for_and_stays_cancelled() -> None:
    begun = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    line = Line(app)
    task = asyncio.create_task(line.exchange().run({"path": "/"}))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert line.transport.writes[0].startswith(b"HTTP/1.1 500 ")


async def test_an_answer_keeps_its_word_on_its_length() -> None:
    for data in (b"too long", b"no"):
        exchange = Line().exchange()
        await exchange.send(start((b"content-length", b"4")))
        with pytest.raises(BrokenAnswer):
            await exchange.send(body(data))


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\0"])
async def test_a_header_cannot_smuggle_in_another(value: bytes) -> None:
    exchange = Line().exchange()
    with pytest.raises(BrokenAnswer):
        await exchange.send(start((b"x-a", value)))


async def test_messages_out_of_order_are_refused() -> None:
    exchange = Line().exchange()
    with pytest.raises(BrokenAnswer):
        await exchange.send(body(b"first"))
    await exchange.send(start(status=204))
    with pytest.raises(BrokenAnswer):
        await exchange.send(start())
    await exchange.send(body(b""))
    with pytest.raises(BrokenAnswer):
        await exchange.send(body(b"again"))


async def test_no_body_means_no_framing_either() -> None:
    line = Line()
    await (exchange := line.exchange()).send(start(status=304))
    await exchange.send(body(b"not sent"))
    await (exchange := line.exchange(silent=True)).send(start((b"content-length", b"9")))
    await exchange.send(body(b"not sent!"))
    assert line.transport.writes == [
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n",
    ]
