"""The OpenAPI document: valid, and about what is served."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest

from interplay.server.app import _routes, create_app
from interplay.server.openapi import document
from interplay.settings import Settings
from interplay.testing.scripted_model import ScriptedModel
from interplay.wire.errors import HTTP_STATUS

WHOLE: dict[str, Any] = json.loads(document("1.2.3"))
METHODS = ("get", "post", "patch", "delete")


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, item[method])
        for path, item in WHOLE["paths"].items()
        for method in METHODS
        if method in item
    ]


def test_it_is_a_valid_openapi_3_1_document():
    assert WHOLE["openapi"].startswith("3.1")
    assert WHOLE["info"]["version"] == "1.2.3"
    openapi_spec_validator.validate(WHOLE)


def test_every_reference_in_it_resolves():
    references = re.findall(r'"\$ref": ?"#/([^"]+)"', json.dumps(WHOLE))
    assert len(references) > 100
    for reference in set(references):
        found: Any = WHOLE
        for part in reference.split("/"):
            found = found[part]
        assert found


def test_it_holds_every_route_that_is_served_and_no_other(tmp_path: Path):
    app = create_app(Settings(data_dir=str(tmp_path)), models={"m": ScriptedModel()})
    served = {
        (re.sub(r"{(\w+):\w+}", r"{\1}", route.path), method.lower())
        for route in _routes(app.assembly)
        for method in (route.methods or set()) - {"HEAD"}
    }
    documented = {(path, method) for path, method, _ in operations()}
    elsewhere = {
        ("/", "get"),
        ("/{version}/interactions/{id}:cancel", "post"),
        ("/upload/{version}/files", "put"),
        ("/upload/{version}/fileSearchStores/{id}:uploadToFileSearchStore", "put"),
        ("/{version}/webhooks/{id}/rotate_secret", "post"),
    }
    assert documented == served - elsewhere


def test_a_create_is_answered_as_json_or_as_a_stream():
    create = WHOLE["paths"]["/{version}/interactions"]["post"]
    assert create["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/CreateInteraction"
    }
    content = create["responses"]["200"]["content"]
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/Interaction"}
    assert content["text/event-stream"]["schema"]["contentSchema"] == {
        "$ref": "#/components/schemas/Event"
    }


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (
            "/{version}/interactions",
            {"page_size", "page_token", "status", "model", "agent", "label", "root"},
        ),
        ("/{version}/triggers", {"page_size", "page_token", "filter"}),
        ("/{version}/triggers/{id}/executions", {"page_size", "page_token"}),
        ("/{version}/webhooks", {"page_size", "page_token"}),
        ("/{version}/webhooks/{id}/deliveries", {"page_size", "page_token"}),
        ("/{version}/interactions/{id}", {"stream", "last_event_id", "include_input"}),
    ],
)
def test_the_query_parameters_are_all_there(path: str, names: set[str]):
    given = WHOLE["paths"][path]["get"]["parameters"]
    assert {one["name"] for one in given if one.get("in") == "query"} == names


def test_keys_and_headers_are_described():
    components = WHOLE["components"]
    assert components["securitySchemes"]["key"]["name"] == "x-goog-api-key"
    assert components["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert {"Idempotency-Key", "Api-Revision"} <= {
        one["name"] for one in components["parameters"].values()
    }


def test_every_operation_has_its_own_name_and_tells_its_refusals():
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids))
    for path, _, operation in operations():
        if path.startswith("/{version}"):
            assert "401" in operation["responses"]


def test_every_error_code_stands_at_its_status():
    for code, status in HTTP_STATUS.items():
        assert f"`{code}`" in WHOLE["components"]["responses"][f"refused{status}"]["description"]


def test_it_is_made_once():
    assert document("1.2.3") is document("1.2.3")
