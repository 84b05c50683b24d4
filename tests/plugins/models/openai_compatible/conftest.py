"""The loopback upstream as a fixture."""

from collections.abc import AsyncIterator

import pytest

from tests.plugins.models.openai_compatible.upstream import Upstream, upstream


@pytest.fixture
async def server() -> AsyncIterator[Upstream]:
    async with upstream() as made:
        yield made
