"""GET /interactions, /models, /health, /metrics, /openapi.json."""

from __future__ import annotations

from typing import Any

from interplay.testing.scripted_model import ScriptedModel
from tests.api.api import requirement


@requirement("list:paging")
async def test_a_list_is_paged_newest_first(opened: Any) -> None:
    api = await opened()
    made = [(await api.create(input=str(n))).body["id"] for n in range(7)]
    seen: list[str] = []
    token = ""
    for size in (3, 3, 1):
        page = (await api.call("GET", f"/v1/interactions?page_size=3&page_token={token}")).body
        assert len(page["interactions"]) == size
        assert [i["id"] for i in page["interactions"]] == [
            i["id"] for i in page["interaction_metadatas"]
        ]
        seen += [i["id"] for i in page["interactions"]]
        token = page.get("next_page_token", "")
    assert token == ""
    assert seen == made[::-1]


@requirement("list:filters")
async def test_a_list_is_filtered(opened: Any) -> None:
    other = ScriptedModel.of(echo=True)
    api = await opened({"text": "x", "end": {"reason": "length"}}, models={"other": other})
    cut = (await api.create(input="1", labels={"team": "a"})).body["id"]
    done = (await api.create(input="2", labels={"team": "b"})).body["id"]
    else_ = (await api.create(model="other", input="3")).body["id"]
    agent = (
        await api.create({"agent": "assistant", "input": "4", "agent_config": {"model": "other"}})
    ).body["id"]

    async def found(query: str) -> list[str]:
        page = (await api.call("GET", f"/v1/interactions?{query}")).body
        return [i["id"] for i in page["interactions"]]

    assert await found("status=incomplete") == [cut]
    assert await found("model=other") == [else_]
    assert await found("agent=assistant") == [agent]
    assert await found("label=team:b") == [done]
    assert await found("label=team:b&status=incomplete") == []
    assert await found("status=failed") == []


@requirement("models:list")
async def test_models_lists_what_is_configured(opened: Any) -> None:
    api = await opened()
    models = (await api.call("GET", "/v1beta/models")).body["models"]
    assert [model["name"] for model in models] == ["models/m"]
    assert (await api.call("GET", "/v1/models/m")).body["name"] == "models/m"
    missing = await api.call("GET", "/v1/models/n")
    assert (missing.status, missing.code) == (404, "model_not_found")


@requirement("models:fallback")
async def test_gemini_names_fall_back_and_it_is_said(house: Any) -> None:
    model = ScriptedModel.of(echo=True)
    _, api = await house.start(models={"local": model}, default_model="local")
    answer = await api.create(model="gemini-3.8-flash", input="x")
    assert answer.status == 200
    assert answer.body["model"] == "gemini-3.8-flash"
    assert answer.headers["x-interplay-model"] == "local (fallback)"
    listed = (await api.call("GET", "/v1/models")).body["models"]
    names = {entry["name"]: entry["displayName"] for entry in listed}
    assert names["models/gemini-*"] == "local (stands in for gemini-*)"
    assert "x-interplay-model" not in (await api.create(model="local", input="x")).headers
    events = await api.create(model="gemini-3.8-flash", input="x", stream=True)
    assert events.headers["x-interplay-model"] == "local (fallback)"


async def test_the_fallback_can_be_switched_off(house: Any) -> None:
    _, api = await house.start(
        models={"local": ScriptedModel.of()}, default_model="local", gemini_fallback=False
    )
    answer = await api.create(model="gemini-3.8-flash", input="x")
    assert (answer.status, answer.code) == (404, "model_not_found")


@requirement("models:globs")
async def test_a_name_goes_to_the_longest_glob_that_matches(house: Any) -> None:
    wide, narrow, exact = (ScriptedModel.of(echo=True) for _ in range(3))
    models = {"gemini-*": wide, "gemini-3*": narrow, "gemini-3-pro": exact}
    _, api = await house.start(models=models)
    for name in ("gemini-2", "gemini-3.8-flash", "gemini-3-pro", "models/gemini-3-pro"):
        assert (await api.create(model=name, input="x")).status == 200
    assert [len(m.turns) for m in (wide, narrow, exact)] == [1, 1, 2]
    assert narrow.turns[0].model == "gemini-3.8-flash"


@requirement("thinking:notice")
async def test_a_level_that_changes_nothing_is_said_in_a_header(house: Any) -> None:
    plain = ScriptedModel.of(echo=True, facts={"thinking_levels": []})
    some = ScriptedModel.of(echo=True, facts={"thinking_levels": ["low", "high"]})
    _, api = await house.start(models={"plain": plain, "some": some})
    config = {"thinking_level": "medium"}
    answer = await api.create(model="plain", input="x", generation_config=config)
    assert answer.status == 200
    assert "thinking_level" in answer.headers["x-interplay-notice"]
    refused = await api.create(model="some", input="x", generation_config=config)
    assert refused.status == 400
    assert "Thinking level MEDIUM is not supported for this model." in refused.message


@requirement("server:health")
async def test_health_metrics_and_openapi_answer(opened: Any) -> None:
    api = await opened()
    await api.create(input="x")
    await api.create(imput="x")
    assert (await api.call("GET", "/health")).body == {"status": "ok"}
    assert (await api.call("GET", "/ready")).body == {"status": "ready"}
    metrics = (await api.call("GET", "/metrics")).raw.decode()
    assert 'interplay_interactions_total{kind="model",status="completed"} 1.0' in metrics
    assert 'interplay_http_requests_total{method="POST",status="400"} 1.0' in metrics
    assert "interplay_live_interactions 0.0" in metrics
    document = (await api.call("GET", "/openapi.json")).body
    assert document["openapi"].startswith("3.1")
