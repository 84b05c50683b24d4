"""retrieval through the API: services of the request, typed steps, citations, nothing leaked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from interplay.contracts import shown
from interplay.testing.local_web import LocalWeb, Page
from tests import engines
from tests.api.api import Api, fold, requirement, text_of
from tests.api.test_search_stores import KANT, stored

SECRET = "s3cr3t-key"
EXA = {"type": "retrieval", "exa_ai_search_config": {"api_key": SECRET}}
PARALLEL = {"type": "retrieval", "parallel_ai_search_config": {"api_key": SECRET}}


def asks(*queries: str) -> dict[str, Any]:
    """A turn in which the model searches."""
    call = {"name": "retrieval", "arguments": {"queries": [*queries]}, "id": "retr0001"}
    return {"calls": [call]}


@pytest.fixture
async def web() -> AsyncIterator[LocalWeb]:
    async with LocalWeb() as web:
        engines.exa(web)
        engines.parallel(web)
        yield web


def settings(web: LocalWeb) -> dict[str, Any]:
    """Both services on loopback."""
    return {"retrieval": {"exa_url": web.url(""), "parallel_url": web.url("")}}


def read_by(house: Any, turn: int = 1) -> str:
    """What the model was shown of the last result before a turn."""
    (block,) = shown.read(house.model.turns[turn].steps[-1].signature, images=True) or []
    return str(getattr(block, "text", ""))


@requirement("retrieval:steps")
@pytest.mark.parametrize(
    ("tool", "type_", "path"),
    [(EXA, "exa_ai_search", "/search"), (PARALLEL, "parallel_ai_search", "/v1/search")],
)
async def test_a_search_gives_typed_steps_and_what_is_cited_is_annotated(
    opened: Any, house: Any, web: LocalWeb, tool: Any, type_: str, path: str
) -> None:
    said = "Größe hin oder her: Rom ist die Hauptstadt Italiens [2]."
    api: Api = await opened(asks("rome"), said, tool_settings=settings(web))
    events = await api.stream(input="a", tools=[tool])
    body = (await api.get(events[0]["interaction"]["id"])).body
    assert body["status"] == "completed", body
    assert fold(events) == body["steps"][1:]
    call, result, output = body["steps"][1:]
    assert (call["type"], call["retrieval_type"]) == ("retrieval_call", type_)
    assert call["arguments"] == {"queries": ["rome"]}
    assert (result["type"], result["call_id"]) == ("retrieval_result", call["id"])
    assert result["is_error"] is False
    (note,) = output["content"][0]["annotations"]
    cited = said.encode()[note["start_index"] : note["end_index"]].decode()
    assert cited == "Größe hin oder her: Rom ist die Hauptstadt Italiens"
    assert (note["type"], note["url"]) == ("url_citation", "https://rome.example/2")
    assert "[1] Rome 1" in read_by(house)
    assert web.requests[0].target == path


@requirement("retrieval:stores")
async def test_stores_of_this_server_are_searched_and_cited_by_page(
    opened: Any, house: Any
) -> None:
    api: Api = await opened(asks("moral law"), "It fills the mind with wonder [1].")
    store, _ = await stored(api, KANT, displayName="Kant")
    config = {"rag_resources": [{"rag_corpus": store}], "similarity_top_k": 1}
    tool = {"type": "retrieval", "retrieval_types": ["rag_store"], "rag_store_config": config}
    body = (await api.create(input="What fills the mind?", tools=[tool])).body
    assert body["status"] == "completed", body
    (note,) = body["steps"][-1]["content"][0]["annotations"]
    assert (note["type"], note["file_name"], note["page_number"]) == ("file_citation", "Kant", 2)
    assert note["source"] == store


@requirement("retrieval:refused")
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "'exa_ai_search_config'"),
        ({"retrieval_types": ["vertex_ai_search"]}, "'vertex_ai_search'"),
        ({"vertex_ai_search_config": {"engine": "e"}}, "'vertex_ai_search_config'"),
        ({"exa_ai_search_config": {"api_key": ""}}, "'api_key'"),
        ({"rag_store_config": {"rag_resources": [{"rag_corpus": "x"}]}}, "no search store"),
        ({"rag_store_config": {"vector_distance_threshold": 0.1}}, "vector_distance_threshold"),
    ],
)
async def test_what_is_not_served_is_refused_by_name_and_path(
    opened: Any, fields: Any, told: str
) -> None:
    api: Api = await opened("x")
    refused = await api.create(input="a", tools=[{"type": "retrieval", **fields}])
    assert (refused.status, refused.code) == (400, "invalid_request")
    assert told in refused.message
    assert "'tools[0]'" in refused.message


@requirement("retrieval:failure")
async def test_a_service_that_fails_is_told_to_the_model(
    opened: Any, house: Any, web: LocalWeb
) -> None:
    web.on("/search", Page(status=503))
    api: Api = await opened(asks("x"), "I could not.", tool_settings=settings(web))
    body = (await api.create(input="a", tools=[EXA])).body
    assert (body["status"], text_of(body)) == ("completed", "I could not.")
    assert body["steps"][1]["is_error"] is True
    assert "Exa is not well (503)" in read_by(house)


@requirement("retrieval:secrets")
async def test_keys_are_sent_to_their_service_and_seen_nowhere_else(
    opened: Any, web: LocalWeb, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    api: Api = await opened(asks("x"), "Done.", tool_settings=settings(web))
    answer = await api.create(input="x", tools=[EXA], stream=True)
    id = answer.raw.decode().split('"id":"', 1)[1].split('"', 1)[0]
    read = await api.get(id)
    assert read.status == 200
    assert web.requests[0].headers["x-api-key"] == SECRET
    assert SECRET.encode() not in answer.raw + read.raw
    assert SECRET not in caplog.text


@requirement("retrieval:steps")
async def test_the_official_client_reads_a_retrieval(
    opened: Any, house: Any, web: LocalWeb
) -> None:
    await opened(asks("rome"), "Rome is the capital [1].", tool_settings=settings(web))
    client = house.server.client()
    made = await client.aio.interactions.create(model="m", input="a", tools=[EXA])
    assert [step.type for step in made.steps] == [
        "retrieval_call",
        "retrieval_result",
        "model_output",
    ]
    assert made.steps[0].arguments.queries == ["rome"]
    assert made.steps[2].content[0].annotations[0].url == "https://rome.example/1"
