"""The embedder behind another server: what is sent, what is taken, what is refused."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from aiohttp import web

from interplay.contracts.failure import BadAnswer, Busy, Refused, Unavailable
from interplay.plugins.embedders.openai_compatible import (
    OpenAICompatibleConfig,
    OpenAICompatibleEmbedder,
)
from interplay.testing.contracts.embedder import EmbedderContract, vectors


class Upstream:
    """Answers with the lengths of texts, in an order of its own."""

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, Any], str]] = []
        self.status, self.change = 200, lambda data: data
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append((body, request.headers.get("authorization", "")))
        if self.status != 200:
            return web.json_response({"error": {"message": "no"}}, status=self.status)
        data = [{"index": n, "embedding": _embed(text)} for n, text in enumerate(body["input"])]
        return web.json_response({"data": self.change(data[::-1]), "model": "m"})


def _embed(text: str) -> list[float]:
    words = text.lower()
    return [3.0 * words.count("s"), 4.0 * ("sleep" in words), 1.0]


@pytest.fixture
async def upstream() -> AsyncGenerator[Upstream]:
    made = Upstream()
    app = web.Application()
    app.router.add_post("/v1/embeddings", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield made
    await runner.cleanup()


def made(upstream: Upstream, **fields: Any) -> OpenAICompatibleEmbedder:
    given: dict[str, Any] = {"base_url": upstream.url, "model": "m", "dims": 3, **fields}
    nobody: Any = None
    return OpenAICompatibleEmbedder(OpenAICompatibleConfig(**given), nobody)


class TestContract(EmbedderContract):
    other = "Yen"

    @pytest.fixture
    async def embedder(self, upstream: Upstream) -> AsyncGenerator[Any]:
        one = made(upstream, batch=7)
        yield one
        await one.close()


async def test_texts_go_in_portions_with_prefix_and_key(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBED_KEY", "secret")
    one = made(upstream, batch=2, api_key_env="EMBED_KEY", query_prefix="q: ", passage_prefix="p: ")
    found = vectors(one, await one.embed(["s", "ss", ""], "query"))
    await one.embed(["x"], "passage")
    await one.close()
    assert [body["input"] for body, _ in upstream.asked] == [["q: s", "q: ss"], ["q: "], ["p: x"]]
    assert {key for _, key in upstream.asked} == {"Bearer secret"}
    assert found[0][0] < found[1][0]
    assert found[2] == (0.0, 0.0, 1.0)


def test_its_name_tells_apart_what_cannot_be_compared(upstream: Upstream) -> None:
    names = {
        made(upstream, **fields).facts.name
        for fields in ({}, {"dims": 4}, {"model": "n"}, {"query_prefix": "q"})
    }
    assert len(names) == 4


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data[:1], "1 vectors for 2 texts"),
        (lambda data: [data[0], data[0]], "2 vectors for 2 texts"),
        (lambda data: [{**one, "embedding": [1.0]} for one in data], "of 1 numbers, not of 3"),
        (lambda data: [{**one, "embedding": [0, 0, 0]} for one in data], "without a direction"),
        (lambda data: "words", "not its form"),
    ],
)
async def test_an_answer_that_does_not_fit_is_refused(
    upstream: Upstream, change: Any, says: str
) -> None:
    upstream.change = change
    one = made(upstream)
    with pytest.raises(BadAnswer, match=says):
        await one.embed(["a", "b"], "passage")
    await one.close()


@pytest.mark.parametrize(
    ("status", "kind"), [(429, Busy), (500, Unavailable), (401, Refused), (404, Refused)]
)
async def test_a_refusal_is_told_by_its_kind(upstream: Upstream, status: int, kind: Any) -> None:
    upstream.status = status
    one = made(upstream)
    with pytest.raises(kind):
        await one.embed(["a"], "passage")
    await one.close()
