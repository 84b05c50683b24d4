"""The double of the Messages API as a fixture."""

from collections.abc import AsyncIterator

import pytest

from interplay.testing.local_messages import LocalMessages


@pytest.fixture
async def server() -> AsyncIterator[LocalMessages]:
    """A double that is not asked twice to take a bad request: what it refused fails the test."""
    async with LocalMessages() as made:
        yield made
