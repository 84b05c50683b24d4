"""Connections are kept, used again and closed; keys go with the requests."""

import asyncio

import pytest

from interplay.contracts.failure import BadAnswer, Unavailable
from interplay.plugins.models.openai_compatible import OpenAICompatible, OpenAICompatibleConfig
from tests.plugins.models.openai_compatible.upstream import (
    KEY,
    STOP,
    Upstream,
    ask,
    asked,
    failure,
    http,
    keeps,
    model,
    resets,
    stalls,
    stream,
    text,
    upstream,
)
from tests.ports import free_port


async def test_one_connection_serves_turn_after_turn(server: Upstream):
    server.will(keeps(text("one") + STOP))
    async with model(server) as made:
        for _ in range(5):
            await ask(made)
    assert [request.connection for request in server.requests] == [1] * 5


async def test_a_kept_connection_that_was_just_closed_is_no_failure(server: Upstream):
    server.will(keeps(text("one") + STOP), resets(b""), keeps(text("two") + STOP))
    async with model(server, retries=0) as made:
        await ask(made)
        assert (await ask(made)).text == "two"
    assert [request.connection for request in server.requests] == [1, 1, 2]


async def test_a_server_that_always_hangs_up_is_unavailable(server: Upstream):
    server.will(resets(b""))
    async with model(server, retries=0) as made:
        with pytest.raises(Unavailable, match="closed the connection"):
            await ask(made)
    assert len(server.requests) == 3


async def test_many_turns_at_once_are_not_held_in_line(server: Upstream):
    server.will(stalls(stream(text("one"))))
    async with model(server) as made, asyncio.timeout(60):
        streams = [made.stream(asked()) for _ in range(150)]
        await asyncio.gather(*(anext(one) for one in streams))
        assert server.connections == 150
        await asyncio.gather(*(one.aclose() for one in streams))


async def test_a_model_that_was_not_opened_opens_on_its_first_turn(server: Upstream):
    server.will(keeps(text("one") + STOP))
    async with model(server) as made:
        await made.close()
        assert (await ask(made)).text == "one"


def test_one_model_serves_one_event_loop_after_the_other():
    async def turn(port: int, made: OpenAICompatible | None) -> tuple[int, OpenAICompatible]:
        async with upstream(port) as at:
            at.will(keeps(text("one") + STOP))
            entry = OpenAICompatibleConfig(base_url=at.base_url, retries=0)
            made = made or OpenAICompatible(entry)
            assert (await ask(made)).text == "one"
            await made.close()
            assert len(at.requests) == 1
            return int(at.base_url.rpartition(":")[2].partition("/")[0]), made

    port, made = asyncio.run(turn(0, None))
    assert asyncio.run(turn(port, made))[1] is made


LISTING = {"object": "list", "data": [{"id": "big"}, {"id": "small"}]}


async def test_a_server_that_is_not_there_is_named_with_the_model(server: Upstream):
    server.base_url = f"http://127.0.0.1:{free_port()}/v1"
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
