"""Connections as clients make them: framing, order, limits, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from interplay.server.http1 import Door
from tests.api.api import until

App = Callable[[Any, Any, Any], Awaitable[None]]
POST = b"POST /echo?a=1 HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n%b"


class Client:
    """One raw connection; everything it waits for comes within a minute."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    async def answer(self) -> tuple[bytes, bytes]:
        """Head and body of the next answer that has a length."""
        async with asyncio.timeout(60):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            return head, await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """All that comes until the server closes."""
        async with asyncio.timeout(60):
            return await self.reader.read()


class House:
    """A server with these doors; `connect` opens a connection to it."""

    def __init__(self, state: ServerState, port: int) -> None:
        self.state, self._port = state, port
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers.append(writer)
        return Client(reader, writer)

    def leave(self) -> None:
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def serving(app: App, *, silence: float = 75) -> AsyncGenerator[House]:
    config = Config(app, http=Door, log_config=None, lifespan="off")
    config.timeout_keep_alive = silence  # pyright: ignore[reportAttributeAccessIssue]
    config.load()
    state, loop = ServerState(), asyncio.get_running_loop()

    def door() -> Door:
        return Door(config, state, {"shared": 1}, loop)

    server = await loop.create_server(door, "127.0.0.1", 0)
    house = House(state, server.sockets[0].getsockname()[1])
    try:
        yield house
    finally:
        house.leave()
        server.close()
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=60)


async def body_of(receive: Any) -> bytes:
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        assert message["type"] == "http.request"
        parts.append(message["body"])
        more = message["more_body"]
    return b"".join(parts)


async def reply(send: Any, body: bytes, status: int = 200) -> None:
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def echo(scope: Any, receive: Any, send: Any) -> None:
    await reply(send, await body_of(receive))


async def test_requests_on_one_connection_are_answered_one_after_the_other() -> None:
    async with serving(echo) as house:
        client = await house.connect()
        for body in (b"one", b"", b"three"):
            client.send(POST % (len(body), body))
            head, answered = await client.answer()
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert answered == body
        assert house.state.total_requests == 3


async def test_the_app_is_told_what_was_asked() -> None:
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)
        await reply(send, b"")

    async with serving(app) as house:
        client = await house.connect()
        client.send(b"GET /a%20b/c?x=%20 HTTP/1.1\r\nHost: h\r\nX-Name: Value\r\n\r\n")
        await client.answer()
    assert (seen["method"], seen["path"], seen["raw_path"]) == ("GET", "/a b/c", b"/a%20b/c")
    assert (seen["query_string"], seen["http_version"], seen["scheme"]) == (b"x=%20", "1.1", "http")
    assert seen["headers"] == [(b"host", b"h"), (b"x-name", b"Value")]
    assert seen["state"] == {"shared": 1}
    assert seen["client"][0] == seen["server"][0] == "127.0.0.1"


async def test_requests_sent_ahead_wait_for_their_turn() -> None:
    begun: list[str] = []
    gate = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        begun.append(scope["path"])
        if scope["path"] == "/1":
            await gate.wait()
        await reply(send, scope["path"].encode() + await body_of(receive))

    async with serving(app) as house:
        client = await house.connect()
        client.send(
            *(b"POST /%d HTTP/1.1\r\nContent-Length: 1\r\n\r\n%d" % (n, n) for n in (1, 2, 3))
        )
        await until(lambda: begun)
        gate.set()
        assert [(await client.answer())[1] for _ in range(3)] == [b"/11", b"/22", b"/33"]
    assert begun == ["/1", "/2", "/3"]


async def test_a_large_body_comes_whole_however_slowly_it_is_taken() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await reply(send, str(len(await body_of(receive))).encode())

    async with serving(app) as house:
        client = await house.connect()
        size = 8 * 1024 * 1024
        client.send(POST % (size, bytes(size)), POST % (2, b"ok"))
        assert (await client.answer())[1] == str(size).encode()
        assert (await client.answer())[1] == b"2"


async def test_a_client_is_made_to_wait_while_nobody_takes_its_body() -> None:
    gate = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        await reply(send, str(len(await body_of(receive))).encode())

    async with serving(app) as house:
        client = await house.connect()
        size = 32 * 1024 * 1024
        client.send(POST % (size, bytes(size)))
        for _ in range(200):
            await asyncio.sleep(0)
        transport: Any = client.writer.transport
        assert transport.get_write_buffer_size() > size // 2  # the most of it is still here
        gate.set()
        assert (await client.answer())[1] == str(size).encode()


async def test_an_answer_before_the_body_was_read_leaves_the_connection_usable() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await reply(send, b"no", 413)

    async with serving(app) as house:
        client = await house.connect()
        client.send(POST % (3_000_000, bytes(3_000_000)))
        assert (await client.answer())[0].startswith(b"HTTP/1.1 413 ")
        client.send(POST % (2, b"hi"))
        assert (await client.answer())[1] == b"no"


async def test_a_body_without_a_length_goes_in_chunks() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for part in (b"one", b"", b"three"):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async with serving(app) as house:
        client = await house.connect()
        client.send(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        head, _, body = (await client.rest()).partition(b"\r\n\r\n")
        assert b"transfer-encoding: chunked" in head
        assert body == b"3\r\none\r\n5\r\nthree\r\n0\r\n\r\n"
        old = await house.connect()
        old.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        head, _, body = (await old.rest()).partition(b"\r\n\r\n")
        assert b"chunked" not in head
        assert b"connection: close" in head
        assert body == b"onethree"


async def test_head_is_answered_without_a_body() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await reply(send, b"twelve bytes")

    async with serving(app) as house:
        client = await house.connect()
        client.send(b"HEAD / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        first, _, second = (await client.rest()).partition(b"\r\n\r\n")
        assert b"content-length: 12" in first
        assert second.startswith(b"HTTP/1.1 200 OK")
        assert second.endswith(b"\r\n\r\ntwelve bytes")


async def test_who_waits_to_be_told_is_told_that_the_body_may_come() -> None:
    expects = b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    async with serving(echo) as house:
        client = await house.connect()
        client.send(expects)
        async with asyncio.timeout(60):
            assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"hi")
        head, body = await client.answer()
        assert body == b"hi"
        assert b"connection: close" not in head

    async def deaf(scope: Any, receive: Any, send: Any) -> None:
        await reply(send, b"no", 401)

    async with serving(deaf) as house:
        client = await house.connect()
        client.send(expects)
        refused = await client.rest()  # it may or may not send its body now: the end
        assert refused.startswith(b"HTTP/1.1 401 ")
        assert b"connection: close" in refused


async def test_what_is_no_http_is_refused_and_the_connection_closed() -> None:
    async with serving(echo) as house:
        for wrong in (b"SOMETHING ELSE\r\n\r\n", b"GET /\xff HTTP/1.1\r\nA b: c\r\n\r\n"):
            client = await house.connect()
            client.send(wrong)
            assert (await client.rest()).startswith(b"HTTP/1.1 400 ")
        client = await house.connect()
        client.send(b"GET / HTTP/1.1\r\n", b"X-Long: " + b"x" * 100_000 + b"\r\n")
        assert (await client.rest()).startswith(b"HTTP/1.1 431 ")
        assert house.state.total_requests == 0


async def test_garbage_behind_a_request_never_mixes_with_its_answer() -> None:
    gate = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await gate.wait()

    async with serving(app) as house:
        client = await house.connect()
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(60):
            await client.reader.readuntil(b"half\r\n")
        client.send(b"\0garbage\r\n\r\n")
        with suppress(ConnectionError):  # cut off: nobody takes this for a whole answer
            assert await client.rest() == b""
        gate.set()


async def test_the_offer_of_another_protocol_is_passed_over() -> None:
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    async with serving(echo) as house:
        client = await house.connect()
        client.send(b"POST / HTTP/1.1\r\n", offer, b"Content-Length: 4\r\n\r\nhi")
        client.send(b" x")  # its body is read as ever, also in parts, and so is what follows
        assert (await client.answer())[1] == b"hi x"
        client.send(b"GET / HTTP/1.1\r\n", offer, b"\r\n")
        assert (await client.answer())[1] == b""
        chunked = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        client.send(b"POST / HTTP/1.1\r\n", offer, chunked, POST % (1, b"y"))
        assert [(await client.answer())[1] for _ in range(2)] == [b"abc", b"y"]


async def test_a_client_who_leaves_is_noticed_by_whoever_waits() -> None:
    waits, noticed = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "http.request"
        waits.set()
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"to nobody"})
        noticed.set()

    async with serving(app) as house:
        client = await house.connect()
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(60):
            await waits.wait()
            client.writer.close()
            await noticed.wait()
        assert not house.state.connections


async def test_an_idle_connection_is_closed_and_a_busy_one_is_not() -> None:
    gate = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        await reply(send, b"late")

    async with serving(app, silence=0.05) as house:
        idle, busy = await house.connect(), await house.connect()
        busy.send(b"GET / HTTP/1.1\r\n\r\n")
        assert await idle.rest() == b""
        assert not busy.reader.at_eof()
        gate.set()
        assert (await busy.answer())[1] == b"late"
        assert await busy.rest() == b""


async def test_shutting_down_closes_what_is_idle_and_lets_the_rest_be_answered() -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await gate.wait()
        await reply(send, b"last")

    async with serving(app) as house:
        idle, busy = await house.connect(), await house.connect()
        busy.send(b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(60):
            await begun.wait()
        await until(lambda: len(house.state.connections) == 2)
        for door in list(house.state.connections):
            door.shutdown()
        assert await idle.rest() == b""
        gate.set()
        answered = await busy.rest()
        assert b"connection: close" in answered
        assert answered.endswith(b"last")


async def test_a_slow_reader_is_waited_for() -> None:
    sent, part = [0], bytes(256 * 1024)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(128):
            await send({"type": "http.response.body", "body": part, "more_body": True})
            sent[0] += 1
        await send({"type": "http.response.body", "body": b""})

    async with serving(app) as house:
        client = await house.connect()
        client.send(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(60):
            await client.reader.readuntil(b"\r\n\r\n")
        for _ in range(200):
            await asyncio.sleep(0)
        assert sent[0] < 128
        assert len(await client.rest()) > 128 * len(part)
        assert sent[0] == 128
