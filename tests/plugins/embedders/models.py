"""The real models, from the cache or fetched as a user would fetch them."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from interplay.contracts import registry
from interplay.plugins.models import catalogue

MODELS = {"embedders": "bge-small-en-v1.5", "rerankers": "ms-marco-minilm-l12-v2"}


class Lends:
    """As much of a server as these plugins need."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def cache(self, name: str) -> Path:
        return self._cache / name


def cache() -> Path:
    return Path(os.environ.get("INTERPLAY_TEST_CACHE", "~/.cache/interplay")).expanduser()


@asynccontextmanager
async def fetched(group: str, **fields: Any) -> AsyncGenerator[Any]:
    """The embedder or the reranker that runs in this process."""
    await catalogue.pull(catalogue.find(MODELS[group]), cache())
    kind = registry.load(f"interplay.{group}", "onnx")
    made = kind(kind.Config(**fields), Lends(cache()))
    try:
        yield made
    finally:
        await made.close()
