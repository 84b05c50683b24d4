"""Search stores, driven by the official client, and what is found in them."""

from __future__ import annotations

import asyncio
import io
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from interplay.files.faults import Unusable
from interplay.files.search.service import NoSuchStore
from interplay.settings import Files
from tests.api.api import Api, requirement
from tests.api.conftest import House
from tests.api.test_files import go_on
from tests.crash.process import process
from tests.crash.test_server_crash import LOST
from tests.files.search.pdf import bomb, pdf

KANT = pdf("The starry heavens above me", "and the moral law within me fill the mind with wonder")


async def ended(client: Any, operation: Any) -> Any:
    """The operation as soon as it is done."""
    async with asyncio.timeout(60):  # each round is a request over the network
        while not operation.done:
            operation = await client.operations.get(operation)
    return operation


async def done(api: Api, operation: dict[str, Any]) -> dict[str, Any]:
    """The same over HTTP."""
    async with asyncio.timeout(60):
        while not operation.get("done"):
            answer = await api.call("GET", f"/v1/{operation['name']}")
            assert answer.status == 200, answer.raw
            operation = answer.body
    return operation


async def stored(api: Api, data: bytes, **about: Any) -> tuple[str, dict[str, Any]]:
    """A new store with one document, and the end of the operation that made it."""
    store = (await api.call("POST", "/v1/fileSearchStores", json={})).body["name"]
    return store, await added(api, store, data, **about)


async def added(api: Api, store: str, data: bytes, **about: Any) -> dict[str, Any]:
    """One document more."""
    headers = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
    path = f"/upload/v1/{store}:uploadToFileSearchStore"
    begun = await api.call("POST", path, json=about, headers=headers)
    assert begun.status == 200, begun.raw
    return await done(api, (await go_on(api, begun, "upload, finalize", data)).body)


@requirement("search:sdk")
async def test_the_official_client_makes_fills_reads_and_deletes_a_store(house: House) -> None:
    await house.open()
    client = house.server.client().aio
    store = await client.file_search_stores.create(config={"display_name": "Philosophy"})
    assert store.display_name == "Philosophy"
    begun = await client.file_search_stores.upload_to_file_search_store(
        file_search_store_name=store.name,
        file=io.BytesIO(KANT),
        config={
            "mime_type": "application/pdf",
            "display_name": "Kant",
            "custom_metadata": [{"key": "year", "numeric_value": 1788}],
            "chunking_config": {"white_space_config": {"max_tokens_per_chunk": 100}},
        },
    )
    uploaded = await ended(client, begun)
    assert uploaded.error is None
    assert uploaded.response.parent == store.name
    file = await client.files.upload(
        file=io.BytesIO(b"# Hume\nOf impressions and ideas."),
        config={"mime_type": "text/markdown", "display_name": "Hume"},
    )
    imported = await ended(
        client,
        await client.file_search_stores.import_file(
            file_search_store_name=store.name, file_name=file.name
        ),
    )
    document = await client.file_search_stores.documents.get(name=imported.response.document_name)
    assert (document.display_name, document.state.name) == ("Hume", "STATE_ACTIVE")
    listed = await client.file_search_stores.documents.list(parent=store.name)
    assert [one.display_name async for one in listed] == ["Hume", "Kant"]
    kant = await client.file_search_stores.documents.get(name=uploaded.response.document_name)
    assert (kant.custom_metadata[0].key, kant.custom_metadata[0].numeric_value) == ("year", 1788)
    read = await client.file_search_stores.get(name=store.name)
    assert (read.active_documents_count, read.pending_documents_count) == (2, 0)
    await client.file_search_stores.documents.delete(name=document.name)
    with pytest.raises(Exception, match="holds documents"):
        await client.file_search_stores.delete(name=store.name)
    await client.file_search_stores.delete(name=store.name, config={"force": True})
    assert [one async for one in await client.file_search_stores.list()] == []


@requirement("search:find")
async def test_a_passage_is_found_with_its_page_until_its_document_goes(house: House) -> None:
    api = await house.open()
    store, operation = await stored(api, KANT, displayName="Kant")
    library = house.server.app.assembly.library
    (first, *_) = await library.search("", [store], "What does moral law mean?", count=5)
    assert (first.title, first.page, first.store) == ("Kant", 2, store)
    assert "moral law" in first.text
    assert first.document == operation["response"]["documentName"]
    await added(api, store, b"The law of the sea, and of harbours.", displayName="Sea")
    found = await library.search("", [store], "law", count=5)
    assert {passage.title for passage in found} == {"Kant", "Sea"}
    await api.call("DELETE", f"/v1/{first.document}")
    assert {one.title for one in await library.search("", [store], "law", count=5)} == {"Sea"}
    for strange in ('"', "law* NEAR(x", "", "- - :", "NOT law OR"):
        await library.search("", [store], strange, count=5)


SCRIPTED = {
    "use": "interplay.testing.scripted_embedder:ScriptedEmbedder",
    "meanings": [["cat", "kitten"], ["ship", "boat"]],
}


@requirement("search:meaning")
async def test_a_passage_is_found_without_any_of_its_words(house: House) -> None:
    await found_by_meaning(house)


@requirement("search:meaning")
async def test_a_passage_is_found_by_its_meaning_with_a_database_that_is_shared(
    house: House, database: str
) -> None:
    await found_by_meaning(house, database=database)


async def found_by_meaning(house: House, **settings: Any) -> None:
    api = await house.open(files=Files(embedder=SCRIPTED), **settings)
    store, operation = await stored(api, b"A kitten sleeps.", displayName="pets")
    assert operation["metadata"]["embedded"] is True
    await added(
        api,
        store,
        b"The boat leaves at six.",
        displayName="harbour",
        customMetadata=[{"key": "n", "numericValue": 1}],
    )
    library = house.server.app.assembly.library
    for text, title in (("cat", "pets"), ("ship", "harbour")):
        (first, *_) = await library.search("", [store], text, count=2)
        assert first.title == title
    (only,) = await library.search("", [store], "cat", count=2, filter="n = 1")
    assert only.title == "harbour"


@requirement("search:meaning")
async def test_what_was_indexed_without_vectors_has_them_after_a_restart(house: House) -> None:
    async with AsyncExitStack() as stack:
        _, api = await house.start(stack=stack)
        store, operation = await stored(api, b"A kitten sleeps.")
        assert operation["metadata"]["embedded"] is False
    server, api = await house.start(files=Files(embedder=SCRIPTED))
    assembly = server.app.assembly
    await assembly.embedding.sweep()
    async with asyncio.timeout(60):
        while not operation["metadata"]["embedded"]:
            operation = (await api.call("GET", f"/v1/{operation['name']}")).body
    (found,) = await assembly.library.search("", [store], "cat", count=1)
    assert found.text == "A kitten sleeps."


@requirement("search:rerank")
async def test_a_reranker_reads_the_best_passages(house: House) -> None:
    reranker = {"use": "tests.files.search.shelf:LongestFirst"}
    api = await house.open(files=Files(reranker=reranker))
    store, _ = await stored(api, b"law law law", displayName="short")
    await added(api, store, b"law and the words around it", displayName="long")
    library = house.server.app.assembly.library
    found = await library.search("", [store], "law", count=2)
    assert [one.title for one in found] == ["long", "short"]


@requirement("search:embedder")
async def test_a_store_tells_its_embedder_and_refuses_another(house: House) -> None:
    async with AsyncExitStack() as stack:
        _, without = await house.start(stack=stack)
        made = await without.call("POST", "/v1/fileSearchStores", json={})
        assert "embeddingModel" not in made.body
        body = {"embeddingModel": "models/scripted"}
        refused = await without.call("POST", "/v1/fileSearchStores", json=body)
        assert (refused.status, "no embedder" in refused.message) == (400, True)
    api = await house.open(files=Files(embedder=SCRIPTED))
    for body, status in (
        ({}, 200),
        ({"embeddingModel": "models/scripted"}, 200),
        ({"embedding_model": "models/gemini-embedding-2"}, 400),
    ):
        made = await api.call("POST", "/v1/fileSearchStores", json=body)
        assert made.status == status, made.raw
    store = await house.server.client().aio.file_search_stores.create()
    assert store.embedding_model == "models/scripted"


@requirement("search:hostile")
async def test_a_hostile_pdf_fails_its_operation_and_the_server_goes_on(house: House) -> None:
    api = await house.open(files=Files(parse_memory=256 * 1024 * 1024))
    store, operation = await stored(api, bomb())
    assert "error" in operation
    assert "response" in await added(api, store, KANT, displayName="Kant")


@requirement("search:filter")
async def test_a_filter_lets_matching_documents_through(house: House) -> None:
    api = await house.open()
    store, _ = await stored(
        api, b"common words", displayName="a", customMetadata=[{"key": "n", "numericValue": 1}]
    )
    value = [{"key": "tags", "stringListValue": {"values": ["x", "y"]}}]
    await added(api, store, b"common words", displayName="b", custom_metadata=value)
    library = house.server.app.assembly.library

    async def titles(filter: str) -> set[str]:
        found = await library.search("", [store], "common", count=9, filter=filter)
        return {passage.title for passage in found}

    assert await titles("n = 1") == {"a"}
    assert await titles('tags:"x"') == {"b"}
    assert await titles('n > 0 OR tags:"z"') == {"a"}
    with pytest.raises(Unusable, match="metadata_filter"):
        await titles("n =")


@requirement("search:failed")
async def test_a_document_that_cannot_be_read_fails_its_operation(house: House) -> None:
    api = await house.open()
    store, operation = await stored(api, b"\xff\xfe\x00broken", displayName="broken")
    assert "no text in UTF-8" in operation["error"]["message"]
    assert "PDF cannot be opened" in (await added(api, store, b"%PDF-1.4 no"))["error"]["message"]
    assert "no text" in (await added(api, store, b"   "))["error"]["message"]
    read = (await api.call("GET", f"/v1/{store}")).body
    assert (read["failedDocumentsCount"], read["activeDocumentsCount"]) == ("3", "0")
    bad = [
        {"customMetadata": [{"value": 1}]},
        {"customMetadata": [{"key": str(number)} for number in range(21)]},
        {"chunkingConfig": {"whiteSpaceConfig": {"maxTokensPerChunk": 0}}},
        {"chunkingConfig": 7},
    ]
    headers = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
    path = f"/upload/v1/{store}:uploadToFileSearchStore"
    for body in bad:
        assert (await api.call("POST", path, json=body, headers=headers)).status == 400


@requirement("search:keys")
async def test_each_key_sees_and_searches_its_own_stores_only(house: House) -> None:
    api = await house.open(api_keys=["a:one", "b:two"])
    one, two = api.acting_as("one"), api.acting_as("two")
    store, operation = await stored(one, b"a secret")
    for path in (store, operation["name"], operation["response"]["documentName"]):
        assert (await two.call("GET", f"/v1/{path}")).status == 404
        assert (await one.call("GET", f"/v1/{path}")).status == 200
    assert (await two.call("GET", f"/v1/{store}/documents")).status == 404
    assert (await two.call("DELETE", f"/v1/{store}?force=true")).status == 404
    library = house.server.app.assembly.library
    assert len(await library.search("a", [store], "secret", count=3)) == 1
    with pytest.raises(NoSuchStore):
        await library.search("b", [store], "secret", count=3)


@requirement("search:limits")
async def test_stores_and_documents_of_a_key_have_limits(house: House) -> None:
    api = await house.open(files=Files(stores_per_key=1, document_bytes=8, search_bytes=10))
    store, _ = await stored(api, b"12345678")
    more = await api.call("POST", "/v1/fileSearchStores", json={})
    assert (more.status, more.code) == (429, "quota_exceeded")
    for data, status in ((b"123456789", 413), (b"1234", 429)):
        headers = {"content-type": "text/plain"}
        params = {"uploadType": "media"}
        file = await api.call("POST", "/upload/v1/files", data=data, headers=headers, params=params)
        body = {"fileName": file.body["file"]["name"]}
        assert (await api.call("POST", f"/v1/{store}:importFile", json=body)).status == status


@requirement("search:kill")
@pytest.mark.parametrize("place", ["index-begun", "index-made", "index-untold"])
async def test_indexing_outlives_the_process_that_did_it(tmp_path: Path, place: str) -> None:
    models = {"m": {"backend": "scripted", "replies": ["hello"]}}
    async with process(tmp_path, models=models, default_model="m") as server:
        server.failpoint = place
        api = await server.start()
        store = (await api.call("POST", "/v1/fileSearchStores", json={})).body["name"]
        with pytest.raises(LOST):
            await added(api, store, b"what is kept")
        await server.died()
        server.failpoint = ""
        api = await server.start()
        (operation,) = (await api.call("GET", f"/v1/{store}/operations")).body["operations"]
        assert "response" in await done(api, operation)
        read = (await api.call("GET", f"/v1/{store}")).body
        assert read["activeDocumentsCount"] == "1"


@requirement("search:tool")
async def test_a_model_searches_a_store_and_its_answer_cites_the_page(house: House) -> None:
    call = {"name": "file_search", "arguments": {"query": "moral law"}, "id": "srch0001"}
    api = await house.open({"calls": [call]}, "The moral law fills the mind with wonder [1].")
    store, _ = await stored(api, KANT, displayName="Kant")
    client = house.server.client().aio.interactions
    made = await client.create(
        model="m",
        input="What fills the mind?",
        tools=[{"type": "file_search", "file_search_store_names": [store], "top_k": 2}],
    )
    assert [step.type for step in made.steps] == [
        "file_search_call",
        "file_search_result",
        "model_output",
    ]
    (citation,) = made.steps[-1].content[0].annotations
    assert (citation.type, citation.file_name, citation.page_number) == ("file_citation", "Kant", 2)
    text = made.output_text.encode()[citation.start_index : citation.end_index].decode()
    assert text == "The moral law fills the mind with wonder"
    read = await client.get(made.id)
    assert read.steps[1:] == made.steps
