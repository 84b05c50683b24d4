"""The shipped model suite over models of every kind, behind a server as strict as the real one."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from interplay.testing.contracts.model import ModelContract
from interplay.testing.local_messages import LocalMessages
from tests.plugins.models.anthropic.upstream import model


class Contract(ModelContract):
    """What all have in common."""

    fields: dict[str, Any] = {}

    @pytest.fixture
    async def model(self) -> AsyncIterator[Any]:
        async with LocalMessages() as server:
            async with model(server, model=self.name, **self.fields) as made:
                yield made
            assert server.refused == []


class TestNewest(Contract):
    name = "claude-opus-5-5"


class TestThinksUnlessToldNotTo(Contract):
    name = "claude-sonnet-5-5"


class TestThinksOnRequest(Contract):
    name = "claude-opus-4-8"


class TestFirstAdaptive(Contract):
    name = "claude-opus-4-6"


class TestPrefill(Contract):
    name = "claude-haiku-4-5-20251001"


class TestOld(Contract):
    name = "claude-3-haiku-20240307"


class TestWithoutMedia(Contract):
    name = "claude-haiku-4-5"
    fields = {"dialect": {"media": False}, "cache": "off"}


class TestEveryModel(Contract):
    """An entry for every model: the name is the caller's."""

    name = "claude-haiku-4-5"

    @pytest.fixture
    async def model(self) -> AsyncIterator[Any]:
        async with LocalMessages() as server:
            async with model(server) as made:
                yield made
            assert server.refused == []
