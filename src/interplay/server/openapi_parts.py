"""The pieces that paths of the OpenAPI document are made of."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

VERSION: Json = {"$ref": "#/components/parameters/version"}
REVISION: Json = {"$ref": "#/components/parameters/revision"}
TEXT: Json = {"type": "string"}


def ref(kind: str, name: str) -> Json:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def schema_of(name: str) -> Json:
    """A reference to a schema."""
    return ref("schemas", name)


def operation(
    id: str,
    summary: str,
    description: str,
    answers: Json,
    refusals: tuple[int, ...],
    *,
    tag: str = "interactions",
    **more: Any,
) -> Json:
    """One operation; `refusals` are the HTTP statuses it may answer besides."""
    said = {"description": description} if description else {}
    refused = {str(status): ref("responses", f"refused{status}") for status in refusals}
    return {
        "operationId": id,
        "tags": [tag],
        "summary": summary,
        **said,
        **more,
        "responses": answers | refused,
    }


def answered(description: str, name: str | None, headers: tuple[str, ...] = ()) -> Json:
    """A JSON answer in the form of a schema, or of any object."""
    schema = schema_of(name) if name else {"type": "object"}
    answer: Json = {
        "description": description,
        "content": {"application/json": {"schema": schema}},
    }
    if headers:
        answer["headers"] = {header: ref("headers", header) for header in headers}
    return answer


def in_path(name: str, description: str, schema: Json | None = None) -> Json:
    """A part of the path."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema or TEXT,
    }


def in_query(name: str, schema: Json, description: str) -> Json:
    """A query parameter."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def in_header(name: str, description: str) -> Json:
    """A header of the request."""
    return {"name": name, "in": "header", "description": description, "schema": TEXT}
