"""A process dies somewhere between the end of an interaction and its delivery; the event arrives
all the same, and nothing that was known is done twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from interplay.testing.local_web import LocalWeb, Page
from tests.api.api import Api, requirement, until
from tests.crash.process import process
from tests.crash.test_server_crash import LOST

CONFIG: dict[str, Any] = {
    "models": {"m": {"backend": "scripted", "replies": ["done"], "repeat": True}},
    "default_model": "m",
    "allowed_networks": ["127.0.0.0/8"],
    "webhooks": {"attempt_seconds": 0.5},
}


@pytest.fixture
async def web() -> AsyncGenerator[LocalWeb]:
    async with LocalWeb() as served:
        yield served


async def hook(api: Api, uri: str) -> str:
    """A new webhook's id."""
    body = {"uri": uri, "subscribed_events": ["interaction.completed"]}
    answer = await api.call("POST", "/v1/webhooks", json=body)
    assert answer.status == 200, answer.raw
    return answer.body["id"]


async def begin(api: Api) -> None:
    """Begins a background interaction; the server may die before it answers."""
    with suppress(*LOST):
        await api.create(input="go", background=True)


async def delivered(api: Api, id: str) -> dict[str, Any]:
    """The only delivery of a webhook, as soon as it is none that is pending."""
    async with asyncio.timeout(40):
        while True:
            answer = await api.call("GET", f"/v1/webhooks/{id}/deliveries")
            found = answer.body.get("deliveries", [])
            if found and found[0]["state"] != "pending":
                (only,) = found
                return only
            await asyncio.sleep(0.05)


@requirement("webhooks:crash")
async def test_a_crash_in_a_pause_between_attempts_loses_and_repeats_none(
    tmp_path: Path, web: LocalWeb
) -> None:
    uri = web.on("/hook", Page(status=500), Page(status=503), Page(status=200))
    async with process(tmp_path, **CONFIG) as server:
        api = await server.start()
        id = await hook(api, uri)
        await begin(api)
        for tried in (1, 2):
            await until(lambda tried=tried: len(web.requests) >= tried, 60)
            await known(api, id, tried)
            await server.end()
            api = await server.start()
        seen = await delivered(api, id)
    assert seen["state"] == "delivered"
    assert [one["status_code"] for one in seen["attempts"]] == [500, 503, 200]
    assert {request.headers["webhook-id"] for request in web.requests} == {seen["id"]}
    assert len(web.requests) == 3


async def known(api: Api, id: str, count: int) -> None:
    """Waits until so many attempts are known to have ended."""
    async with asyncio.timeout(60):
        while True:
            answer = await api.call("GET", f"/v1/webhooks/{id}/deliveries")
            (only,) = answer.body.get("deliveries") or [{}]
            if len([one for one in only.get("attempts", []) if "error" in one]) >= count:
                return
            await asyncio.sleep(0.02)


@requirement("webhooks:crash")
@pytest.mark.parametrize(
    ("place", "requests", "statuses"),
    [("ended", 1, [200]), ("attempt", 1, [None, 200]), ("attempted", 2, [None, 200])],
)
async def test_a_crash_around_an_attempt_is_made_up_for(
    tmp_path: Path, web: LocalWeb, place: str, requests: int, statuses: list[int | None]
) -> None:
    uri = web.on("/hook", Page(status=200))
    async with process(tmp_path, **CONFIG) as server:
        server.failpoint = place
        api = await server.start()
        id = await hook(api, uri)
        await begin(api)
        await server.died()
        server.failpoint = ""
        seen = await delivered(await server.start(), id)
    assert seen["state"] == "delivered"
    assert [one.get("status_code") for one in seen["attempts"]] == statuses
    assert len(web.requests) == requests
    assert {request.headers["webhook-id"] for request in web.requests} == {seen["id"]}
