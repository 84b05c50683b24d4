"""The paths of triggers in the OpenAPI document."""

from __future__ import annotations

from interplay.interactions.paging import LARGEST_PAGE
from interplay.server.openapi_parts import (
    TEXT,
    VERSION,
    Json,
    answered,
    in_path,
    in_query,
    operation,
    ref,
    schema_of,
)

_BODY_REFUSALS = (400, 401, 404, 413, 415, 503)
_TRIGGER: Json = {"200": answered("The trigger.", "Trigger")}
_KEY: Json = ref("parameters", "idempotencyKey")


def trigger_paths() -> Json:
    """Triggers and their executions."""
    return _collection() | _trigger() | _executions()


def _collection() -> Json:
    status: Json = {"type": "string", "examples": ["status=active"]}
    return {
        "/{version}/triggers": {
            "parameters": [VERSION],
            "post": operation(
                "createTrigger",
                "Begin an interaction by a schedule",
                "Every tick creates the interaction in the background. What a create would refuse"
                " is refused now.",
                _TRIGGER,
                (*_BODY_REFUSALS, 409, 429),
                tag="triggers",
                parameters=[_KEY],
                requestBody=_body("TriggerCreateParams"),
            ),
            "get": operation(
                "listTriggers",
                "List triggers",
                "The caller's triggers, newest first.",
                {"200": answered("A page.", "ListTriggersResponse")},
                (400, 401),
                tag="triggers",
                parameters=[
                    in_query("filter", status, "Only this status: active, paused or error."),
                    *_paging(),
                ],
            ),
        },
    }


def _trigger() -> Json:
    return {
        "/{version}/triggers/{id}": {
            "parameters": [VERSION, in_path("id", "The trigger's id.")],
            "get": operation(
                "getTrigger", "Read a trigger", "", _TRIGGER, (401, 404), tag="triggers"
            ),
            "patch": operation(
                "updateTrigger",
                "Rename, pause or resume a trigger",
                "Ticks that came while it was paused are not made up for.",
                _TRIGGER,
                _BODY_REFUSALS,
                tag="triggers",
                requestBody=_body("TriggerUpdate"),
            ),
            "delete": operation(
                "deleteTrigger",
                "Delete a trigger",
                "Nothing begins any more; what runs goes on, and the executions stay.",
                {"200": answered("It is gone.", None)},
                (401, 404),
                tag="triggers",
            ),
        },
    }


def _executions() -> Json:
    return {
        "/{version}/triggers/{id}/executions": {
            "parameters": [VERSION, in_path("id", "The trigger's id.")],
            "post": operation(
                "runTrigger",
                "Run a trigger now",
                "Also while it is paused. Skipped when a run of it goes on.",
                {"200": answered("The execution.", "TriggerExecution")},
                _BODY_REFUSALS,
                tag="triggers",
                parameters=[_KEY],
            ),
            "get": operation(
                "listTriggerExecutions",
                "List what became of a trigger's runs",
                "Newest first, also after the trigger was deleted.",
                {"200": answered("A page.", "ListTriggerExecutionsResponse")},
                (400, 401, 404),
                tag="triggers",
                parameters=_paging(),
            ),
        },
    }


def _body(name: str) -> Json:
    content = {"application/json": {"schema": schema_of(name)}}
    return {"required": True, "content": content}


def _paging() -> list[Json]:
    size: Json = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": 50}
    return [
        in_query("page_size", size, "How many on a page."),
        in_query("page_token", TEXT, "`next_page_token` of the page before."),
    ]
