"""Each piece of the bench runs for a moment, and its checks do find what they look for."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bench import rounds
from bench.http1 import Dechunker, Messages, chunk
from bench.load import Ask, WrongAnswer, check_stream, check_whole, drive, frames_of
from bench.processes import (
    ROOT,
    cpu_seconds,
    floor_command,
    free_port,
    pss_megabytes,
    running,
    upstream_command,
)
from bench.upstream import FIXED_TEXT, NoSuchModel, shape_of, text_of


class Field(msgspec.Struct):
    """A running upstream and a running floor."""

    upstream: int
    floor: rounds.Target
    folder: Path


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    folder = tmp_path_factory.mktemp("bench")
    up, low = free_port(), free_port()
    url = "http://127.0.0.1:{}/v1/models"
    with (
        running("upstream", upstream_command(up), None, folder, url.format(up)),
        running("floor", floor_command(low, up, folder), None, folder, url.format(low)) as floor,
    ):
        yield Field(up, rounds.Target("floor", low, floor), folder)


def run_module(*words: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


async def test_the_floor_serves_every_kind_of_load_and_costs_something(field: Field):
    cost = rounds.Cost()
    await rounds.measure(field.floor, rounds.SMOKE, cost)
    assert 0 < cost.unary < 1e6
    assert 0 < cost.paced < 1e6
    assert 0 < cost.burst < 1e6
    assert 0 < cost.single < 1e4


async def test_the_floor_stores_one_row_per_interaction_before_it_answers(field: Field):
    with sqlite3.connect(field.folder / "floor.db") as database:
        count = "SELECT count(*) FROM interactions"
        (before,) = database.execute(count).fetchone()
        await drive(field.floor.port, rounds.UNARY, connections=3, total=20)
        assert database.execute(count).fetchone() == (before + 20,)
        row = "SELECT doc FROM interactions ORDER BY rowid DESC LIMIT 1"
        (doc,) = database.execute(row).fetchone()
    steps = json.loads(doc)
    assert [step["type"] for step in steps] == ["user_input", "model_output"]
    assert steps[1]["content"][0]["text"] == FIXED_TEXT


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"model":"bench-fixed","input":"hi","temprature":1}', "temprature"),
        (
            b'{"model":"bench-fixed","input":[{"type":"user_input","content":[{"type":"text"}]}]}',
            "text",
        ),
        (b'{"model":', "truncated"),
    ],
)
def test_the_floor_refuses_what_the_wire_types_refuse(field: Field, body: bytes, says: str):
    url = f"http://127.0.0.1:{field.floor.port}/v1/interactions"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(url, body), timeout=5)
    assert caught.value.code == 400
    assert says in caught.value.read().decode()


async def test_the_floor_passes_on_that_the_upstream_refused(field: Field):
    ask = Ask(b'{"model":"no-such-model","input":"hi"}', "")
    with pytest.raises(WrongAnswer, match="502"):
        await drive(field.floor.port, ask, connections=1, total=1)


async def test_the_load_finds_a_text_that_is_not_the_one_asked_for(field: Field):
    ask = Ask(rounds.UNARY.body, "another text")
    with pytest.raises(WrongAnswer):
        await drive(field.floor.port, ask, connections=1, total=1)


async def test_the_check_of_a_stream_finds_loss_doubling_and_a_missing_end(field: Field):
    ask = rounds.BURST_ASK
    body = (await drive(field.floor.port, ask, connections=1, total=1)).last
    check_stream(body, ask)
    frames = body.split(b"\n\n")
    middle = len(frames) // 2
    for broken in (
        frames[:middle] + frames[middle + 1 :],
        [*frames[:middle], frames[middle], *frames[middle:]],
        frames[:-2],
        [frame.replace(b"word00007", b"word00070") for frame in frames],
    ):
        with pytest.raises(WrongAnswer):
            check_stream(b"\n\n".join(broken), ask)


def test_the_check_of_a_whole_answer_wants_the_status_too():
    ask = Ask(b"", "yes")
    content = [{"type": "text", "text": "yes"}]
    answer = {"status": "completed", "steps": [{"type": "model_output", "content": content}]}
    check_whole(msgspec.json.encode(answer), ask)
    with pytest.raises(WrongAnswer):
        check_whole(msgspec.json.encode({**answer, "status": "failed"}), ask)


@pytest.mark.alone
async def test_the_upstream_paces_its_chunks(field: Field):
    body = msgspec.json.encode({"model": "bench-paced-20-5", "messages": [], "stream": True})
    ask = Ask(body, " word00019", path="/v1/chat/completions")
    answers = await drive(field.upstream, ask, connections=1, total=1)
    assert answers.latencies[0] >= 20 * 0.005
    assert answers.reads >= 15
    assert answers.last.count(b"data: {") == 22


def test_a_model_name_says_how_the_upstream_answers():
    assert shape_of("bench-burst-7").count == 7
    assert shape_of("bench-paced-3-2.5").gap == 0.0025
    assert text_of("bench-burst-2") == " word00000 word00001"
    for name in ("bench-burst-x", "gpt", "bench-paced-3"):
        with pytest.raises(NoSuchModel):
            shape_of(name)


def test_messages_and_chunks_survive_any_cut():
    raw = b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n"
    for size in range(1, len(raw) + 1):
        messages = Messages()
        found = [
            one for at in range(0, len(raw), size) for one in messages.feed(raw[at : at + size])
        ]
        assert [(head.split(b" ")[1], body) for head, body in found] == [
            (b"/a", b"abc"),
            (b"/b", b""),
        ]
    chunked = chunk(b"hello ") + chunk(b"w" * 20) + b"0\r\n\r\n"
    for size in range(1, len(chunked) + 1):
        chunks = Dechunker()
        pieces = [chunks.feed(chunked[at : at + size]) for at in range(0, len(chunked), size)]
        assert b"".join(pieces) == b"hello " + b"w" * 20
        assert chunks.ended


def test_comments_in_a_stream_are_no_events():
    assert frames_of(b": keep-alive\n\nevent: done\ndata: [DONE]\n\n") == [("done", b"[DONE]")]


def test_cpu_and_memory_of_a_process_tree_include_its_children():
    inner = "x = bytearray(40_000_000); sum(range(6_000_000)); print(1, flush=True); input()"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    child = subprocess.Popen(
        [sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"1\n"
        assert cpu_seconds(child.pid) > 0.05
        assert pss_megabytes(child.pid) > 38
    finally:
        child.communicate(b"\n", timeout=120)


async def test_a_thousandfold_wait_is_bounded(field: Field):
    ask = rounds.ask_for("bench-paced-100-1000", stream=True)
    with pytest.raises(TimeoutError, match="0 of 1 answers"):
        await drive(field.floor.port, ask, connections=1, total=1, timeout=0.3)


@pytest.mark.alone
def test_open_streams_are_checked_event_by_event():
    words = ("--streams", "8", "--rate", "20", "--seconds", "2", "--length", "1", "--json")
    done = run_module("bench.streams", "--floor", *words)
    outcome = json.loads(done.stdout)
    assert outcome["faults"] == []
    assert outcome["ended"] >= 8
    assert outcome["events"] == outcome["ended"] * 20
    assert outcome["lag_median"] < 1000


@pytest.mark.alone
def test_open_streams_of_the_server_arrive_whole_and_are_stored_as_they_were_streamed():
    words = ("--streams", "8", "--rate", "20", "--seconds", "2", "--length", "1", "--json")
    done = run_module("bench.streams", *words)
    outcome = json.loads(done.stdout)
    assert outcome["faults"] == []
    assert outcome["ended"] >= 8
    assert outcome["compared"] == outcome["ended"]


def test_the_whole_table_is_made_and_every_row_has_a_verdict():
    done = run_module("bench", "--smoke", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert len(rows) == 8
    for row in rows.values():
        assert row["ours"] > 0
        assert row["limit"] > 0
        assert row.get("ok", True) == (row["judged"] <= row["limit"])
