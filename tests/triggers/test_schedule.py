"""Ticks of cron schedules: fields, zones, clocks that are put, and what is refused."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interplay.interactions.failures import Rejected
from interplay.triggers.schedule import schedule
from tests.api.api import requirement

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"


def instant(wall: str, zone: str) -> float:
    """The first time the clock of a zone shows this."""
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone)).timestamp()


def ticks(expression: str, zone: str, start: str, count: int) -> list[str]:
    """The next ticks after a local time, as `day hour:minute offset`."""
    read, at, found = schedule(expression, zone), instant(start, zone), list[str]()
    for _ in range(count):
        after = read.after(at)
        assert after is not None
        assert after > at
        at = after
        found.append(datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%d %H:%M%z"))
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 9 * * mon-fri", ["02 09:00", "05 09:00", "06 09:00"]),
        ("0 9 * * 7", ["04 09:00", "11 09:00", "18 09:00"]),
        ("30 8 * FEB,mar *", ["01 08:30", "02 08:30", "03 08:30"]),
        ("*/20 5 * * *", ["02 05:00", "02 05:20", "02 05:40"]),
        ("0 0 10 * sat", ["03 00:00", "10 00:00", "17 00:00"]),
        ("@daily", ["02 00:00", "03 00:00", "04 00:00"]),
        ("@Hourly", ["01 13:00", "01 14:00", "01 15:00"]),
        ("@weekly", ["04 00:00", "11 00:00", "18 00:00"]),
        ("@monthly", ["01 00:00", "01 00:00", "01 00:00"]),
        ("@yearly", ["01 00:00", "01 00:00", "01 00:00"]),
        ("0 12 L * *", ["31 12:00", "28 12:00", "31 12:00"]),
    ],
)
def test_fields_names_and_aliases_are_read(expression: str, expected: list[str]):
    found = ticks(expression, "UTC", "2026-01-01 12:00", 3)
    assert found == [f"{tick}+0000" for tick in expected]


@requirement("triggers:dst")
@pytest.mark.parametrize(
    ("expression", "zone", "start", "expected"),
    [
        ("30 2 * * *", BERLIN, "2026-03-28 12:00", ["29 03:00+0200", "30 02:30+0200"]),
        ("0,30 2,3 * * *", BERLIN, "2026-03-29 00:00", ["29 03:00+0200", "29 03:30+0200"]),
        ("*/30 2 * * *", BERLIN, "2026-03-29 00:00", ["29 03:00+0200", "30 02:00+0200"]),
        ("15 */2 * * *", BERLIN, "2026-03-29 00:20", ["29 03:00+0200", "29 04:15+0200"]),
        ("30 2 * * *", NEW_YORK, "2026-03-07 12:00", ["08 03:00-0400", "09 02:30-0400"]),
        ("15 2 * * *", LORD_HOWE, "2026-10-03 12:00", ["04 02:30+1100", "05 02:15+1100"]),
        ("0 0 * * *", "America/Havana", "2026-03-07 12:00", ["08 01:00-0400", "09 00:00-0400"]),
    ],
)
def test_a_tick_in_the_gap_comes_right_after_it_once(
    expression: str, zone: str, start: str, expected: list[str]
):
    assert ticks(expression, zone, start, 2) == expected


@requirement("triggers:dst")
@pytest.mark.parametrize(
    ("expression", "zone", "start", "expected"),
    [
        ("30 2 * * *", BERLIN, "2026-10-24 12:00", ["25 02:30+0200", "26 02:30+0100"]),
        ("15 */2 * * *", BERLIN, "2026-10-25 00:20", ["25 02:15+0200", "25 04:15+0100"]),
        ("30 1 * * *", NEW_YORK, "2026-10-31 12:00", ["01 01:30-0400", "02 01:30-0500"]),
        ("45 1 * * *", LORD_HOWE, "2026-04-04 12:00", ["05 01:45+1100", "06 01:45+1030"]),
    ],
)
def test_a_tick_in_the_doubled_time_comes_the_first_time_only(
    expression: str, zone: str, start: str, expected: list[str]
):
    assert ticks(expression, zone, start, 2) == expected


def test_a_start_in_the_second_pass_does_not_go_back_to_the_first():
    second_pass = instant("2026-10-25 02:10", BERLIN) + 3_600
    after = schedule("30 2 * * *", BERLIN).after(second_pass)
    assert after == instant("2026-10-26 02:30", BERLIN)


@requirement("triggers:dst")
def test_a_schedule_of_every_hour_goes_on_by_elapsed_time():
    back = ticks("*/30 * * * *", BERLIN, "2026-10-25 01:40", 5)
    assert [tick[3:] for tick in back] == [
        "02:00+0200",
        "02:30+0200",
        "02:00+0100",
        "02:30+0100",
        "03:00+0100",
    ]
    forward = ticks("15 * * * *", BERLIN, "2026-03-29 01:00", 2)
    assert forward == ["29 01:15+0100", "29 03:15+0200"]


def test_half_an_hour_leaves_no_hole_in_a_schedule_of_every_hour():
    forward = ticks("15 * * * *", LORD_HOWE, "2026-10-04 01:00", 3)
    assert forward == ["04 01:15+1030", "04 02:30+1100", "04 03:15+1100"]
    back = ticks("*/10 * * * *", LORD_HOWE, "2026-04-05 01:45", 5)
    assert [tick[3:] for tick in back] == [
        "01:50+1100",
        "01:30+1030",
        "01:40+1030",
        "01:50+1030",
        "02:00+1030",
    ]


def test_a_day_that_a_zone_left_out_has_its_tick_right_after():
    """Samoa went from 29 to 31 December 2011."""
    found = ticks("0 12 30 12 *", "Pacific/Apia", "2011-01-01 00:00", 2)
    assert found == ["31 00:00+1400", "30 12:00+1400"]


def test_the_29th_of_february_comes_in_leap_years():
    read, at, years = schedule("0 0 29 2 *", BERLIN), instant("2026-01-01", BERLIN), list[int]()
    for _ in range(3):
        at = read.after(at) or 0.0
        years.append(datetime.fromtimestamp(at, ZoneInfo(BERLIN)).year)
    assert years == [2028, 2032, 2036]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["*/7 * * * *", "30 2 * * *", "5,50 1-3 * * *", "15 */2 * * *", "0 0 * * *"]),
    st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, "Africa/Cairo", "UTC"]),
    st.integers(1_700_000_000, 1_900_000_000),
)
def test_the_next_tick_is_the_same_from_any_instant_before_it(
    expression: str, zone: str, start: int
):
    read = schedule(expression, zone)
    tick = read.after(start)
    assert tick is not None
    following = read.after(tick)
    assert following is not None
    assert start < tick < following
    assert read.after((start + tick) / 2) == tick
    assert read.after(tick - 1) == tick
    assert read.after((tick + following) / 2) == following
    assert read.between(tick, following, 10) == [tick, following]


def test_the_newest_ticks_of_a_long_time_are_found_without_going_through_all():
    read = schedule("* * * * *", BERLIN)
    last = instant("2026-06-01 00:00", BERLIN)
    newest = read.between(0.0, last, 3)
    assert newest == [last - 120, last - 60, last]
    yearly = schedule("0 0 1 1 *", "UTC").between(0.0, last, 2)
    assert yearly == [instant("2025-01-01", "UTC"), instant("2026-01-01", "UTC")]


@pytest.mark.parametrize(
    ("expression", "minutes"),
    [
        ("*/5 * * * *", 5),
        ("0,59 0,23 * * *", 1),
        ("0 9 * * *", 24 * 60),
        ("0 0,22 * * *", 2 * 60),
        ("0 9 * * mon,wed", 48 * 60),
        ("0 0 1 * *", 28 * 24 * 60),
    ],
)
def test_the_shortest_time_between_ticks_is_known(expression: str, minutes: int):
    assert schedule(expression, BERLIN).shortest_seconds() == minutes * 60


@requirement("triggers:refused-schedules")
@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("0 0 30 2 *", "'0 0 30 2 \\*' never comes"),
        ("0 0 31 4,6,9,11 *", "never comes"),
        ("60 * * * *", "'60' is no minute"),
        ("* 24 * * *", "'24' is no hour"),
        ("0 0 0 * *", "'0' is no day-of-month"),
        ("0 0 * foo *", "'foo' is no month"),
        ("0 0 * * 8", "'8' is no day-of-week"),
        ("*/0 * * * *", "'\\*/0' is no minute"),
        ("* * * *", "five fields"),
        ("* * * * * *", "five fields"),
        ("", "five fields"),
        ("9" * 5_000 + " * * * *", "five fields"),
        ("@reboot", "'@reboot' is no known alias"),
    ],
)
def test_a_schedule_that_is_none_is_refused_by_name(expression: str, said: str):
    with pytest.raises(Rejected, match=f"(?s){said}.*at 'schedule'"):
        schedule(expression, "UTC")


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Berlin", "did you mean 'Europe/Berlin'"),
        ("europe/berlin", "did you mean 'Europe/Berlin'"),
        ("../../etc/passwd", "IANA"),
        ("localtime", "IANA"),
        ("", "IANA"),
    ],
)
def test_a_zone_that_is_none_is_refused_by_name(zone: str, said: str):
    with pytest.raises(Rejected, match=f"at 'time_zone'.*{said}"):
        schedule("0 0 * * *", zone)
