"""The embedder and the reranker beside the server, with their real models."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from interplay.contracts.failure import NotInstalled
from interplay.plugins.embedders.onnx import OnnxEmbedder, OnnxReranker, session
from interplay.plugins.embedders.onnx.session import batches
from interplay.testing.contracts.embedder import likeness, vectors
from tests.plugins.embedders.models import Lends, fetched

PASSAGES = (
    "The server keeps each file for two days and then deletes it.",
    "Cats spend most of the day asleep.",
    "The harbour opens at six in the morning.",
)


async def test_a_question_in_other_words_finds_its_passage() -> None:
    async with fetched("embedders", threads=1) as made:
        passages = vectors(made, await made.embed(PASSAGES, "passage"))
        asked = ("How long do uploads stay?", "sleeping pets", "When can ships enter the port?")
        for place, text in enumerate(asked):
            (query,) = vectors(made, await made.embed([text], "query"))
            near = [likeness(query, passage) for passage in passages]
            assert near.index(max(near)) == place


async def test_a_question_is_given_the_words_the_model_was_trained_with() -> None:
    async with fetched("embedders", threads=1) as made:
        (query,) = vectors(made, await made.embed(["ships"], "query"))
        told = "Represent this sentence for searching relevant passages: ships"
        (passage,) = vectors(made, await made.embed([told], "passage"))
        (bare,) = vectors(made, await made.embed(["ships"], "passage"))
        assert likeness(query, passage) > 0.999 > likeness(query, bare)


async def test_the_loop_goes_on_and_a_question_does_not_wait_for_passages() -> None:
    async with fetched("embedders", threads=1) as made:
        await made.embed(["warm"], "query")
        many = asyncio.create_task(made.embed(["some words " * 100] * 48, "passage"))
        await asyncio.sleep(0)  # it begins
        await asyncio.wait_for(made.embed(["urgent"], "query"), 30)
        assert not many.done()
        many.cancel()
        await asyncio.wait({many}, timeout=30)


async def test_the_reranker_knows_which_passage_answers() -> None:
    async with fetched("rerankers", threads=1) as made:
        scores = await made.scores("When can ships enter the port?", PASSAGES)
        assert scores.index(max(scores)) == 2
        assert await made.scores("anything", []) == []


def test_batches_hold_texts_of_like_length_and_not_too_many() -> None:
    texts: list[Any] = [SimpleNamespace(ids=[0] * size) for size in (300, 10, 512, 12, 250, 9)]
    found = list(batches(texts))
    assert sorted(place for batch in found for place in batch) == list(range(6))
    assert found[0] == [5, 1, 3]
    for batch in found:
        assert len(batch) * max(len(texts[place].ids) for place in batch) <= session._BATCH_TOKENS


@pytest.mark.parametrize("kind", [OnnxEmbedder, OnnxReranker])
def test_without_its_model_or_the_extra_it_says_what_to_fetch(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotInstalled, match="interplay models pull"):
        kind(kind.Config(), Lends(tmp_path))
    monkeypatch.setattr(session, "find_spec", lambda name: None)
    with pytest.raises(NotInstalled, match=r"interplay\[search\]"):
        kind(kind.Config(), Lends(tmp_path))


async def test_the_runtime_reports_to_nobody(tmp_path: Path) -> None:
    """What reports keeps a note of its session among the temporary files."""
    script = (
        "import asyncio\n"
        "from tests.plugins.embedders.models import fetched\n"
        "async def main():\n"
        "    async with fetched('embedders', threads=1) as made:\n"
        "        print(len(await made.embed(['words'], 'query')))\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    assert said.strip() == b"1536"
    assert os.listdir(tmp_path) == []
