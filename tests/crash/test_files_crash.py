"""A process dies during an upload; the client goes on at the next one."""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.api.api import requirement, text_of
from tests.api.test_files import MIB, go_on, start, uploaded
from tests.crash.process import process
from tests.crash.test_server_crash import LOST

CONFIG: dict[str, Any] = {
    "models": {"m": {"backend": "scripted", "replies": ["hello"]}},
    "default_model": "m",
}


@requirement("files:resume")
@pytest.mark.parametrize("place", ["upload-part:2", "upload-final"])
async def test_an_upload_outlives_the_process_that_took_it(tmp_path: Path, place: str) -> None:
    data = os.urandom(10 * MIB + 1)
    async with process(tmp_path, **CONFIG) as server:
        server.failpoint = place
        api = await server.start()
        begun = await start(api, len(data))
        path = begun.headers["x-goog-upload-url"].removeprefix(api.url)
        with pytest.raises(LOST):
            await go_on(api, begun, "upload, finalize", data)
        await server.died()
        server.failpoint = ""
        api = await server.start()
        begun.headers = {"x-goog-upload-url": api.url + path}
        stands = await go_on(api, begun, "query")
        received = int(stands.headers["x-goog-upload-size-received"])
        assert received == (8 * MIB if place == "upload-part:2" else len(data))
        ended = await go_on(api, begun, "upload, finalize", data[received:], received)
        assert ended.status == 200, ended.raw
        file = ended.body["file"]
        assert file["sha256Hash"] == b64encode(hashlib.sha256(data).digest()).decode()
        got = await api.call("GET", f"/v1/{file['name']}:download")
        assert got.raw == data
        listed = (await api.call("GET", "/v1/files")).body["files"]
        assert [one["name"] for one in listed] == [file["name"]]


@requirement("media:file")
async def test_a_run_that_reads_a_file_reads_it_again_at_the_next_process(tmp_path: Path) -> None:
    reader = {"backend": "scripted", "echo": True, "pace": 0.05, "facts": {"inputs": ["text"]}}
    words = " ".join(f"word{number}" for number in range(20))
    async with process(tmp_path, models={"m": reader}, default_model="m") as server:
        api = await server.start()
        file = await uploaded(api, words.encode(), mimeType="text/plain")
        given = [{"type": "document", "uri": file["uri"]}]
        id = (await api.create(input=given, background=True)).body["id"]
        stream = f"/v1/interactions/{id}?stream=true"
        async with api.opened("GET", stream) as events:
            async for event in events:
                if event["event_type"] == "step.delta":
                    break
        await server.end()
        api = await server.start()
        ended = await api.ended(id)
        assert ended["status"] == "completed"
        assert words in text_of(ended)
        assert ended["steps"][0]["content"] == given
