"""Servers that answer the same, asked one after the other; what they said is kept for a while."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, TypeVar

from interplay.contracts.failure import Failure, Refused
from interplay.contracts.web_service import WebService
from interplay.plugins.tools.google_maps.config import Config

_T = TypeVar("_T")


class Kept:
    """Answers by what was asked; the oldest make room."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._held: OrderedDict[Any, tuple[float, Any]] = OrderedDict()

    def get(self, key: Any) -> Any:
        """What is kept; None when there is nothing, or it is too old."""
        until, answer = self._held.get(key, (0.0, None))
        return answer if time.monotonic() < until else None

    def put(self, key: Any, answer: Any) -> None:
        """Keeps an answer that nobody will change."""
        if self._seconds:
            self._held.pop(key, None)
            self._held[key] = time.monotonic() + self._seconds, answer
            if len(self._held) > self._most:
                self._held.popitem(last=False)


class Mirrors:
    """The servers of one kind of service. `told` as for WebService."""

    def __init__(
        self,
        name: str,
        urls: str | list[str],
        config: Config,
        kept: Kept,
        told: Mapping[int, str] | None = None,
    ) -> None:
        self._name, self._kept = name, kept
        self._headers = {"user-agent": config.user_agent}
        if config.language:
            self._headers["accept-language"] = config.language
        self._services = [
            WebService(
                name,
                url,
                seconds=config.seconds,
                answer_bytes=config.answer_bytes,
                pace=config.pace,
                told=told,
            )
            for url in ([urls] if isinstance(urls, str) else urls)
            if url
        ]

    def __bool__(self) -> bool:
        return bool(self._services)

    async def ask(self, path: str, kind: type[_T], params: Mapping[str, str]) -> _T:
        """The first answer there is. Raises the failure of the first server when none answers."""
        key = self._name, path, *sorted(params.items())
        if (held := self._kept.get(key)) is not None:
            return held
        failure: Failure | None = None
        for service in self._services:
            try:
                answer = await service.ask(path, kind, params=params, headers=self._headers)
                check(answer)
            except Failure as given:
                failure = failure or given
                continue
            self._kept.put(key, answer)
            return answer
        raise failure or Refused(f"No {self._name} is configured.")

    async def close(self) -> None:
        """Lets go of connections."""
        for service in self._services:
            await service.close()


def check(answer: Any) -> None:
    """Raises what an answer itself says is wrong with it, where it can say so."""
    if (fault := getattr(answer, "fault", None)) is not None and (failure := fault()) is not None:
        raise failure
