"""A server is killed while a model of the Messages API speaks; the next one ends the sentence."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from interplay.testing.local_messages import LocalMessages, Said
from tests.api.api import fold, ids, requirement, text_of
from tests.crash.process import process
from tests.crash.test_server_crash import follow


@requirement("anthropic:resume")
@pytest.mark.parametrize(
    ("model", "rest", "steps"),
    [("claude-haiku-4-5", " four.", 1), ("claude-opus-5-5", "four.", 2)],
    ids=["prefill", "none"],
)
async def test_a_text_is_whole_after_kill_9_and_its_client_sees_one_stream(
    tmp_path: Path, model: str, rest: str, steps: int
) -> None:
    spoken = Said(text="One two three four.", breaks_after=2, breaks="stall")
    async with LocalMessages(spoken, Said(text=rest), key="k") as claude:
        entry = {"backend": "anthropic", "base_url": claude.url, "model": model, "api_key": "k"}
        async with process(tmp_path, models={model: entry}) as server:
            api = await server.start()
            id = (await api.create(model=model, input="count", background=True)).body["id"]
            seen: list[dict[str, Any]] = []
            async with api.opened("GET", f"/v1/interactions/{id}?stream=true") as live:
                async for event in live:
                    seen.append(event)
                    if "ree" in str(event.get("delta", "")):
                        break
            await server.end()
            api = await server.start()
            async with asyncio.timeout(60):
                await follow(server, id, seen)
            made = (await api.get(id)).body
    assert text_of(made) == "One two three four."
    assert [step["type"] for step in made["steps"][1:]] == ["model_output"] * steps
    assert ids(seen) == list(range(len(seen)))
    assert fold(seen) == made["steps"][1:]
    assert claude.refused == []
