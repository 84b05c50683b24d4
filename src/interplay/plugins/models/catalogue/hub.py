"""A model file from a URL, resumed by ranges."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import aiohttp

from interplay.plugins.models.catalogue.entries import Hub
from interplay.plugins.models.catalogue.faults import NotTheModel, SourceFailed

_CUTS = 5
"""Cut connections without a byte gained that are taken before the source is given up."""
_CHUNK = 1024 * 1024


async def fetch_hub(source: Hub, size: int, to: Path, moved: Callable[[int], None]) -> Path:
    """Downloads into `to`, going on where an earlier download stopped; answers `to`.

    `moved` is called with the bytes there are. Raises SourceFailed; a host that does not
    answer is given up after five seconds.
    """
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=30)
    cuts = 0
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
        while True:
            have = await asyncio.to_thread(_usable, to, size)
            try:
                await _rest(session, source.url, size, to, have, moved)
                return to
            except (aiohttp.ClientConnectorError, aiohttp.InvalidURL) as error:
                raise SourceFailed(f"cannot be reached ({error}).") from error
            except (aiohttp.ClientError, TimeoutError) as error:
                cuts = 0 if _size(to) > have else cuts + 1
                if cuts >= _CUTS:
                    raise SourceFailed(f"broke off ({error or 'no data came'}).") from error
                await asyncio.sleep(0.2 * cuts)


async def _rest(
    session: aiohttp.ClientSession,
    url: str,
    size: int,
    to: Path,
    have: int,
    moved: Callable[[int], None],
) -> None:
    if have == size:
        return
    headers = {"Range": f"bytes={have}-"} if have else {}
    async with session.get(url, headers=headers) as answer:
        if answer.status not in (200, 206):
            raise SourceFailed(f"answered {answer.status} {answer.reason}.")
        if answer.status == 200:
            have = 0  # it does not do ranges: from the start
        if answer.content_length is not None and have + answer.content_length != size:
            raise NotTheModel(
                f"offers {have + answer.content_length} bytes where the model has {size}."
            )
        with to.open("ab" if have else "wb") as file:
            moved(have)
            async for chunk in answer.content.iter_chunked(_CHUNK):
                await asyncio.to_thread(file.write, chunk)
                have += len(chunk)
                moved(have)
    if have != size:
        raise aiohttp.ClientPayloadError(f"{have} of {size} bytes")


def _usable(path: Path, size: int) -> int:
    """Bytes to go on from; a file that is too long is no beginning of the model."""
    if _size(path) > size:
        path.unlink()
    return _size(path)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
