"""Declarations of retrieval: what is served, and what is refused by its name."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from interplay.contracts.failure import Refused
from interplay.plugins.tools.retrieval.declared import stores_of, types_of
from interplay.wire.tools import RagStoreConfig, Retrieval

EXA = {"exa_ai_search_config": {"api_key": "k"}}
PARALLEL = {"parallel_ai_search_config": {}}
RAG: dict[str, Any] = {"rag_resources": [{"rag_corpus": "fileSearchStores/a"}]}


def declared(**fields: Any) -> Retrieval:
    return msgspec.convert({"type": "retrieval", **fields}, Retrieval)


def rag(**fields: Any) -> RagStoreConfig:
    return msgspec.convert({**RAG, **fields}, RagStoreConfig)


@pytest.mark.parametrize(
    ("fields", "types"),
    [
        (EXA, ["exa_ai_search"]),
        ({**PARALLEL, **EXA}, ["exa_ai_search", "parallel_ai_search"]),
        ({"rag_store_config": RAG}, ["rag_store"]),
        ({**EXA, "retrieval_types": ["exa_ai_search"] * 2}, ["exa_ai_search"]),
        (
            {**EXA, **PARALLEL, "retrieval_types": ["parallel_ai_search", "exa_ai_search"]},
            ["parallel_ai_search", "exa_ai_search"],
        ),
    ],
)
def test_the_services_are_those_configured_in_the_order_that_is_given(
    fields: Any, types: list[str]
) -> None:
    assert types_of(declared(**fields)) == types


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "'exa_ai_search' with 'exa_ai_search_config'"),
        ({"retrieval_types": ["vertex_ai_search"]}, "'vertex_ai_search' is not served here"),
        ({"vertex_ai_search_config": {}, **EXA}, "'vertex_ai_search_config' is not served"),
        ({"retrieval_types": ["rag_store"]}, "needs 'rag_store_config'"),
        ({**EXA, **PARALLEL, "retrieval_types": ["exa_ai_search"]}, "not among 'retrieval_types'"),
    ],
)
def test_what_is_not_served_is_refused_by_name(fields: Any, told: str) -> None:
    with pytest.raises(Refused, match=told):
        types_of(declared(**fields))


@pytest.mark.parametrize(
    ("fields", "count", "filter"),
    [
        ({}, 8, None),
        ({"similarity_top_k": 3}, 3, None),
        ({"rag_retrieval_config": {"top_k": 4}, "similarity_top_k": 4}, 4, None),
        ({"rag_retrieval_config": {"filter": {"metadata_filter": "a = 1"}}}, 8, "a = 1"),
    ],
)
def test_stores_are_searched_as_they_are_asked_for(
    fields: Any, count: int, filter: str | None
) -> None:
    stores = stores_of(rag(**fields), 8, 50)
    assert (stores.names, stores.count, stores.filter) == (["fileSearchStores/a"], count, filter)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"rag_resources": None}, "'rag_resources'"),
        ({"rag_resources": [{}]}, "no search store"),
        ({"rag_resources": [{"rag_corpus": "projects/p/ragCorpora/1"}]}, "fileSearchStores/abc"),
        ({"rag_resources": [{**RAG["rag_resources"][0], "rag_file_ids": ["x"]}]}, "rag_file_ids"),
        ({"rag_resources": RAG["rag_resources"] * 21}, "1 to 20"),
        ({"similarity_top_k": 0}, "from 1 to 50"),
        ({"similarity_top_k": 51}, "from 1 to 50"),
        ({"similarity_top_k": 2, "rag_retrieval_config": {"top_k": 3}}, "not the same"),
        ({"vector_distance_threshold": 0.5}, "'rag_store_config.vector_distance_threshold'"),
        ({"rag_retrieval_config": {"hybrid_search": {"alpha": 0.5}}}, "hybrid_search"),
        (
            {"rag_retrieval_config": {"ranking": {"ranking_config": "rank_service"}}},
            "rag_retrieval_config.ranking",
        ),
        (
            {"rag_retrieval_config": {"filter": {"vector_similarity_threshold": 0.0}}},
            "vector_similarity_threshold",
        ),
    ],
)
def test_what_stores_cannot_do_is_refused_by_name(fields: Any, told: str) -> None:
    with pytest.raises(Refused, match=told):
        stores_of(rag(**fields), 8, 50)
