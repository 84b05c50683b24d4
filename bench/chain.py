"""One long conversation through the API: what it takes on disk, what one more turn costs."""

from __future__ import annotations

import json
import os
import statistics
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import msgspec

from bench.load import WrongAnswer
from bench.processes import Server, cpu_seconds, thread_cpu_seconds
from bench.upstream import FIXED_TEXT, WORDS

EARLY = 10
INPUT_CHARACTERS = 2_900
"""With the mock's answer of 700 characters a turn weighs about 3.6 KB."""


class Chain(msgspec.Struct):
    """What the conversation cost.

    Sizes in bytes. `payload` is what a caller sends and gets to keep: the JSON of each
    turn's own input steps and output steps. Costs are medians in microseconds of CPU:
    `store_*` of the server's threads beside the loop's (the store's), `whole_*` of the
    whole process, history and upstream request included.
    """

    turns: int
    payload: int
    disk: int
    store_early: float
    store_late: float
    whole_early: float
    whole_late: float


class Turn(msgspec.Struct):
    """One created turn; costs in seconds of CPU."""

    id: str
    payload: int
    store: float
    whole: float


def disk_bytes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(
        os.path.getsize(os.path.join(where, name))
        for where, _, names in os.walk(folder)
        for name in names
    )


def create(port: int, server: Server, number: int, previous: str | None) -> Turn:
    """Adds one turn and measures the server meanwhile."""
    text = f"Turn {number}. " + (WORDS * 40)[:INPUT_CHARACTERS]
    asked = [{"type": "user_input", "content": [{"type": "text", "text": text}]}]
    body: dict[str, object] = {"model": "bench-fixed", "input": asked}
    if previous is not None:
        body["previous_interaction_id"] = previous
    threads, whole = thread_cpu_seconds(server.pid), cpu_seconds(server.pid)
    answer = post(port, body)
    whole = cpu_seconds(server.pid) - whole
    store = sum(
        after - threads.get(thread, 0.0)
        for thread, after in thread_cpu_seconds(server.pid).items()
        if thread != server.pid
    )
    said = answer["steps"][-1]["content"][0]["text"]
    if answer["status"] != "completed" or said != FIXED_TEXT:
        raise WrongAnswer(f"turn {number}: {json.dumps(answer)[:300]}")
    payload = len(msgspec.json.encode(asked)) + len(msgspec.json.encode(answer["steps"]))
    return Turn(answer["id"], payload, store, whole)


def post(port: int, body: dict[str, object]) -> Any:
    """Creates an interaction; raises WrongAnswer with the server's words."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/interactions",
        msgspec.json.encode(body),
        {"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return msgspec.json.decode(answer.read())
    except urllib.error.HTTPError as error:
        raise WrongAnswer(f"{error.code}: {error.read()[:500]!r}") from error


def run(port: int, server: Server, data: Path, turns: int, short: int) -> Chain:
    """Creates short chains to see turn 10, then a long one to see the last turns.

    `disk` is what lies there while the server runs; the caller may read it again after the
    server has stopped, when the write-ahead log is folded into the database.
    """
    early: list[Turn] = []
    payload = 0
    for _ in range(short):
        previous = None
        for number in range(1, EARLY + 1):
            turn = create(port, server, number, previous)
            payload += turn.payload
            previous = turn.id
            if number == EARLY:
                early.append(turn)
    late: list[Turn] = []
    previous = None
    for number in range(1, turns + 1):
        turn = create(port, server, number, previous)
        payload += turn.payload
        previous = turn.id
        if number > turns - 20:
            late.append(turn)
    return Chain(
        turns=turns,
        payload=payload,
        disk=disk_bytes(data),
        store_early=statistics.median(turn.store for turn in early) * 1e6,
        store_late=statistics.median(turn.store for turn in late) * 1e6,
        whole_early=statistics.median(turn.whole for turn in early) * 1e6,
        whole_late=statistics.median(turn.whole for turn in late) * 1e6,
    )
