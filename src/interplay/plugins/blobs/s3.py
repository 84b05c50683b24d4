"""Blobs in S3-compatible storage, one object each, named by its digest."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlsplit

from interplay.contracts.failure import NotInstalled
from interplay.contracts.store import StoreAway, StoreFull, StoreUnusable

if TYPE_CHECKING:
    from obstore.store import S3Store

log = logging.getLogger("interplay.blobs")

_NAME = re.compile(r"[0-9a-f]{64}")
_FRESH = 600.0
"""An object this young (seconds) is not written again when the same bytes are put."""
_RETRY_SECONDS, _RETRIES = 10, 10
_CONNECT_SECONDS = 3
_IN_THREAD = 256 * 1024
"""Bytes that are hashed beside the event loop from this size on."""
_FULL = re.compile(r"status code: 507|<Code>\w*(Quota|StorageFull|InsufficientStorage|TooMany)")
_PREFIX = re.compile(r"(?!\.)[\w.-]+(/(?!\.)[\w.-]+)*", re.ASCII)
_FORM = "s3://bucket/prefix?endpoint=https://...&region=..."
_T = TypeVar("_T")


class _Place(NamedTuple):
    bucket: str
    prefix: str
    options: dict[str, str]


class S3Blobs:
    """Objects `prefix/<sha256>` of a bucket, which must be there already.

    `where` is s3://bucket/prefix with options behind a question mark: `endpoint` (else AWS),
    `region`, `timeout` (seconds of one request, 30), `style` (path, or virtual for a bucket in
    the host name; path is the default with an endpoint). Keys come from AWS_ACCESS_KEY_ID and
    AWS_SECRET_ACCESS_KEY, or from what else the environment offers (a role, a web identity).

    A request that fails is made again for ten seconds, or `timeout` if that is less. Clocks of
    all machines and of the storage must agree to a few minutes. `durability` means nothing here: an
    answered put is durable. Raises StoreUnusable for a `where` it cannot use, and NotInstalled.
    """

    def __init__(self, where: str, *, durability: Literal["normal", "full"] = "normal") -> None:
        place = _parsed(where)
        self._where = f"s3://{place.bucket}/{place.prefix}"
        self._prefix = place.prefix
        self._s3 = _client(place)

    async def put(self, data: bytes) -> str:
        """Stores bytes and answers their SHA-256 in hex. Raises StoreFull, StoreAway."""
        if len(data) < _IN_THREAD:
            sha256 = hashlib.sha256(data).hexdigest()
        else:
            sha256 = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        if await self._age(sha256) > _FRESH:
            # Also over an older one: its age must tell a sweep that it is wanted again.
            path = self._path(sha256)
            await self._reached(self._s3.put_async(path, data, use_multipart=False))
        return sha256

    async def get(self, sha256: str) -> bytes:
        """The bytes; raises KeyError when they are not there, StoreAway."""

        async def read() -> bytes:
            found = await self._s3.get_async(self._path(sha256))
            return bytes(await found.bytes_async())

        try:
            return await self._reached(read())
        except FileNotFoundError:
            raise KeyError(sha256) from None

    async def remove(self, sha256: str, *, idle: float = 0.0) -> None:
        """Removes the bytes, unless they were put within the last `idle` seconds; silent when
        they are not there. With `idle`, objects stay ten minutes longer: a put of the same bytes
        does not make an object younger before that. Raises StoreAway."""
        if not _NAME.fullmatch(sha256):
            return
        if idle and await self._age(sha256) <= idle + _FRESH:
            return
        with suppress(FileNotFoundError):
            await self._reached(self._s3.delete_async(self._path(sha256)))

    async def names(self, *, idle: float = 0.0) -> list[str]:
        """Every SHA-256 there is; with `idle`, those `remove` would take. Raises StoreAway."""
        newest = time.time() - idle - _FRESH
        prefix = f"{self._prefix}/" if self._prefix else None

        async def read() -> list[str]:
            names: list[str] = []
            pages = self._s3.list(prefix, chunk_size=1_000)  # pyright: ignore[reportUnknownMemberType]
            async for page in pages:
                for item in page:
                    name = item["path"].rpartition("/")[2]
                    if not _NAME.fullmatch(name) or item["path"] != self._path(name):
                        continue
                    if not idle or item["last_modified"].timestamp() < newest:
                        names.append(name)
            return names

        return await self._reached(read())

    async def _age(self, sha256: str) -> float:
        """Seconds since an object was written; infinite when there is none."""
        try:
            head = await self._reached(self._s3.head_async(self._path(sha256)))
        except FileNotFoundError:
            return float("inf")
        return time.time() - head["last_modified"].timestamp()

    def _path(self, sha256: str) -> str:
        if not _NAME.fullmatch(sha256):
            raise KeyError(sha256)
        return f"{self._prefix}/{sha256}" if self._prefix else sha256

    async def _reached(self, call: Awaitable[_T]) -> _T:
        """What a call answers; its failures as ours. FileNotFoundError is an object not there."""
        from obstore.exceptions import BaseError

        try:
            return await call
        except (BaseError, FileNotFoundError) as error:
            said = str(error)
            if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in said:
                raise
            # The caller is told no address; the log is.
            log.warning("%s: %s", self._where, said.partition("\n\nDebug source")[0][:1_000])
            if _FULL.search(said):
                raise StoreFull("The storage of media is full.") from error
            raise StoreAway(f"The storage of media {_trouble(error, said)}.") from error


def _parsed(where: str) -> _Place:
    parts = urlsplit(where)
    options = dict(parse_qsl(parts.query))
    unknown = set(options) - {"endpoint", "region", "timeout", "style"}
    if parts.scheme != "s3" or not parts.netloc or unknown or "@" in parts.netloc:
        reason = f"it knows no '{min(unknown)}'" if unknown else "it is not of this form"
        raise StoreUnusable(f"blobs_url: {reason}; write {_FORM}, keys in AWS_ACCESS_KEY_ID.")
    if options.get("style", "path") not in ("path", "virtual"):
        raise StoreUnusable("blobs_url: style is path or virtual.")
    try:
        if float(options.get("timeout", "30")) <= 0:
            raise ValueError
    except ValueError:
        raise StoreUnusable("blobs_url: timeout is a number of seconds above 0.") from None
    prefix = parts.path.strip("/")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise StoreUnusable("blobs_url: the prefix is made of letters, digits and - _ . / only.")
    return _Place(parts.netloc, prefix, options)


def _client(place: _Place) -> S3Store:
    try:
        from obstore.store import S3Store
    except ImportError as error:
        raise NotInstalled("Media in S3 need the extra s3: pip install 'interplay[s3]'.") from error
    options = place.options
    timeout = float(options.get("timeout", "30"))
    endpoint = options.get("endpoint")
    # Without a region the environment's counts (AWS_REGION, AWS_DEFAULT_REGION).
    given: dict[str, Any] = {
        name: options[name] for name in ("endpoint", "region") if name in options
    }
    return S3Store(
        place.bucket,
        virtual_hosted_style_request=options.get("style", "path" if endpoint else "virtual")
        == "virtual",
        disable_bulk_delete=True,
        client_options={
            "allow_http": endpoint is not None and endpoint.startswith("http://"),
            "timeout": timedelta(seconds=timeout),
            "connect_timeout": timedelta(seconds=min(timeout, _CONNECT_SECONDS)),
        },
        retry_config={
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=min(timeout, _RETRY_SECONDS)),
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=2),
            },
        },
        **given,
    )


def _trouble(error: Exception, said: str) -> str:
    from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

    if "NoSuchBucket" in said:
        return "has no such bucket"
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return "refuses this server's keys"
    return "cannot be reached or does not answer"
