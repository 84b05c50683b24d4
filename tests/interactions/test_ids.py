"""Ids carry their root and time, and events their number."""

from __future__ import annotations

import os
import struct
from base64 import urlsafe_b64decode

from hypothesis import given
from hypothesis import strategies as st

from interplay.interactions.ids import (
    event_prefix,
    event_sequence,
    first_id,
    new_call_id,
    new_interaction_id,
    root_of,
)


@given(now=st.integers(0, 2**32 - 1))
def test_an_id_carries_its_root_and_its_time(now: int) -> None:
    first, root = new_interaction_id(float(now))
    second, same = new_interaction_id(float(now), root)
    assert root_of(first) == root_of(second) == root == same
    assert first_id(root) == first
    assert len(first) == len(second) == 70
    own = urlsafe_b64decode(urlsafe_b64decode(second[3:] + "=")[27:] + b"=")
    assert struct.unpack("<I", own[:4])[0] == now


@given(text=st.text(max_size=80))
def test_any_other_text_has_no_root(text: str) -> None:
    assert root_of(text) is None
    assert root_of("v1_" + (text + "A" * 67)[:67]) is None


@given(number=st.integers(0, 10**9), other=st.text(max_size=30))
def test_only_its_own_events_have_a_number(number: int, other: str) -> None:
    id, _ = new_interaction_id(1.0)
    foreign, _ = new_interaction_id(1.0)
    assert event_sequence(id, f"{event_prefix(id)}{number}") == number
    assert event_sequence(id, f"{event_prefix(foreign)}{number}") is None
    assert event_sequence(id, other) is None
    assert event_sequence(id, f"{event_prefix(id)}-1") is None
    assert event_sequence(id, f"{event_prefix(id)}²") is None


def test_ids_do_not_repeat_within_a_pool_of_randomness_nor_across_a_fork() -> None:
    made = {new_interaction_id(1.0)[0] for _ in range(2_000)} | {new_call_id() for _ in range(500)}
    assert len(made) == 2_500
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_interaction_id(1.0)[0].encode())
        os._exit(0)
    mine = new_interaction_id(1.0)[0]
    assert os.read(reading, 100).decode() != mine
    os.waitpid(child, 0)
    os.close(reading)
    os.close(writing)
