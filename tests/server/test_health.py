"""What an operator and an orchestrator ask."""

from typing import Any

from tests.api.api import requirement

KEYS = ["alice:secret"]


@requirement("operate:health")
@requirement("operate:ready")
async def test_health_and_ready_need_no_key(opened: Any) -> None:
    api = await opened(api_keys=KEYS)
    assert (await api.call("GET", "/health")).body == {"status": "ok"}
    assert (await api.call("GET", "/ready")).body == {"status": "ready"}


@requirement("operate:ready")
async def test_a_server_that_stops_is_not_ready(opened: Any, house: Any) -> None:
    api = await opened()
    house.server.app.assembly.ready = False
    assert (await api.call("GET", "/ready")).status == 503
    assert (await api.call("GET", "/health")).status == 200


@requirement("operate:metrics")
async def test_metrics_count_requests_interactions_and_tokens(opened: Any) -> None:
    api = await opened("one two three")
    await api.create(input="Hi")
    await api.create(model="none", input="Hi")
    text = (await api.call("GET", "/metrics")).raw.decode()
    assert 'interplay_http_requests_total{method="POST",status="200"} 1.0' in text
    assert 'interplay_http_requests_total{method="POST",status="404"} 1.0' in text
    assert 'interplay_interactions_total{kind="model",status="completed"} 1.0' in text
    assert 'interplay_tokens_total{direction="output"} 3.0' in text
    assert "interplay_live_interactions 0.0" in text
    assert 'interplay_interaction_seconds_count{kind="model"} 1.0' in text


@requirement("operate:metrics")
async def test_metrics_ask_for_a_key_where_there_are_keys(opened: Any) -> None:
    api = await opened(api_keys=KEYS)
    assert (await api.call("GET", "/metrics")).status == 401
    assert (await api.acting_as("secret").call("GET", "/metrics")).status == 200


@requirement("routes:openapi")
async def test_the_openapi_document_is_served(opened: Any) -> None:
    document = (await (await opened()).call("GET", "/openapi.json")).body
    assert document["openapi"].startswith("3.1")
    assert any(path.endswith("/interactions") for path in document["paths"])
