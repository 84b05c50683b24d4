"""A POST against receivers of every kind."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator

import pytest

from interplay.contracts.egress import Guard
from interplay.testing.local_web import LocalWeb, Page
from interplay.testing.script import Hold
from interplay.webhooks.posting import Answered, NotAnswered, Poster


@pytest.fixture
async def poster() -> AsyncGenerator[Poster]:
    made = Poster(Guard(["127.0.0.0/8"]), 2.0, 10)
    yield made
    await made.close()


async def post(poster: Poster, uri: str) -> Answered:
    return await poster.post(uri, {"webhook-id": "msg_1"}, b"{}")


async def test_the_head_of_an_answer_is_enough(poster: Poster, web: LocalWeb):
    """The body hangs for ever; nobody waits for it."""
    uri = web.on("/", Page(status=202, chunks=[b"x", Hold("never")]))
    async with asyncio.timeout(60):
        assert (await post(poster, uri)).status == 202


async def test_a_redirect_is_an_answer_and_not_followed(poster: Poster, web: LocalWeb):
    uri = web.redirect("/", web.on("/inside", Page()))
    assert (await post(poster, uri)).status == 302
    assert [request.target for request in web.requests] == ["/"]


async def test_who_gives_no_answer_is_given_up(web: LocalWeb):
    poster = Poster(Guard(["127.0.0.0/8"]), 0.2, 10)
    with pytest.raises(NotAnswered, match=r"within 0\.2 s"):
        await post(poster, web.on("/", Page(never=True)))
    await poster.close()


async def test_a_closed_port_and_a_broken_connection_are_told_in_words(
    poster: Poster, web: LocalWeb
):
    with pytest.raises(NotAnswered, match="takes no connections"):
        await post(poster, "http://127.0.0.1:9/")
    with pytest.raises(NotAnswered, match="broken off"):
        await post(poster, web.on("/drop", Page(raw=b"", drop_after=0)))
    with pytest.raises(NotAnswered, match="no HTTP"):
        await post(poster, web.on("/odd", Page(raw=b"220 smtp ready\r\n\r\n")))


async def test_the_guard_is_asked(poster: Poster):
    for uri, said in (
        ("https://10.0.0.1/", "private"),
        ("http://93.184.215.14/", "Only https"),
        ("https://[::1]/", "loopback"),
    ):
        with pytest.raises(NotAnswered, match=said):
            await post(poster, uri)


async def test_a_host_without_an_address_is_told():
    async def fails(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    poster = Poster(Guard(resolve=fails), 2.0, 10)
    with pytest.raises(NotAnswered, match="no address"):
        await post(poster, "https://gone.example/")
    await poster.close()


async def test_a_receiver_that_speaks_no_tls_is_told(poster: Poster):
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(NotAnswered, match="secure connection"):
        await post(poster, f"https://127.0.0.1:{port}/")
    server.close()


async def test_a_certificate_nobody_vouches_for_is_refused(poster: Poster, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path))
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(NotAnswered, match="certificate"):
        await post(poster, f"https://localhost:{port}/")
    server.close()


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7.0), ("", 0.0), ("999999", 3_600.0), ("soon", 0.0), ("-1", 0.0), ("\u0663", 0.0)],
)
def test_a_retry_after_is_read_in_seconds(said: str, seconds: float):
    assert Answered(503, said).retry_after == seconds


def _certificate(folder) -> str:
    """A certificate for localhost, signed by itself, with its key."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "pair.pem"
    file.write_bytes(certificate.public_bytes(pem) + private)
    return str(file)
