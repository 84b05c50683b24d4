"""`/webhooks` over HTTP, and what arrives at a receiver: asked by the official client, read by
the published verifiers."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import jwt
import pytest
from standardwebhooks import Webhook as Verifier

from interplay.testing.local_web import LocalWeb, Page, Request
from tests.api.api import Answer, Api, requirement, until
from tests.api.conftest import House

LOCAL = ["127.0.0.0/8"]
EVENTS = ["interaction.completed", "interaction.failed"]


@pytest.fixture
async def web() -> AsyncGenerator[LocalWeb]:
    async with LocalWeb() as served:
        yield served


async def arrived(web: LocalWeb, count: int = 1) -> list[Request]:
    """The requests that came, as soon as there are so many."""
    await until(lambda: len(web.requests) >= count)
    return web.requests


async def create(api: Api, uri: str, **fields: Any) -> Answer:
    """POST /webhooks."""
    body = {"uri": uri, "subscribed_events": EVENTS, **fields}
    return await api.call("POST", "/v1/webhooks", json=body)


async def deliveries(api: Api, id: str) -> list[dict[str, Any]]:
    """The log of a webhook, newest first."""
    answer = await api.call("GET", f"/v1/webhooks/{id}/deliveries")
    assert answer.status == 200, answer.raw
    return answer.body.get("deliveries", [])


@requirement("webhooks:sdk")
async def test_the_official_client_creates_lists_changes_pings_rotates_and_deletes(
    house: House, web: LocalWeb
) -> None:
    await house.open(allowed_networks=LOCAL)
    client = house.server.client().aio.webhooks
    made = await client.create(
        uri=web.on("/hook", Page(status=204)), subscribed_events=EVENTS, name="Mine"
    )
    assert (made.name, made.state, made.subscribed_events) == ("Mine", "enabled", EVENTS)
    assert made.new_signing_secret.startswith("whsec_")
    read = await client.get(id=made.id)
    assert read.new_signing_secret is None
    assert read.signing_secrets[0].truncated_secret.endswith(made.new_signing_secret[-4:])
    assert [hook.id for hook in (await client.list(page_size=5)).webhooks] == [made.id]
    changed = await client.update(
        made.id, update_mask="subscribed_events,state", name="No",
        subscribed_events=["interaction.completed"], state="disabled",
    )  # fmt: skip
    assert (changed.name, changed.state) == ("Mine", "disabled")
    assert changed.subscribed_events == ["interaction.completed"]
    await client.ping(id=made.id)
    (request,) = await arrived(web)
    event = Verifier(made.new_signing_secret).verify(request.body.decode(), request.headers)
    assert event["type"] == "ping"
    rotated = await client.rotate_signing_secret(
        id=made.id, revocation_behavior="revoke_previous_secrets_after_h24"
    )
    assert rotated.secret != made.new_signing_secret
    assert len((await client.get(id=made.id)).signing_secrets) == 2
    await client.delete(id=made.id)
    assert (await client.list()).webhooks == []


@requirement("webhooks:event")
async def test_the_end_of_a_background_interaction_arrives_signed(
    house: House, web: LocalWeb
) -> None:
    api = await house.open("done", allowed_networks=LOCAL)
    hook = (await create(api, web.on("/hook", Page()))).body
    id = (await api.create(input="go", background=True)).body["id"]
    (request,) = await arrived(web)
    event = Verifier(hook["new_signing_secret"]).verify(request.body.decode(), request.headers)
    assert (event["type"], event["data"]) == ("interaction.completed", {"id": id})
    assert (await api.get(id)).body["status"] == "completed", "what is told is stored already"
    await api.create(input="no background")
    await until_delivered(api, hook["id"])
    assert len(web.requests) == 1


async def until_delivered(api: Api, id: str) -> list[dict[str, Any]]:
    """The log, as soon as nothing in it is pending."""
    async for _ in _ticks():
        found = await deliveries(api, id)
        if found and all(one["state"] != "pending" for one in found):
            return found
    raise AssertionError("It stays pending.")


async def _ticks() -> AsyncGenerator[None]:
    import asyncio

    async with asyncio.timeout(60):
        while True:
            yield
            await asyncio.sleep(0.02)


@requirement("webhooks:event-failed")
async def test_a_failure_is_told_with_its_code(house: House, web: LocalWeb) -> None:
    api = await house.open({"fail": "service_unavailable"}, allowed_networks=LOCAL)
    await create(api, web.on("/hook", Page()))
    id = (await api.create(input="go", background=True)).body["id"]
    (request,) = await arrived(web)
    body = json.loads(request.body)
    stored = await api.ended(id)
    assert stored["status"] == "failed"
    assert body["type"] == "interaction.failed"
    assert body["data"]["error_code"] == stored["errors"][0]["code"]


@requirement("webhooks:event")
async def test_a_cancellation_and_a_call_of_a_function_are_told(
    house: House, web: LocalWeb
) -> None:
    function = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    call = {"calls": [{"name": "f", "arguments": {}, "id": "call0001"}]}
    api = await house.open(call, {"chunks": ["a", {"hold": "h"}]}, allowed_networks=LOCAL)
    events = ["interaction.cancelled", "interaction.requires_action"]
    await create(api, web.on("/hook", Page()), subscribed_events=events)
    asks = (await api.create(input="go", background=True, tools=[function])).body["id"]
    await arrived(web)
    runs = (await api.create(input="go", background=True)).body["id"]
    await api.cancel(runs)
    bodies = [json.loads(request.body) for request in await arrived(web, 2)]
    assert [(body["type"], body["data"]["id"]) for body in bodies] == [
        ("interaction.requires_action", asks),
        ("interaction.cancelled", runs),
    ]


@requirement("webhooks:config")
async def test_a_request_names_its_own_receivers(house: House, web: LocalWeb) -> None:
    api = await house.open("done", allowed_networks=LOCAL)
    await create(api, web.on("/registered", Page()))
    uris = [web.on("/one", Page()), web.on("/two", Page())]
    config = {"uris": uris, "user_metadata": {"job": ["nightly", 7]}}
    made = await api.create(input="go", background=True, webhook_config=config)
    assert made.status == 200, made.raw
    requests = await arrived(web, 2)
    assert {request.target for request in requests} == {"/one", "/two"}
    published = await api.call("GET", "/.well-known/jwks.json")
    known = jwt.PyJWKSet.from_dict(published.body)
    for request in requests:
        body = json.loads(request.body)
        assert body["data"] == {"id": made.body["id"]}
        assert body["user_metadata"] == {"job": ["nightly", 7]}
        token = request.headers["webhook-signature"]
        key = known[jwt.get_unverified_header(token)["kid"]]
        uri = web.url(request.target)
        claims = jwt.decode(token, key, algorithms=["RS256"], audience=uri)
        assert {name: claims[name] for name in body} == body


@requirement("webhooks:config-checked")
@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"webhook_config": {"uris": ["https://a.example/"]}}, "webhook_config"),
        ({"background": True, "webhook_config": {"uris": []}}, "webhook_config.uris"),
        (
            {"background": True, "webhook_config": {"uris": ["https://169.254.169.254/"]}},
            "webhook_config.uris[0]",
        ),
        ({"background": True, "webhook_config": {"uris": "x"}}, "webhook_config.uris"),
        ({"background": True, "webhook_config": {"url": "x"}}, "webhook_config"),
    ],
)
async def test_a_webhook_config_that_cannot_be_served_is_refused_by_name(
    house: House, fields: dict[str, Any], path: str
) -> None:
    api = await house.open("done")
    refused = await api.create(input="go", **fields)
    assert refused.status == 400
    assert f"'{path}'" in refused.message


@requirement("webhooks:keys-published")
async def test_the_keys_are_published_for_everyone(house: House) -> None:
    api = await house.open(api_keys=["ann:secret"])
    published = await api.call("GET", "/.well-known/jwks.json")
    assert published.status == 200
    assert published.headers["cache-control"] == "public, max-age=300"
    assert [key["alg"] for key in published.body["keys"]] == ["RS256"]
    assert (await api.call("GET", "/v1/webhooks")).status == 401


@requirement("webhooks:retry")
async def test_a_receiver_that_fails_gets_it_again_under_the_same_id(
    house: House, web: LocalWeb
) -> None:
    api = await house.open("done", allowed_networks=LOCAL)
    hook = (await create(api, web.on("/hook", Page(status=500), Page(status=200)))).body
    await api.create(input="go", background=True)
    first, second = await arrived(web, 2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    (seen,) = await until_delivered(api, hook["id"])
    assert seen["state"] == "delivered"
    assert [attempt["status_code"] for attempt in seen["attempts"]] == [500, 200]


@requirement("webhooks:log")
async def test_the_log_tells_every_attempt(house: House, web: LocalWeb) -> None:
    api = await house.open("done", allowed_networks=LOCAL)
    hook = (await create(api, web.redirect("/hook", "http://127.0.0.1:1/"))).body
    assert (await api.call("POST", f"/v1/webhooks/{hook['id']}:ping")).body == {}
    (seen,) = await until_delivered(api, hook["id"])
    assert (seen["state"], seen["event"]["type"]) == ("failed", "ping")
    (attempt,) = seen["attempts"]
    assert attempt["status_code"] == 302
    assert "not followed" in attempt["error"]
    assert attempt["latency_ms"] >= 0
    (request,) = web.requests
    assert request.headers["webhook-id"] == seen["id"]


@requirement("webhooks:guard")
@pytest.mark.parametrize(
    "uri",
    ["http://93.184.215.14/", "https://127.0.0.1/", "https://[::1]/", "https://2130706433/", "x"],
)
async def test_an_address_inside_is_refused(house: House, uri: str) -> None:
    api = await house.open()
    refused = await create(api, uri)
    assert (refused.status, refused.code) == (400, "invalid_request")
    assert "'uri'" in refused.message


@requirement("webhooks:checked")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"uri": "https://a.example/"}, "'subscribed_events'"),
        ({"uri": "https://a.example/", "subscribed_events": []}, "'subscribed_events'"),
        (
            {"uri": "https://a.example/", "subscribed_events": ["interaction.complete"]},
            "Did you mean 'interaction.completed'?",
        ),
        ({"subscribed_events": EVENTS}, "'uri'"),
        (
            {"uri": "https://a.example/", "subscribedEvents": EVENTS},
            "Did you mean 'subscribed_events'?",
        ),
    ],
)
async def test_a_body_that_does_not_decode_is_refused_with_its_path(
    house: House, body: dict[str, Any], said: str
) -> None:
    api = await house.open()
    refused = await api.call("POST", "/v1/webhooks", json=body)
    assert refused.status == 400
    assert said in refused.message


@requirement("webhooks:rotate")
@pytest.mark.parametrize("path", [":rotateSigningSecret", "/rotate_secret"])
async def test_rotated_at_once_only_the_new_secret_signs(
    house: House, web: LocalWeb, path: str
) -> None:
    api = await house.open(allowed_networks=LOCAL)
    hook = (await create(api, web.on("/hook", Page()))).body
    behaviour = {"revocation_behavior": "revoke_previous_secrets_immediately"}
    rotated = await api.call("POST", f"/v1/webhooks/{hook['id']}{path}", json=behaviour)
    assert rotated.status == 200
    await api.call("POST", f"/v1/webhooks/{hook['id']}:ping", json={})
    (request,) = await arrived(web)
    assert len(request.headers["webhook-signature"].split(" ")) == 1
    Verifier(rotated.body["secret"]).verify(request.body.decode(), request.headers)
    unknown = await api.call("POST", f"/v1/webhooks/{hook['id']}{path}", json={"when": "now"})
    assert unknown.status == 400


@requirement("webhooks:keys")
async def test_each_key_sees_its_own_webhooks_and_its_own_events(
    house: House, web: LocalWeb
) -> None:
    anyone = await house.open("a", "b", allowed_networks=LOCAL, api_keys=["ann:1", "bob:2"])
    ann, bob = anyone.acting_as("1"), anyone.acting_as("2")
    hook = (await create(ann, web.on("/ann", Page()))).body
    await create(bob, web.on("/bob", Page()))
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/deliveries"), ("POST", ":ping")):
        answer = await bob.call(method, f"/v1/webhooks/{hook['id']}{path}")
        assert answer.status == 404, (method, path)
    await bob.create(input="go", background=True)
    (request,) = await arrived(web)
    assert request.target == "/bob"
    assert await deliveries(ann, hook["id"]) == []


@requirement("webhooks:secrets")
async def test_a_secret_is_in_one_answer_and_nowhere_else(
    house: House, web: LocalWeb, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    api = await house.open(allowed_networks=LOCAL)
    hook = (await create(api, web.on("/hook", Page(status=500)))).body
    secret = hook["new_signing_secret"].removeprefix("whsec_")
    await api.call("POST", f"/v1/webhooks/{hook['id']}:ping")
    await until_delivered(api, hook["id"])
    for path in (
        "/v1/webhooks",
        f"/v1/webhooks/{hook['id']}",
        f"/v1/webhooks/{hook['id']}/deliveries",
        "/metrics",
        "/.well-known/jwks.json",
    ):
        assert secret not in (await api.call("GET", path)).raw.decode()
    assert secret not in caplog.text
