"""Keys and limits: who sees what, and how much one caller may take."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from interplay.server.auth import Keys, check_binding
from interplay.settings import Settings, SettingsError
from tests.api.api import requirement


@requirement("keys:visibility")
async def test_each_key_sees_only_its_own_interactions(opened: Any) -> None:
    api = await opened(api_keys=["ann:secret-a", "secret-b"])
    ann, bob = api.acting_as("secret-a"), api.acting_as("secret-b")
    id = (await ann.create(input="x")).body["id"]
    assert (await ann.get(id)).status == 200
    for answer in (
        await bob.get(id),
        await bob.get(id, stream="true"),
        await bob.cancel(id),
        await bob.delete(id),
        await bob.create(input="y", previous_interaction_id=id),
    ):
        assert (answer.status, answer.code) == (404, "not_found")
    assert len((await ann.call("GET", "/v1/interactions")).body["interactions"]) == 1
    assert (await bob.call("GET", "/v1/interactions")).body["interactions"] == []


@requirement("keys:running-visibility")
async def test_a_running_interaction_is_hidden_from_other_keys(opened: Any, house: Any) -> None:
    api = await opened({"chunks": [{"hold": "h"}]}, api_keys=["secret-a", "secret-b"])
    ann, bob = api.acting_as("secret-a"), api.acting_as("secret-b")
    id = (await ann.create(input="x", background=True)).body["id"]
    for answer in (await bob.get(id), await bob.cancel(id), await bob.delete(id)):
        assert answer.status == 404
    stream = await bob.get(id, stream="true")
    assert stream.status == 404
    assert (await bob.create(input="y", previous_interaction_id=id)).status == 404
    house.model.gate("h").open()


@requirement("keys:forms")
async def test_a_key_is_taken_in_three_places(opened: Any) -> None:
    api = await opened(api_keys=["secret"])
    body = {"model": "m", "input": "x"}
    for kwargs in (
        {"headers": {"x-goog-api-key": "secret"}},
        {"headers": {"authorization": "Bearer secret"}},
        {"params": {"key": "secret"}},
    ):
        assert (await api.call("POST", "/v1/interactions", json=body, **kwargs)).status == 200
    for kwargs in ({}, {"headers": {"x-goog-api-key": "wrong"}}, {"params": {"key": ""}}):
        answer = await api.call("POST", "/v1/interactions", json=body, **kwargs)
        assert (answer.status, answer.code) == (401, "authentication")
    assert (await api.call("GET", "/health")).status == 200
    assert (await api.call("GET", "/v1/models")).status == 401
    assert (await api.call("GET", "/metrics")).status == 401


@requirement("keys:none-on-loopback")
async def test_without_keys_any_key_is_taken(opened: Any) -> None:
    api = await opened()
    id = (await api.acting_as("anything").create(input="x")).body["id"]
    assert (await api.get(id)).status == 200


@requirement("keys:public-binding")
def test_a_public_address_without_keys_is_refused_with_the_way_out() -> None:
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.com"):
        settings = Settings(host=host)
        with pytest.raises(SettingsError, match="api_keys"):
            check_binding(settings, Keys.of(settings))
    for settings in (
        Settings(host="127.0.0.1"),
        Settings(host="localhost"),
        Settings(host="::1"),
        Settings(host="0.0.0.0", api_keys=["k"]),
        Settings(host="0.0.0.0", allow_insecure_public=True),
    ):
        check_binding(settings, Keys.of(settings))


def test_keys_come_from_a_file_too(tmp_path: Any) -> None:
    path = tmp_path / "keys"
    path.write_text("# team\nann:one\n\ntwo\n")
    keys = Keys.of(Settings(api_keys_file=str(path)))
    scope = {"headers": [(b"x-goog-api-key", b"one")], "query_string": b""}
    assert keys.owner_of(scope) == "ann"
    with pytest.raises(SettingsError, match="api_keys_file"):
        Keys.of(Settings(api_keys_file=str(tmp_path / "none")))


@requirement("limits:runs-per-key")
async def test_runs_of_a_key_beyond_its_limit_are_429(opened: Any, house: Any) -> None:
    api = await opened({"chunks": [{"hold": "h"}]}, limits={"runs_per_key": 1}, api_keys=["a", "b"])
    first = asyncio.create_task(api.acting_as("a").create(input="x"))
    await house.model.gate("h").reached()
    full = await api.acting_as("a").create(input="y")
    assert (full.status, full.code) == (429, "too_many_requests")
    assert int(full.headers["retry-after"]) >= 1
    assert (await api.acting_as("b").create(input="z")).status == 200
    house.model.gate("h").open()
    assert (await first).status == 200
    assert (await api.acting_as("a").create(input="y")).status == 200


@requirement("limits:output")
async def test_a_run_that_writes_without_end_is_incomplete(opened: Any) -> None:
    api = await opened({"chunks": ["x" * 1000] * 2000}, limits={"output_bytes": 100_000})
    answer = await api.create(input="x")
    assert answer.body["status"] == "incomplete"
    assert 50_000 < len(answer.text) < 200_000


UPSTREAM: list[tuple[str, int]] = [
    ("service_unavailable", 503),
    ("too_many_requests", 429),
    ("deadline_exceeded", 504),
    ("bad_gateway", 502),
    ("invalid_request", 400),
]


@requirement("errors:upstream")
@pytest.mark.parametrize(("code", "status"), UPSTREAM)
async def test_a_failing_backend_is_an_http_error_for_who_waits(
    opened: Any, code: str, status: int
) -> None:
    fail = {"code": code, "message": "The backend said no.", "retry_after": 7}
    api = await opened({"fail": fail})
    answer = await api.create(input="x")
    assert (answer.status, answer.code) == (status, code)
    assert answer.message == "The backend said no."
    if status in (429, 503):
        assert answer.headers["retry-after"] == "7"
    listed = (await api.call("GET", "/v1/interactions")).body["interactions"]
    assert listed[0]["status"] == "failed"


@requirement("errors:fault-of-ours")
async def test_a_fault_inside_a_backend_ends_only_its_interaction(opened: Any, caplog: Any) -> None:
    api = await opened(ZeroDivisionError("secret detail"), "fine")
    answer = await api.create(input="x")
    assert answer.code == "api_error"
    assert "secret detail" not in answer.message
    assert (await api.create(input="y")).text == "fine"
