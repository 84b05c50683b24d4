"""News of interactions that change in another process, or in another part of this one."""

from __future__ import annotations

import asyncio


class Changes:
    """Those who wait for news of one interaction. News is a hint: look into the store then."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}

    def expect(self, id: str) -> asyncio.Future[None]:
        """Resolves at the next news of this interaction. Expect first, then look."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(id, []).append(future)
        return future

    def tell(self, id: str | None) -> None:
        """There may be something new about this interaction; None: about any."""
        if not self._waiting:
            return
        ids = list(self._waiting) if id is None else [id]
        for one in ids:
            for future in self._waiting.pop(one, ()):
                if not future.done():
                    future.set_result(None)

    async def wait(self, news: asyncio.Future[None], id: str, seconds: float) -> None:
        """Returns when the news is there, or when so much time has passed."""
        await asyncio.wait([news], timeout=seconds)
        if not news.done():
            news.cancel()
            left = [one for one in self._waiting.get(id, ()) if one is not news]
            if left:
                self._waiting[id] = left
            else:
                self._waiting.pop(id, None)
