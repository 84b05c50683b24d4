"""Configuration an agent interaction may carry."""

from __future__ import annotations

from typing import Literal

from interplay.wire.generation import ThinkingSummaries
from interplay.wire.record import Record


class AntigravityAgentConfig(Record, tag="antigravity"):
    """Settings of the general agent that works in an environment."""

    max_total_tokens: int | None = None
    model: str | None = None


class FileContent(Record):
    """One source file by path, its text whole."""

    content: str | None = None
    path: str | None = None


class FindRequest(Record):
    """A search for weaknesses in source files; `verify` looks at one finding again."""

    description: str | None = None
    finding_id: str | None = None
    mode: Literal["scan", "verify"] | None = None
    source_files: list[FileContent] | None = None


class FixRequest(Record):
    """A request to patch one finding."""

    description: str | None = None
    finding_id: str | None = None
    source_files: list[FileContent] | None = None


class SessionConfig(Record):
    """Bounds of one session of the code agent."""

    max_rounds: int | None = None


class CodeMenderAgentConfig(Record, tag="code-mender"):
    """Settings of the agent that finds and fixes weaknesses in code.

    A session finds or fixes; `session_id` joins the interactions of one session.
    """

    find_request: FindRequest | None = None
    fix_request: FixRequest | None = None
    model: str | None = None
    session_config: SessionConfig | None = None
    session_id: str | None = None


class DeepResearchAgentConfig(Record, tag="deep-research"):
    """Settings of the agent that researches a question and writes a report.

    With `collaborative_planning` it shows its plan first and waits for an answer.
    """

    collaborative_planning: bool | None = None
    enable_bigquery_tool: bool | None = None
    thinking_summaries: ThinkingSummaries | None = None
    visualization: Literal["off", "auto"] | None = None


class DynamicAgentConfig(Record, tag="dynamic"):
    """A config without fields of its own."""


AgentConfig = (
    AntigravityAgentConfig | CodeMenderAgentConfig | DeepResearchAgentConfig | DynamicAgentConfig
)
