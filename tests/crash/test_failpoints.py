"""A process dies at each named place; the next one finds everything, once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.api.api import fold, ids, kinds, requirement, text_of
from tests.crash.process import process
from tests.crash.test_server_crash import LOST, follow

WORDS = [f"w{number} " for number in range(12)]
CONFIG: dict[str, Any] = {
    "models": {
        "m": {
            "backend": "scripted",
            "replies": [{"chunks": WORDS}],
            "repeat": True,
            "pace": 0.01,
            "facts": {"prefill": True},
        },
    },
    "default_model": "m",
    "limits": {"background_runs": 1},
}
ONE = ("appended", "appended:4", "ending", "ended")
QUEUED = ("created", "claimed")


@requirement("weather:kill-everywhere")
@pytest.mark.parametrize("place", ONE + QUEUED)
async def test_whatever_place_it_dies_at_each_run_ends_once_and_each_client_sees_one_stream(
    tmp_path: Path, place: str
) -> None:
    async with process(tmp_path, **CONFIG) as server:
        server.failpoint = place
        api = await server.start()
        made: list[str] = []
        for number in range(2 if place in QUEUED else 1):
            try:
                answer = await api.create(input=f"{number}", background=True)
                made.append(answer.body["id"])
            except LOST:
                pass
        streams: dict[str, list[dict[str, Any]]] = {id: [] for id in made}
        clients = [asyncio.create_task(follow(server, id, streams[id])) for id in made]
        await server.died()
        server.failpoint = ""
        api = await server.start()
        await asyncio.gather(*clients)
        listed = (await api.call("GET", "/v1/interactions")).body["interactions"]
        assert {line["id"] for line in listed} >= set(made)
        for line in listed:
            stored = await api.ended(line["id"])
            assert stored["status"] == "completed"
            assert text_of(stored) == "".join(WORDS)
            events = await api.replay(line["id"])
            assert ids(events) == list(range(len(events)))
            assert kinds(events).count("interaction.completed") == 1
            assert events == streams.get(line["id"], events)
            assert fold(events) == stored["steps"][1:]


async def test_a_cancel_it_dies_in_was_never_answered_and_can_be_made_again(
    tmp_path: Path,
) -> None:
    slow = {**CONFIG["models"]["m"], "pace": 0.5}
    async with process(tmp_path, **{**CONFIG, "models": {"m": slow}}) as server:
        server.failpoint = "cancelling"
        api = await server.start()
        await api.create(input="runs", background=True)
        waiting = (await api.create(input="waits", background=True)).body["id"]
        with pytest.raises(LOST):
            await api.cancel(waiting)
        await server.died()
        server.failpoint = ""
        api = await server.start()
        assert (await api.get(waiting)).body["status"] in ("queued", "in_progress")
        assert (await api.cancel(waiting)).body["status"] == "cancelled"
        events = await api.replay(waiting)
        assert kinds(events)[-1] == "interaction.completed"
        assert events[-1]["interaction"]["status"] == "cancelled"


CITED = ["Rome is ", "in Italy [1]", "."]
CITES: dict[str, Any] = {
    "models": {
        "finds": {
            "backend": "scripted",
            "replies": [
                {"calls": [{"name": "google_search", "arguments": {"queries": ["Rome"]}}]},
                "ok",
            ],
        },
        "cites": {**CONFIG["models"]["m"], "replies": [{"chunks": CITED}]},
    },
}


@requirement("search-web:crash")
@pytest.mark.parametrize("place", ["appended:2", "ending", "ended"])
async def test_an_answer_that_cites_is_written_once_wherever_it_dies(
    tmp_path: Path, place: str
) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "rome.md").write_text("# Rome\n\nRome is the capital of Italy.\n")
    engines = {"corpus": {"folder": str(library)}}
    async with process(tmp_path, **CITES, engines=engines) as server:
        api = await server.start()
        tools = [{"type": "google_search"}]
        first = (await api.create(model="finds", input="a", tools=tools)).body
        assert first["status"] == "completed", first
        await server.end()
        server.failpoint = place
        api = await server.start()
        asked = {"model": "cites", "previous_interaction_id": first["id"], "background": True}
        id = (await api.create(input="b", **asked)).body["id"]
        events: list[dict[str, Any]] = []
        client = asyncio.create_task(follow(server, id, events))
        await server.died()
        server.failpoint = ""
        api = await server.start()
        await client
        stored = await api.ended(id)
        assert stored["status"] == "completed"
        (output,) = stored["steps"][1:]
        (content,) = output["content"]
        assert content["text"] == "".join(CITED)
        (note,) = content["annotations"]
        assert (note["start_index"], note["end_index"]) == (0, len("Rome is in Italy"))
        assert events == await api.replay(id)
        assert ids(events) == list(range(len(events)))
