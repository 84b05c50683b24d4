"""The interaction: what is asked and what is answered."""

from __future__ import annotations

from typing import Any

from interplay.wire.content import Content
from interplay.wire.environment import Environment
from interplay.wire.errors import Error
from interplay.wire.generation import GenerationConfig, SafetySetting, ServiceTier
from interplay.wire.record import Record
from interplay.wire.steps import Step
from interplay.wire.tools import Tool
from interplay.wire.usage import InteractionStatus, Modality, Usage
from interplay.wire.webhook import WebhookConfig


class CreateInteraction(Record):
    """The body of `POST /interactions`, for a model or for an agent.

    The SDK types it twice (CreateModelInteraction, CreateAgentInteraction); one struct with
    both sets of fields decodes in one pass, and admission refuses the mixtures.
    `agent_config` and `response_format` are read in a second pass, against the agent's own
    type and the output formats: a JSON schema may stand where a typed format may.
    """

    model: str | None = None
    """A name that `/models` lists; this or `agent`."""
    agent: str | None = None
    """An agent by name; this or `model`."""
    input: str | Content | Step | list[Content | Step] | None = None
    """What the caller says: text, contents, or steps of a conversation."""
    stream: bool | None = None
    """Answer as server-sent events."""
    background: bool | None = None
    """Answer at once and run on; needs `store`."""
    store: bool | None = None
    """Keep it, to be read and continued; true when left out."""
    previous_interaction_id: str | None = None
    """What this one continues; only the steps carry over, no settings."""
    system_instruction: str | None = None
    tools: list[Tool] | None = None
    generation_config: GenerationConfig | None = None
    agent_config: dict[str, Any] | None = None
    response_format: Any = None
    response_mime_type: str | None = None
    response_modalities: list[Modality] | None = None
    environment: str | Environment | None = None
    """The id of an environment, or what to make one from."""
    webhook_config: WebhookConfig | None = None
    safety_settings: list[SafetySetting] | None = None
    service_tier: ServiceTier | None = None
    labels: dict[str, str] | None = None
    """At most 63 characters each, of a-z, 0-9, _ and -; a key begins with a letter."""
    cached_content: str | None = None
    continuation_token: str | None = None
    """From an interaction that ended as `requires_continuation`."""


class Interaction(Record, kw_only=True):
    """The resource, as create, get and cancel answer it.

    `steps` after create holds only what the model or agent made; after get the caller's
    input stands first. Times are RFC 3339 in UTC.
    """

    id: str | None = None
    object: str | None = None
    """Always `interaction`."""
    status: InteractionStatus
    model: str | None = None
    agent: str | None = None
    created: str | None = None
    updated: str | None = None
    service_tier: ServiceTier | None = None
    previous_interaction_id: str | None = None
    environment_id: str | None = None
    """The environment it ran in, when it had one."""
    steps: list[Step] | None = None
    usage: Usage | None = None
    errors: list[Error] | None = None
    """What went wrong on the way, also where the end was good."""
    labels: dict[str, str] | None = None
    system_instruction: str | None = None
    tools: list[Tool] | None = None
    generation_config: GenerationConfig | None = None
    agent_config: dict[str, Any] | None = None
    response_format: Any = None
    response_mime_type: str | None = None
    response_modalities: list[Modality] | None = None
    environment: str | Environment | None = None
    webhook_config: WebhookConfig | None = None
    safety_settings: list[SafetySetting] | None = None
    cached_content: str | None = None
    continuation_token: str | None = None
    """To be sent back when the status is `requires_continuation`."""
    input: str | Content | Step | list[Content | Step] | None = None
