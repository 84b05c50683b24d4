"""`/triggers` over HTTP: asked by the official client, and by hand where it would not ask so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from interplay.settings import Triggers
from interplay.testing.scripted_agent import ScriptedAgent
from tests.api.api import Answer, Api, requirement
from tests.api.conftest import House

BODY: dict[str, Any] = {
    "schedule": "30 2 * * *",
    "time_zone": "Europe/Berlin",
    "interaction": {"agent": "a", "input": "Look around."},
}


async def opened_with(house: House, *acts: Any, **settings: Any) -> tuple[Api, ScriptedAgent]:
    """A server whose agent `a` does these acts."""
    agent = ScriptedAgent.of(*(acts or ("done",)))
    return await house.open(agents={"a": agent}, **settings), agent


async def create(api: Api, **fields: Any) -> Answer:
    """POST /triggers with these fields over the usual ones; `headers=` goes into the headers."""
    headers = fields.pop("headers", {})
    return await api.call("POST", "/v1/triggers", json={**BODY, **fields}, headers=headers)


async def executions(api: Api, id: str) -> list[dict[str, Any]]:
    """The history, newest first."""
    answer = await api.call("GET", f"/v1/triggers/{id}/executions")
    assert answer.status == 200, answer.raw
    return answer.body.get("trigger_executions", [])


async def over(fetch: Callable[[], Awaitable[list[Any]]]) -> list[Any]:
    """What `fetch` answers as soon as none of its executions is in progress any more."""
    async with asyncio.timeout(60):
        while True:
            found = await fetch()
            told = [one["status"] if isinstance(one, dict) else one.status for one in found]
            if "in_progress" not in told:
                return found
            await asyncio.sleep(0.02)


@requirement("triggers:sdk")
async def test_the_official_client_creates_reads_lists_pauses_runs_and_deletes(
    house: House,
) -> None:
    await opened_with(house)
    client = house.server.client().aio.triggers
    made = await client.create(
        interaction={"agent": "a", "input": [{"type": "text", "text": "Look around."}]},
        schedule="0 9 * * mon-fri",
        time_zone="America/New_York",
        display_name="Mornings",
        execution_timeout_seconds=60,
        max_consecutive_failures=3,
    )
    assert made.status == "active"
    assert made.next_run_time is not None
    assert timedelta() < made.next_run_time - datetime.now(UTC) < timedelta(days=4)
    assert made.interaction.agent == "a"
    assert (made.execution_timeout_seconds, made.max_consecutive_failures) == (60, 3)
    assert await client.get(id=made.id) == made
    paused = await client.update(id=made.id, display_name="Later", status="paused")
    assert (paused.status, paused.display_name) == ("paused", "Later")
    assert paused.next_run_time is None
    page = await client.list(filter_="status=paused", page_size=10)
    assert [trigger.id for trigger in page.triggers or []] == [made.id]
    assert (await client.list(filter_="status=active")).triggers == []

    begun = await client.run(trigger_id=made.id)
    assert (begun.status, begun.trigger_id) == ("in_progress", made.id)

    async def history() -> list[Any]:
        page = await client.list_executions(trigger_id=made.id, page_size=5)
        return page.trigger_executions or []

    (execution,) = await over(history)
    assert (execution.id, execution.status) == (begun.id, "completed")
    interaction = await house.server.client().aio.interactions.get(execution.interaction_id)
    assert interaction.output_text == "done"
    assert (await client.get(id=made.id)).previous_interaction_id == execution.interaction_id

    await client.delete(id=made.id)
    with pytest.raises(Exception, match="There is no trigger"):
        await client.get(id=made.id)
    kept = await client.list_executions(trigger_id=made.id)
    assert [one.id for one in kept.trigger_executions or []] == [begun.id]


@requirement("triggers:sdk")
async def test_the_official_client_walks_pages(house: House) -> None:
    await opened_with(house)
    client = house.server.client().aio.triggers
    given: Any = BODY
    ids = [(await client.create(**given)).id for _ in range(3)]
    seen, token = list[str](), None
    while True:
        page = await client.list(page_size=2, page_token=token)
        seen += [trigger.id for trigger in page.triggers or []]
        token = page.next_page_token
        if not token:
            break
    assert seen == ids[::-1]


@requirement("triggers:once")
async def test_one_tick_at_two_processes_over_one_store_is_one_run(house: House) -> None:
    agent = ScriptedAgent.of("done")
    servers = [
        await house.start(models={"m": house.model}, agents={"a": agent}, shared=True)
        for _ in range(2)
    ]
    trigger = (await create(servers[0][1])).body
    tick = datetime.fromisoformat(trigger["next_run_time"]).timestamp()
    firings = [server.app.assembly.firing for server, _ in servers]
    for firing in firings:
        firing.rows.clock = lambda: tick + 1
    await asyncio.gather(*(firing.trigger(f"{trigger['id']}.1") for firing in firings * 3))
    (execution,) = await over(lambda: executions(servers[1][1], trigger["id"]))
    assert (execution["status"], execution["scheduled_time"]) == (
        "completed",
        trigger["next_run_time"],
    )
    listed = (await servers[1][1].call("GET", "/v1/interactions")).body["interactions"]
    assert [one["id"] for one in listed] == [execution["interaction_id"]]
    assert len(agent.runs) == 1
    after = (await servers[0][1].call("GET", f"/v1/triggers/{trigger['id']}")).body
    next_run = datetime.fromisoformat(after["next_run_time"]).timestamp()
    assert next_run - tick in (23 * 3_600, 24 * 3_600, 25 * 3_600)


@requirement("triggers:models")
async def test_a_trigger_runs_a_model_too(house: House) -> None:
    api, _ = await opened_with(house)
    trigger = (await create(api, interaction={"model": "m", "input": "Hello?"})).body
    await api.call("POST", f"/v1/triggers/{trigger['id']}/executions", json={})
    (execution,) = await over(lambda: executions(api, trigger["id"]))
    assert execution["status"] == "completed"
    assert "Hello?" in (await api.get(execution["interaction_id"])).text


@requirement("triggers:checked")
@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"schedul": "x"}, "parameter_unknown", "Did you mean 'schedule'?"),
        ({"schedule": None}, "invalid_request", "at 'schedule'"),
        ({"schedule": "0 0 31 2 *"}, "invalid_request", "never comes"),
        ({"time_zone": "Berlin"}, "invalid_request", "did you mean 'Europe/Berlin'"),
        ({"interaction": {"agent": "a", "inptu": "x"}}, "parameter_unknown", "'interaction'"),
        ({"interaction": {"agent": "a", "input": 5}}, "invalid_request", "'interaction.input'"),
        ({"interaction": 5}, "invalid_request", "at 'interaction'"),
        ({"interaction": {"agent": "b", "input": "x"}}, "not_found", "at 'interaction'"),
        ({"execution_timeout_seconds": 0}, "invalid_request", "'execution_timeout_seconds'"),
        ({"max_consecutive_failures": 10_000}, "invalid_request", "'max_consecutive_failures'"),
        ({"display_name": "x" * 257}, "invalid_request", "'display_name'"),
        ({"environment_id": "env_1"}, "invalid_request", "'environment_id'"),
    ],
)
async def test_a_body_that_is_no_trigger_is_refused_by_name(
    house: House, fields: dict[str, Any], code: str, said: str
) -> None:
    api, _ = await opened_with(house)
    answer = await create(api, **fields)
    assert (answer.status, answer.code) == (404 if code == "not_found" else 400, code)
    assert said in answer.message
    assert (await api.call("GET", "/v1/triggers")).body == {"triggers": []}


async def test_what_is_no_json_is_refused(house: House) -> None:
    api, _ = await opened_with(house)
    trigger = (await create(api)).body["id"]
    for method, path in (
        ("POST", "/v1/triggers"),
        ("PATCH", f"/v1/triggers/{trigger}"),
        ("POST", f"/v1/triggers/{trigger}/executions"),
    ):
        for raw in (b"{", b"[]", b"\xff"):
            answer = await api.call(
                method, path, data=raw, headers={"content-type": "application/json"}
            )
            assert (answer.status, answer.code) == (400, "invalid_request")


@requirement("triggers:pause")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"schedule": "* * * * *"}, "Unknown parameter 'schedule'"),
        ({"status": "stopped"}, "The value 'stopped' is not supported for 'status'"),
        ({"status": "error"}, "at 'status'"),
    ],
)
async def test_an_update_takes_a_name_and_a_status_only(
    house: House, body: dict[str, Any], said: str
) -> None:
    api, _ = await opened_with(house)
    trigger = (await create(api)).body
    answer = await api.call("PATCH", f"/v1/triggers/{trigger['id']}", json=body)
    assert answer.status == 400
    assert said in answer.message
    assert (await api.call("GET", f"/v1/triggers/{trigger['id']}")).body == trigger


async def test_a_run_takes_no_fields(house: House) -> None:
    api, _ = await opened_with(house)
    path = f"/v1/triggers/{(await create(api)).body['id']}/executions"
    answer = await api.call("POST", path, json={"input": "other"})
    assert (answer.status, answer.code) == (400, "invalid_request")


async def test_what_older_clients_write_is_taken_in_the_interaction_too(house: House) -> None:
    api, _ = await opened_with(house)
    tool = {"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}
    interaction = {"model": "m", "input": "x", "tools": [tool]}
    answer = await create(api, interaction=interaction)
    assert answer.status == 200, answer.raw
    assert answer.body["interaction"]["tools"][0]["type"] == "function"


@requirement("triggers:keys")
async def test_each_key_has_its_own_triggers(house: House) -> None:
    api, _ = await opened_with(house, api_keys=["ann:1", "bob:2"], triggers=Triggers(per_key=1))
    ann, bob = api.acting_as("1"), api.acting_as("2")
    trigger = (await create(ann)).body["id"]
    assert (await create(api)).status == 401
    over_limit = await create(ann)
    assert (over_limit.status, over_limit.code) == (429, "quota_exceeded")
    assert (await create(bob)).status == 200
    for method, path in (
        ("GET", f"/v1/triggers/{trigger}"),
        ("PATCH", f"/v1/triggers/{trigger}"),
        ("DELETE", f"/v1/triggers/{trigger}"),
        ("POST", f"/v1/triggers/{trigger}/executions"),
        ("GET", f"/v1/triggers/{trigger}/executions"),
    ):
        answer = await bob.call(method, path, json={})
        assert (answer.status, answer.code) == (404, "not_found"), path
    assert len((await bob.call("GET", "/v1/triggers")).body["triggers"]) == 1


async def test_a_creation_and_a_run_sent_twice_with_one_key_are_one(house: House) -> None:
    api, agent = await opened_with(house)
    key = {"headers": {"Idempotency-Key": "k"}}
    first, second = await asyncio.gather(create(api, **key), create(api, **key))
    assert first.body == second.body
    other = await create(api, display_name="other", **key)
    assert (other.status, other.code) == (409, "aborted")
    path = f"/v1/triggers/{first.body['id']}/executions"
    runs = await asyncio.gather(*(api.call("POST", path, **key) for _ in range(3)))
    assert len({run.body["id"] for run in runs}) == 1
    (execution,) = await over(lambda: executions(api, first.body["id"]))
    assert (execution["status"], len(agent.runs)) == ("completed", 1)
    long = await create(api, headers={"Idempotency-Key": "k" * 257})
    assert long.status == 400


@pytest.mark.parametrize(
    "path",
    ["/v1beta/triggers", "/v1alpha/triggers", "/v1beta1/projects/p/locations/l/triggers"],
)
async def test_every_version_and_the_cloud_s_paths_serve_the_same_triggers(
    house: House, path: str
) -> None:
    api, _ = await opened_with(house)
    made = (await create(api)).body
    answer = await api.call("GET", f"{path}/{made['id']}")
    assert (answer.status, answer.body) == (200, made)
    assert (await api.call("PUT", path)).status == 405
    for query in ("page_size=0", "page_token=x", "filter=x"):
        assert (await api.call("GET", f"{path}?{query}")).status == 400
