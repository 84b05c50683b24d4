"""/models, and which model a name means."""

from typing import Any

import pytest

from interplay.settings import Settings
from interplay.testing.scripted_model import ScriptedModel
from interplay.testing.server import serve
from tests.api.api import requirement


async def names(api: Any) -> list[str]:
    """What /models lists."""
    listed = (await api.call("GET", "/v1/models")).body["models"]
    return [model["name"].removeprefix("models/") for model in listed]


@requirement("models:list")
async def test_every_name_and_glob_is_listed(house: Any) -> None:
    models = {"m": ScriptedModel.of(), "qwen-*": ScriptedModel.of()}
    _, api = await house.start(models=models)
    assert sorted(await names(api)) == ["m", "qwen-*"]


@requirement("models:get")
@pytest.mark.parametrize("version", ["v1", "v1beta"])
async def test_one_model_is_described_by_its_facts(house: Any, version: str) -> None:
    model = ScriptedModel.of(facts={"context_tokens": 1000, "max_output_tokens": 10})
    _, api = await house.start(models={"m": model})
    described = (await api.call("GET", f"/{version}/models/m")).body
    assert described["name"] == "models/m"
    assert (described["inputTokenLimit"], described["outputTokenLimit"]) == (1000, 10)
    assert described["thinking"] is True
    unknown = await api.call("GET", f"/{version}/models/none")
    assert (unknown.status, unknown.code) == (404, "model_not_found")


@requirement("models:by-name")
@requirement("models:by-glob")
async def test_the_exact_name_comes_before_the_longest_glob(house: Any) -> None:
    models = {
        name: ScriptedModel.of(name, repeat=True) for name in ("q-1", "q-*", "q-big-*", "*-tiny")
    }
    _, api = await house.start(models=models)
    for asked, answers in (("q-1", "q-1"), ("q-2", "q-*"), ("q-big-7", "q-big-*")):
        answer = await api.create(model=asked, input="Hi")
        assert answer.text == answers
        assert answer.body["model"] == asked
    assert models["q-big-*"].turns[0].model == "q-big-7"


@requirement("models:by-name")
async def test_the_name_may_be_written_with_models_before_it(opened: Any) -> None:
    api = await opened("Hello.")
    assert (await api.create(model="models/m", input="Hi")).text == "Hello."


@requirement("models:unknown")
async def test_an_unknown_model_is_told_the_near_names(house: Any) -> None:
    models = {"qwen2.5-coder": ScriptedModel.of(), "other": ScriptedModel.of()}
    _, api = await house.start(models=models)
    answer = await api.create(model="qwen2.5-codr", input="Hi")
    assert (answer.status, answer.code) == (404, "model_not_found")
    assert "Did you mean 'qwen2.5-coder'?" in answer.message


def standing_in(**settings: Any) -> tuple[dict[str, ScriptedModel], dict[str, Any]]:
    """A server whose default model is `small`."""
    models = {"small": ScriptedModel.of("I stand in.", repeat=True)}
    return models, {"default_model": "small", **settings}


@requirement("models:fallback")
@requirement("models:fallback-said")
async def test_gemini_names_are_answered_by_the_default_model_and_it_is_said(
    house: Any, caplog: pytest.LogCaptureFixture
) -> None:
    models, settings = standing_in()
    _, api = await house.start(models=models, **settings)
    answer = await api.create(model="gemini-3-flash", input="Hi")
    assert answer.text == "I stand in."
    assert answer.body["model"] == "gemini-3-flash"
    assert "small" in answer.headers["x-interplay-model"]
    assert "gemini-*" in await names(api)
    described = (await api.call("GET", "/v1/models/gemini-3-flash")).body
    assert "small" in described["description"]
    assert any("small" in record.getMessage() for record in caplog.records)


@requirement("models:fallback-off")
async def test_the_fallback_can_be_switched_off(house: Any) -> None:
    models, settings = standing_in(gemini_fallback=False)
    _, api = await house.start(models=models, **settings)
    assert (await api.create(model="gemini-3-flash", input="Hi")).status == 404
    assert await names(api) == ["small"]


@requirement("models:real-first")
async def test_a_configured_gemini_name_is_never_replaced(house: Any) -> None:
    models, settings = standing_in()
    models["gemini-*"] = ScriptedModel.of("The real one.", repeat=True)
    _, api = await house.start(models=models, **settings)
    answer = await api.create(model="gemini-3-flash", input="Hi")
    assert answer.text == "The real one."
    assert "x-interplay-model" not in answer.headers


@requirement("models:not-fetched")
async def test_a_model_that_is_not_on_the_disk_names_the_command(tmp_path: Any) -> None:
    entry = {"backend": "llama_cpp", "model": "qwen2.5-coder-0.5b"}
    settings = Settings(
        data_dir=str(tmp_path / "data"), cache_dir=str(tmp_path / "cache"), models={"m": entry}
    )
    async with serve(settings=settings) as server:
        client = server.client(retry_options={"attempts": 1}).aio
        with pytest.raises(Exception, match=r"interplay models pull qwen2\.5-coder-0\.5b"):
            await client.interactions.create(model="m", input="Hi")


@requirement("models:loading")
async def test_a_stream_says_what_it_waits_for(house: Any) -> None:
    model = ScriptedModel.of({"chunks": [{"hold": "loaded"}, "Here."]})
    model.busy_with = "loading m"
    _, api = await house.start(models={"m": model}, limits={"keepalive_seconds": 0.05})
    body = {"model": "m", "input": "Hi", "stream": True}
    async with api.session.post(api.url + "/v1/interactions", json=body) as answer:
        async for line in answer.content:
            if line.startswith(b":") and b"loading m" in line:
                model.gate("loaded").open()
                break
        assert b"Here." in await answer.read()


@requirement("agents:found")
async def test_an_unknown_agent_is_404_and_told_the_near_names(opened: Any) -> None:
    api = await opened()
    answer = await api.create({"agent": "asistant", "input": "Hi"})
    assert (answer.status, answer.code) == (404, "not_found")
    assert "Did you mean 'assistant'?" in answer.message
