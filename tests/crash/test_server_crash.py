"""kill -9, SIGTERM and a full disk: nothing stored is lost, nothing hangs, nothing is doubled."""

from __future__ import annotations

import asyncio
import random
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.api.api import Api, fold, ids, kinds, requirement, text_of, until
from tests.crash.process import Process, process

WORDS = [f"w{number} " for number in range(60)]
SLOW = {
    "models": {
        "m": {
            "backend": "scripted",
            "replies": [{"chunks": WORDS}],
            "repeat": True,
            "pace": 0.02,
            "facts": {"prefill": True},
        },
        "fresh": {
            "backend": "scripted",
            "replies": [{"chunks": WORDS}],
            "repeat": True,
            "pace": 0.02,
        },
        "quick": {"backend": "scripted", "echo": True},
    },
    "default_model": "quick",
}
LOST = (aiohttp.ClientError, ConnectionError, asyncio.TimeoutError, AssertionError)


async def follow(server: Process, id: str, events: list[dict[str, Any]]) -> None:
    """Takes events until the end, through any number of dead servers."""
    async with asyncio.timeout(200):
        while not events or events[-1]["event_type"] != "interaction.completed":
            after = f"&last_event_id={events[-1]['event_id']}" if events else ""
            path = f"/v1/interactions/{id}?stream=true{after}"
            try:
                async with server.api.opened("GET", path) as live:
                    async for event in live:
                        events.append(event)
            except LOST:
                await asyncio.sleep(0.05)


@requirement("weather:kill-background")
@pytest.mark.parametrize("model", ["m", "fresh"])
async def test_a_background_run_goes_on_after_kill_9_and_its_client_sees_one_stream(
    tmp_path: Path, model: str
) -> None:
    async with process(tmp_path, **SLOW) as server:
        api = await server.start()
        id = (await api.create(model=model, input="x", background=True)).body["id"]
        events: list[dict[str, Any]] = []
        client = asyncio.create_task(follow(server, id, events))
        await until(lambda: len(events) >= 10, seconds=60)
        await server.end(signal.SIGKILL)
        api = await server.start()
        await client
        assert ids(events) == list(range(len(events)))
        assert kinds(events).count("interaction.completed") == 1
        stored = (await api.get(id)).body
        assert stored["status"] == "completed"
        assert fold(events) == stored["steps"][1:]
        assert await api.replay(id) == events
        if model == "m":  # it continues its own words
            assert text_of(stored) == "".join(WORDS)
            assert len(stored["steps"]) == 2
        else:
            assert text_of(stored).endswith("".join(WORDS))


@requirement("weather:kill-foreground")
async def test_a_foreground_stream_cut_by_kill_9_is_failed_and_ends_for_who_resumes(
    tmp_path: Path,
) -> None:
    async with process(tmp_path, **SLOW) as server:
        api = await server.start()
        events: list[dict[str, Any]] = []
        body = {"model": "m", "input": "x", "stream": True}

        async def take() -> None:
            async with api.opened(json=body) as live:
                async for event in live:
                    events.append(event)
                    if len(events) == 40:
                        await server.end(signal.SIGKILL)

        with pytest.raises(aiohttp.ClientError):
            await take()
        api = await server.start()
        id = events[0]["interaction"]["id"]
        stored = await api.ended(id)
        assert stored["status"] == "failed"
        assert stored["errors"][0]["code"] == "aborted"
        assert "".join(WORDS).startswith(text_of(stored))
        rest = await api.replay(id, after=events[-1]["event_id"])
        assert kinds(rest)[-1] == "interaction.completed"


@requirement("weather:kill-everywhere")
@pytest.mark.timeout(600)
async def test_kill_9_at_random_moments_loses_nothing_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    chance = random.Random(7)
    async with process(tmp_path, **SLOW) as server:
        api = await server.start()
        streams: dict[str, list[dict[str, Any]]] = {}
        clients: list[asyncio.Task[None]] = []
        answered: list[str] = []
        for _ in range(3):
            for number in range(4):
                model = "m" if number % 2 else "fresh"
                id = (await api.create(model=model, input="x", background=True)).body["id"]
                streams[id] = []
                clients.append(asyncio.create_task(follow(server, id, streams[id])))
                answered.append((await api.create(model="quick", input=f"n{number}")).body["id"])
            await asyncio.sleep(chance.uniform(0.05, 0.9))
            await server.end(signal.SIGKILL)
            api = await server.start()
        await asyncio.gather(*clients)
        for id, events in streams.items():
            assert ids(events) == list(range(len(events)))
            stored = (await api.get(id)).body
            assert stored["status"] == "completed"
            assert fold(events) == stored["steps"][1:]
            assert await api.replay(id) == events
        for id in answered:
            assert (await api.get(id)).body["status"] == "completed"
        listed = (await api.call("GET", "/v1/interactions?page_size=500")).body["interactions"]
        assert {line["status"] for line in listed} == {"completed"}


@requirement("server:graceful")
async def test_sigterm_lets_foreground_runs_finish_and_hands_background_runs_back(
    tmp_path: Path,
) -> None:
    async with process(tmp_path, **SLOW) as server:
        api = await server.start()
        id = (await api.create(model="m", input="x", background=True)).body["id"]
        events: list[dict[str, Any]] = []
        client = asyncio.create_task(follow(server, id, events))
        whole = asyncio.create_task(api.create(model="m", input="y"))
        await until(lambda: len(events) >= 10, seconds=60)
        assert await server.end(signal.SIGTERM) == 0
        assert (await whole).text == "".join(WORDS)
        api = await server.start()
        await client
        stored = (await api.get(id)).body
        assert stored["status"] == "completed"
        assert text_of(stored) == "".join(WORDS)
        assert fold(events) == stored["steps"][1:]
        assert "Traceback" not in server.log()


async def test_a_run_that_breaks_every_server_is_given_up(tmp_path: Path) -> None:
    async with process(tmp_path, **SLOW) as server:
        api = await server.start()
        id = (await api.create(model="fresh", input="x", background=True)).body["id"]
        events: list[dict[str, Any]] = []
        client = asyncio.create_task(follow(server, id, events))
        for _ in range(7):
            seen = len(events)
            await until(lambda seen=seen: client.done() or len(events) > seen, seconds=60)
            await server.end(signal.SIGKILL)
            api = await server.start()
        await client
        body = (await api.get(id)).body
        assert body["status"] == "failed"
        assert body["errors"][0]["code"] == "aborted"


@requirement("weather:disk-full")
async def test_a_full_disk_is_503_and_loses_nothing_that_was_stored(tmp_path: Path) -> None:
    async with process(tmp_path, **SLOW) as server:
        api = await server.start()
        kept = (await api.create(model="quick", input="kept")).body["id"]
        await server.end(signal.SIGTERM)
        server.limit_file_bytes = 1_500_000
        api = await server.start()
        statuses: list[int] = []
        for number in range(40):
            answer = await api.create(model="quick", input=f"{number} " + "x" * 100_000)
            statuses.append(answer.status)
            if answer.status != 200:
                assert answer.code == "service_unavailable"
                assert "disk" in answer.message
                assert int(answer.headers["retry-after"]) >= 1
        assert set(statuses) == {200, 503}
        streamed = await api.create(model="quick", input="y" * 300_000, stream=True)
        assert streamed.status in (200, 503)
        unstored = await api.create(model="quick", input="z", store=False)
        assert unstored.status == 200
        assert (await api.get(kept)).body["status"] == "completed"
        await server.end(signal.SIGTERM)
        server.limit_file_bytes = None
        api = await server.start()
        assert (await api.get(kept)).status == 200
        assert (await api.create(model="quick", input="again")).status == 200
        listed = await _all(api)
        assert len(listed) == statuses.count(200) + 2 + (1 if streamed.status == 200 else 0) or (
            len(listed) == statuses.count(200) + 2
        )
        for line in listed:
            assert (await api.get(line["id"])).status == 200


async def _all(api: Api) -> list[dict[str, Any]]:
    return (await api.call("GET", "/v1/interactions?page_size=500")).body["interactions"]


@requirement("state:one-process")
async def test_a_second_server_on_the_same_folder_is_told_who_has_it(tmp_path: Path) -> None:
    async with process(tmp_path, **SLOW) as first, process(tmp_path, **SLOW) as second:
        await first.start()
        with pytest.raises(AssertionError, match=r"pid|process"):
            await second.start()


@requirement("processes:hand-back")
async def test_a_process_that_stops_hands_back_at_once_while_it_still_answers(
    tmp_path: Path,
) -> None:
    async with (
        process(tmp_path, **SLOW, shared=True) as first,
        process(tmp_path, **SLOW, shared=True) as second,
    ):
        api = await first.start()
        await second.start()
        id = (await api.create(model="m", input="x", background=True)).body["id"]
        events: list[dict[str, Any]] = []
        client = asyncio.create_task(follow(second, id, events))
        whole = asyncio.create_task(api.create(model="m", input="y"))
        await until(lambda: len(events) >= 10, seconds=60)
        ending = asyncio.create_task(first.end(signal.SIGTERM))
        seen = len(events)
        await until(lambda: len(events) > seen + 10 or whole.done())
        assert not whole.done()
        assert (await whole).text == "".join(WORDS)
        assert await ending == 0
        await client
        assert text_of((await second.api.get(id)).body) == "".join(WORDS)
