"""Paths, methods, browsers."""

from typing import Any

import pytest

from tests.api.api import requirement


async def made(api: Any) -> str:
    """The id of a stored interaction."""
    return (await api.create(input="Hi")).body["id"]


@requirement("routes:double-slashes")
@pytest.mark.parametrize("path", ["/v1//interactions/", "//v1/interactions", "/v1/interactions//"])
async def test_slashes_too_many_change_nothing(opened: Any, path: str) -> None:
    api = await opened()
    answer = await api.call("POST", path, json={"model": "m", "input": "Hi"})
    assert answer.status == 200
    assert (await api.get(answer.body["id"])).status == 200


@requirement("routes:cloud-paths")
@pytest.mark.parametrize("version", ["v1", "v1beta1"])
async def test_the_paths_of_the_cloud_lead_to_the_same_interactions(
    opened: Any, version: str
) -> None:
    api = await opened()
    id = await made(api)
    base = f"/{version}/projects/p/locations/global/interactions"
    assert (await api.call("GET", f"{base}/{id}")).body["id"] == id
    assert (await api.call("GET", base)).body["interactions"][0]["id"] == id
    assert (await api.call("DELETE", f"{base}/{id}")).status == 200


@requirement("routes:alt-sse")
async def test_alt_changes_nothing_of_a_plain_answer_and_nothing_of_a_stream(opened: Any) -> None:
    api = await opened()
    body = {"model": "m", "input": "Hi"}
    plain = await api.call("POST", "/v1/interactions?alt=json", json=body)
    assert plain.body["status"] == "completed"
    streamed = await api.call("POST", "/v1/interactions?alt=sse", json={**body, "stream": True})
    assert streamed.headers["content-type"].startswith("text/event-stream")


@requirement("routes:head")
async def test_head_answers_like_get_without_a_body(opened: Any) -> None:
    api = await opened()
    path = f"/v1/interactions/{await made(api)}"
    get, head = await api.call("GET", path), await api.call("HEAD", path)
    assert head.status == get.status == 200
    assert head.raw == b""
    assert head.headers["content-length"] == str(len(get.raw))
    assert (await api.call("HEAD", "/v1/interactions/unknown")).status == 404


@requirement("routes:options")
@requirement("routes:cors")
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_browser_may_send_every_header_the_clients_send(opened: Any, method: str) -> None:
    api = await opened()
    wanted = "api-revision, x-goog-api-key, x-goog-api-client, content-type, idempotency-key"
    headers = {
        "Origin": "https://page.example",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": wanted,
    }
    answer = await api.call("OPTIONS", "/v1/interactions", headers=headers)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] in ("*", "https://page.example")
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in wanted.split(", "))
    assert method in answer.headers["access-control-allow-methods"]


@requirement("routes:cors")
async def test_a_browser_may_read_answers_and_faults(opened: Any) -> None:
    api = await opened()
    for body, status in (({"model": "m", "input": "Hi"}, 200), ({"model": "none"}, 404)):
        headers = {"Origin": "https://page.example"}
        answer = await api.call("POST", "/v1/interactions", json=body, headers=headers)
        assert answer.status == status
        assert answer.headers["access-control-allow-origin"] == "*"


@requirement("routes:unknown-path")
@pytest.mark.parametrize("path", ["/v2/interactions", "/v1", "/v1/interactions/a/b", "/v1/nothing"])
async def test_a_path_that_is_nothing_says_where_the_api_is(opened: Any, path: str) -> None:
    answer = await (await opened()).call("GET", path)
    assert answer.status == 404
    assert answer.code == "not_found"
    assert "/v1/interactions" in answer.message


@requirement("routes:unknown-method")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/interactions"),
        ("PATCH", "/v1/interactions/x"),
        ("GET", "/v1/interactions/x/cancel"),
    ],
)
async def test_a_wrong_method_says_which_are_right(opened: Any, method: str, path: str) -> None:
    answer = await (await opened()).call(method, path)
    assert answer.status == 405
    assert answer.code == "method_not_allowed"
    assert answer.headers["allow"]


@requirement("cancel:colon")
async def test_cancel_with_a_colon_is_the_same(opened: Any) -> None:
    api = await opened({"chunks": [{"hold": "g"}]})
    id = (await api.create(input="Hi", background=True)).body["id"]
    answer = await api.call("POST", f"/v1/interactions/{id}:cancel")
    assert (answer.status, answer.body["status"]) == (200, "cancelled")


async def test_the_root_says_what_this_is(opened: Any) -> None:
    answer = await (await opened()).call("GET", "/")
    assert answer.body["interactions"] == "/v1/interactions"
