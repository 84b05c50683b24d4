"""What an operator can set for retrieval."""

from __future__ import annotations

from typing import Annotated

import msgspec

_Count = Annotated[int, msgspec.Meta(ge=1)]


class Config(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The fields of `[tools.retrieval]`."""

    exa_url: str = ""
    """Another address that speaks Exa's API; empty for Exa's own."""
    parallel_url: str = ""
    """Another address that speaks Parallel's API; empty for Parallel's own."""
    parallel_key_env: str = "PARALLEL_API_KEY"
    """The environment variable that holds the key for requests that bring none."""
    seconds: Annotated[float, msgspec.Meta(gt=0)] = 20.0
    """One search of Exa or Parallel."""
    queries: _Count = 5
    """Queries of one call; more are left out."""
    hits: _Count = 8
    """Results of one query where the request does not say."""
    most_hits: _Count = 50
    """The most a request may ask for."""
    hit_chars: _Count = 4_000
    """Characters of one result that the model is shown at most."""
