"""What goes wrong at a server is told in words that help, and never with a secret."""

import socket

import pytest

from interplay.contracts.failure import BadAnswer, Busy, Failure, Refused, TimedOut, Unavailable
from tests.plugins.models.openai_compatible.upstream import (
    STOP,
    STREAM_HEAD,
    Upstream,
    ask,
    event,
    http,
    model,
    resets,
    stream,
    text,
)

KEY = "sk-very-secret-1234567890"
LISTING = {"object": "list", "data": [{"id": "big"}, {"id": "small"}]}


async def failure(server: Upstream, *answers: bytes, **config) -> Failure:
    server.will(*answers)
    async with model(server, **config) as made:
        with pytest.raises(Failure) as raised:
            await ask(made)
    return raised.value


async def test_a_server_that_is_not_there_is_named_with_the_model(server: Upstream):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server.base_url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        fault = await failure(server, b"", retries=1)
    assert isinstance(fault, Unavailable)
    assert server.base_url in fault.message
    assert "'m'" in fault.message
    assert "base_url" in fault.message


async def test_a_name_that_does_not_resolve_is_unavailable(server: Upstream):
    server.base_url = "http://no-such-host.invalid/v1"
    fault = await failure(server, b"")
    assert isinstance(fault, Unavailable)
    assert "no-such-host.invalid" in fault.message


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


async def test_a_key_from_the_environment_is_sent(
    server: Upstream, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SOME_KEY", f" {KEY}\n")
    server.will(stream(text("one"), STOP))
    async with model(server, api_key_env="SOME_KEY") as made:
        await ask(made)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_a_missing_environment_variable_is_named(server: Upstream):
    fault = await failure(server, b"", api_key_env="NOT_SET_ANYWHERE", retries=3)
    assert "NOT_SET_ANYWHERE" in fault.message
    assert not server.requests


async def test_an_unknown_model_is_answered_with_what_there_is(server: Upstream):
    missing = http(404, {"error": {"message": "model 'm' not found"}})
    fault = await failure(server, missing, http(200, LISTING), retries=3)
    assert fault.code == "model_not_found"
    assert "'big', 'small'" in fault.message
    assert [request.path for request in server.requests] == ["/v1/chat/completions", "/v1/models"]


async def test_a_404_of_a_server_that_lists_no_models_points_to_base_url(server: Upstream):
    fault = await failure(server, http(404, b"nope"), http(404, b"nope"))
    assert fault.code == "service_unavailable"
    assert "/v1" in fault.message


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
    ("body", "words"),
    [
        (b"data: {not json}\n\n", "not JSON|half a chunk"),
        (b'data: {"choices": [{"delta": {"content": "a\n\ndata: [DONE]\n\n', "half a chunk"),
        (b'data: {"choices": 7}\n\n', "unknown shape"),
        (b"data: nonsense\n\n", "not JSON"),
        (b"<!DOCTYPE html><html>Sign in</html>\n", "web page"),
        (b"PK\x03\x04 binary\n", "no event stream"),
        (b'{"choices": [{"message": {"content": "ha', "half a JSON object"),
        (b"", "broke off"),
        (b"data: [1, 2]\n\n", "unknown shape"),
    ],
)
async def test_garbage_is_a_bad_answer_that_quotes_it(server: Upstream, body: bytes, words: str):
    server.will(stream(body))
    async with model(server) as made:
        with pytest.raises(BadAnswer, match=words):
            await ask(made)


async def test_something_that_is_not_http_is_a_bad_answer(server: Upstream):
    fault = await failure(server, b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    assert isinstance(fault, BadAnswer)


async def test_a_redirect_is_not_followed_with_the_key(server: Upstream):
    fault = await failure(
        server, http(307, b"", Location="https://me:secretpw@elsewhere.example/v1?k=1"), api_key=KEY
    )
    assert isinstance(fault, BadAnswer)
    assert "elsewhere.example" in fault.message
    assert "secretpw" not in fault.message
    assert len(server.requests) == 1


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


async def test_an_error_line_outside_of_events_is_told(server: Upstream):
    line = b'error: {"code": 500, "message": "slot failed"}\n\n'
    fault = await failure(server, stream(line))
    assert "slot failed" in fault.message


async def test_an_answer_that_ends_with_finish_reason_error_is_broken_off(server: Upstream):
    choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
    fault = await failure(server, stream(text("one"), event({"choices": [choice]})))
    assert isinstance(fault, BadAnswer)


async def test_a_reset_in_the_middle_is_a_bad_answer(server: Upstream):
    server.will(resets(STREAM_HEAD + b"Content-Length: 99999\r\n\r\n" + text("one")))
    async with model(server) as made:
        with pytest.raises(BadAnswer, match="broke off"):
            await ask(made)


async def test_a_line_without_end_is_cut_off_at_the_limit(server: Upstream):
    fault = await failure(server, stream(b"data: " + b"x" * 5000), max_line_bytes=1000)
    assert "max_line_bytes" in fault.message


async def test_chunks_without_end_are_cut_off_at_the_limit(server: Upstream):
    fault = await failure(server, stream(event({"choices": []}) * 50, STOP), max_chunks=20)
    assert "max_chunks" in fault.message


@pytest.mark.parametrize("start", [b": nothing\n\n", b'{"choices": []'])
async def test_an_answer_without_end_is_cut_off_at_the_limit(server: Upstream, start: bytes):
    fault = await failure(server, stream(start + b"\n" * 9000), max_answer_bytes=5000)
    assert "max_answer_bytes" in fault.message


async def test_a_message_from_outside_is_cut_short_and_on_one_line(server: Upstream):
    fault = await failure(server, http(400, {"error": {"message": "a\x00b\n" + "long " * 900}}))
    assert len(fault.message) < 800
    assert "\n" not in fault.message
    assert "\x00" not in fault.message
