"""What a declaration of retrieval asks for, checked: nothing in it is passed over in silence."""

from __future__ import annotations

import msgspec

from interplay.contracts.failure import Refused
from interplay.wire.tools import RagStoreConfig, Retrieval, RetrievalType

_CONFIGS: dict[RetrievalType, str] = {
    "rag_store": "rag_store_config",
    "exa_ai_search": "exa_ai_search_config",
    "parallel_ai_search": "parallel_ai_search_config",
}
_MOST_STORES = 20
_STORE = "fileSearchStores/"


class Stores(msgspec.Struct, kw_only=True):
    """Which of this server's search stores are searched, and how."""

    names: list[str]
    count: int
    filter: str | None


def types_of(declaration: Retrieval) -> list[RetrievalType]:
    """The services a declaration asks for, each with its configuration. Raises Refused."""
    if declaration.vertex_ai_search_config is not None:
        raise Refused(_unserved("'vertex_ai_search_config' is not served here."))
    given: list[RetrievalType] = [
        type_ for type_, name in _CONFIGS.items() if getattr(declaration, name) is not None
    ]
    asked = list(dict.fromkeys(declaration.retrieval_types or given))
    if not asked:
        raise Refused(_unserved("retrieval needs the configuration of a service."))
    for type_ in asked:
        if type_ not in _CONFIGS:
            raise Refused(_unserved(f"The retrieval type '{type_}' is not served here."))
        if type_ not in given:
            raise Refused(f"The retrieval type '{type_}' needs '{_CONFIGS[type_]}'.")
    for type_ in given:
        if type_ not in asked:
            raise Refused(
                f"'{_CONFIGS[type_]}' is given, and '{type_}' is not among 'retrieval_types'."
            )
    return asked


def stores_of(config: RagStoreConfig, default: int, most: int) -> Stores:
    """The stores of a `rag_store_config`. Raises Refused for what they cannot do."""
    _refuse_unserved(config)
    resources = config.rag_resources or []
    if not 1 <= len(resources) <= _MOST_STORES:
        raise Refused(f"'rag_store_config' needs 1 to {_MOST_STORES} 'rag_resources'.")
    names: list[str] = []
    for resource in resources:
        name = resource.rag_corpus or ""
        if not name.startswith(_STORE) or name == _STORE:
            raise Refused(
                f"The 'rag_corpus' '{name[:80]}' is no search store of this server; their names"
                f" are like {_STORE}abc."
            )
        names.append(name)
    found = config.rag_retrieval_config
    counts = [config.similarity_top_k, found.top_k if found else None]
    known = {count for count in counts if count is not None}
    if len(known) > 1:
        raise Refused("'similarity_top_k' and 'rag_retrieval_config.top_k' are not the same.")
    count = known.pop() if known else default
    if not 1 <= count <= most:
        raise Refused(f"retrieval takes a 'top_k' from 1 to {most}.")
    filters = found.filter if found else None
    return Stores(
        names=names, count=count, filter=(filters.metadata_filter or None) if filters else None
    )


def _refuse_unserved(config: RagStoreConfig) -> None:
    found = config.rag_retrieval_config
    filters = found.filter if found else None
    unserved = {
        "vector_distance_threshold": config.vector_distance_threshold,
        "rag_retrieval_config.hybrid_search": found and found.hybrid_search,
        "rag_retrieval_config.ranking": found and found.ranking,
        "rag_retrieval_config.filter.vector_distance_threshold": filters
        and filters.vector_distance_threshold,
        "rag_retrieval_config.filter.vector_similarity_threshold": filters
        and filters.vector_similarity_threshold,
        "rag_resources.rag_file_ids": next(
            (one.rag_file_ids for one in config.rag_resources or [] if one.rag_file_ids), None
        ),
    }
    for name, value in unserved.items():
        if value is not None:
            raise Refused(
                f"'rag_store_config.{name}' is not served by this server's search stores; they"
                " take 'top_k' and 'metadata_filter'."
            )


def _unserved(fault: str) -> str:
    served = ", ".join(f"'{type_}' with '{name}'" for type_, name in _CONFIGS.items())
    return f"{fault} Supported: {served}."
