"""Bad weather at the model's server, seen by a caller of ours."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from interplay.settings import Settings
from interplay.testing.local_web import LocalWeb, Page
from interplay.testing.script import Hold
from interplay.testing.server import serve
from tests.api.api import Api, kinds, requirement, text_of

PATH = "/v1/chat/completions"
SSE = {"content-type": "text/event-stream"}


def chunk(text: str, finish: str | None = None) -> bytes:
    """One chunk of a chat-completions stream."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


WHOLE = Page(headers=SSE, body=chunk("Hello.", "stop") + b"data: [DONE]\n\n")


@pytest.fixture
async def web():
    async with LocalWeb() as web:
        yield web


@pytest.fixture
async def api(web: LocalWeb, tmp_path: Any):
    """A server whose model `m` lives at that web, with short patience."""
    entry = {
        "backend": "openai_compatible",
        "base_url": web.url("/v1"),
        "timeout_seconds": 0.3,
        "retries": 1,
        "retry_seconds": 0.01,
        "retry_cap_seconds": 0.1,
    }
    settings = Settings(data_dir=str(tmp_path / "data"), models={"m": entry})
    async with serve(settings=settings) as server, aiohttp.ClientSession() as session:
        yield Api(server.url, session)


async def failed(api: Any, code: str, status: int) -> Any:
    """Asks plainly and as a stream; both fail with this code."""
    plain = await api.create(input="Hi")
    assert (plain.status, plain.code) == (status, code), plain.raw
    events = await api.stream(input="Hi")
    assert kinds(events)[-2:] == ["error", "interaction.completed"]
    assert events[-2]["error"]["code"] == code
    assert events[-1]["interaction"]["status"] == "failed"
    return plain


@requirement("weather:upstream-drops")
async def test_a_connection_that_drops_in_mid_answer_fails_and_keeps_what_was_said(
    api: Any, web: LocalWeb
) -> None:
    page = Page(headers={**SSE, "content-length": "999"}, body=chunk("So f"), drop_after=900)
    web.on(PATH, page)
    await failed(api, "bad_gateway", 502)
    listed = (await api.call("GET", "/v1/interactions?status=failed")).body["interactions"]
    assert text_of((await api.get(listed[0]["id"])).body) == "So f"


@requirement("weather:upstream-stalls")
async def test_a_server_that_stalls_is_given_up(api: Any, web: LocalWeb) -> None:
    web.on(PATH, Page(headers=SSE, chunks=[chunk("So f"), Hold(hold="never opened")]))
    await failed(api, "deadline_exceeded", 504)


@requirement("weather:upstream-garbage")
@pytest.mark.parametrize(
    "page",
    [
        Page(headers={"content-type": "text/html"}, body=b"<html>Welcome</html>"),
        Page(headers=SSE, body=b"data: {half of it\n\n"),
        Page(raw=b"NONSENSE\r\n\r\n"),
    ],
    ids=["html", "half json", "no http"],
)
async def test_garbage_is_a_bad_gateway(api: Any, web: LocalWeb, page: Page) -> None:
    web.on(PATH, page)
    await failed(api, "bad_gateway", 502)


@requirement("weather:upstream-429")
async def test_a_full_server_says_when_to_come_back(api: Any, web: LocalWeb) -> None:
    body = b'{"error": {"message": "slow down"}}'
    web.on(PATH, Page(status=429, headers={"retry-after": "7"}, body=body))
    answer = await failed(api, "too_many_requests", 429)
    assert answer.headers["retry-after"] == "7"


@requirement("weather:upstream-500")
async def test_a_broken_server_is_asked_once_more(api: Any, web: LocalWeb) -> None:
    web.on(PATH, Page(status=500), WHOLE)
    assert (await api.create(input="Hi")).text == "Hello."
    assert len(web.requests) == 2
    web.on(PATH, Page(status=500))
    await failed(api, "service_unavailable", 503)
