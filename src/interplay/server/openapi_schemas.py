"""The schemas of the OpenAPI document: the wire types, and answers that are none of them."""

from __future__ import annotations

import ast
import inspect
from typing import Any, get_args

import msgspec

from interplay.wire.agent import AgentConfig
from interplay.wire.errors import ErrorBody
from interplay.wire.events import Event
from interplay.wire.file import File, ListFilesResponse, UploadedFile
from interplay.wire.generation import ResponseFormat
from interplay.wire.interaction import CreateInteraction, Interaction
from interplay.wire.search_store import (
    Document,
    FileSearchStore,
    ListDocumentsResponse,
    ListFileSearchStoresResponse,
    ListOperationsResponse,
    Operation,
)
from interplay.wire.trigger import (
    ListTriggerExecutionsResponse,
    ListTriggersResponse,
    Trigger,
    TriggerCreateParams,
    TriggerExecution,
    TriggerUpdate,
)
from interplay.wire.usage import InteractionStatus
from interplay.wire.webhook import (
    DeliveryListResponse,
    PingWebhookRequest,
    RotateSigningSecretRequest,
    Webhook,
    WebhookInput,
    WebhookListResponse,
    WebhookPingResponse,
    WebhookRotateSigningSecretResponse,
    WebhookUpdate,
)

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_NAMED = {"Event": Event, "ResponseFormat": ResponseFormat, "AgentConfig": AgentConfig}
"""Unions that get a name of their own in the document."""
_SENT: tuple[Any, ...] = (
    CreateInteraction,
    TriggerCreateParams,
    TriggerUpdate,
    WebhookInput,
    WebhookUpdate,
    PingWebhookRequest,
    RotateSigningSecretRequest,
)
_ANSWERED: tuple[Any, ...] = (
    Interaction,
    ErrorBody,
    Trigger,
    TriggerExecution,
    ListTriggersResponse,
    ListTriggerExecutionsResponse,
    Webhook,
    WebhookListResponse,
    WebhookPingResponse,
    WebhookRotateSigningSecretResponse,
    DeliveryListResponse,
    File,
    UploadedFile,
    ListFilesResponse,
    FileSearchStore,
    ListFileSearchStoresResponse,
    Document,
    ListDocumentsResponse,
    Operation,
    ListOperationsResponse,
)
_TEXT: Json = {"type": "string"}


def _schema(name: str) -> Json:
    return {"$ref": _REF.format(name=name)}


def schemas() -> Json:
    """Every schema by name. What callers send is closed, what they are answered may grow."""
    types: list[Any] = [*_SENT, *_ANSWERED, *_NAMED.values()]
    sent: list[Any] = [*_SENT, ResponseFormat, AgentConfig]
    found, components = msgspec.json.schema_components(types, ref_template=_REF)
    closed = msgspec.json.schema_components(sent, ref_template=_REF)[1].keys()
    made: Json = {name: _described(schema) for name, schema in components.items()}
    for name in made.keys() - closed:
        made[name].pop("additionalProperties", None)
    for name, schema in zip(_NAMED, found[-len(_NAMED) :], strict=True):
        made[name] = schema
    for name, docs in _field_docs().items():
        for field, doc in docs.items():
            if name in made and field in made[name]["properties"]:
                made[name]["properties"][field]["description"] = doc
    for name in ("CreateInteraction", "Interaction"):
        _widen(made[name]["properties"])
    return made | _own_schemas()


def _widen(fields: Json) -> None:
    """The two fields that are read in a second pass, as what they are read as."""
    config = {"anyOf": [_schema("AgentConfig"), {"type": "object"}]}
    fields["agent_config"] = {"description": "Settings of the agent asked.", **config}
    format = {"anyOf": [_schema("ResponseFormat"), {"type": "object"}]}
    fields["response_format"] = {
        "description": "How the answer must look; a bare object is a JSON schema.",
        "anyOf": [*format["anyOf"], {"type": "array", "items": format}],
    }


def _described(schema: Json) -> Json:
    if "description" in schema:
        schema["description"] = inspect.cleandoc(schema["description"])
    return schema


def _field_docs() -> dict[str, dict[str, str]]:
    """The string under each field of a wire type, by class and field."""
    docs: dict[str, dict[str, str]] = {}
    wire = {inspect.getmodule(part) for part in (*_SENT, *_ANSWERED)}
    for union in _NAMED.values():
        wire |= {inspect.getmodule(arm) for arm in get_args(union)}
    for module in filter(None, wire):
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.ClassDef):
                docs[node.name] = _strings_under(node)
    return docs


def _strings_under(node: ast.ClassDef) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            found[field.target.id] = inspect.cleandoc(below.value.value)
    return found


def _own_schemas() -> Json:
    """Answers that are not wire types of their own."""
    model: Json = {
        "type": "object",
        "description": "A name that can be asked, and what answers to it.",
        "properties": {
            "name": {"type": "string", "description": "`models/` and the name."},
            "version": _TEXT,
            "displayName": _TEXT,
            "description": _TEXT,
            "supportedGenerationMethods": {"type": "array", "items": _TEXT},
            "inputTokenLimit": {"type": "integer"},
            "outputTokenLimit": {"type": "integer"},
            "thinking": {"type": "boolean"},
        },
        "required": ["name"],
    }
    time: Json = {"type": "string", "format": "date-time"}
    line: Json = {
        "type": "object",
        "description": "What a person picks an interaction by.",
        "properties": {
            **dict.fromkeys(["id", "object", "model", "agent", "previous_interaction_id"], _TEXT),
            "status": {"enum": list(get_args(InteractionStatus))},
            **dict.fromkeys(["created", "updated", "expires"], time),
            "root": {"type": "string", "description": "Where its conversation began."},
            "background": {"type": "boolean"},
            "labels": {"type": "object", "additionalProperties": _TEXT},
        },
        "required": ["id", "status"],
    }
    named: Json = {"type": "object", "properties": {"id": _TEXT}, "required": ["id"]}
    page: Json = {
        "type": "object",
        "description": "A page of interactions, newest first.",
        "properties": {
            "interactions": {"type": "array", "items": _schema("InteractionLine")},
            "interaction_metadatas": {"type": "array", "items": named},
            "next_page_token": {"type": "string", "description": "Absent on the last page."},
        },
        "required": ["interactions", "interaction_metadatas"],
    }
    models: Json = {
        "type": "object",
        "properties": {"models": {"type": "array", "items": _schema("Model")}},
        "required": ["models"],
    }
    return {"InteractionPage": page, "InteractionLine": line, "Model": model, "ModelList": models}
