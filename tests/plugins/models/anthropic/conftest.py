"""The double of the Messages API as a fixture."""

from collections.abc import AsyncIterator

import pytest

from interplay.testing.local_messages import LocalMessages


@pytest.fixture
async def server() -> AsyncIterator[LocalMessages]:
    """A double; `server.refused` says what it did not take."""
    async with LocalMessages() as made:
        yield made
