"""Tool declarations of a request."""

from __future__ import annotations

from typing import Any, Literal

from interplay.wire.record import Record

ToolChoiceType = Literal["auto", "any", "none", "validated"]

SearchType = Literal["web_search", "image_search", "enterprise_web_search"]

RetrievalType = Literal["vertex_ai_search", "rag_store", "exa_ai_search", "parallel_ai_search"]


class AllowedTools(Record):
    """AllowedTools"""

    mode: ToolChoiceType | None = None
    tools: list[str] | None = None


class ToolChoiceConfig(Record):
    """ToolChoiceConfig"""

    allowed_tools: AllowedTools | None = None


class Function(Record, tag="function"):
    """Function"""

    defer_loading: bool | None = None
    description: str | None = None
    name: str | None = None
    parameters: Any = None
    short_description: str | None = None


class CodeExecution(Record, tag="code_execution"):
    """CodeExecution"""


class ComputerUse(Record, tag="computer_use"):
    """ComputerUse"""

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
    """FileSearch"""

    file_search_store_names: list[str] | None = None
    metadata_filter: str | None = None
    top_k: int | None = None


class GoogleMaps(Record, tag="google_maps"):
    """GoogleMaps"""

    enable_widget: bool | None = None
    latitude: float | None = None
    longitude: float | None = None


class GoogleSearch(Record, tag="google_search"):
    """GoogleSearch"""

    search_types: list[SearchType] | None = None


class MCPServer(Record, tag="mcp_server"):
    """MCPServer"""

    allowed_tools: list[AllowedTools] | None = None
    headers: dict[str, str] | None = None
    name: str | None = None
    url: str | None = None
    credential: str | None = None


class ExaAISearchConfig(Record):
    """ExaAISearchConfig"""

    api_key: str
    custom_config: dict[str, Any] | None = None


class ParallelAISearchConfig(Record):
    """ParallelAISearchConfig"""

    api_key: str | None = None
    custom_config: dict[str, Any] | None = None


class Filter(Record):
    """Filter"""

    metadata_filter: str | None = None
    vector_distance_threshold: float | None = None
    vector_similarity_threshold: float | None = None


class HybridSearch(Record):
    """HybridSearch"""

    alpha: float | None = None


class RankService(Record):
    """RankService"""

    model_name: str | None = None


class Ranking(Record, tag="rank_service", tag_field="ranking_config"):
    """Ranking"""

    model_name: str | None = None
    rank_service: RankService | None = None


class RagResource(Record):
    """RagResource"""

    rag_corpus: str | None = None
    rag_file_ids: list[str] | None = None


class RagRetrievalConfig(Record):
    """RagRetrievalConfig"""

    filter: Filter | None = None
    hybrid_search: HybridSearch | None = None
    ranking: Ranking | None = None
    top_k: int | None = None


class RagStoreConfig(Record):
    """RagStoreConfig"""

    rag_resources: list[RagResource] | None = None
    rag_retrieval_config: RagRetrievalConfig | None = None
    similarity_top_k: int | None = None
    vector_distance_threshold: float | None = None


class VertexAISearchConfig(Record):
    """VertexAISearchConfig"""

    datastores: list[str] | None = None
    engine: str | None = None


class Retrieval(Record, tag="retrieval"):
    """Retrieval"""

    exa_ai_search_config: ExaAISearchConfig | None = None
    parallel_ai_search_config: ParallelAISearchConfig | None = None
    rag_store_config: RagStoreConfig | None = None
    retrieval_types: list[RetrievalType] | None = None
    vertex_ai_search_config: VertexAISearchConfig | None = None


class ToolSearch(Record, tag="tool_search"):
    """ToolSearch"""

    description: str | None = None
    execution: Literal["server", "client"] | None = None
    name: str | None = None
    parameters: Any = None


class URLContext(Record, tag="url_context"):
    """URLContext"""


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
