"""Blobs in S3: which requests are made, and what each failure of the storage is called."""

from __future__ import annotations

import asyncio
import base64
import email.utils
import hashlib
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from interplay.contracts.failure import NotInstalled
from interplay.contracts.store import StoreAway, StoreFull, StoreUnusable
from interplay.plugins.blobs.s3 import S3Blobs
from interplay.settings import Settings
from interplay.testing.server import serve
from tests.s3 import KEYS, new_bucket, storage

X = hashlib.sha256(b"x").hexdigest()
Answer = tuple[int, str] | None


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch):
    """What the environment of a server holds."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def endpoint():
    """A real S3 server."""
    with storage() as url:
        yield url


class Faulty:
    """Speaks as much of S3 as it is told: an answer for each request, the last one repeated."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []
        self.age: float | None = None
        """Of the one object there is, in seconds; None: there is none."""
        self.answers: list[Answer] = [(200, "")]

    def blobs(self) -> S3Blobs:
        return S3Blobs(f"s3://bucket/in/here?endpoint={self.url}&timeout=0.4")


@asynccontextmanager
async def faulty() -> AsyncIterator[Faulty]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                method = line.decode().split()[0]
                length = 0
                while (header := (await reader.readline()).decode().strip()) != "":
                    name, _, value = header.partition(":")
                    length = int(value) if name.lower() == "content-length" else length
                await reader.readexactly(length)
                at.asked.append(method)
                if method == "HEAD" and at.age is None:
                    writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
                    continue
                told = at.answers.pop(0) if len(at.answers) > 1 else at.answers[0]
                if told is None:
                    await reader.read()
                    return
                status, body = told
                date = email.utils.formatdate(time.time() - (at.age or 0), usegmt=True)
                writer.write(
                    f'HTTP/1.1 {status} Said\r\nlast-modified: {date}\r\netag: "e"\r\n'
                    f"content-length: {len(body)}\r\n\r\n".encode()
                )
                writer.write(b"" if method == "HEAD" else body.encode())
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    at = Faulty(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield at
    finally:
        server.close()


async def test_bytes_that_are_there_are_not_sent_again():
    async with faulty() as at:
        at.age = 500
        assert await at.blobs().put(b"x") == X
        assert at.asked == ["HEAD"]


async def test_an_old_object_is_written_again_so_that_no_sweep_takes_it():
    async with faulty() as at:
        at.age = 700
        assert await at.blobs().put(b"x") == X
        assert at.asked == ["HEAD", "PUT"]


@pytest.mark.parametrize(("age", "asked"), [(1_100, ["HEAD"]), (1_300, ["HEAD", "DELETE"])])
async def test_what_may_have_been_put_within_the_idle_time_stays(age: float, asked: list[str]):
    async with faulty() as at:
        at.age = age
        await at.blobs().remove(X, idle=600)
        assert at.asked == asked


async def test_only_our_own_objects_are_listed(endpoint: str):
    bucket = new_bucket(endpoint)
    ours = S3Blobs(f"s3://{bucket}/a/b?endpoint={endpoint}")
    beside = S3Blobs(f"s3://{bucket}/a/b/c?endpoint={endpoint}")
    above = S3Blobs(f"s3://{bucket}?endpoint={endpoint}")
    names = [await blobs.put(data) for blobs, data in ((ours, b"1"), (beside, b"2"), (above, b"3"))]
    for blobs, name in zip((ours, beside, above), names, strict=True):
        assert await blobs.names() == [name]


async def test_a_request_that_fails_is_made_again():
    async with faulty() as at:
        at.answers = [(503, "<Error><Code>SlowDown</Code></Error>"), (500, ""), (200, "")]
        assert await at.blobs().put(b"x") == X
        assert at.asked == ["HEAD", "PUT", "PUT", "PUT"]


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        ((403, "<Error><Code>QuotaExceeded</Code></Error>"), StoreFull, "storage of media is full"),
        ((507, ""), StoreFull, "storage of media is full"),
        ((507, "<Error><Code>XMinioStorageFull</Code></Error>"), StoreFull, "media is full"),
        (
            (403, "<Error><Code>AccessDenied</Code></Error>"),
            StoreAway,
            "refuses this server's keys",
        ),
        ((404, "<Error><Code>NoSuchBucket</Code></Error>"), StoreAway, "has no such bucket"),
        ((500, "<Error><Code>InternalError</Code></Error>"), StoreAway, "cannot be reached"),
        (None, StoreAway, "cannot be reached or does not answer"),
    ],
)
async def test_a_put_that_fails_says_why(answer: Answer, kind: type[Exception], message: str):
    async with faulty() as at, asyncio.timeout(60):
        at.answers = [answer]
        with pytest.raises(kind, match=message) as failed:
            await at.blobs().put(b"x")
        assert type(failed.value) is kind
        assert "127.0.0.1" not in str(failed.value)


@pytest.mark.parametrize("call", ["get", "put", "remove", "names"])
async def test_storage_that_cannot_be_reached_is_away_before_long(call: str):
    blobs = S3Blobs("s3://bucket?endpoint=http://127.0.0.1:9&timeout=0.4")
    calls: dict[str, Callable[[], object]] = {
        "get": lambda: blobs.get(X),
        "put": lambda: blobs.put(b"x"),
        "remove": lambda: blobs.remove(X),
        "names": blobs.names,
    }
    began = time.monotonic()
    with pytest.raises(StoreAway, match="cannot be reached"):
        await calls[call]()  # pyright: ignore
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("call", ["get", "put", "remove", "names"])
async def test_a_bucket_that_is_not_there_is_not_an_empty_one(endpoint: str, call: str):
    blobs = S3Blobs(f"s3://absent?endpoint={endpoint}")
    with pytest.raises(StoreAway, match="has no such bucket"):
        await getattr(blobs, call)(*{"put": [b"x"], "names": []}.get(call, [X]))


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("s3://", "not of this form; write s3://bucket/prefix"),
        ("s3:bucket", "not of this form"),
        ("s3://key:secret@bucket", "not of this form"),
        ("s3://bucket?endpont=http://x", "it knows no 'endpont'"),
        ("s3://bucket?style=host", "style is path or virtual"),
        ("s3://bucket?timeout=soon", "timeout is a number of seconds"),
        ("s3://bucket?timeout=0", "timeout is a number of seconds"),
        ("s3://bucket/a/../b", "the prefix is made of"),
        ("s3://bucket/a b", "the prefix is made of"),
    ],
)
def test_a_url_that_is_wrong_is_refused_with_the_form(where: str, message: str):
    with pytest.raises(StoreUnusable, match=message):
        S3Blobs(where)


def test_without_the_extra_it_names_the_command(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(NotInstalled, match=r"pip install 'interplay\[s3\]'"):
        S3Blobs("s3://bucket")


async def test_while_the_storage_is_away_only_media_wait_for_it(tmp_path: Path):
    settings = Settings(
        data_dir=str(tmp_path),
        blobs_url="s3://bucket?endpoint=http://127.0.0.1:9&timeout=0.4",
        preload=False,
        models={"echo": {"backend": "scripted", "echo": True}},
    )
    image = {"type": "image", "mime_type": "image/png", "data": "AAAA" * 50_000}
    async with serve(settings=settings) as server, aiohttp.ClientSession() as session:
        address = f"{server.url}/v1/interactions"
        async with session.post(address, json={"model": "echo", "input": [image]}) as answer:
            assert (answer.status, answer.headers["retry-after"]) == (503, "2")
            assert "storage of media cannot be reached" in await answer.text()
        given = {"model": "echo", "input": [image], "store": False}
        async with session.post(address, json=given) as answer:
            assert answer.status == 200
        async with session.post(address, json={"model": "echo", "input": "x"}) as answer:
            assert answer.status == 200


async def test_media_of_an_interaction_lie_in_the_bucket_and_come_back(
    endpoint: str, tmp_path: Path
):
    bucket = new_bucket(endpoint)
    url = f"s3://{bucket}/media?endpoint={endpoint}"
    settings = Settings(
        data_dir=str(tmp_path),
        blobs_url=url,
        preload=False,
        models={"echo": {"backend": "scripted", "echo": True}},
    )
    data = base64.b64encode(bytes(range(256)) * 1_000).decode()
    image = {"type": "image", "mime_type": "image/png", "data": data}
    async with serve(settings=settings) as server, aiohttp.ClientSession() as session:
        address = f"{server.url}/v1/interactions"
        async with session.post(address, json={"model": "echo", "input": [image]}) as answer:
            assert answer.status == 200, await answer.text()
            id = (await answer.json())["id"]
        assert len(await S3Blobs(url).names()) == 1
        assert not (tmp_path / "blobs").exists()
        async with session.get(f"{address}/{id}?include_input=true") as answer:
            assert data in await answer.text()
        async with session.delete(f"{address}/{id}") as answer:
            assert answer.status == 200
        assert await S3Blobs(url).names() == []
