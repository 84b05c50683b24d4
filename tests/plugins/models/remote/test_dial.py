"""Connections are made over TLS, through proxies, and past addresses that do not answer."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from interplay.contracts.failure import TimedOut, Unavailable
from interplay.plugins.models.remote.dial import first_of
from tests.plugins.models.openai_compatible.upstream import (
    STOP,
    Upstream,
    ask,
    failure,
    keeps,
    model,
    text,
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that signs itself, and its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", cert]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
    both.write_text(key.read_text() + cert.read_text())
    return both


class Secure(Upstream):
    """An upstream over TLS that notes what clients ask for in their first words."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str | None, str | None]] = []
        self.named: str | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tls = writer.get_extra_info("ssl_object")
        self.asked.append((self.named, tls.selected_alpn_protocol()))
        await super().serve(reader, writer)


@asynccontextmanager
async def secure(certificate: Path) -> AsyncIterator[Secure]:
    made = Secure()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])

    def named(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        made.named = name

    context.sni_callback = named
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=context)
    made.base_url = f"https://localhost:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield made
    finally:
        server.close()


@pytest.fixture
async def tls(certificate: Path) -> AsyncIterator[Secure]:
    async with secure(certificate) as made:
        yield made


async def test_a_server_over_tls_is_asked_by_its_name(
    tls: Secure, certificate: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls.will(keeps(text("one") + STOP))
    async with model(tls) as made:
        for _ in range(3):
            assert (await ask(made)).text == "one"
    assert tls.asked == [("localhost", "http/1.1")]


async def test_a_certificate_nobody_vouches_for_is_not_taken(tls: Secure):
    fault = await failure(tls, b"")
    assert isinstance(fault, Unavailable)
    assert "certificate" in fault.message
    assert not tls.requests


async def test_a_certificate_of_another_name_is_not_taken(
    tls: Secure, certificate: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls.base_url = tls.base_url.replace("localhost", "127.0.0.1")
    fault = await failure(tls, b"")
    assert isinstance(fault, Unavailable)
    assert not tls.requests


class Proxy:
    """An HTTP proxy that notes the heads it is sent, and passes tunnels on to one server."""

    def __init__(self, answer: bytes, to: int) -> None:
        self._answer, self._to = answer, to
        self.heads: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self._answer)
            if b" 200 " not in self._answer:
                return
            back, forth = await asyncio.open_connection("127.0.0.1", self._to)
            await asyncio.gather(_pump(reader, forth), _pump(back, writer))
        finally:
            writer.close()


async def _pump(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    try:
        while block := await source.read(65_536):
            to.write(block)
            await to.drain()
    except ConnectionError:
        return
    finally:
        to.close()


@asynccontextmanager
async def proxied(answer: bytes, at: Upstream) -> AsyncIterator[tuple[Proxy, str]]:
    """A running proxy, and its address with a user."""
    made = Proxy(answer, int(at.base_url.rpartition(":")[2].partition("/")[0]))
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    try:
        yield made, f"http://me:hunter2222@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_an_https_server_is_reached_through_a_tunnel_of_the_proxy(
    tls: Secure, certificate: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls.will(keeps(text("one") + STOP))
    async with (
        proxied(b"HTTP/1.1 200 Go on\r\nX-Note: 1\r\n\r\n", tls) as (proxy, address),
        model(tls, proxy=address, api_key="sk-key-of-the-server") as made,
    ):
        assert (await ask(made)).text == "one"
        assert (await ask(made)).text == "one"
    (head,) = proxy.heads
    where = tls.base_url.removeprefix("https://").partition("/")[0]
    assert head.startswith(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n")
    assert "Proxy-Authorization: Basic bWU6aHVudGVyMjIyMg==\r\n" in head
    assert "sk-key" not in head
    assert tls.requests[0].path == "/v1/chat/completions"
    assert "proxy-authorization" not in tls.requests[0].headers


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407"),
        (b"", "broke off"),
        (b"SSH-2.0\r\n\r\n", "SSH"),
    ],
)
async def test_a_proxy_that_makes_no_tunnel_is_told_without_its_password(
    tls: Secure, answer: bytes, words: str
):
    async with proxied(answer, tls) as (_, address):
        fault = await failure(tls, b"", proxy=address)
    assert isinstance(fault, Unavailable)
    assert words in fault.message
    assert "hunter2222" not in fault.message


async def test_a_plain_server_is_asked_for_by_its_whole_address(server: Upstream):
    server.will(keeps(text("one") + STOP))
    proxy = server.base_url.replace("//", "//me:pw@").removesuffix("/v1")
    server.base_url = "http://model.example/v1"
    async with model(server, proxy=proxy) as made:
        assert (await ask(made)).text == "one"
    (request,) = server.requests
    assert request.path == "http://model.example/v1/chat/completions"
    assert request.headers["host"] == "model.example"
    assert request.headers["proxy-authorization"] == "Basic bWU6cHc="


async def test_a_server_behind_an_ipv6_address_is_asked():
    made = Upstream()
    listening = await asyncio.start_server(made.serve, "::1", 0)
    made.base_url = f"http://[::1]:{listening.sockets[0].getsockname()[1]}/v1"
    made.will(keeps(text("one") + STOP))
    async with model(made) as one:
        assert (await ask(one)).text == "one"
    assert made.requests[0].headers["host"].startswith("[::1]:")
    listening.close()


@contextmanager
def dead() -> Iterator[tuple[str, int]]:
    """An address that takes no connection and refuses none: its queue is full."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield full.getsockname()


async def test_a_connection_that_is_never_made_times_out(server: Upstream):
    with dead() as (host, port):
        server.base_url = f"http://{host}:{port}/v1"
        fault = await failure(server, b"", connect_seconds=0.2)
    assert isinstance(fault, TimedOut)
    assert "connect_seconds" in fault.message


async def test_a_handshake_that_never_ends_times_out(server: Upstream):
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    mute = await asyncio.start_server(silent, "127.0.0.1", 0)
    server.base_url = f"https://127.0.0.1:{mute.sockets[0].getsockname()[1]}/v1"
    fault = await failure(server, b"", connect_seconds=0.2)
    assert isinstance(fault, TimedOut)
    mute.close()


async def test_a_dead_address_does_not_hold_up_the_next(server: Upstream):
    port = int(server.base_url.rpartition(":")[2].partition("/")[0])
    with dead() as address:
        found = [(socket.AF_INET, address), (socket.AF_INET, ("127.0.0.1", port))]
        async with asyncio.timeout(60):
            made = await first_of(found)
    assert made.getpeername() == ("127.0.0.1", port)
    made.close()


async def test_when_no_address_answers_the_reason_is_told():
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        found = [(socket.AF_INET, bound.getsockname()) for bound in (one, other)]
        async with asyncio.timeout(60):
            with pytest.raises(ConnectionRefusedError):
                await first_of(found)
