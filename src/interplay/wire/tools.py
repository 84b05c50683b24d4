"""Tool declarations of a request."""

from __future__ import annotations

from typing import Any, Literal

from interplay.wire.record import Record

ToolChoiceType = Literal["auto", "any", "none", "validated"]

SearchType = Literal["web_search", "image_search", "enterprise_web_search"]

RetrievalType = Literal["vertex_ai_search", "rag_store", "exa_ai_search", "parallel_ai_search"]


class AllowedTools(Record):
    """The tools that may be called, and how freely."""

    mode: ToolChoiceType | None = None
    tools: list[str] | None = None


class ToolChoiceConfig(Record):
    """A choice limited to some tools."""

    allowed_tools: AllowedTools | None = None


class Function(Record, tag="function"):
    """A function of the caller's own.

    `parameters` is a JSON schema of type object. With `defer_loading` the model first sees only
    the name and `short_description`, and asks for the rest.
    """

    defer_loading: bool | None = None
    description: str | None = None
    name: str | None = None
    parameters: Any = None
    short_description: str | None = None


class CodeExecution(Record, tag="code_execution"):
    """The model may run code."""


class ComputerUse(Record, tag="computer_use"):
    """The model may operate a browser, a phone or a desktop through predefined functions."""

    disabled_safety_policies: (
        list[
            Literal[
                "financial_transactions",
                "sensitive_data_modification",
                "communication_tool",
                "account_creation",
                "data_modification",
                "user_consent_management",
                "legal_terms_and_agreements",
            ]
        ]
        | None
    ) = None
    enable_prompt_injection_detection: bool | None = None
    environment: Literal["browser", "mobile", "desktop"] | None = None
    excluded_predefined_functions: list[str] | None = None


class FileSearch(Record, tag="file_search"):
    """The model may search file stores; `top_k` is how many passages come back."""

    file_search_store_names: list[str] | None = None
    metadata_filter: str | None = None
    top_k: int | None = None


class GoogleMaps(Record, tag="google_maps"):
    """The model may ask a map; latitude and longitude in degrees say where the caller is."""

    enable_widget: bool | None = None
    latitude: float | None = None
    longitude: float | None = None


class GoogleSearch(Record, tag="google_search"):
    """The model may search the web."""

    search_types: list[SearchType] | None = None


class MCPServer(Record, tag="mcp_server"):
    """The model may call tools of an MCP server over streamable HTTP.

    `credential` is the id of a stored credential whose secret goes into the headers.
    """

    allowed_tools: list[AllowedTools | str] | None = None
    headers: dict[str, str] | None = None
    name: str | None = None
    url: str | None = None
    credential: str | None = None


class ExaAISearchConfig(Record):
    """Access to the Exa search service; `custom_config` is passed on as it is."""

    api_key: str
    custom_config: dict[str, Any] | None = None


class ParallelAISearchConfig(Record):
    """Access to the Parallel search service; `custom_config` is passed on as it is."""

    api_key: str | None = None
    custom_config: dict[str, Any] | None = None


class Filter(Record):
    """Which passages count: by metadata, and by distance or similarity of vectors."""

    metadata_filter: str | None = None
    vector_distance_threshold: float | None = None
    vector_similarity_threshold: float | None = None


class HybridSearch(Record):
    """How much vectors count against words: `alpha` from 0 (words) to 1 (vectors)."""

    alpha: float | None = None


class RankService(Record):
    """A ranking service, by the name of its model."""

    model_name: str | None = None


class Ranking(Record, tag="rank_service", tag_field="ranking_config"):
    """How passages are ranked once they are found."""

    model_name: str | None = None
    rank_service: RankService | None = None


class RagResource(Record):
    """A corpus, or some files of it."""

    rag_corpus: str | None = None
    rag_file_ids: list[str] | None = None


class RagRetrievalConfig(Record):
    """How passages are found and ranked; `top_k` is how many come back."""

    filter: Filter | None = None
    hybrid_search: HybridSearch | None = None
    ranking: Ranking | None = None
    top_k: int | None = None


class RagStoreConfig(Record):
    """Where passages are found, and how near they must be."""

    rag_resources: list[RagResource] | None = None
    rag_retrieval_config: RagRetrievalConfig | None = None
    similarity_top_k: int | None = None
    vector_distance_threshold: float | None = None


class VertexAISearchConfig(Record):
    """A search engine, or the data stores it would search."""

    datastores: list[str] | None = None
    engine: str | None = None


class Retrieval(Record, tag="retrieval"):
    """The model may search the configured services."""

    exa_ai_search_config: ExaAISearchConfig | None = None
    parallel_ai_search_config: ParallelAISearchConfig | None = None
    rag_store_config: RagStoreConfig | None = None
    retrieval_types: list[RetrievalType] | None = None
    vertex_ai_search_config: VertexAISearchConfig | None = None


class ToolSearch(Record, tag="tool_search"):
    """The model may ask for deferred functions; `client` leaves the search to the caller."""

    description: str | None = None
    execution: Literal["server", "client"] | None = None
    name: str | None = None
    parameters: Any = None


class URLContext(Record, tag="url_context"):
    """The model may read the web pages that are named in the conversation."""


Tool = (
    CodeExecution
    | ComputerUse
    | FileSearch
    | Function
    | GoogleMaps
    | GoogleSearch
    | MCPServer
    | Retrieval
    | ToolSearch
    | URLContext
)
