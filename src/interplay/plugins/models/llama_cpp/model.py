"""The embedded model: one turn in, a stream of pieces out."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import ClassVar

import msgspec

from interplay.contracts.failure import Failure, NotInstalled, Refused, Unavailable
from interplay.contracts.model import ModelFacts, Piece, Turn
from interplay.plugins.models import catalogue
from interplay.plugins.models.llama_cpp.runtime import Fit, Runtime, Share, useless
from interplay.plugins.models.llama_cpp.turns import Writer


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a model entry with `backend = "llama_cpp"` may say."""

    model: str = next(iter(catalogue.ENTRIES))
    """A name of the catalogue, or the path of a .gguf file."""
    cache_dir: str | None = None
    """Where pulled models lie; None takes ~/.cache/interplay."""
    context_tokens: int = 8_192
    """Tokens of one turn, input and output together; memory grows with it."""
    threads: int | None = None
    """Processor threads; None takes all cores but one. More than are idle slows it down."""
    parallel: int = 1
    """Turns under way at a time. On a few cores turns end sooner one after the other."""
    queue: int = 64
    """Turns waiting; one more is answered with too_many_requests."""
    seed: int | None = None
    """For turns that bring none; None draws one each time."""
    pull: bool = False
    """Fetch the model when it is not here."""
    timeout: float = 1_800.0
    """Seconds one turn may take once its work has begun."""


class LlamaCpp:
    """A GGUF file, run on this machine by a process of its own.

    Entries with the same file and the same limits share one loaded model.
    """

    Config: ClassVar[type[msgspec.Struct]] = Config

    def __init__(self, config: Config | None = None):
        self._config = config or Config()
        self._entry = catalogue.ENTRIES.get(self._config.model)
        if self._entry is None and not self._config.model.endswith(".gguf"):
            catalogue.find(self._config.model)
        if self._entry is not None and self._entry.kind != "gguf":
            raise Refused(
                f"'{self._entry.name}' is no model that answers; it is for search stores."
            )
        trained = self._entry.context_tokens if self._entry else self._config.context_tokens
        self._context = min(self._config.context_tokens, trained)
        self.facts = ModelFacts(
            functions=True, schema=True, prefill=True, context_tokens=self._context
        )
        self._doing: str | None = None
        self._share: Share | None = None
        self._loading: asyncio.Task[Runtime] | None = None

    async def open(self) -> None:
        """Starts loading and returns; what goes wrong is told by the first turn."""
        self._load()

    async def close(self) -> None:
        """Stops what runs; the memory is freed when no other entry shares the model."""
        if self._loading is not None:
            self._loading.cancel()
            with contextlib.suppress(asyncio.CancelledError, Failure):
                await self._loading
            self._loading = None
        if self._share is not None:
            share, self._share = self._share, None
            await share.release()

    def doing(self) -> str | None:
        """ "loading qwen2.5-coder-1.5b" while it is; None when ready."""
        return self._doing

    async def stream(self, turn: Turn) -> AsyncGenerator[Piece]:
        """Runs one turn. Raises Failure: NotInstalled with the command to run, Busy, TimedOut,
        Unavailable, or Refused for what this model cannot take."""
        bias = self._entry.answer_bias if self._entry else 0.0
        writer = Writer(turn, self._config.seed, answer_bias=bias)
        runtime = await asyncio.shield(self._load())
        async with runtime.slot() as slot:
            deadline = asyncio.get_running_loop().time() + self._config.timeout
            async with contextlib.aclosing(writer.write(slot, deadline)) as pieces:
                async for piece in pieces:
                    yield piece

    def _load(self) -> asyncio.Task[Runtime]:
        """The load under way or done; a new one when it failed or the process has died."""
        if self._loading is None or useless(self._loading):
            self._doing = f"loading {self._config.model}"
            self._loading = asyncio.create_task(self._loaded())
            self._loading.add_done_callback(self._settled)
        return self._loading

    def _settled(self, loading: asyncio.Task[Runtime]) -> None:
        self._doing = None
        if not loading.cancelled():
            loading.exception()  # seen; the turns that wait are told as well

    async def _loaded(self) -> Runtime:
        if self._share is None:
            path = await self._file()
            self._share = Share.of(
                Fit(
                    path=str(path),
                    context_tokens=self._context,
                    threads=self._config.threads or max(1, (os.cpu_count() or 2) - 1),
                    parallel=self._config.parallel,
                    queue=self._config.queue,
                )
            )
        return await self._share.runtime()

    async def _file(self) -> Path:
        """The model's file; fetched when the entry says so. Raises NotInstalled, Unavailable."""
        entry = self._entry
        if entry is None:
            return await asyncio.to_thread(_own_file, self._config.model)
        cache_dir = await asyncio.to_thread(_expanded, self._config.cache_dir)
        if path := await asyncio.to_thread(catalogue.present, entry, cache_dir):
            return path
        if not self._config.pull:
            raise NotInstalled(
                f"The model '{entry.name}' is not here. Fetch it"
                f" ({entry.size / 1e9:.1f} GB): interplay models pull {entry.name}"
            )
        path = await catalogue.pull(entry, cache_dir, self._fetching)
        self._doing = f"loading {entry.name}"
        return path

    def _fetching(self, now: catalogue.Progress) -> None:
        if now.phase == "bytes":
            self._doing = f"fetching {now.model}: {now.done / now.total:.0%}"


def _expanded(cache_dir: str | None) -> Path:
    return Path(cache_dir or "~/.cache/interplay").expanduser()


def _own_file(path: str) -> Path:
    found = Path(path).expanduser().resolve()
    if not found.is_file():
        raise Unavailable(f"There is no model file {found}.")
    return found
