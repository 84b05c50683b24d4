"""Streams of many servers, captured or in their documented shape, are read for what they say."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from interplay.contracts.failure import Failure
from interplay.plugins.models.remote import signature
from interplay.testing.pieces import Said
from interplay.wire.deltas import TextDelta
from tests.plugins.models.openai_compatible.upstream import (
    Upstream,
    ask,
    asked,
    model,
    sends,
    stream,
)

FOLDER = Path(__file__).parent / "streams"
NAMES = sorted(path.stem for path in FOLDER.glob("*.sse"))


def expected(name: str) -> dict[str, Any]:
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes())


@pytest.mark.parametrize("each", [0, 11])
@pytest.mark.parametrize("name", [name for name in NAMES if "failure" not in expected(name)])
async def test_a_stream_says_what_it_said(server: Upstream, name: str, each: int):
    wanted = expected(name)
    server.will(sends(stream((FOLDER / f"{name}.sse").read_bytes()), each=each))
    async with model(server, dialect=wanted["dialect"]) as made:
        found = await ask(made, asked(thinking_summaries=True))
    assert found.text == wanted["text"]
    assert found.thought == wanted["thought"]
    assert [[call.name, call.arguments] for call in found.calls] == wanted["calls"]
    assert found.end.reason == wanted["reason"]
    usage = msgspec.to_builtins(found.end.usage)
    assert {key: usage.get(key) for key in wanted["usage"]} == wanted["usage"]
    check_signatures(found, wanted)


def check_signatures(found: Said, wanted: dict[str, Any]) -> None:
    """One signature per thought, holding what the dialect wants back."""
    assert len(found.signatures) == (1 if wanted["thought"] else 0)
    for one in found.signatures:
        kept = signature.read(one, "openai_compatible/m")
        assert kept is not None
        assert kept.text == wanted.get("signed", "")
        assert kept.details == wanted.get("details", [])


@pytest.mark.parametrize("name", [name for name in NAMES if "failure" in expected(name)])
async def test_a_stream_that_fails_says_so_after_its_words(server: Upstream, name: str):
    wanted = expected(name)
    server.will(stream((FOLDER / f"{name}.sse").read_bytes()))
    async with model(server, dialect=wanted["dialect"]) as made:
        pieces = made.stream(asked())
        assert await anext(pieces) == TextDelta(wanted["text"])
        with pytest.raises(Failure, match=wanted["message"]) as failure:
            await anext(pieces)
    assert type(failure.value).__name__ == wanted["failure"]
