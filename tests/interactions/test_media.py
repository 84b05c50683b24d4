"""Media: large ones lie as blobs, and come back as they came."""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interplay.contracts.store import StoreAway, StoreFull
from interplay.interactions.media import Media, MediaGone
from interplay.plugins.blobs.files import FileBlobs
from interplay.wire.content import ImageContent, TextContent
from interplay.wire.steps import FunctionResultStep, ModelOutputStep, Step, UserInputStep


class SlowBlobs(FileBlobs):
    """Blobs that wait before each put, and may be full."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.gate = asyncio.Event()
        self.full_after = 1000

    async def put(self, data: bytes) -> str:
        await self.gate.wait()
        self.full_after -= 1
        if self.full_after < 0:
            raise StoreFull("full")
        return await super().put(data)


def image(data: bytes) -> ImageContent:
    return ImageContent(data=b64encode(data).decode(), mime_type="image/png")


def steps_of(*pictures: bytes) -> list[Step]:
    return [
        UserInputStep([TextContent("x"), *map(image, pictures)]),
        FunctionResultStep("c", [image(p) for p in pictures]),
    ]


@settings(max_examples=30, deadline=None)
@given(pictures=st.lists(st.binary(max_size=60), max_size=4))
def test_what_is_kept_comes_back_as_it_came(tmp_path_factory: Any, pictures: list[bytes]) -> None:
    async def there_and_back() -> None:
        media = Media(FileBlobs(tmp_path_factory.mktemp("blobs")), 16)
        steps = steps_of(*pictures)
        raw, names = await media.keep(steps)
        assert steps == steps_of(*pictures)
        assert await media.steps(raw) == steps
        assert len(names) == len({p for p in pictures if len(b64encode(p)) * 3 // 4 > 16})
        media.release(names)
        assert not media._arriving

    asyncio.run(there_and_back())


async def test_steps_are_whole_for_others_while_their_media_are_stored(tmp_path: Path) -> None:
    blobs = SlowBlobs(tmp_path)
    media = Media(blobs, 16)
    steps = steps_of(b"x" * 100, b"y" * 100)
    keeping = asyncio.create_task(media.keep(steps))
    for _ in range(50):
        await asyncio.sleep(0)
        assert steps == steps_of(b"x" * 100, b"y" * 100)
    blobs.gate.set()
    while not keeping.done():
        assert steps == steps_of(b"x" * 100, b"y" * 100)
        await asyncio.sleep(0)
    raw, _ = keeping.result()
    assert b"blob:sha256:" in raw


async def test_a_put_that_fails_leaves_nothing_marked_as_arriving(tmp_path: Path) -> None:
    blobs = SlowBlobs(tmp_path)
    blobs.gate.set()
    blobs.full_after = 1
    media = Media(blobs, 16)
    steps = steps_of(b"x" * 100, b"y" * 100)
    with pytest.raises(StoreFull):
        await media.keep(steps)
    assert not media._arriving
    assert steps == steps_of(b"x" * 100, b"y" * 100)


async def test_a_blob_that_arrives_again_is_not_removed(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path)
    media = Media(blobs, 16)
    _, names = await media.keep([ModelOutputStep([image(b"x" * 100)])])
    await media.forget(names)
    assert await blobs.names() == names
    media.release(names)
    await media.forget(names)
    assert await blobs.names() == []


async def test_a_blob_another_process_may_have_put_just_now_stays(tmp_path: Path) -> None:
    ours, theirs = (Media(FileBlobs(tmp_path), 16, idle=60) for _ in range(2))
    _, names = await ours.keep([ModelOutputStep([image(b"x" * 100)])])
    ours.release(names)
    await theirs.keep([ModelOutputStep([image(b"x" * 100)])])
    await ours.forget(names)  # the last row here is deleted; theirs is on the way
    assert await FileBlobs(tmp_path).names() == names
    os.utime(tmp_path / names[0][:2] / names[0][2:4] / names[0], (0, 0))
    await ours.forget(names)
    assert await FileBlobs(tmp_path).names() == []


async def test_blobs_that_cannot_be_removed_now_do_not_stop_a_deletion(tmp_path: Path) -> None:
    class Away(FileBlobs):
        away = True

        async def remove(self, sha256: str, *, idle: float = 0.0) -> None:
            if self.away:
                raise StoreAway("not now")
            await super().remove(sha256, idle=idle)

    blobs = Away(tmp_path)
    media = Media(blobs, 16)
    _, names = await media.keep([ModelOutputStep([image(b"x" * 100)])])
    media.release(names)
    await media.forget(names)
    assert await media.names(0) == names
    blobs.away = False
    await media.forget(names)
    assert await media.names(0) == []


async def test_media_that_are_lost_are_told_and_are_no_mistake_of_the_server(
    tmp_path: Path,
) -> None:
    media = Media(FileBlobs(tmp_path), 16)
    raw, names = await media.keep([ModelOutputStep([image(b"x" * 100)])])
    await FileBlobs(tmp_path).remove(names[0])
    with pytest.raises(MediaGone, match="not there any more") as gone:
        await media.steps(raw)
    assert gone.value.code == "not_found"


async def test_data_in_another_form_stays_as_it_is(tmp_path: Path) -> None:
    media = Media(FileBlobs(tmp_path), 16)
    urlsafe = "-_-_" * 20
    raw, names = await media.keep([UserInputStep([ImageContent(data=urlsafe)])])
    assert names == []
    assert urlsafe.encode() in raw


async def test_a_blob_that_arrives_while_it_is_removed_is_there_afterwards(tmp_path: Path) -> None:
    class SlowRemoval(FileBlobs):
        gate = asyncio.Event()

        async def remove(self, sha256: str, *, idle: float = 0.0) -> None:
            await self.gate.wait()
            await super().remove(sha256, idle=idle)

    blobs = SlowRemoval(tmp_path)
    media = Media(blobs, 16)
    steps: list[Step] = [ModelOutputStep([image(b"x" * 100)])]
    raw, names = await media.keep(steps)
    media.release(names)
    leaving = asyncio.create_task(media.forget(names))
    await asyncio.sleep(0)
    arriving = asyncio.create_task(media.keep(steps))
    await asyncio.wait([arriving], timeout=0.05)
    blobs.gate.set()
    await asyncio.gather(leaving, arriving)
    assert await media.steps(raw) == steps
