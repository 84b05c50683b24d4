"""Searches in services a request names: Exa, Parallel, and this server's own search stores."""

from __future__ import annotations

from interplay.plugins.tools.retrieval.config import Config
from interplay.plugins.tools.retrieval.tool import Retrieval

__all__ = ["Config", "Retrieval"]
