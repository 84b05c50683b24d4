"""A process dies between any two writes of a trigger's run; the next one makes one run of it."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from interplay.plugins.stores.sqlite import SqliteStore
from tests.api.api import Api, requirement
from tests.crash.process import Process, process
from tests.crash.test_server_crash import LOST

CONFIG: dict[str, Any] = {
    "models": {"m": {"backend": "scripted", "replies": ["done"], "repeat": True}},
    "default_model": "m",
}
TRIGGER = {
    "schedule": "0 0 * * *",
    "time_zone": "UTC",
    "interaction": {"model": "m", "input": "x"},
}


async def trigger(api: Api, **fields: Any) -> str:
    """A new trigger's id."""
    answer = await api.call("POST", "/v1/triggers", json={**TRIGGER, **fields})
    assert answer.status == 200, answer.raw
    return answer.body["id"]


async def run(api: Api, id: str) -> None:
    """Runs it now; the server may die before it answers."""
    with suppress(*LOST):
        await api.call("POST", f"/v1/triggers/{id}/executions", json={})


async def over(api: Api, id: str) -> list[dict[str, Any]]:
    """Its executions, as soon as there are some and none is in progress."""
    async with asyncio.timeout(30):
        while True:
            answer = await api.call("GET", f"/v1/triggers/{id}/executions")
            found = answer.body.get("trigger_executions", [])
            if found and all(one["status"] != "in_progress" for one in found):
                return found
            await asyncio.sleep(0.05)


async def once(server: Process, id: str, status: str) -> None:
    """Asserts that there was one run, that it is counted once, and that the next one is free."""
    api = await server.start()
    (execution,) = await over(api, id)
    assert execution["status"] == status
    listed = (await api.call("GET", "/v1/interactions")).body["interactions"]
    assert [line["id"] for line in listed] == [execution["interaction_id"]]
    there = (await api.call("GET", f"/v1/triggers/{id}")).body
    assert there["previous_interaction_id"] == execution["interaction_id"]
    assert there["consecutive_failure_count"] == (0 if status == "completed" else 1)
    assert there["status"] == "active"
    await run(api, id)
    assert [one["status"] for one in await over(api, id)] == [status, status]


@requirement("triggers:once")
@pytest.mark.parametrize("place", ["taken", "begun", "counted"])
async def test_a_run_that_a_crash_breaks_anywhere_is_made_once(tmp_path: Path, place: str) -> None:
    async with process(tmp_path, **CONFIG) as server:
        server.failpoint = place
        api = await server.start()
        id = await trigger(api)
        await run(api, id)
        await server.died()
        server.failpoint = ""
        await once(server, id, "completed")


@requirement("triggers:timeout")
async def test_a_timeout_that_a_crash_breaks_is_one_all_the_same(tmp_path: Path) -> None:
    slow = {"m": {**CONFIG["models"]["m"], "delay": 60.0}}
    async with process(tmp_path, **{**CONFIG, "models": slow}) as server:
        server.failpoint = "late"
        api = await server.start()
        id = await trigger(api, execution_timeout_seconds=1)
        await run(api, id)
        await server.died()
        server.failpoint = ""
        await once(server, id, "timed_out")


@requirement("triggers:lost-jobs")
async def test_a_tick_without_a_job_that_a_crash_breaks_is_one_run(tmp_path: Path) -> None:
    async with process(tmp_path, **CONFIG) as server:
        id = await trigger(await server.start())
        await server.end()
        tick = time.time() // 86_400 * 86_400
        await overdue(tmp_path / "data", id, tick)
        server.failpoint = "ticked"
        await server.start()
        await server.died()
        server.failpoint = ""
        await once(server, id, "completed")
        api = server.api
        there = (await api.call("GET", f"/v1/triggers/{id}")).body
        assert there["next_run_time"] > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


async def overdue(folder: Path, id: str, tick: float) -> None:
    """Makes a trigger one whose tick has come, and takes its job away."""
    store = SqliteStore(folder=folder, durability="normal")
    await store.open()
    try:
        record = await store.records.get("trigger", id)
        assert record is not None
        record.due = tick
        await store.records.replace(record)
        await store.jobs.drop("trigger", f"{id}.1")
    finally:
        await store.close()
