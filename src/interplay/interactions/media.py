"""Media in steps: large ones lie as blobs beside the store, and come back when read."""

from __future__ import annotations

import asyncio
import binascii
import hashlib
import logging
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from interplay.contracts.blobs import Blobs
from interplay.contracts.failure import Failure
from interplay.contracts.store import StoreUnavailable
from interplay.wire.content import AudioContent, DocumentContent, ImageContent, VideoContent
from interplay.wire.steps import (
    CodeExecutionResultStep,
    FunctionResultStep,
    MCPServerToolResultStep,
    ModelOutputStep,
    Step,
    ThoughtStep,
    UserInputStep,
)

log = logging.getLogger("interplay.media")

MediaContent = ImageContent | AudioContent | DocumentContent | VideoContent
MEDIA_KINDS = frozenset((ImageContent, AudioContent, DocumentContent, VideoContent))
# Tuples, made once: a union in isinstance is made anew at each call.
SPOKEN = (UserInputStep, ModelOutputStep)
RESULTS = (FunctionResultStep, MCPServerToolResultStep, CodeExecutionResultStep)
_MARK = "blob:sha256:"  # a colon is no base64 character: no caller's data can look like this
_RAW_MARK = b'"data":"blob:sha256:'
_decode_steps = msgspec.json.Decoder(list[Step]).decode


def blocks(step: Step) -> list[Any]:
    """The content blocks of a step, whatever field they stand in."""
    if isinstance(step, SPOKEN):
        return step.content or []
    if isinstance(step, ThoughtStep):
        return step.summary or []
    if isinstance(step, RESULTS):
        return step.result if isinstance(step.result, list) else []
    return []


def field_of(step: Step) -> str | None:
    """The field that holds a step's content blocks; None where it has none."""
    if isinstance(step, SPOKEN):
        return "content"
    if isinstance(step, ThoughtStep):
        return "summary"
    return "result" if isinstance(step, RESULTS) else None


def media_in(steps: list[Step]) -> Iterator[MediaContent]:
    """Every media block of these steps."""
    for step in steps:
        for block in blocks(step):
            if isinstance(block, MediaContent):
                yield block


_THREAD_CHARACTERS = 1024 * 1024


def _read(data: str) -> tuple[bytes, str] | None:
    """The bytes of base64 and their SHA-256; None for what is to stay where it is, because it
    would not come out again as it went in."""
    try:
        raw = b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
    if b64encode(raw).decode() != data:
        return None
    return raw, hashlib.sha256(raw).hexdigest()


class MediaGone(Failure):
    """Stored steps refer to media that are nowhere."""

    code = "not_found"


class Media:
    """Moves media between steps and blobs.

    Where other processes use the same blobs, `idle` says how many seconds a blob stays after it
    was put, though nobody refers to it: their row may be on the way.
    """

    def __init__(self, blobs: Blobs, threshold: int, *, idle: float = 0.0) -> None:
        self._blobs, self._threshold, self._idle = blobs, threshold, idle
        self._arriving: Counter[str] = Counter()
        self._leaving: dict[str, asyncio.Event] = {}

    async def keep(self, steps: list[Step]) -> tuple[bytes, list[str]]:
        """JSON of the steps with media over the threshold replaced by references, and those
        blobs. The blobs count as arriving until `release`. Raises StoreFull."""
        names: list[str] = []
        found: list[tuple[MediaContent, str, str]] = []
        try:
            for block in media_in(steps):
                data = block.data
                if data is None or len(data) * 3 // 4 <= self._threshold:
                    continue
                if len(data) > _THREAD_CHARACTERS:  # a film must not hold up everyone's events
                    read = await asyncio.to_thread(_read, data)
                else:
                    read = _read(data)
                if read is None:
                    continue
                raw, name = read
                if name not in names:
                    # Counted before the bytes are there: the delete of their last owner must
                    # not take them away again.
                    self._arriving[name] += 1
                    names.append(name)
                    while name in self._leaving:
                        await self._leaving[name].wait()
                    await self._blobs.put(raw)
                found.append((block, name, data))
        except BaseException:
            self.release(names)
            raise
        # Others read these steps meanwhile: nothing is awaited while the references stand in them.
        try:
            for block, name, _ in found:
                block.data = _MARK + name
            return msgspec.json.encode(steps), names
        finally:
            for block, _, data in found:
                block.data = data

    def release(self, names: list[str]) -> None:
        """The row that refers to these blobs is stored (or has failed)."""
        for name in names:
            self._arriving[name] -= 1
            if self._arriving[name] <= 0:
                del self._arriving[name]

    async def forget(self, names: list[str], *, idle: float | None = None) -> None:
        """Removes blobs nobody refers to, unless they are just arriving again, or were put
        within the last `idle` seconds (this media's own, when None). Those that cannot be removed
        just now are left to the sweep."""
        for name in names:
            if name in self._arriving or name in self._leaving:
                continue
            gone = self._leaving[name] = asyncio.Event()
            try:
                await self._blobs.remove(name, idle=self._idle if idle is None else idle)
            except StoreUnavailable as error:
                log.warning("blob %s stays for now: %s", name, error)
            finally:
                del self._leaving[name]
                gone.set()

    async def names(self, idle: float) -> list[str]:
        """Every blob that was not put within the last `idle` seconds."""
        return await self._blobs.names(idle=idle)

    async def steps(self, raw: bytes) -> list[Step]:
        """Stored steps as structs, media put back. Raises MediaGone."""
        steps = _decode_steps(raw)
        if _RAW_MARK in raw:
            for block in media_in(steps):
                if block.data is not None and block.data.startswith(_MARK):
                    data = await self._blob(block.data.removeprefix(_MARK))
                    block.data = b64encode(data).decode()
        return steps

    async def _blob(self, name: str) -> bytes:
        try:
            return await self._blobs.get(name)
        except KeyError:
            raise MediaGone(
                "Media of this interaction are not there any more: it was deleted while a backup"
                " was taken, or the blobs were lost."
            ) from None

    async def json(self, raw: bytes) -> bytes:
        """Stored steps as JSON, media put back; the bytes themselves where there are none."""
        return msgspec.json.encode(await self.steps(raw)) if _RAW_MARK in raw else raw

    def refers(self, *raws: bytes) -> bool:
        """Whether stored steps refer to blobs."""
        return any(_RAW_MARK in raw for raw in raws)
