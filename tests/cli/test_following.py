"""Following an interaction over drops, however many there are."""

import io
import json

import pytest

from interplay.cli.client import Api, ApiFault, HungUp, StreamLost, Unreachable
from interplay.cli.following import PATIENCE_SECONDS, create, follow, stop
from interplay.cli.narration import EventLines, Narration
from tests.cli.loopback import Canned, Cutting, json_answer, sse_answer

WORDS = " ".join(f"word{number}" for number in range(60))


def started(api, **body):
    return api.call("POST", "interactions", body={"model": "echo", "input": WORDS, **body})["id"]


def narration():
    return Narration(io.StringIO(), io.StringIO())


def event_ids(told):
    return [json.loads(line)["event_id"] for line in told._out.getvalue().splitlines()]


def test_a_finished_interaction_is_told_whole_over_many_drops(api, served):
    id = started(api)
    whole = EventLines(io.StringIO(), io.StringIO())
    follow(api, id, whole)
    torn = EventLines(io.StringIO(), io.StringIO())
    pauses = []
    with Cutting(served.url, share=1_200, times=1_000) as proxy:
        follow(Api(proxy.url), id, torn, pause=pauses.append)
    assert torn._out.getvalue() == whole._out.getvalue()
    assert len(set(event_ids(torn))) == len(event_ids(torn))
    assert proxy.cuts == len(pauses) >= 2
    assert set(pauses) == {0.2}


def test_a_running_interaction_is_told_whole_over_many_drops(api, served):
    id = started(api, model="slow", background=True)
    told = narration()
    with Cutting(served.url, share=900, times=5) as proxy:
        follow(Api(proxy.url), id, told, pause=lambda _: None)
    assert (told.reading.text, told.reading.status, proxy.cuts) == (WORDS, "completed", 5)


def test_following_starts_behind_an_event(api):
    id = started(api)
    whole = EventLines(io.StringIO(), io.StringIO())
    follow(api, id, whole)
    ids = event_ids(whole)
    rest = EventLines(io.StringIO(), io.StringIO())
    follow(api, id, rest, after=ids[4])
    assert event_ids(rest) == ids[5:]


def test_creating_is_told_whole_over_drops(served):
    told = narration()
    with Cutting(served.url, share=900, times=4) as proxy:
        body = {"model": "slow", "input": WORDS}
        create(Api(proxy.url), body, told, pause=lambda _: None)
    assert (told.reading.text, told.reading.status, proxy.cuts) == (WORDS, "completed", 4)


def test_what_is_not_stored_is_lost_with_its_connection(served):
    with Cutting(served.url, share=1_500, times=1) as proxy, pytest.raises(StreamLost):
        create(Api(proxy.url), {"model": "slow", "input": WORDS, "store": False}, narration())


@pytest.mark.parametrize("share", [5, 300])
def test_a_drop_before_the_first_event_is_sent_again_and_made_once(served, api, share):
    told, pauses = narration(), []
    with Cutting(served.url, share=share, times=2) as proxy:
        body = {"model": "echo", "input": WORDS, "labels": {"run": f"resend{share}"}}
        create(Api(proxy.url), body, told, pause=pauses.append)
    assert (told.reading.text, pauses) == (WORDS, [0.2, 1.0])
    made = api.get("interactions", {"label": f"run:resend{share}"})["interactions"]
    assert [row["id"] for row in made] == [told.reading.id]


def test_a_server_that_always_hangs_up_is_an_error():
    with Canned(b"") as server, pytest.raises(HungUp):
        create(Api(server.url), {"input": "x"}, narration(), pause=lambda _: None)
    assert len(server.requests) == 3


def test_the_same_question_soon_after_is_a_new_interaction(served):
    body = {"model": "slow", "input": f"{WORDS} once more"}
    with Cutting(served.url, share=1_500, times=2) as proxy, pytest.raises(StreamLost):
        create(Api(proxy.url), {**body, "store": False}, narration())
    told = narration()
    create(Api(served.url), {**body, "store": False}, told)
    assert told.reading.status == "completed"


def test_a_server_that_is_busy_is_asked_again():
    busy = json_answer('{"error": {"code": "service_unavailable", "message": "later"}}', "503 No")
    pauses = []
    with Canned(busy, busy, sse_answer("data: [DONE]\n\n")) as server:
        follow(Api(server.url), "x", narration(), pause=pauses.append)
    assert pauses == [0.2, 0.4]


def test_a_server_that_stays_away_is_given_up():
    pauses = []
    with pytest.raises(Unreachable, match="Given up after 300 s"):
        follow(Api("http://127.0.0.1:1"), "x", narration(), pause=pauses.append)
    assert sum(pauses) >= PATIENCE_SECONDS
    assert max(pauses) == 5.0


def test_what_is_not_there_is_not_asked_for_again(api):
    with pytest.raises(ApiFault, match="Result not found"):
        follow(api, "v1_nothing", narration())


def test_stopping_cancels_what_runs_and_nothing_else(api):
    told = narration()
    assert not stop(api, told)
    stream = api.stream(
        "POST", "interactions", body={"model": "slow", "input": WORDS, "stream": True}
    )
    told.event(next(stream).data)
    assert stop(api, told)
    assert api.get(f"interactions/{told.reading.id}")["status"] == "cancelled"
    told.reading.status = "cancelled"
    assert not stop(api, told)


def test_stopping_where_the_server_cannot_is_only_hanging_up():
    told = narration()
    told.reading.id = "x"
    assert not stop(Api("http://127.0.0.1:1"), told)
