"""The commands of docs/deployment.md: a backup is taken while the server works, restored elsewhere,
and everything is read back; what was running goes on."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import tomli_w

from tests.acceptance.replicas import Process
from tests.api.api import Api, text_of
from tests.deploy.papers import DEPLOY
from tests.postgres import Server, binaries
from tests.s3 import new_bucket, storage

PAGE = (DEPLOY.parent / "docs" / "deployment.md").read_text("utf-8")
MODELS = {
    "m": {"backend": "scripted", "echo": True},
    "slow": {"backend": "scripted", "echo": True, "pace": 0.05},
}
PICTURE = base64.b64encode(bytes(range(256)) * 1_000).decode()
IMAGE = {"type": "image", "mime_type": "image/png", "data": PICTURE}
WORDS = " ".join(f"w{number}" for number in range(60))
pytestmark = pytest.mark.timeout(600)


def commands(title: str) -> str:
    """The lines of the page under a comment with this title."""
    found = re.search(rf"```sh\n# {title}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None, title
    return found[1]


async def sh(title: str, **names: str) -> None:
    """Runs them as an operator would."""
    tools = binaries()
    path = f"{tools}:{os.environ['PATH']}" if tools else os.environ["PATH"]
    process = await asyncio.create_subprocess_exec(
        "sh", "-euc", commands(title),
        env={"PATH": path, **names},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


def started(folder: Path, *place: str, **settings: Any) -> Process:
    folder.mkdir()
    config = folder / "interplay.toml"
    config.write_text(tomli_w.dumps({"preload": False, "models": MODELS, **settings}))
    command = [sys.executable, "-m", "interplay", "serve", "--port", "0", "--config", str(config)]
    return Process([*command, *place], folder / "log")


@asynccontextmanager
async def serving(folder: Path, *place: str, **settings: Any) -> AsyncGenerator[Api]:
    """A server process; killed at the end, so that nothing is tidied up."""
    process = started(folder, *place, **settings)
    try:
        url = await asyncio.to_thread(process.listening)
        async with aiohttp.ClientSession() as session:
            yield Api(url, session)
    finally:
        process.end(signal.SIGKILL)


class Kept:
    """What was there when the backup was taken."""

    def __init__(self) -> None:
        self.ended: dict[str, Any] = {}
        self.running = ""

    async def fill(self, api: Api) -> None:
        """A chain, media, and a run that goes on for seconds."""
        parent = None
        for number in range(5):
            asked = [{"type": "text", "text": f"turn {number}"}, IMAGE]
            more = {"previous_interaction_id": parent} if parent else {}
            parent = (await api.create(input=asked, **more)).body["id"]
            self.ended[parent] = (await api.get(parent, include_input="true")).body
        self.running = (await api.create(model="slow", input=WORDS, background=True)).body["id"]

    async def check(self, api: Api) -> None:
        """All of it is there, can be gone on with, and the run ends as it should."""
        for id, expected in self.ended.items():
            found = (await api.get(id, include_input="true")).body
            assert found == expected
            assert PICTURE in str(found)
        last = [*self.ended][-1]
        assert (await api.create(input="more", previous_interaction_id=last)).status == 200
        async with asyncio.timeout(40):
            ended = await api.ended(self.running)
        assert ended["status"] == "completed"
        assert WORDS in text_of(ended)


@asynccontextmanager
async def writing(api: Api) -> AsyncGenerator[set[str]]:
    """Others go on creating and deleting while the backup is taken; answers what they deleted."""
    deleted: set[str] = set()
    stopped = asyncio.Event()

    async def write(who: int) -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            data = base64.b64encode(os.urandom(100_000)).decode()
            image = {**IMAGE, "data": data}
            made = await api.create(input=[{"type": "text", "text": f"{who} {number}"}, image])
            assert made.status == 200
            if number % 2:
                assert (await api.delete(made.body["id"])).status == 200
                deleted.add(made.body["id"])

    tasks = [asyncio.create_task(write(who)) for who in range(3)]
    try:
        yield deleted
    finally:
        stopped.set()
        await asyncio.gather(*tasks)


async def every_one_can_be_read(api: Api, deleted: set[str]) -> int:
    """Reads everything the list shows, media too; how many there were. Those that were deleted
    while the backup was taken may be there without their media."""
    count, token = 0, {}
    while True:
        given = {"page_size": "100", **token}
        page = (await api.call("GET", "/v1/interactions", params=given)).body
        for one in page["interactions"]:
            answer = await api.get(one["id"], include_input="true")
            assert answer.status == 200 or (answer.status == 404 and one["id"] in deleted)
            count += 1
        if "next_page_token" not in page:
            return count
        token = {"page_token": page["next_page_token"]}


async def test_sqlite_is_copied_under_load_and_restored(tmp_path: Path):
    kept, live, new = Kept(), tmp_path / "live", tmp_path / "new"
    (tmp_path / "backup").mkdir()
    places = {"BACKUP": str(tmp_path / "backup")}
    async with serving(tmp_path / "one", "--data-dir", str(live)) as api:
        await kept.fill(api)
        async with writing(api) as deleted:
            await sh("backup: sqlite", DATA=str(live), **places)
    new.mkdir()
    (new / "interactions.db-wal").write_bytes(b"of another database")
    await sh("restore: sqlite", DATA=str(new), **places)
    async with serving(tmp_path / "two", "--data-dir", str(new)) as api:
        assert await every_one_can_be_read(api, deleted) > len(kept.ended)
        await kept.check(api)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with storage() as url:
        yield url


def copied(endpoint: str, bucket: str) -> str:
    """A copy of a bucket, as a provider's own tools would make it."""
    import boto3

    client: Any = boto3.client("s3", endpoint_url=endpoint)
    target = new_bucket(endpoint)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", ()):
            source = {"Bucket": bucket, "Key": item["Key"]}
            with suppress(client.exceptions.NoSuchKey):  # deleted since it was listed
                client.copy_object(Bucket=target, Key=item["Key"], CopySource=source)
    return target


async def test_postgresql_and_a_bucket_are_copied_under_load_and_restored(
    tmp_path: Path, postgres: Server, endpoint: str
):
    kept, bucket = Kept(), new_bucket(endpoint)
    live, new = postgres.new_database(), postgres.new_database()
    (tmp_path / "backup").mkdir()
    places = {"BACKUP": str(tmp_path / "backup")}
    where = f"s3://{{}}/media?endpoint={endpoint}"
    arguments = ("--data-dir", str(tmp_path / "data"), "--database")
    async with serving(tmp_path / "one", *arguments, live, blobs_url=where.format(bucket)) as api:
        await kept.fill(api)
        async with writing(api) as deleted:
            await sh("backup: postgresql", DATABASE=live, **places)
            copy = await asyncio.to_thread(copied, endpoint, bucket)
    await sh("restore: postgresql", DATABASE=new, **places)
    assert urlsplit(live).path != urlsplit(new).path
    async with serving(tmp_path / "two", *arguments, new, blobs_url=where.format(copy)) as api:
        await every_one_can_be_read(api, deleted)
        await kept.check(api)
