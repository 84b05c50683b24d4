"""Request -> admitted request: every field honoured or refused by name."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import Any

import msgspec

from interplay.contracts.agent import Agent
from interplay.contracts.failure import Failure
from interplay.contracts.model import Choice, ModelFacts
from interplay.interactions.admit_input import check_calls, media_of, read_input
from interplay.interactions.admit_webhooks import check_webhook_config
from interplay.interactions.failures import Rejected, invalid
from interplay.interactions.format import Format, read
from interplay.interactions.references import References
from interplay.interactions.roster import Found, Roster, UnknownName
from interplay.interactions.toolbox import Toolbox
from interplay.settings import Limits, Settings, SettingsError
from interplay.wire.explain import explain
from interplay.wire.generation import GenerationConfig
from interplay.wire.interaction import CreateInteraction
from interplay.wire.steps import Step
from interplay.wire.usage import Modality

_LABEL_KEY = re.compile(r"^[a-z][a-z0-9_-]{0,62}$")
_LABEL_VALUE = re.compile(r"^[a-z0-9_-]{0,63}$")


class Admitted(msgspec.Struct):
    """A request that will be run."""

    asked: CreateInteraction
    owner: str
    input: list[Step]
    history: list[Step]
    toolbox: Toolbox
    references: References
    choice: Choice
    format: Format
    background: bool
    """Answered at once, run behind: asked for, or the tier says so."""
    model: Found | None = None
    agent: Agent | None = None
    agent_config: Any = None
    notices: list[str] = []
    """What is accepted but changes nothing here; said in a response header."""


def behind(asked: CreateInteraction) -> bool:
    """Whether a request is answered at once and run behind."""
    return bool(asked.background) or asked.service_tier == "deferred"


async def admit(
    asked: CreateInteraction,
    owner: str,
    history: list[Step],
    roster: Roster,
    limits: Limits,
    references: References,
) -> Admitted:
    """Checks a decoded request against what is configured. Raises Rejected."""
    found, agent = _who(asked, roster)
    steps = check_calls(read_input(asked, limits), history)
    name = (asked.model or "").removeprefix("models/")
    toolbox = await Toolbox.of(asked.tools or [], roster, limits, name)
    toolbox.recall(history, "history")
    toolbox.recall(steps, "input")
    config = asked.generation_config or GenerationConfig()
    admitted = Admitted(
        asked=asked,
        owner=owner,
        input=steps,
        history=history,
        toolbox=toolbox,
        references=references,
        choice=toolbox.choice(config.tool_choice),
        format=read(asked.response_format, asked.response_mime_type, asked.response_modalities),
        background=behind(asked),
        model=found,
        agent=agent,
    )
    if found is not None:
        _model(admitted, found, config)
    elif agent is not None:
        _agent(admitted, agent)
    facts = found.model.facts if found is not None else None
    await references.check(media_of(asked.input), owner, facts)
    admitted.notices += await references.notices(history, owner)
    return admitted


def check_fields(asked: CreateInteraction, settings: Settings | None = None) -> None:
    """Refuses what no model or agent makes right, before anything is looked up; without settings
    those are the defaults. Raises Rejected."""
    _exclusions(asked)
    if asked.webhook_config is not None:
        check_webhook_config(asked.webhook_config, behind(asked), settings or Settings())
    _not_here(asked)
    _labels(asked.labels)


def _exclusions(asked: CreateInteraction) -> None:
    if (asked.model is None) == (asked.agent is None):
        both = asked.model is not None
        raise invalid(
            "Exactly one of 'model' and 'agent' is needed; "
            + ("both were given." if both else "neither was given.")
        )
    if asked.agent is not None and asked.generation_config is not None:
        raise invalid("'generation_config' is for models; use 'agent_config' with an agent.")
    if asked.model is not None and asked.agent_config is not None:
        raise invalid("'agent_config' is for agents; use 'generation_config' with a model.")
    if asked.background and asked.store is False:
        raise invalid("store=true is required for background interactions")
    if asked.service_tier == "deferred" and asked.store is False:
        raise invalid("store=true is required for the service tier 'deferred'")
    if asked.previous_interaction_id == "":
        raise invalid("Expected an interaction's id", "previous_interaction_id")


def _not_here(asked: CreateInteraction) -> None:
    """Fields of the API that this server cannot honour."""
    if asked.cached_content is not None:
        raise invalid(
            "'cached_content' is not supported: chain with 'previous_interaction_id', whose prefix"
            " is cached by itself."
        )
    if asked.continuation_token is not None:
        raise invalid(
            "'continuation_token' was not issued by this server, which never cuts a request;"
            " send the request without it."
        )
    if asked.environment is not None:
        raise invalid("'environment' is not supported: no sandbox is configured on this server.")
    for number, setting in enumerate(asked.safety_settings or []):
        if setting.threshold not in ("off", "block_none"):
            raise invalid(
                f"The value '{setting.threshold}' is not supported for 'threshold' at"
                f" 'safety_settings[{number}]': no classifier is configured. Supported values:"
                " 'off', 'block_none'."
            )


def _labels(labels: dict[str, str] | None) -> None:
    for key, value in (labels or {}).items():
        if not _LABEL_KEY.match(key):
            raise invalid(
                f"The label key '{key[:80]}' must start with a letter and have at most 63 of"
                " a-z, 0-9, '_', '-'",
                "labels",
            )
        if not _LABEL_VALUE.match(value):
            raise invalid("A label's value has at most 63 of a-z, 0-9, '_', '-'", f"labels.{key}")
    if labels and len(labels) > 64:
        raise invalid("At most 64 labels are possible", "labels")


def _who(asked: CreateInteraction, roster: Roster) -> tuple[Found | None, Agent | None]:
    try:
        if asked.model is not None:
            return roster.model(asked.model.removeprefix("models/")), None
        return None, roster.agent((asked.agent or "").removeprefix("agents/"))
    except UnknownName as error:
        code = "model_not_found" if asked.model is not None else "not_found"
        raise Rejected(code, str(error)) from error
    except SettingsError as error:
        raise Rejected("service_unavailable", f"The agent cannot be set up: {error}") from error


def _model(admitted: Admitted, found: Found, config: GenerationConfig) -> None:
    facts, asked = found.model.facts, admitted.asked
    name = asked.model or ""
    if not facts.functions and admitted.toolbox.specs:
        raise invalid(f"Functions are not supported by the model '{name}'", "tools")
    for number, step in enumerate(admitted.input):
        _media(step, number, facts.inputs, name)
    if not admitted.format.modalities <= facts.outputs:
        lacking = sorted(admitted.format.modalities - facts.outputs)
        field = "response_format" if asked.response_format is not None else "response_modalities"
        raise invalid(f"The model '{name}' does not make {lacking[0]}", field)
    if asked.generation_config is None:
        return
    if _media_configs(config) != _NO_MEDIA_CONFIGS:
        _check_media_configs(config, facts, name)
    _knobs(config)
    if config.thinking_level is not None and config.thinking_level not in facts.thinking_levels:
        if facts.thinking_levels:
            raise invalid(
                f"Thinking level {config.thinking_level.upper()} is not supported for this model."
                f" Supported values: {', '.join(sorted(facts.thinking_levels))}",
                "generation_config.thinking_level",
            )
        admitted.notices.append(f"thinking_level has no effect, {found.entry} does not think")


_MEDIA_CONFIGS: tuple[tuple[str, Modality], ...] = (
    ("image_config", "image"),
    ("speech_config", "audio"),
    ("video_config", "video"),
    ("transcription_config", "audio"),
)
_media_configs = attrgetter(*(field for field, _ in _MEDIA_CONFIGS))
_NO_MEDIA_CONFIGS = (None,) * len(_MEDIA_CONFIGS)


def _check_media_configs(config: GenerationConfig, facts: ModelFacts, name: str) -> None:
    for field, modality in _MEDIA_CONFIGS:
        able = facts.inputs if field == "transcription_config" else facts.outputs
        if getattr(config, field) is not None and modality not in able:
            raise invalid(
                f"'{field}' is not supported for the model '{name}'", f"generation_config.{field}"
            )


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("max_output_tokens", 1, 2**31 - 1),
    ("seed", 0, 2**31 - 1),
    ("temperature", 0.0, 2.0),
    ("top_p", 0.0, 1.0),
    ("top_k", 1, 2**31 - 1),
)
_values = attrgetter(*(name for name, _, _ in _RANGES))


def _knobs(config: GenerationConfig) -> None:
    for (name, low, high), value in zip(_RANGES, _values(config), strict=True):
        if value is not None and not low <= value <= high:
            raise invalid(
                f"Expected number from {low} to {high}, got {value}", f"generation_config.{name}"
            )
    if config.stop_sequences is not None and len(config.stop_sequences) > 64:
        raise invalid("At most 64 stop sequences are possible", "generation_config.stop_sequences")


def _media(step: Step, number: int, inputs: frozenset[str], name: str) -> None:
    for at, block in enumerate(getattr(step, "content", None) or []):
        kind = block.__struct_config__.tag
        if kind not in inputs and kind != "document":  # the text of documents is read here
            raise invalid(
                f"The model '{name}' does not take {kind}; it takes {', '.join(sorted(inputs))}",
                f"input[{number}].content[{at}]",
            )


def _agent(admitted: Admitted, agent: Agent) -> None:
    facts, asked, name = agent.facts, admitted.asked, admitted.asked.agent
    if facts.background_only and not asked.background:
        raise invalid("Agents are required to use background=true")
    if asked.system_instruction and not facts.system_instruction:
        raise invalid(f"system_instruction is not supported for the {name} agent")
    if asked.tools and not facts.tools:
        raise invalid(f"Tools are not supported for the {name} agent", "tools")
    if admitted.toolbox.functions and not facts.functions:
        raise invalid(f"Functions are not supported for the {name} agent", "tools")
    if (asked.response_format is not None) and not facts.response_format:
        raise invalid(f"response_format is not supported for the {name} agent", "response_format")
    given = asked.agent_config or {}
    try:
        admitted.agent_config = msgspec.convert(given, agent.Config)
    except msgspec.ValidationError as error:
        faults = explain(given, agent.Config, under=("agent_config",))
        said = " ".join(fault.message for fault in faults)
        raise (invalid(said) if said else invalid(str(error), "agent_config")) from error


def backend_refusal(failure: Failure) -> Rejected:
    """What a plugin's failure looks like to a caller who waits for the answer."""
    return Rejected(failure.code, failure.message, retry_after=failure.retry_after)
