"""Behaviour suites: a plugin author subclasses one in his own tests. They need pytest and
pytest-asyncio."""

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{suite}"
        for suite in ("model", "tool", "agent", "store", "store_reading", "blobs")
    )
)
