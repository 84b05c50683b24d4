"""DELETE, store=false, retention: nothing stays that should not."""

from __future__ import annotations

import base64
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from interplay.testing.scripted_model import ScriptedModel
from tests.api.api import requirement

SECRET = "xylophone-marmalade-7719"


def traces(folder: Path, needle: bytes) -> list[str]:
    """Files under a folder that hold these bytes."""
    return [str(p) for p in folder.rglob("*") if p.is_file() and needle in p.read_bytes()]


@requirement("delete:gone")
async def test_a_deleted_interaction_is_gone_for_every_call(opened: Any) -> None:
    api = await opened("one")
    id = (await api.create(input="x")).body["id"]
    answer = await api.delete(id)
    assert (answer.status, answer.body) == (200, {})
    assert (await api.get(id)).status == 404
    assert (await api.get(id, stream="true")).status == 404
    assert (await api.cancel(id)).status == 404
    assert (await api.delete(id)).status == 404
    assert (await api.call("GET", "/v1/interactions")).body["interactions"] == []


@requirement("delete:every-trace")
async def test_delete_leaves_no_trace_on_the_disk(house: Any) -> None:
    image = bytes(range(256)) * 1024
    async with AsyncExitStack() as stack:
        _, api = await house.start(models={"m": ScriptedModel.of(f"{SECRET} out")}, stack=stack)
        body = {"type": "image", "mime_type": "image/png", "data": base64.b64encode(image).decode()}
        text = {"type": "text", "text": f"{SECRET} in"}
        id = (await api.create(input=[text, body])).body["id"]
        assert traces(house.folder, image)
        assert (await api.delete(id)).status == 200
        assert not traces(house.folder, image)
    assert not traces(house.folder, SECRET.encode())


@requirement("delete:running")
async def test_deleting_a_running_interaction_stops_it(opened: Any, house: Any) -> None:
    api = await opened({"chunks": ["a ", {"hold": "h"}, "b"]})
    id = (await api.create(input="x", background=True)).body["id"]
    await house.model.gate("h").reached()
    assert (await api.delete(id)).status == 200
    await house.model.abandoned()
    assert (await api.get(id)).status == 404


@requirement("store:false")
@pytest.mark.parametrize("stream", [False, True])
async def test_store_false_leaves_nothing_on_the_disk(house: Any, stream: bool) -> None:
    async with AsyncExitStack() as stack:
        _, api = await house.start(models={"m": ScriptedModel.of(f"{SECRET} out")}, stack=stack)
        if stream:
            events = await api.stream(input=f"{SECRET} in", store=False)
            id = events[0]["interaction"]["id"]
        else:
            id = (await api.create(input=f"{SECRET} in", store=False)).body["id"]
        assert (await api.get(id)).status == 404
        assert (await api.call("GET", "/v1/interactions")).body["interactions"] == []
    assert not traces(house.folder, SECRET.encode())


@requirement("retention")
async def test_what_has_expired_is_not_there_and_is_swept(house: Any) -> None:
    async with AsyncExitStack() as stack:
        _, api = await house.start(
            models={"m": ScriptedModel.of(f"{SECRET} out")},
            stack=stack,
            retention_days=0.5 / 86_400,
        )
        id = (await api.create(input="x")).body["id"]
    server, api = await house.start(models={"m": ScriptedModel.of()}, retention_days=1.0)
    import time

    from interplay.interactions.retention import Retention

    parts = server.app.assembly
    sweeper = Retention(parts.store, parts.media, parts.history, parts.retries)
    assert await sweeper.sweep(time.time() + 10) == 1
    assert (await api.get(id)).status == 404


async def test_blobs_without_a_row_are_swept(opened: Any, house: Any) -> None:
    import os
    import time

    from interplay.interactions.retention import Retention

    api = await opened()
    data = base64.b64encode(b"kept" * 50_000).decode()
    picture = {"type": "image", "mime_type": "image/png", "data": data}
    id = (await api.create(input=[picture])).body["id"]
    parts = house.server.app.assembly
    folder = house.folder / "data" / "blobs"
    lost = folder / "aa" / "bb" / ("aabb" + "0" * 60)
    torn = folder / "aa" / "bb" / "arriving-1"
    lost.parent.mkdir(parents=True)
    for path in (lost, torn):
        path.write_bytes(b"x")
        os.utime(path, (time.time() - 7200,) * 2)
    sweeper = Retention(parts.store, parts.media, parts.history, parts.retries)
    assert await sweeper.sweep_blobs() == 1
    assert not lost.exists()
    assert not torn.exists()
    assert (await api.get(id)).body["steps"][0]["content"][0] == picture


@requirement("media:blobs")
async def test_large_media_come_back_as_they_went_in_and_are_kept_once(
    opened: Any, house: Any
) -> None:
    data = base64.b64encode(b"\x00\x01pixels" * 20_000).decode()
    picture = {"type": "image", "mime_type": "image/png", "data": data}
    api = await opened()
    ids = [
        (await api.create(input=[{"type": "text", "text": "see"}, picture])).body["id"]
        for _ in range(3)
    ]
    blobs = [p for p in (house.folder / "data" / "blobs").rglob("*") if p.is_file()]
    assert len(blobs) == 1
    for id in ids:
        assert (await api.get(id)).body["steps"][0]["content"][1] == picture
    await api.create(input="again", previous_interaction_id=ids[0])
    assert house.model.turns[-1].steps[0].content[1].data == data
    for id in ids[:2]:
        await api.delete(id)
    assert (await api.get(ids[2])).body["steps"][0]["content"][1] == picture
    await api.delete(ids[2])
    assert not blobs[0].exists()
