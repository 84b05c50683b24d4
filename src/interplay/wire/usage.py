"""What an interaction cost, in tokens."""

from __future__ import annotations

from typing import Literal

from interplay.wire.record import Record

InteractionStatus = Literal[
    "in_progress",
    "requires_action",
    "completed",
    "failed",
    "cancelled",
    "incomplete",
    "budget_exceeded",
    "queued",
    "requires_continuation",
]

Modality = Literal["text", "image", "audio", "video", "document"]


class ModalityTokens(Record):
    """Tokens of one modality."""

    modality: Modality | None = None
    tokens: int | None = None


class GroundingToolCount(Record):
    """How often one tool was used."""

    count: int | None = None
    type: Literal["google_search", "google_maps", "retrieval"] | None = None


class Usage(Record):
    """Tokens of an interaction.

    The total is input, output, thought and tool use together; cached tokens are part of the
    input, and thoughts are not part of the output.
    """

    cached_tokens_by_modality: list[ModalityTokens] | None = None
    grounding_tool_count: list[GroundingToolCount] | None = None
    initial_input_tokens: int | None = None
    input_tokens_by_modality: list[ModalityTokens] | None = None
    output_tokens_by_modality: list[ModalityTokens] | None = None
    tool_use_tokens_by_modality: list[ModalityTokens] | None = None
    total_cached_tokens: int | None = None
    total_input_tokens: int | None = None
    total_output_tokens: int | None = None
    total_thought_tokens: int | None = None
    total_tokens: int | None = None
    total_tool_use_tokens: int | None = None
