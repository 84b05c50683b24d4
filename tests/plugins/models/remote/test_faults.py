"""What goes wrong at a server is told in words that help, and never with a secret."""

import pytest

from interplay.contracts.failure import BadAnswer, Busy, Failure, Refused, TimedOut, Unavailable
from interplay.plugins.models.remote.faults import retry_after
from tests.plugins.models.openai_compatible.upstream import (
    KEY,
    Upstream,
    event,
    failure,
    http,
    stream,
    text,
)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_the_operators_and_never_shown(server: Upstream, status: int):
    body = {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}}
    fault = await failure(server, http(status, body), api_key=KEY)
    assert type(fault) is Failure
    assert fault.code == "service_unavailable"
    assert "api_key_env" in fault.message
    assert KEY not in fault.message
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_secrets_in_headers_and_addresses_are_never_shown(server: Upstream):
    server.base_url = server.base_url.replace("http://", "http://me:hunter2222@")
    body = {"error": "bad request for hunter2222 with abc-header-secret"}
    fault = await failure(server, http(400, body), headers={"X-Key": "Token abc-header-secret"})
    assert "hunter2222" not in fault.message
    assert "abc-header-secret" not in fault.message
    assert server.requests[0].headers["x-key"] == "Token abc-header-secret"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "temperature is too hot", "type": "x"}}, "temperature is too hot"),
        ({"error": "plain words"}, "plain words"),
        ({"object": "error", "message": "old words", "code": 400}, "old words"),
        ({"detail": [{"loc": ["body", "top_k"], "msg": "not an integer"}]}, "body.top_k: not an"),
        ({"detail": "one detail"}, "one detail"),
        ([{"error": {"message": "in a list"}}], "in a list"),
        (b"just text\r\nwith lines", "just text with lines"),
        (b"<html><head><title>Bad Gateway</title></head></html>", "Bad Gateway"),
        (b"", "HTTP 422 without a word"),
        ({}, "HTTP 422 without a word"),
    ],
)
async def test_a_refusal_carries_the_servers_own_words(server: Upstream, body, words: str):
    fault = await failure(server, http(422, body))
    assert isinstance(fault, Refused)
    assert words in fault.message


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 4096 tokens",
        "the request exceeds the available context size, try increasing it",
        "prompt is too long: 9 tokens > 8 maximum",
    ],
)
async def test_a_conversation_that_is_too_long_is_refused_in_those_words(
    server: Upstream, message: str
):
    fault = await failure(server, http(400, {"error": {"message": message}}))
    assert isinstance(fault, Refused)
    assert fault.message.startswith("The conversation is too long for 'm'")


async def test_a_full_server_is_busy_for_as_long_as_it_says(server: Upstream):
    fault = await failure(server, http(429, {"error": {"message": "slow"}}, Retry_After="7"))
    assert isinstance(fault, Busy)
    assert fault.retry_after == 7


async def test_a_date_in_retry_after_is_read(server: Upstream):
    date = "Wed, 21 Oct 2099 07:28:00 GMT"
    fault = await failure(server, http(429, {}, Retry_After=date))
    assert (fault.retry_after or 0) > 1e9


async def test_an_account_without_money_is_not_tried_again(server: Upstream):
    body = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
    fault = await failure(server, http(429, body), retries=3)
    assert fault.code == "quota_exceeded"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, Unavailable), (502, Unavailable), (529, Unavailable), (504, TimedOut), (501, Refused)],
)
async def test_failures_of_the_server_have_their_kinds(server: Upstream, status: int, kind: type):
    assert isinstance(await failure(server, http(status, {"error": {"message": "x"}})), kind)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "out of memory", "code": 500}, Unavailable),
        ({"message": "slow down", "code": 429}, Busy),
        ({"message": "slow down", "code": "429"}, Busy),
        ({"message": "bad request", "code": 400}, Refused),
        ("it broke", Unavailable),
    ],
)
async def test_an_error_inside_the_stream_is_told_by_its_own_code(
    server: Upstream, error, kind: type
):
    fault = await failure(server, stream(text("one"), event({"error": error})))
    assert isinstance(fault, kind)


async def test_an_answer_that_ends_with_finish_reason_error_is_broken_off(server: Upstream):
    choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
    fault = await failure(server, stream(text("one"), event({"choices": [choice]})))
    assert isinstance(fault, BadAnswer)


async def test_a_message_from_outside_is_cut_short_and_on_one_line(server: Upstream):
    fault = await failure(server, http(400, {"error": {"message": "a\x00b\n" + "long " * 900}}))
    assert len(fault.message) < 800
    assert "\n" not in fault.message
    assert "\x00" not in fault.message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "-3"}, 0),
        ({"retry-after-ms": "1500", "Retry-After": "2"}, 1.5),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        ({}, None),
    ],
)
def test_the_wait_asked_for_is_read_in_every_form(headers: dict, seconds: float | None):
    assert retry_after(headers) == seconds
