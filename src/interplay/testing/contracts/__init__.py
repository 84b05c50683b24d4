"""Behaviour suites: a plugin author subclasses one in his own tests. They need pytest and
pytest-asyncio."""

import pytest

_SUITES = (
    *("model", "tool", "agent", "store", "store_reading", "blobs", "embedder"),
    *("dispatcher", "dispatcher_sharing", "dispatcher_crew"),
)
pytest.register_assert_rewrite(*(f"{__name__}.{suite}" for suite in _SUITES))
