"""Two API processes and a worker behind a round-robin proxy: no client can tell."""

from __future__ import annotations

import asyncio
import base64
import signal
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from tests.acceptance.conftest import SAMPLES, outcomes
from tests.acceptance.replicas import Replicas, has_proxy
from tests.api.api import Api, fold, ids, kinds, text_of
from tests.api.test_ask import ASKS, resumed_every_three, same

STORES = ["sqlite", "postgres"]
everywhere = pytest.mark.parametrize(
    "replicas", [f"nginx-{store}" for store in STORES] + ["haproxy-sqlite"], indirect=True
)
behind_nginx = pytest.mark.parametrize(
    "replicas", [f"nginx-{store}" for store in STORES], indirect=True
)
WORDS = "one two three four five six seven eight nine ten"
MATRIX = [("python", "1.55.0", "outputs"), ("python", "3.4.0", "steps"), ("js", "3.1.0", "steps")]
SAMPLES_OF = [
    (language, version, style, path.stem)
    for language, version, style in MATRIX
    for path in sorted((SAMPLES / language / style).iterdir())
    if path.suffix in (".py", ".mjs")
]
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def replicas(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Replicas]:
    proxy, _, store = request.param.partition("-")
    if not has_proxy(proxy):
        pytest.skip(f"{proxy} is not installed: apt-get install {proxy}")
    database = ""
    if store == "postgres":
        database = request.getfixturevalue("postgres_server").new_database()
    running = Replicas(tmp_path_factory.mktemp(request.param), proxy, database)
    yield running
    running.close()


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    # A connection for each request: the proxy chooses anew each time.
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


@pytest.fixture
def api(replicas: Replicas, session: aiohttp.ClientSession) -> Api:
    """What a client has: the proxy's address."""
    return Api(replicas.url, session)


@pytest.fixture
def both(replicas: Replicas, session: aiohttp.ClientSession) -> list[Api]:
    """The replicas themselves."""
    return [Api(url, session) for url in replicas.addresses]


async def requests_at(api: Api) -> float:
    text = (await api.call("GET", "/metrics")).raw.decode()
    lines = [line for line in text.split("\n") if line.startswith("interplay_http_requests_total{")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


async def labelled(api: Api, label: str) -> set[str]:
    """Every interaction that carries this label."""
    found: set[str] = set()
    token: dict[str, str] = {}
    while True:
        given = {"page_size": "100", "label": f"test:{label}", **token}
        answer = await api.call("GET", "/v1/interactions", params=given)
        assert answer.status == 200, answer.raw
        found |= {one["id"] for one in answer.body["interactions"]}
        if "next_page_token" not in answer.body:
            return found
        token = {"page_token": answer.body["next_page_token"]}


@everywhere
async def test_the_proxy_asks_both_and_keeps_its_own_counsel(api: Api, both: list[Api]):
    before = [await requests_at(one) for one in both]
    for _ in range(10):
        assert (await api.create(input="x")).status == 200
    after = [await requests_at(one) for one in both]
    assert [now - then >= 5 for now, then in zip(after, before, strict=True)] == [True, True]
    assert (await api.call("GET", "/metrics")).status == 404


@behind_nginx
@pytest.mark.sdk_matrix
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("language", "version", "style", "sample"), SAMPLES_OF)
def test_a_sample_of_the_sdks_runs_unchanged(
    language: str, version: str, style: str, sample: str, replicas: Replicas
):
    results = outcomes(replicas.url, language, version, style)
    assert results[""] is None, results[""]
    assert results[sample] is None, f"{results[sample]}\n{replicas.logs()}"


@behind_nginx
@pytest.mark.parametrize("name", list(ASKS))
async def test_every_way_to_ask_folds_to_the_same_interaction(api: Api, name: str):
    fields = {"model": f"ask-{name}", "input": "q", **ASKS[name][1]}
    whole = (await api.create(**fields)).body
    expected = same(whole, input=False)
    assert same((await api.get(whole["id"])).body, input=True) == expected

    events = await api.stream(**fields)
    streamed = (await api.get(events[0]["interaction"]["id"])).body
    assert same(streamed, input=True) == expected
    assert events[-1]["interaction"]["status"] == expected["status"]
    if name != "malformed":
        assert fold(events) == expected["steps"]

    polled = (await api.create(background=True, **fields)).body
    assert same(await api.ended(polled["id"]), input=True) == expected

    behind = (await api.create(background=True, **fields)).body
    pieces = await resumed_every_three(api, behind["id"])
    assert pieces == await api.replay(behind["id"])
    assert same((await api.get(behind["id"])).body, input=True) == expected


@everywhere
async def test_an_event_passes_the_proxy_when_it_is_written(api: Api):
    body = {"model": "slow", "input": WORDS, "stream": True}
    async with asyncio.timeout(60), api.opened(json=body) as live:
        first = await anext(live)
        while "delta" not in (event := await anext(live)):
            pass
        id = first["interaction"]["id"]
        assert (await api.get(id)).body["status"] == "in_progress"
        seen = [first, event] + [event async for event in live]
    assert kinds(seen)[-1] == "interaction.completed"


@behind_nginx
@pytest.mark.parametrize("background", [True, False])
async def test_a_stream_is_resumed_after_any_event_at_either_replica(
    both: list[Api], background: bool
):
    body = {"model": "slow", "input": WORDS, "stream": True, "background": background}
    seen: list[dict[str, Any]] = []
    rest: list[asyncio.Task[list[dict[str, Any]]]] = []
    async with asyncio.timeout(90), both[0].opened(json=body) as live:
        async for event in live:
            seen.append(event)
            id = seen[0]["interaction"]["id"]
            at = both[len(seen) % 2]
            rest.append(asyncio.create_task(at.replay(id, after=event["event_id"])))
        resumed = await asyncio.gather(*rest)
    assert ids(seen) == list(range(len(seen)))
    for number, events in enumerate(resumed):
        assert events == seen[number + 1 :]
    for one in both:  # and when it has ended
        again = await one.replay(seen[0]["interaction"]["id"])
        assert (again[0], again[-1]["event_id"]) == (seen[0], seen[-1]["event_id"])
        assert fold(again) == fold(seen)


@behind_nginx
@pytest.mark.parametrize("how", [{"background": True}, {"stream": True}])
@pytest.mark.parametrize("end", ["cancel", "delete"])
async def test_a_run_is_stopped_from_the_other_replica(
    both: list[Api], how: dict[str, bool], end: str
):
    one, two = both
    body = {"model": "slow", "input": "word " * 600, **how}
    async with asyncio.timeout(60):
        if "stream" in how:
            async with one.opened(json=body) as live:
                id = (await anext(live))["interaction"]["id"]
                assert (await getattr(two, end)(id)).status == 200
                rest = [event async for event in live]
            assert len(rest) < 600
        else:
            id = (await one.create(body)).body["id"]
            assert (await getattr(two, end)(id)).status == 200
        for at in both:
            answer = await at.get(id)
            if end == "delete":
                assert answer.status == 404
            else:
                assert answer.body["status"] == "cancelled"
                assert kinds(await at.replay(id)).count("interaction.completed") == 1


@everywhere
@pytest.mark.parametrize("how", [{}, {"stream": True}, {"background": True}])
async def test_one_idempotency_key_at_both_replicas_at_once_is_one_interaction(
    api: Api, both: list[Api], how: dict[str, bool], request: pytest.FixtureRequest
):
    label = request.node.name.translate({ord(c): "-" for c in "[]_"})[-60:]
    given = {"model": "slow", "input": "a b c", "labels": {"test": label}, **how}
    headers = {"Idempotency-Key": label}
    async with asyncio.timeout(90):
        answers = await asyncio.gather(
            *(at.create(given, headers=headers) for at in [*both, api] * 4)
        )
    assert {answer.status for answer in answers} == {200}, [a.raw for a in answers]
    assert len(await labelled(api, label)) == 1


@behind_nginx
async def test_a_chain_grows_branches_and_is_listed_at_either_replica(both: list[Api], api: Api):
    one, two = both
    first = (await one.create(input="one")).body["id"]
    second = (await two.create(input="two", previous_interaction_id=first)).body["id"]
    third = await one.create(input="three", previous_interaction_id=second)
    branch = await two.create(input="other", previous_interaction_id=first)
    assert [third.status, branch.status] == [200, 200]
    made = {first, second, third.body["id"], branch.body["id"]}
    for at in both:
        page = (await at.call("GET", "/v1/interactions", params={"page_size": "100"})).body
        assert made <= {one["id"] for one in page["interactions"]}
    assert (await two.delete(first)).status == 200
    for at in both:
        gone = await at.create(input="x", previous_interaction_id=first)
        assert (gone.status, gone.code) == (404, "not_found")


@behind_nginx
async def test_pages_of_a_list_come_from_either_replica(api: Api):
    made = [(await api.create(input=str(number))).body["id"] for number in range(7)]
    seen: list[str] = []
    token: dict[str, str] = {}
    while len(seen) < 7:
        page = (await api.call("GET", "/v1/interactions", params={"page_size": "2", **token})).body
        seen += [one["id"] for one in page["interactions"]]
        token = {"page_token": page["next_page_token"]}
    assert seen[:7] == made[::-1]


@behind_nginx
async def test_media_given_to_one_replica_are_read_at_the_other(both: list[Api]):
    data = base64.b64encode(bytes(range(256)) * 1_000).decode()
    image = {"type": "image", "mime_type": "image/png", "data": data}
    id = (await both[0].create(input=[image])).body["id"]
    assert data in (await both[1].get(id, include_input="true")).raw.decode()
    told = await both[1].create(input="what was it?", previous_interaction_id=id)
    assert told.status == 200


@everywhere
async def test_a_replica_that_stops_costs_at_most_a_repeat_and_never_a_second_interaction(
    replicas: Replicas, api: Api
):
    stopped = asyncio.Event()
    made: list[str] = []
    repeats = 0

    async def ask(who: int) -> None:
        nonlocal repeats
        number = 0
        while not stopped.is_set():
            number += 1
            given = {"model": "m", "input": "x", "labels": {"test": "stops"}}
            key = {"headers": {"Idempotency-Key": f"stops-{who}-{number}"}}
            answer = await api.create(given, **key)
            if answer.status in (
                502,
                503,
            ):  # its connection was closed while the request was on the way
                repeats += 1
                answer = await api.create(given, **key)
            assert answer.status == 200, answer.raw
            made.append(answer.body["id"])

    async with asyncio.timeout(60):
        asking = [asyncio.create_task(ask(who)) for who in range(4)]
        for number in (0, 1):
            assert await asyncio.to_thread(replicas.restart, number) == 0
        stopped.set()
        await asyncio.gather(*asking)
    assert len(made) > 20
    assert repeats <= 8, "more than those that were on the way when the two stopped"
    assert len(set(made)) == len(made)
    assert await labelled(api, "stops") == set(made)


@everywhere
async def test_a_replica_that_is_killed_costs_a_stream_no_event(replicas: Replicas, api: Api):
    body = {"model": "slow", "input": WORDS * 4, "stream": True, "background": True}
    for number in (0, 1):
        seen: list[dict[str, Any]] = []
        async with asyncio.timeout(60):
            async with api.opened(json=body) as live:
                seen += [await anext(live) for _ in range(6)]
                id = seen[0]["interaction"]["id"]
                await asyncio.to_thread(replicas.restart, number, signal.SIGKILL)
                with suppress(aiohttp.ClientError):
                    async for event in live:
                        seen.append(event)
            while kinds(seen)[-1] != "interaction.completed":
                seen += await api.replay(id, after=seen[-1]["event_id"])
        assert ids(seen) == list(range(len(seen)))
        whole = (await api.get(id)).body
        assert fold(seen) == whole["steps"][1:]
        assert whole["status"] == "completed"
        assert text_of(whole).count("ten") == 4
