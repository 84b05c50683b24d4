"""Configuration an agent interaction may carry."""

from __future__ import annotations

from typing import Literal

from interplay.wire.generation import ThinkingSummaries
from interplay.wire.record import Record


class AntigravityAgentConfig(Record, tag="antigravity"):
    """AntigravityAgentConfig"""

    max_total_tokens: int | None = None
    model: str | None = None


class FileContent(Record):
    """FileContent"""

    content: str | None = None
    path: str | None = None


class FindRequest(Record):
    """FindRequest"""

    description: str | None = None
    finding_id: str | None = None
    mode: Literal["scan", "verify"] | None = None
    source_files: list[FileContent] | None = None


class FixRequest(Record):
    """FixRequest"""

    description: str | None = None
    finding_id: str | None = None
    source_files: list[FileContent] | None = None


class SessionConfig(Record):
    """SessionConfig"""

    max_rounds: int | None = None


class CodeMenderAgentConfig(Record, tag="code-mender"):
    """CodeMenderAgentConfig"""

    find_request: FindRequest | None = None
    fix_request: FixRequest | None = None
    model: str | None = None
    session_config: SessionConfig | None = None
    session_id: str | None = None


class DeepResearchAgentConfig(Record, tag="deep-research"):
    """DeepResearchAgentConfig"""

    collaborative_planning: bool | None = None
    enable_bigquery_tool: bool | None = None
    thinking_summaries: ThinkingSummaries | None = None
    visualization: Literal["off", "auto"] | None = None


class DynamicAgentConfig(Record, tag="dynamic"):
    """DynamicAgentConfig"""


AgentConfig = (
    AntigravityAgentConfig | CodeMenderAgentConfig | DeepResearchAgentConfig | DynamicAgentConfig
)
