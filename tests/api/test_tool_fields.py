"""Every field of every tool of a request: it changes something, or it is refused by name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from interplay.contracts import registry
from interplay.wire import tools as wire
from tests.api.api import requirement

TESTS = Path(__file__).parents[1]
POLICIES = ["financial_transactions"]
OBJECT = {"type": "object", "properties": {"city": {"type": "string"}}}


@dataclass(frozen=True)
class Seen:
    """With this value the model is shown something else."""

    value: Any


@dataclass(frozen=True)
class Refused:
    """A declaration with these fields is refused, in words with these in them."""

    fields: dict[str, Any]
    said: str


@dataclass(frozen=True)
class Shown:
    """This test shows what it does, or why it is refused."""

    file: str
    name: str


@dataclass(frozen=True)
class Spoken:
    """The tests of the tool of this type speak of it."""

    type: str


MCP, SEARCH = "api/test_mcp.py", "plugins/tools/test_google_search.py"
STORES = "plugins/tools/test_file_search.py"
SENT: dict[str, Any] = {"function": {"name": "f"}}
"""What a declaration needs beside the field that is looked at."""


def rag(said: str, **fields: Any) -> Refused:
    """A field of `rag_store_config` that search stores do not know."""
    return Refused({"rag_store_config": fields}, f"'rag_store_config.{said}' is not served")


VERTEX = Refused({"vertex_ai_search_config": {"engine": "e"}}, "'vertex_ai_search_config' is not")
RANKING = rag(
    "rag_retrieval_config.ranking",
    rag_retrieval_config={
        "ranking": {
            "ranking_config": "rank_service",
            "model_name": "m",
            "rank_service": {"model_name": "m"},
        }
    },
)
HYBRID = rag(
    "rag_retrieval_config.hybrid_search", rag_retrieval_config={"hybrid_search": {"alpha": 0.5}}
)
FILTERED = "rag_retrieval_config.filter."

TABLE: dict[str, dict[str, Seen | Refused | Shown | Spoken]] = {
    "code_execution": {},
    "computer_use": {
        "disabled_safety_policies": Seen(POLICIES),
        "enable_prompt_injection_detection": Seen(True),
        "environment": Seen("mobile"),
        "excluded_predefined_functions": Seen(["click"]),
    },
    "file_search": {
        "file_search_store_names": Shown(
            STORES, "test_a_declaration_without_stores_or_with_too_much_is_refused"
        ),
        "metadata_filter": Shown(STORES, "test_top_k_filter_and_length_are_kept"),
        "top_k": Shown(STORES, "test_top_k_filter_and_length_are_kept"),
    },
    "function": {
        "defer_loading": Spoken("tool_search"),
        "description": Seen("Tells the weather."),
        "name": Seen("g"),
        "parameters": Seen(OBJECT),
        "short_description": Spoken("tool_search"),
    },
    "google_maps": {
        "enable_widget": Spoken("google_maps"),
        "latitude": Spoken("google_maps"),
        "longitude": Spoken("google_maps"),
    },
    "google_search": {
        "search_types": Shown(SEARCH, "test_where_both_kinds_are_declared_the_model_chooses"),
    },
    "mcp_server": {
        "allowed_tools": Shown(MCP, "test_only_allowed_tools_are_offered"),
        "allowed_tools.mode": Shown(MCP, "test_only_allowed_tools_are_offered"),
        "allowed_tools.tools": Shown(MCP, "test_only_allowed_tools_are_offered"),
        "credential": Refused(
            {"name": "s", "url": "https://mcp.example/", "credential": "my-key"},
            "'credential' of the MCP server 's'",
        ),
        "headers": Shown(MCP, "test_headers_are_sent_and_seen_nowhere_else"),
        "name": Shown(MCP, "test_servers_and_functions_whose_names_would_clash_work_together"),
        "url": Shown(
            MCP, "test_a_models_call_reaches_the_server_and_its_steps_stand_in_the_timeline"
        ),
    },
    "retrieval": {
        "exa_ai_search_config": Spoken("retrieval"),
        "exa_ai_search_config.api_key": Spoken("retrieval"),
        "exa_ai_search_config.custom_config": Spoken("retrieval"),
        "parallel_ai_search_config": Spoken("retrieval"),
        "parallel_ai_search_config.api_key": Spoken("retrieval"),
        "parallel_ai_search_config.custom_config": Spoken("retrieval"),
        "rag_store_config": Spoken("retrieval"),
        "rag_store_config.rag_resources": Spoken("retrieval"),
        "rag_store_config.rag_resources.rag_corpus": Spoken("retrieval"),
        "rag_store_config.rag_resources.rag_file_ids": rag(
            "rag_resources.rag_file_ids",
            rag_resources=[{"rag_corpus": "fileSearchStores/a", "rag_file_ids": ["f"]}],
        ),
        "rag_store_config.rag_retrieval_config": Spoken("retrieval"),
        "rag_store_config.rag_retrieval_config.filter": Spoken("retrieval"),
        "rag_store_config.rag_retrieval_config.filter.metadata_filter": Spoken("retrieval"),
        "rag_store_config.rag_retrieval_config.filter.vector_distance_threshold": rag(
            FILTERED + "vector_distance_threshold",
            rag_retrieval_config={"filter": {"vector_distance_threshold": 0.5}},
        ),
        "rag_store_config.rag_retrieval_config.filter.vector_similarity_threshold": rag(
            FILTERED + "vector_similarity_threshold",
            rag_retrieval_config={"filter": {"vector_similarity_threshold": 0.5}},
        ),
        "rag_store_config.rag_retrieval_config.hybrid_search": HYBRID,
        "rag_store_config.rag_retrieval_config.hybrid_search.alpha": HYBRID,
        "rag_store_config.rag_retrieval_config.ranking": RANKING,
        "rag_store_config.rag_retrieval_config.ranking.model_name": RANKING,
        "rag_store_config.rag_retrieval_config.ranking.rank_service": RANKING,
        "rag_store_config.rag_retrieval_config.ranking.rank_service.model_name": RANKING,
        "rag_store_config.rag_retrieval_config.top_k": Spoken("retrieval"),
        "rag_store_config.similarity_top_k": Spoken("retrieval"),
        "rag_store_config.vector_distance_threshold": rag(
            "vector_distance_threshold", vector_distance_threshold=0.5
        ),
        "retrieval_types": Spoken("retrieval"),
        "vertex_ai_search_config": VERTEX,
        "vertex_ai_search_config.datastores": VERTEX,
        "vertex_ai_search_config.engine": VERTEX,
    },
    "tool_search": {
        "description": Spoken("tool_search"),
        "execution": Spoken("tool_search"),
        "name": Spoken("tool_search"),
        "parameters": Spoken("tool_search"),
    },
    "url_context": {},
}
KINDS: dict[str, Any] = {kind.__struct_config__.tag: kind for kind in get_args(wire.Tool)}
SERVED = {"function", *registry.names("interplay.tools")}
ROWS = [
    pytest.param(type_, path, row, id=f"{type_}-{path}")
    for type_, rows in TABLE.items()
    for path, row in rows.items()
    if type_ in SERVED
]


def fields(kind: Any, before: str = "") -> Iterator[str]:
    """The paths of all fields of a struct and of those in it."""
    for field in msgspec.structs.fields(kind):
        yield before + field.name
        for inner in structs(field.type):
            yield from fields(inner, f"{before}{field.name}.")


def structs(type_: Any) -> set[Any]:
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return {type_}
    return {found for part in get_args(type_) for found in structs(part)}


def written_of(type_: str) -> str:
    """The text of the tests that are about a tool."""
    found = [path for path in TESTS.rglob("*.py") if type_ in str(path.relative_to(TESTS))]
    return "\n".join(path.read_text() for path in found)


def test_the_table_has_every_field_of_every_tool():
    assert {type_: set(rows) for type_, rows in TABLE.items()} == {
        type_: set(fields(kind)) for type_, kind in KINDS.items()
    }


@requirement("tools:fields")
@pytest.mark.parametrize(("type_", "path", "row"), ROWS)
async def test_a_field_is_honoured_or_refused(
    opened: Any, house: Any, type_: str, path: str, row: Seen | Refused | Shown | Spoken
) -> None:
    if isinstance(row, Shown):
        tree = ast.parse((TESTS / row.file).read_text())
        assert row.name in {getattr(node, "name", None) for node in tree.body}
        return
    if isinstance(row, Spoken):
        assert re.search(rf"\b{path.rpartition('.')[2]}\b", written_of(row.type))
        return
    api = await opened()
    plain = {"type": type_, **SENT.get(type_, {})}
    if isinstance(row, Refused):
        refused = await api.create(input="a", tools=[{**plain, **row.fields}])
        assert refused.status == 400
        assert row.said in refused.message
        assert "'tools[0]" in refused.message
        return
    for declared in (plain, {**plain, path: row.value}):
        answer = await api.create(input="a", tools=[declared])
        assert answer.status == 200, answer.raw
    without, with_it = [(t.functions, t.system_instruction) for t in house.model.turns]
    assert without != with_it


@requirement("tools:fields")
@pytest.mark.parametrize("type_", sorted(KINDS))
async def test_a_field_that_no_tool_has_is_refused_by_its_path(opened: Any, type_: str) -> None:
    api = await opened()
    refused = await api.create(input="a", tools=[{"type": type_, "credentials": "my-key"}])
    assert (refused.status, refused.code) == (400, "parameter_unknown")
    assert "credentials" in refused.message
    assert "tools[0]" in refused.message


@requirement("tools:fields")
async def test_a_tool_that_nothing_executes_is_refused_with_what_could_be_done(
    opened: Any,
) -> None:
    api = await opened()
    for type_ in sorted({*KINDS, "shell"} - SERVED):
        refused = await api.create(input="a", tools=[{"type": type_}])
        assert refused.status == 400
        assert f"'{type_}' is not supported for 'type' at 'tools[0]'" in refused.message
        assert "'function'" in refused.message
        assert "'computer_use'" in refused.message


@requirement("tools:fields")
@pytest.mark.parametrize(
    "environment",
    [
        {"type": "remote", "env": {"TOKEN": {"credential": "my-key"}}},
        {
            "type": "remote",
            "network": {"allowlist": [{"domain": "a.example", "credential": "my-key"}]},
        },
    ],
)
async def test_credentials_of_environments_are_refused_by_name(
    opened: Any, environment: dict[str, Any]
) -> None:
    api = await opened()
    refused = await api.create(input="a", environment=environment)
    assert (refused.status, refused.code) == (400, "invalid_request")
    assert "environment" in refused.message
