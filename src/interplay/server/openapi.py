"""The OpenAPI 3.1 document of what is served, made from the wire types."""

from __future__ import annotations

from functools import lru_cache
from typing import get_args

import msgspec

from interplay.server.openapi_files import file_paths
from interplay.server.openapi_parts import (
    REVISION,
    TEXT,
    VERSION,
    Json,
    answered,
    in_header,
    in_path,
    in_query,
    operation,
    ref,
    schema_of,
)
from interplay.server.openapi_schemas import schemas
from interplay.server.openapi_triggers import trigger_paths
from interplay.server.openapi_webhooks import webhook_paths
from interplay.wire.errors import HTTP_STATUS
from interplay.wire.usage import InteractionStatus

_VERSIONS = ["v1", "v1beta", "v1beta1", "v1alpha"]


@lru_cache(maxsize=2)
def document(version: str) -> bytes:
    """The document as JSON; `version` is the software's."""
    whole: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "Interplay",
            "version": version,
            "summary": "The Interactions API, self-hosted: one endpoint for models and agents.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}, {"bearer": []}, {"query": []}, {}],
        "tags": [
            {"name": "interactions", "description": "Ask a model or an agent, now or later."},
            {"name": "triggers", "description": "Interactions that begin by a schedule."},
            {"name": "webhooks", "description": "Where the end of an interaction is told."},
            {"name": "files", "description": "What callers upload, for interactions to use."},
            {"name": "models", "description": "What can be asked."},
            {"name": "server", "description": "For whoever runs it."},
        ],
        "paths": _collection_paths()
        | _interaction_paths()
        | trigger_paths()
        | webhook_paths()
        | file_paths()
        | _model_paths()
        | _server_paths(),
        "components": {
            "schemas": schemas(),
            "parameters": _parameters(),
            "responses": _refusals(),
            "headers": _headers(),
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-goog-api-key"},
                "bearer": {"type": "http", "scheme": "bearer"},
                "query": {"type": "apiKey", "in": "query", "name": "key"},
            },
        },
    }
    return msgspec.json.encode(whole)


def _collection_paths() -> Json:
    stream = _answer_or_stream("The interaction, or with `stream` the events of its run.")
    return {
        "/{version}/interactions": {
            "parameters": [VERSION],
            "post": operation(
                "createInteraction",
                "Ask a model or an agent",
                "Waits for the end and answers the interaction; with `stream` sends its events as"
                " they happen; with `background` answers at once and runs on.",
                {"200": stream},
                (400, 401, 404, 409, 413, 415, 429, 500, 503),
                parameters=[ref("parameters", "idempotencyKey"), REVISION],
                requestBody={
                    "required": True,
                    "content": {"application/json": {"schema": schema_of("CreateInteraction")}},
                },
            ),
            "get": operation(
                "listInteractions",
                "List interactions",
                "The caller's stored interactions, newest first, without their steps.",
                {"200": answered("A page.", "InteractionPage")},
                (400, 401),
                parameters=_filters(),
            ),
        },
    }


def _interaction_paths() -> Json:
    one = [VERSION, ref("parameters", "id")]
    answer = answered("The interaction.", "Interaction")
    replay = _answer_or_stream("The interaction, or with `stream` its events from the start.")
    return {
        "/{version}/interactions/{id}": {
            "parameters": one,
            "get": operation(
                "getInteraction",
                "Read or follow an interaction",
                "The whole timeline, the input first. With `stream` its events from the start, or"
                " after `last_event_id`; a run that goes on is followed to its end.",
                {"200": replay},
                (400, 401, 404),
                parameters=[
                    in_query("stream", {"type": "boolean", "default": False}, "Answer as events."),
                    in_query("last_event_id", TEXT, "Only events after this one; needs `stream`."),
                    in_query(
                        "include_input",
                        {"type": "boolean", "default": False},
                        "Adds `input` for clients of the beta `outputs` schema; else no effect.",
                    ),
                    REVISION,
                ],
            ),
            "delete": operation(
                "deleteInteraction",
                "Delete an interaction",
                "Removes every trace of it, and stops it first if it runs.",
                {"200": answered("It is gone.", None)},
                (401, 404),
            ),
        },
        "/{version}/interactions/{id}/cancel": {
            "parameters": one,
            "post": operation(
                "cancelInteraction",
                "Stop an interaction",
                "Also answers at `{id}:cancel`.",
                {"200": answer},
                (400, 401, 404),
                parameters=[REVISION],
            ),
        },
    }


def _model_paths() -> Json:
    return {
        "/{version}/models": {
            "parameters": [VERSION],
            "get": operation(
                "listModels",
                "List models",
                "Every configured name; a name with `*` stands for all that fit it.",
                {"200": answered("The models.", "ModelList")},
                (401,),
                tag="models",
            ),
        },
        "/{version}/models/{name}": {
            "parameters": [VERSION, in_path("name", "The model's name, without `models/`.")],
            "get": operation(
                "getModel",
                "Describe a model",
                "What answers to this name.",
                {"200": answered("The model.", "Model")},
                (401, 404),
                tag="models",
            ),
        },
    }


def _server_paths() -> Json:
    def get(name: str, summary: str, answers: Json, open: bool = True) -> Json:
        said = operation(name, summary, "", answers, () if open else (401,), tag="server")
        return {"get": said | ({"security": [{}]} if open else {})}

    ready = {"200": answered("It is.", None), "503": answered("Not yet, or not any more.", None)}
    text = {"description": "Prometheus text.", "content": {"text/plain": {"schema": TEXT}}}
    return {
        "/health": get("health", "Is the process alive", {"200": answered("It is.", None)}),
        "/ready": get("ready", "Does it take requests", ready),
        "/metrics": get("metrics", "Counters and gauges", {"200": text}, open=False),
        "/openapi.json": get("openapi", "This document", {"200": answered("It.", None)}),
    }


def _answer_or_stream(description: str) -> Json:
    answer = answered(description, "Interaction", ("x-interplay-model", "x-interplay-notice"))
    answer["content"]["text/event-stream"] = {
        "schema": {
            "type": "string",
            "description": "Frames of `event: <event_type>` and `data: <one event as JSON>`, each"
            " ended by an empty line; lines that begin with a colon keep the connection alive;"
            " the last frame is `event: done` with `data: [DONE]`.",
            "contentMediaType": "application/json",
            "contentSchema": schema_of("Event"),
        }
    }
    return answer


def _filters() -> list[Json]:
    size: Json = {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}
    return [
        in_query("page_size", size, "How many on a page."),
        in_query("page_token", TEXT, "`next_page_token` of the page before."),
        in_query("status", {"enum": list(get_args(InteractionStatus))}, "Only this status."),
        in_query("model", TEXT, "Only this model."),
        in_query("agent", TEXT, "Only this agent."),
        in_query(
            "label", {"type": "string", "pattern": "^[^:]+:"}, "Only this label, `key:value`."
        ),
        in_query("root", TEXT, "Only the conversation of this interaction, all branches."),
    ]


def _parameters() -> Json:
    return {
        "version": in_path(
            "version", "All versions are served alike.", {"enum": _VERSIONS, "default": "v1"}
        ),
        "id": in_path("id", "The interaction's id."),
        "idempotencyKey": in_header(
            "Idempotency-Key",
            "The same key with the same body creates one interaction, however often it is sent.",
        ),
        "revision": in_header(
            "Api-Revision",
            "A date. Before 2026-05-20 requests and answers hold `outputs` in place of `steps`.",
        ),
    }


def _headers() -> Json:
    return {
        "x-interplay-model": {
            "description": "The configured model that stood in for the one asked for.",
            "schema": TEXT,
        },
        "x-interplay-notice": {"description": "What had no effect, and why.", "schema": TEXT},
        "retry-after": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    }


def _refusals() -> Json:
    """One response per status, naming the codes that travel with it."""
    refusals: Json = {}
    for status in sorted(set(HTTP_STATUS.values())):
        codes = " or ".join(f"`{code}`" for code, http in HTTP_STATUS.items() if http == status)
        headers = ("retry-after",) if status in (429, 503) else ()
        refusals[f"refused{status}"] = answered(f"Refused: {codes}.", "ErrorBody", headers)
    return refusals
