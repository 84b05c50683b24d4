"""The Files API: driven by the official client, and by hand where it would not ask so."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from interplay.settings import Files
from tests.api.api import Answer, Api, requirement
from tests.api.conftest import House

MIB = 1024 * 1024
UPLOAD = "/upload/v1beta/files"


async def start(api: Api, size: int | None = None, **file: Any) -> Answer:
    """Begins a resumable upload."""
    headers = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
    if size is not None:
        headers["x-goog-upload-header-content-length"] = str(size)
    return await api.call("POST", UPLOAD, json={"file": file}, headers=headers)


async def go_on(api: Api, begun: Answer, command: str, data: Any = b"", offset: int = 0) -> Answer:
    """One request of an upload that was begun, as the clients send it: without a key."""
    path = begun.headers["x-goog-upload-url"].removeprefix(api.url)
    headers = {"x-goog-upload-command": command, "x-goog-upload-offset": str(offset)}
    return await Api(api.url, api.session).call("POST", path, data=data, headers=headers)


async def uploaded(api: Api, data: bytes, **file: Any) -> dict[str, Any]:
    """A file with these bytes."""
    begun = await start(api, len(data), **file)
    assert begun.status == 200, begun.raw
    ended = await go_on(api, begun, "upload, finalize", data)
    assert ended.status == 200, ended.raw
    return ended.body["file"]


@requirement("files:sdk")
async def test_the_official_client_uploads_reads_lists_downloads_and_deletes(
    house: House, tmp_path: Path
) -> None:
    await house.open()
    client = house.server.client().aio.files
    data = os.urandom(17 * MIB + 5)
    path = tmp_path / "noise.bin"
    path.write_bytes(data)
    made = await client.upload(
        file=path, config={"display_name": "Noise", "mime_type": "video/mp4"}
    )
    assert (made.display_name, made.mime_type, made.size_bytes) == ("Noise", "video/mp4", len(data))
    assert made.state.name == "ACTIVE"
    assert made.source.name == "UPLOADED"
    assert made.sha256_hash == b64encode(hashlib.sha256(data).digest()).decode()
    assert made.uri == f"{house.server.url}/v1/{made.name}"
    stays = made.expiration_time - datetime.now(UTC)
    assert timedelta(hours=47.9) < stays <= timedelta(hours=48)
    assert await client.get(name=made.name) == made
    assert [file.name async for file in await client.list()] == [made.name]
    assert await client.download(file=made) == data
    await client.delete(name=made.name)
    with pytest.raises(Exception, match="There is no file"):
        await client.get(name=made.name)


@requirement("files:sdk")
async def test_the_plain_official_client_uploads_what_is_open_under_a_name(house: House) -> None:
    await house.open()
    client = house.server.client()

    def work() -> Any:
        config = {"name": "my-notes", "mime_type": "text/markdown"}
        made = client.files.upload(file=io.BytesIO(b"# Notes"), config=config)
        return made, client.files.download(file=made)

    made, data = await asyncio.to_thread(work)
    assert (made.name, made.mime_type, data) == ("files/my-notes", "text/markdown", b"# Notes")


@requirement("files:list")
async def test_files_are_listed_by_page_newest_first(house: House) -> None:
    await house.open()
    client = house.server.client().aio.files
    names = []
    for number in range(5):
        file = io.BytesIO(b"%d" % number)
        names.append((await client.upload(file=file, config={"mime_type": "text/plain"})).name)
    pages = await client.list(config={"page_size": 2})
    assert [file.name async for file in pages] == names[::-1]


@requirement("files:resume")
async def test_an_upload_that_broke_off_goes_on_where_it_stood_at_a_new_server(
    house: House,
) -> None:
    data = os.urandom(9 * MIB + 3)
    async with _Once(house) as api:
        begun = await start(api, len(data), displayName="half.bin")
        assert begun.headers["x-goog-upload-status"] == "active"
        part = await go_on(api, begun, "upload", data[: 5 * MIB])
        assert part.headers["x-goog-upload-status"] == "active"
        assert part.headers["x-goog-upload-size-received"] == str(5 * MIB)
        url = begun.headers["x-goog-upload-url"].removeprefix(api.url)
    api = await house.open()
    begun.headers = {"x-goog-upload-url": api.url + url}
    stands = await go_on(api, begun, "query")
    received = int(stands.headers["x-goog-upload-size-received"])
    assert (received, stands.headers["x-goog-upload-status"]) == (5 * MIB, "active")
    ended = await go_on(api, begun, "upload, finalize", data[received:], received)
    assert ended.headers["x-goog-upload-status"] == "final"
    file = ended.body["file"]
    assert file["sha256Hash"] == b64encode(hashlib.sha256(data).digest()).decode()
    got = await api.call("GET", f"/v1beta/{file['name']}:download", params={"alt": "media"})
    assert got.raw == data


class _Once:
    """A server that ends before the test does."""

    def __init__(self, house: House) -> None:
        from contextlib import AsyncExitStack

        self._house, self._stack = house, AsyncExitStack()

    async def __aenter__(self) -> Api:
        given = {"m": self._house.model}
        _, api = await self._house.start(models=given, stack=self._stack)
        return api

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()


@requirement("files:resume")
async def test_a_part_that_is_sent_again_is_taken_once_and_an_end_answered_again(
    house: House,
) -> None:
    api = await house.open()
    data = os.urandom(MIB)
    begun = await start(api, len(data))
    await go_on(api, begun, "upload", data[: MIB // 2])
    again = await go_on(api, begun, "upload", data[: MIB // 2])
    assert again.headers["x-goog-upload-size-received"] == str(MIB // 2)
    first = await go_on(api, begun, "upload, finalize", data[MIB // 4 :], MIB // 4)
    second = await go_on(api, begun, "upload, finalize", data[MIB // 4 :], MIB // 4)
    assert first.body == second.body
    assert first.body["file"]["sizeBytes"] == str(MIB)
    assert (await go_on(api, begun, "query")).headers["x-goog-upload-status"] == "final"
    assert len((await api.call("GET", "/v1beta/files")).body["files"]) == 1


@requirement("files:resume")
async def test_a_gap_or_a_part_of_an_odd_size_is_refused_and_told_where_to_go_on(
    house: House,
) -> None:
    api = await house.open()
    begun = await start(api, 2 * MIB)
    gap = await go_on(api, begun, "upload", b"x" * MIB, MIB)
    assert (gap.status, gap.headers["x-goog-upload-status"]) == (416, "active")
    odd = await go_on(api, begun, "upload", b"x" * (256 * 1024 + 7))
    assert (odd.status, odd.code) == (416, "out_of_range")
    assert str(256 * 1024) in odd.message
    stands = await go_on(api, begun, "query")
    assert stands.headers["x-goog-upload-size-received"] == str(256 * 1024)
    short = await go_on(api, begun, "finalize")
    assert short.status == 400
    assert "of the 2097152 bytes" in short.message


@requirement("files:cancel")
async def test_a_cancelled_upload_is_gone(house: House) -> None:
    api = await house.open()
    begun = await start(api, 4)
    assert (await go_on(api, begun, "cancel")).headers["x-goog-upload-status"] == "cancelled"
    gone = await go_on(api, begun, "upload, finalize", b"data")
    assert (gone.status, gone.headers["x-goog-upload-status"]) == (404, "cancelled")


@requirement("files:simple")
async def test_a_file_is_uploaded_in_one_request_raw_or_multipart(house: House) -> None:
    api = await house.open()
    body = (
        b'--edge\r\nContent-Type: application/json\r\n\r\n{"file":{"display_name":"a.csv"}}\r\n'
        b"--edge\r\nContent-Type: text/csv\r\n\r\na,b\r\n--edg\r\n1,2\r\n--edge--\r\n"
    )
    kind = {
        "content-type": "multipart/related; boundary=edge",
        "x-goog-upload-protocol": "multipart",
    }
    made = await api.call("POST", UPLOAD, data=body, headers=kind)
    assert made.status == 200, made.raw
    file = made.body["file"]
    assert (file["displayName"], file["mimeType"]) == ("a.csv", "text/csv")
    got = await api.call("GET", f"/v1/{file['name']}", params={"alt": "media"})
    assert got.raw == b"a,b\r\n--edg\r\n1,2"
    assert got.headers["content-disposition"].startswith("attachment")
    raw = await api.call(
        "POST",
        UPLOAD,
        params={"uploadType": "media"},
        data=b"%PDF-1.7 ...",
        headers={"content-type": "application/octet-stream"},
    )
    assert raw.body["file"]["mimeType"] == "application/pdf"
    broken = await api.call("POST", UPLOAD, data=body[:-20], headers=kind)
    assert (broken.status, broken.code) == (400, "invalid_request")


@requirement("files:together")
async def test_two_uploads_of_the_same_bytes_at_once_are_two_files_and_one_stays(
    house: House,
) -> None:
    api = await house.open()
    data = os.urandom(5 * MIB)
    first, second = await asyncio.gather(uploaded(api, data), uploaded(api, data))
    assert first["name"] != second["name"]
    await api.call("DELETE", f"/v1/{first['name']}")
    files = house.server.app.assembly.files
    await files._parts.sweep(idle=0.0)
    got = await api.call("GET", f"/v1/{second['name']}:download")
    assert got.raw == data
    await api.call("DELETE", f"/v1/{second['name']}")
    assert await files._parts.sweep(idle=0.0) == 2


@requirement("files:together")
async def test_one_upload_written_by_two_requests_at_once_is_whole_or_refused(
    house: House,
) -> None:
    api = await house.open()
    data = os.urandom(9 * MIB)
    begun = await start(api, len(data))
    answers = await asyncio.gather(*(go_on(api, begun, "upload, finalize", data) for _ in range(3)))
    codes = {answer.status for answer in answers}
    assert codes <= {200, 409}
    ended = await go_on(api, begun, "upload, finalize", data)
    assert ended.status == 200
    got = await api.call("GET", f"/v1/{ended.body['file']['name']}:download")
    assert got.raw == data


@requirement("files:name")
async def test_a_name_is_taken_once(house: House) -> None:
    api = await house.open()
    begun = [await start(api, 1, name="files/mine") for _ in range(2)]
    ended = [await go_on(api, one, "upload, finalize", b"x") for one in begun]
    assert [one.status for one in ended] == [200, 409]
    late = await start(api, 1, name="files/mine")
    assert (late.status, late.code) == (409, "already_exists")
    for name in ("files/-x", "files/" + "a" * 41, "../etc", "files/A"):
        assert (await start(api, 1, name=name)).status == 400


@requirement("files:limits")
async def test_a_file_or_a_key_that_is_full_is_refused(house: House) -> None:
    api = await house.open(files=Files(file_bytes=MIB, key_bytes=3 * MIB // 2))
    large = await start(api, MIB + 1)
    assert (large.status, large.code) == (413, "payload_too_large")
    silent = await start(api)
    grown = await go_on(api, silent, "upload", b"x" * (2 * MIB))
    assert (grown.status, grown.headers["x-goog-upload-status"]) == (413, "cancelled")
    first = await start(api, MIB)
    full = await start(api, MIB)
    assert (full.status, full.code) == (429, "quota_exceeded")
    more = await go_on(api, first, "upload", b"x" * (MIB + 1))
    assert more.status == 400
    assert (await start(api, MIB)).status == 200  # nothing is held by what was refused


@requirement("files:keys")
async def test_each_key_sees_its_own_files_only(house: House) -> None:
    api = await house.open(api_keys=["a:one", "b:two"])
    one, two = api.acting_as("one"), api.acting_as("two")
    file = await uploaded(one, b"secret", mimeType="text/plain")
    for method, path in (("GET", ""), ("GET", ":download"), ("DELETE", "")):
        assert (await two.call(method, f"/v1/{file['name']}{path}")).status == 404
    assert "files" not in (await two.call("GET", "/v1/files")).body
    assert (await api.call("GET", "/v1/files")).status == 401
    assert (await start(api, 1)).status == 401
    service = house.server.app.assembly.files
    for uri in (file["uri"], file["name"], file["downloadUri"]):
        assert (await service.find(uri, "a")) is not None
        assert (await service.find(uri, "b")) is None


@requirement("files:expiry")
async def test_a_file_and_an_upload_go_when_their_time_is_over(house: House) -> None:
    api = await house.open(files=Files(expire_hours=0.2 / 3_600, upload_hours=0.2 / 3_600))
    begun = await start(api, 2 * MIB)
    await go_on(api, begun, "upload", b"x" * MIB)
    file = await uploaded(api, b"short")
    async with asyncio.timeout(60):  # each round is a request over the network
        while (await api.call("GET", f"/v1/{file['name']}")).status != 404:
            pass
        while (await go_on(api, begun, "query")).status != 404:
            pass
    assert await house.server.app.assembly.files._parts.sweep(idle=0.0) == 2
