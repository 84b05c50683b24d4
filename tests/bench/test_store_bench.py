"""The bench of the store runs for a moment and measures what it says."""

import asyncio
import random

from bench import store


def test_a_turn_weighs_what_the_bench_says():
    dice = random.Random(1)
    sizes = [store.payload(*store.turn(dice)) for _ in range(400)]
    assert 3_200 < sum(sizes) / len(sizes) < 4_000


def test_rows_and_events_are_written_and_timed(tmp_path):
    dice = random.Random(1)
    rows = [store.turn(dice) for _ in range(100)]
    assert 0 < store.floor(tmp_path, rows) < 1e5
    cost, rate, times = asyncio.run(store.group(tmp_path, rows, "full"))
    assert 0 < cost < 1e5
    assert rate > 0
    assert len(times) == 100
    cost, rate, times = asyncio.run(store.events(tmp_path, 5, 4))
    assert 0 < cost < 1e6
    assert len(times) == 20


def test_a_chain_of_a_thousand_turns_stays_near_its_payload_on_disk(tmp_path):
    held, late, loads = asyncio.run(store.chain(tmp_path, 1_000, streamed=False))
    assert held <= store.DISK_LIMIT
    assert late <= 3 * store.LATE_LIMIT, "a bound for any machine; the bench holds the real one"
    assert set(loads) == {50, 1_000}
