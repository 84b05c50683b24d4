"""The bench of live streams loses nothing and says what it measured."""

import argparse
import asyncio
import sys

import pytest

from bench import journal


def options(folder, **given) -> argparse.Namespace:
    fields = {
        "database": "",
        "store": "",
        "alone": False,
        "durability": "normal",
        "streams": 5,
        "rate": 40.0,
        "seconds": 0.5,
        "connections": 2,
        "folder": str(folder),
        "run": "test",
    }
    return argparse.Namespace(**{**fields, **given})


def test_an_event_says_its_number_and_when_it_was_made():
    data = journal.event(17, 12.25)
    assert journal.made_at(data) == (17, 12.25)
    assert 140 < len(journal.event(100, 123456.789012)) < 180


@pytest.mark.parametrize("alone", [True, False])
def test_every_event_is_read_once_and_timed(tmp_path, monkeypatch, capsys, alone):
    words = ["journal", "--streams", "5", "--rate", "40", "--seconds", "0.5"]
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.setattr(journal, "FLOOR", 10)
    monkeypatch.setattr(journal, "SQLITE_LIMIT", 10_000.0)
    assert asyncio.run(journal.first(options(tmp_path, alone=alone))) is True
    printed = capsys.readouterr().out
    assert "100 events" in printed
    assert ("second process" in printed) is not alone


async def test_a_reader_that_misses_an_event_says_so(tmp_path):
    class Store:
        async def events(self, id, after):
            return [journal.event(1, 0.0)]

    follower = journal.Follower(Store(), ["a"])
    follower.seen(None)
    with pytest.raises(AssertionError, match="event 1 after -1"):
        await follower._looking["a"]
