"""What media by `uri` and documents stand for: looked at when a request is admitted, put in when a
model is asked. What is stored keeps the reference."""

from __future__ import annotations

import asyncio
import binascii
import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import msgspec

from interplay.contracts.egress import EgressRefused, Guard
from interplay.contracts.failure import Failure
from interplay.contracts.model import ModelFacts
from interplay.contracts.shown import address, line, unnumbered
from interplay.files.faults import TooLarge
from interplay.files.rows import FileRow
from interplay.files.service import FileService, is_file
from interplay.files.sniff import UNKNOWN, sniff
from interplay.interactions.documents import Documents, Text, chosen, framed, shares
from interplay.interactions.failures import Rejected
from interplay.interactions.media import (
    MEDIA_KINDS,
    RESULTS,
    SPOKEN,
    MediaContent,
    blocks,
    field_of,
)
from interplay.interactions.recent import Recent
from interplay.interactions.sight import seen
from interplay.settings import Limits
from interplay.wire.content import DocumentContent, TextContent
from interplay.wire.steps import (
    Step,
)

_TUBE = re.compile(r"(?:.+\.)?(?:youtube\.com|youtube-nocookie\.com|youtu\.be)")
_DATA = re.compile(r"data:([^,;]*)(?:;[^,;]*)*?(;base64)?,(.*)", re.DOTALL)
_WHAT = {"image": "an image", "audio": "a recording", "video": "a video", "document": "a document"}
_FETCHED_AT_ONCE = 8
_MOST_NOTICES = 5


class Unobtainable(Failure):
    """A reference leads to nothing that can be given to a model."""

    code = "invalid_request"


class _Source(msgspec.Struct):
    """Where the bytes of a block come from."""

    key: str
    """The same for the same bytes."""
    load: Callable[[], Awaitable[tuple[bytes, str]]]
    """The bytes and what they are, "" where nobody knows."""
    mime_type: str = ""
    name: str = ""
    keeps: float | None = None
    """Seconds after which they may be others; None for never."""


class References:
    """Gives models what the references of a conversation mean."""

    def __init__(
        self, files: FileService, guard: Guard, documents: Documents, limits: Limits
    ) -> None:
        self._files, self._guard, self._documents = files, guard, documents
        self._limits = limits
        self._recent = Recent(limits.media_cache_bytes)
        self._client: Any = None
        self._places = asyncio.Semaphore(_FETCHED_AT_ONCE)

    async def check(
        self,
        media: Sequence[tuple[MediaContent, str]],
        owner: str,
        facts: ModelFacts | None,
    ) -> None:
        """Looks at every block of an input, given with its path: what a model with these facts
        would be given is fetched and read. Without facts, only that the reference leads somewhere.
        Raises Rejected with the path."""
        if not media:
            return
        checks = [asyncio.create_task(self._check(*one, owner, facts)) for one in media]
        try:
            for check in checks:
                await check
        finally:
            for check in checks:
                check.cancel()
            await asyncio.gather(*checks, return_exceptions=True)

    async def _check(
        self, block: MediaContent, path: str, owner: str, facts: ModelFacts | None
    ) -> None:
        at = f"{path}.uri" if block.uri is not None else path
        read = isinstance(block, DocumentContent) and facts and "document" not in facts.inputs
        if block.uri is None and not read:
            return
        try:
            source = await self._source(block, owner)
            if facts is None:
                return
            if isinstance(block, DocumentContent) and read:
                chosen(await self._text(source), block)
            elif _tag(block) in facts.inputs and not _as_it_is(block, facts):
                await self._data(source, block)
        except Failure as failure:
            said = f"{failure.message.rstrip('.')} at '{at}'."
            raise Rejected(failure.code, said, retry_after=failure.retry_after) from failure

    async def notices(self, steps: Sequence[Step], owner: str) -> list[str]:
        """What is to be told the caller of earlier turns: files they refer to that are gone."""
        found: dict[str, None] = {}
        for _, _, block in _media(steps):
            if block.uri is not None and is_file(block.uri) and block.uri not in found:
                if await self._files.find(block.uri, owner) is None:
                    found[block.uri] = None
                if len(found) == _MOST_NOTICES:
                    break
        return [
            f"the file {line(uri, 120)} of an earlier turn is gone, and the model is told so"
            for uri in found
            if uri.isascii()
        ]

    async def shown(self, steps: list[Step], owner: str, facts: ModelFacts) -> list[Step]:
        """The steps as a model with these facts is shown them: references replaced by what they
        mean, documents it does not take by their text, and what is gone or cannot be seen by words
        that say so. Steps that need no change are the same objects."""
        media = _media(steps)
        if not media:
            return steps
        new: dict[tuple[int, int], Any] = {}
        texts: list[tuple[tuple[int, int], Text, _Source]] = []
        for number, at, block in media:
            try:
                if isinstance(block, DocumentContent) and "document" not in facts.inputs:
                    source = await self._source(block, owner)
                    texts.append(((number, at), chosen(await self._text(source), block), source))
                elif block.uri is None or _tag(block) not in facts.inputs:
                    continue
                elif not _as_it_is(block, facts):
                    source = await self._source(block, owner)
                    data, mime = await self._data(source, block)
                    new[number, at] = msgspec.structs.replace(
                        block, data=data, mime_type=mime or None, uri=None
                    )
            except Failure as failure:
                new[number, at] = _gone(block, failure)
        parts = shares([len(text.whole) for _, text, _ in texts], self._characters(facts))
        for (place, text, source), share in zip(texts, parts, strict=True):
            new[place] = framed(text, source.mime_type, source.name, share)
        return seen(_replaced(steps, new) if new else steps, facts.inputs)

    def _characters(self, facts: ModelFacts) -> int:
        """Of all documents together: a bit more than a third of what the model can read, where
        that is known."""
        most = self._limits.document_characters
        if facts.context_tokens is not None:
            most = min(most, facts.context_tokens * 3 // 2)
        return most

    async def _source(self, block: MediaContent, owner: str) -> _Source:
        """Raises Unobtainable."""
        uri = block.uri
        if uri is None:
            return await _inline(block.data or "", block.mime_type or "")
        if is_file(uri):
            row = await self._files.find(uri, owner)
            if row is None:
                raise Unobtainable(
                    f"There is no file '{line(uri, 200)}': it was never uploaded, was deleted, has"
                    " expired, or belongs to another key",
                    code="not_found",
                )
            return self._file(row, block)
        if uri.startswith("data:"):
            found = _DATA.fullmatch(uri)
            if found is None:
                raise Unobtainable("This is no data: address")
            data = found[3] if found[2] else b64encode(unquote_to_bytes(found[3])).decode()
            return await _inline(data, block.mime_type or found[1])
        return self._address(uri, block)

    def _file(self, row: FileRow, block: MediaContent) -> _Source:
        kept, most = row.kept, self._limits.media_bytes
        if kept.size > most:
            raise Unobtainable(
                f"The file has {kept.size} bytes; as media of an interaction at most {most} are"
                " possible (limits.media_bytes)",
                code="payload_too_large",
            )

        async def load() -> tuple[bytes, str]:
            try:
                return await self._files.whole(row, most), kept.mime_type
            except TooLarge as error:
                raise Unobtainable(error.message, code=error.code) from error

        mime = block.mime_type or kept.mime_type
        return _Source(kept.sha256, load, mime, kept.display_name or f"files/{row.record.id}")

    def _address(self, uri: str, block: MediaContent) -> _Source:
        scheme = uri.partition(":")[0].lower()
        if scheme == "gs":
            raise Unobtainable(
                "Addresses of Google Cloud Storage (gs://) are not supported: upload the file with"
                " the Files API, or give an https address"
            )
        if scheme not in ("http", "https"):
            raise Unobtainable(
                f"The address '{line(uri, 200)}' is neither a file of this server nor http or https"
            )
        try:
            place = self._guard.check(uri)
        except EgressRefused as error:
            raise Unobtainable(str(error)) from error
        if _TUBE.fullmatch(place.host):
            raise Unobtainable("Videos of YouTube are not supported: upload the video as a file")

        async def load() -> tuple[bytes, str]:
            from interplay.interactions.media_client import MediaClient, Unfetched

            if self._client is None:
                limits = self._limits
                self._client = MediaClient(self._guard, limits.media_bytes, limits.media_seconds)
            try:
                async with self._places:
                    data, said = await self._client.get(place.url)
            except Unfetched as error:
                raise Unobtainable(f"{error} (fetched by this server)") from error
            known = sniff(data[:4096], urlsplit(place.url).path)
            plain = said.partition(";")[0].strip().lower()
            return data, plain if known == UNKNOWN or known.startswith("text/") else known

        name = place.url
        return _Source(
            place.url, load, block.mime_type or "", name, self._limits.media_keep_seconds
        )

    async def _text(self, source: _Source) -> Text:
        key = f"text {source.key} {source.mime_type}"
        known = self._recent.get(key)
        if known is None:
            data, mime = await source.load()
            source.mime_type = source.mime_type or mime
            known = await self._documents.read(data, source.mime_type), source.mime_type
            self._recent.put(key, known, len(known[0].whole), source.keeps)
        source.mime_type = known[1]
        return known[0]

    async def _data(self, source: _Source, block: MediaContent) -> tuple[str, str]:
        """Base64, and what it is. Raises Unobtainable for what is of another kind."""
        if block.data is not None:
            return block.data, source.mime_type
        known = self._recent.get(f"data {source.key}")
        if known is None:
            raw, mime = await source.load()
            known = (await asyncio.to_thread(b64encode, raw)).decode(), mime
            self._recent.put(f"data {source.key}", known, len(known[0]), source.keeps)
        data, mime = known[0], source.mime_type or known[1]
        for one in {mime, known[1]}:
            _check_kind(_tag(block), one)
        return data, mime

    async def close(self) -> None:
        """Lets go of connections and processes."""
        if self._client is not None:
            await self._client.close()
        await self._documents.close()


async def _inline(data: str, mime_type: str) -> _Source:
    async def load() -> tuple[bytes, str]:
        try:
            return await asyncio.to_thread(_decoded, data), mime_type
        except (binascii.Error, ValueError) as error:
            raise Unobtainable("'data' is not base64") from error

    return _Source(await asyncio.to_thread(_digest, data), load, mime_type)


def _digest(data: str) -> str:
    return hashlib.sha256(data.encode()).hexdigest()


def _decoded(data: str) -> bytes:
    plain = data.translate({ord("-"): "+", ord("_"): "/", ord("\n"): None, ord("\r"): None})
    return b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def _media(steps: Sequence[Step]) -> list[tuple[int, int, MediaContent]]:
    """Media with the numbers of their steps and blocks. Conversations are long, media rare."""
    found: list[tuple[int, int, MediaContent]] = []
    for number, step in enumerate(steps):
        kind = step.__class__
        if kind in SPOKEN:
            spoken: Any = step
            held: list[Any] | None = spoken.content
        elif kind in RESULTS:
            held = blocks(step)
        else:
            continue
        if not held:
            continue
        for at, block in enumerate(held):
            if block.__class__ in MEDIA_KINDS:
                found.append((number, at, block))
    return found


def _replaced(steps: Sequence[Step], new: dict[tuple[int, int], Any]) -> list[Step]:
    found = list(steps)
    for (number, at), block in new.items():
        step = found[number]
        held = list(blocks(step))
        held[at] = block
        found[number] = msgspec.structs.replace(step, **{field_of(step) or "": held})
    return found


def _as_it_is(block: MediaContent, facts: ModelFacts) -> bool:
    """Whether a model takes the address itself."""
    return (
        facts.uris
        and (block.uri or "").lower().startswith(("http://", "https://"))
        and not (is_file(block.uri or ""))
    )


def _check_kind(kind: str, mime_type: str) -> None:
    """Raises Unobtainable for what is certainly of another kind."""
    main = mime_type.lower().partition("/")[0]
    if kind == "document":
        fits = main not in ("image", "audio", "video")
    else:
        fits = main == kind or (kind != "image" and main in ("audio", "video"))
        fits = fits or mime_type in ("", UNKNOWN, "application/ogg", "application/mp4")
    if not fits:
        raise Unobtainable(f"It is of the type {line(mime_type, 80)}, and not {_WHAT[kind]}")


def _gone(block: MediaContent, failure: Failure) -> TextContent:
    where = f" ({address(line(block.uri, 200))})" if block.uri else ""
    why = unnumbered(line(failure.message.rstrip("."), 400))
    if failure.code == "not_found" and is_file(block.uri or ""):
        why = "the file has expired or was deleted"
    return TextContent(f"[Here was {_WHAT[_tag(block)]}{where} that cannot be shown: {why}.]")


def _tag(block: MediaContent) -> str:
    return str(block.__struct_config__.tag)
