"""The wire types stand field by field as the newest official client has them.

Every intended difference is listed with its reason; one that is not listed fails, and one that
is listed but gone fails too.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union

import msgspec
import pydantic
import pytest
from google.genai._gaos.types import interactions as sdk_package
from google.genai._gaos.types import triggers as trigger_package
from google.genai._gaos.types import webhooks as webhook_package

import interplay.wire
from interplay.wire.agent import AgentConfig
from interplay.wire.content import Annotation, Content
from interplay.wire.deltas import DeltaData
from interplay.wire.events import Event
from interplay.wire.generation import ResponseFormat
from interplay.wire.record import Record
from interplay.wire.steps import Step
from interplay.wire.tools import Tool
from interplay.wire.webhook import WebhookSubscribedEvent

RENAMED = {
    "InteractionSseEventInteraction": "InteractionHead",
    "FunctionResultDeltaResult": "dict[str, Any]",
    "FunctionResultStepResult": "dict[str, Any]",
    "MCPServerToolResultDeltaResult": "dict[str, Any]",
    "MCPServerToolResultStepResult": "dict[str, Any]",
}
"""SDK class -> what it is here; the last four are objects without fields of their own."""

MERGED = {
    "CreateModelInteraction": "CreateInteraction",
    "CreateAgentInteraction": "CreateInteraction",
}
"""SDK classes that share one struct of ours; see its docstring."""

SDK_ONLY = {
    "Empty": "the answer of a delete, `{}`",
    "InteractionSSEStreamEvent": "a frame around an event, inside the SDK",
}
"""SDK class -> why we have none."""

OURS_ONLY = {
    "ErrorBody": "the SDK reads error bodies without a type",
    **dict.fromkeys(
        (
            *("File", "ListFilesResponse", "UploadedFile", "CustomMetadata", "Document"),
            *("FileSearchStore", "ListDocumentsResponse", "ListFileSearchStoresResponse"),
            *("ListOperationsResponse", "Operation", "OperationError", "StringList"),
        ),
        "stands in an older part of the SDK; tests/api drives it",
    ),
    "WebhookEvent": "the SDK leaves the bodies of deliveries to their receivers",
    "WebhookEventData": "a part of it",
    **dict.fromkeys(
        ("Delivery", "DeliveryAttempt", "DeliveryListResponse"),
        "the service keeps no log of deliveries",
    ),
}
"""Struct of ours -> why the SDK has none."""

_OPEN = "the SDK's list is open and grows; every model or backend knows its own"
_MERGED = "one struct reads the bodies for models and for agents; admission refuses mixtures"
_SECOND = "read in a second pass, where a JSON schema may stand or the agent has its own type"
_LENIENT = "steps and content are taken side by side, and one step without a list, as in the docs"
_MODELS = "a trigger may run a model, too"
_SDK = "added by the SDK, never on the wire"
_TEXT = "times travel as RFC 3339 texts and are kept as such"
_EVENTS = "the guide's list has two cancellations more"
_SDK_EVENTS = (
    "'batch.expired' | 'batch.failed' | 'batch.succeeded' | 'interaction.completed'"
    " | 'interaction.failed' | 'interaction.requires_action' | 'video.generated'"
)
_OUR_EVENTS = " | ".join(sorted(map(repr, typing.get_args(WebhookSubscribedEvent))))
_SIGNED = "backends that sign their calls send it, and it must come back"

DIFFERENCES = {
    "AudioContent.mime_type: literals -> str": _OPEN,
    "AudioDelta.mime_type: literals -> str": _OPEN,
    "AudioResponseFormat.mime_type: literals -> str": _OPEN,
    "DocumentContent.mime_type: literals -> str": _OPEN,
    "DocumentDelta.mime_type: literals -> str": _OPEN,
    "ImageContent.mime_type: literals -> str": _OPEN,
    "ImageDelta.mime_type: literals -> str": _OPEN,
    "ImageResponseFormat.mime_type: literals -> str": _OPEN,
    "TextResponseFormat.mime_type: literals -> str": _OPEN,
    "VideoContent.mime_type: literals -> str": _OPEN,
    "VideoDelta.mime_type: literals -> str": _OPEN,
    "CreateModelInteraction.model: literals -> str": _OPEN,
    "CreateAgentInteraction.agent: literals -> str": _OPEN,
    "Interaction.model: literals -> str": _OPEN,
    "Interaction.agent: literals -> str": _OPEN,
    "CreateModelInteraction.model: required True -> False": _MERGED,
    "CreateAgentInteraction.agent: required True -> False": _MERGED,
    "CreateModelInteraction.agent: only ours": _MERGED,
    "CreateModelInteraction.agent_config: only ours": _MERGED,
    "CreateAgentInteraction.model: only ours": _MERGED,
    "CreateAgentInteraction.cached_content: only ours": _MERGED,
    "CreateAgentInteraction.generation_config: only ours": _MERGED,
    "CreateAgentInteraction.agent_config: AgentConfig -> dict[str, Any]": _SECOND,
    "Interaction.agent_config: AgentConfig -> dict[str, Any]": _SECOND,
    **{
        f"{name}.response_format: ResponseFormat | dict[str, Any]"
        " | list[ResponseFormat | dict[str, Any]] -> Any": _SECOND
        for name in ("CreateModelInteraction", "CreateAgentInteraction", "Interaction")
    },
    **{
        f"{name}.input: Content | list[Content] | list[Step] | str"
        " -> Content | Step | list[Content | Step] | str": _LENIENT
        for name in ("CreateModelInteraction", "CreateAgentInteraction", "Interaction")
    },
    "FunctionCallStep.signature: only ours": _SIGNED,
    "FunctionResultStep.signature: only ours": _SIGNED,
    "GenerationConfig.top_k: only ours": "taken by the service in practice, and by local models",
    "MCPServer.allowed_tools: list[AllowedTools] -> list[AllowedTools | str]": "the docs' form",
    "MCPServer.credential: only ours": "documented, and not in the SDK's type",
    "Interaction.object: only ours": "sent by the service as `interaction`",
    **{
        f"Trigger.{field}_time: datetime -> str": _TEXT
        for field in (
            *("create", "last_pause", "last_resume", "last_run", "next_run"),
            "update",
        )
    },
    **{
        f"TriggerExecution.{field}_time: datetime -> str": _TEXT
        for field in ("end", "scheduled", "start")
    },
    **{
        f"{field}_time: datetime -> str": _TEXT
        for field in ("Webhook.create", "Webhook.update", "SigningSecret.expire")
    },
    **{
        f"{name}.subscribed_events: list[{_SDK_EVENTS}] -> list[{_OUR_EVENTS}]": _EVENTS
        for name in ("Webhook", "WebhookInput", "WebhookUpdate")
    },
    "Trigger.interaction: CreateAgentInteraction -> CreateInteraction": _MODELS,
    "TriggerCreateParams.interaction: CreateAgentInteraction -> CreateInteraction": _MODELS,
    "Interaction.continuation_ids: only SDK": _SDK,
    "Interaction.output_audio: only SDK": _SDK,
    "Interaction.output_image: only SDK": _SDK,
    "Interaction.output_text: only SDK": _SDK,
    "Interaction.output_video: only SDK": _SDK,
}
"""One line of the comparison -> why it is meant."""


SDK_PACKAGES = (sdk_package, trigger_package, webhook_package)


def modules(package: types.ModuleType) -> list[types.ModuleType]:
    return [
        importlib.import_module(f"{package.__name__}.{found.name}")
        for found in pkgutil.iter_modules(package.__path__)
    ]


def sdk_classes() -> dict[str, type[pydantic.BaseModel]]:
    return {
        name: found
        for package in SDK_PACKAGES
        for module in modules(package)
        for name, found in vars(module).items()
        if inspect.isclass(found)
        and issubclass(found, pydantic.BaseModel)
        and found.__module__ == module.__name__
        and not name.startswith("Unknown")
    }


def our_structs() -> dict[str, type[Record]]:
    return {
        name: found
        for module in modules(interplay.wire)
        for name, found in vars(module).items()
        if inspect.isclass(found)
        and issubclass(found, Record)
        and found is not Record
        and found.__module__ == module.__name__
    }


def arms(annotation: Any) -> frozenset[str]:
    """A type as the set of its arms, the same for both sides: literals by value, classes by name,
    null and the SDK's catch-alls left out (its enums and unions are open)."""
    while hasattr(annotation, "__value__"):
        annotation = annotation.__value__
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return arms(inner[0])
    if origin in (Union, types.UnionType):
        found = frozenset[str]().union(*(arms(arm) for arm in inner))
        return frozenset({"Any"}) if "Any" in found else found
    if origin is Literal:
        return frozenset(repr(value) for value in inner)
    if origin is list:
        return frozenset({f"list[{shown(arms(inner[0]))}]"})
    if origin is dict:
        return frozenset({f"dict[{shown(arms(inner[0]))}, {shown(arms(inner[1]))}]"})
    if annotation is type(None) or "Unrecognized" in str(annotation):
        return frozenset()
    name = "Any" if annotation is Any else annotation.__name__
    return frozenset() if name.startswith("Unknown") else frozenset({RENAMED.get(name, name)})


FAMILIES: dict[str, Any] = {
    "Step": Step,
    "Content": Content,
    "ResponseFormat": ResponseFormat,
    "AgentConfig": AgentConfig,
}
"""Unions that are written by name where all their arms stand together."""


def shown(found: frozenset[str]) -> str:
    """Arms in one line."""
    for name, family in FAMILIES.items():
        members = {arm.__name__ for arm in typing.get_args(family)}
        if members <= found:
            found = (found - members) | {name}
    return " | ".join(sorted(found))


def kind_difference(theirs: str, own: str) -> str:
    """`literals -> str` for a list of names that we leave open, else both types."""
    literals = all(arm.startswith("'") for arm in theirs.split(" | "))
    return "literals -> str" if literals and own == "str" else f"{theirs} -> {own}"


def sdk_fields(found: type[pydantic.BaseModel]) -> dict[str, tuple[str, bool]]:
    return {
        info.alias or name: (shown(arms(info.annotation)), info.is_required())
        for name, info in found.model_fields.items()
    }


def our_fields(found: type[Record]) -> dict[str, tuple[str, bool]]:
    hints = typing.get_type_hints(found, include_extras=True)
    fields = {
        field.encode_name: (shown(arms(hints[field.name])), field.required)
        for field in msgspec.structs.fields(found)
    }
    config = found.__struct_config__
    if config.tag is not None:
        fields[str(config.tag_field)] = (repr(config.tag), False)
    return fields


def compared(name: str, sdk: type[pydantic.BaseModel], ours: type[Record]) -> Iterator[str]:
    """Every difference of one pair, a line each."""
    theirs, own = sdk_fields(sdk), our_fields(ours)
    for field in theirs.keys() | own.keys():
        place = f"{name}.{field}"
        if field not in own:
            yield f"{place}: only SDK"
        elif field not in theirs:
            yield f"{place}: only ours"
        else:
            if theirs[field][0] != own[field][0]:
                yield f"{place}: {kind_difference(theirs[field][0], own[field][0])}"
            if theirs[field][1] != own[field][1]:
                yield f"{place}: required {theirs[field][1]} -> {own[field][1]}"


def differences() -> set[str]:
    """Every difference there is."""
    structs = our_structs()
    found: set[str] = set()
    for name, sdk in sdk_classes().items():
        ours = structs.get(MERGED.get(name, RENAMED.get(name, name)))
        if ours is not None:
            found |= set(compared(name, sdk, ours))
    return found


def test_every_difference_is_listed_and_every_listed_one_is_there():
    found = differences()
    assert found - DIFFERENCES.keys() == set(), "differs from the SDK and is not listed"
    assert DIFFERENCES.keys() - found == set(), "is listed and does not differ any more"


def test_every_class_has_its_counterpart_or_a_reason():
    sdk, ours = sdk_classes().keys(), our_structs().keys()
    assert sdk - ours == SDK_ONLY.keys() | MERGED.keys() | RENAMED.keys()
    assert ours - sdk == OURS_ONLY.keys() | set(MERGED.values()) | {"InteractionHead"}


@pytest.mark.parametrize(
    ("module", "name", "ours"),
    [
        ("interactionsseevent", "InteractionSSEEvent", Event),
        ("step", "Step", Step),
        ("stepdeltadata", "StepDeltaData", DeltaData),
        ("content", "Content", Content),
        ("tool", "Tool", Tool),
        ("annotation", "Annotation", Annotation),
    ],
)
def test_a_union_has_the_arms_of_the_sdk(module: str, name: str, ours: Any):
    theirs = getattr(importlib.import_module(f"{sdk_package.__name__}.{module}"), name)
    assert arms(theirs) == arms(ours)


def test_a_field_that_differs_is_seen():
    class Error(Record):
        code: int
        extra: str | None = None

    seen = set(compared("Error", sdk_classes()["Error"], Error))
    assert seen == {
        "Error.code: str -> int",
        "Error.code: required False -> True",
        "Error.message: only SDK",
        "Error.extra: only ours",
    }
