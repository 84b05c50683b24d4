"""When a trigger fires: five cron fields read on the clocks of a time zone."""

from __future__ import annotations

import difflib
import itertools
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cronsim import CronSim, CronSimError

from interplay.interactions.failures import invalid

_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")
_LONGEST = 200
_DAY_MINUTES = 24 * 60
_SHIFT_SECONDS = 3 * 3_600
"""Clocks are never put by more than this at once."""
_HORIZON = datetime(9000, 1, 1)


class Schedule:
    """The ticks of a cron expression in a time zone. Instants are Unix seconds.

    Where clocks are put forward, a tick that falls into the gap comes right after it, once; where
    they are put back, a tick in the doubled time comes the first time only. A schedule of every
    hour ("*/5 * * * *") goes on by elapsed time: the doubled time has its ticks twice, and a gap
    of whole hours, which leaves its rhythm as it is, has none made up.
    """

    def __init__(self, expression: str, zone: zoneinfo.ZoneInfo) -> None:
        self._expression, self._zone = expression, zone
        parsed = CronSim(expression, datetime(2000, 1, 1))
        self._every_hour = len(parsed.hours) == 24
        self._of_day = sorted(
            hour * 60 + minute for hour in parsed.hours for minute in parsed.minutes
        )

    def after(self, instant: float) -> float | None:
        """The first tick later than an instant; None when there is none in fifty years."""
        start = datetime.fromtimestamp(instant, self._zone)
        wall = start.replace(tzinfo=None)
        if not self._every_hour:
            ticks = (self._once(tick) for tick in self._walls(wall))
            return next((tick for tick in ticks if tick > instant), None)
        later = datetime.fromtimestamp(instant + _SHIFT_SECONDS, self._zone)
        set_back = (start.utcoffset() or timedelta()) - (later.utcoffset() or timedelta())
        found: float | None = None
        for tick in self._walls(wall - max(set_back, timedelta())):
            first, second = self._instant(tick, 0), self._instant(tick, 1)
            if self._skipped(tick):
                if (first - second) % 3_600 == 0:
                    continue
                first = second = self._gap_end(tick)
            if first > instant:
                return first if found is None else min(first, found)
            if second > instant:
                found = second if found is None else min(second, found)
        return found

    def between(self, first: float, last: float, most: int) -> list[float]:
        """The newest `most` ticks of those from `first` to `last`, both included."""
        span = 3_600.0
        while True:
            start = max(first, last - span)
            ticks = list(self._until(start, last))
            if start <= first or len(ticks) >= most:
                return ticks[-most:]
            span *= 4

    def shortest_seconds(self) -> float:
        """The shortest time between two ticks, clock changes left aside."""
        of_day = self._of_day
        gaps = [later - earlier for earlier, later in itertools.pairwise(of_day)]
        days = "0 0 " + " ".join(self._expression.split()[2:])
        midnights = CronSim(days, datetime(2000, 1, 1))
        earlier = next(midnights)
        for _ in range(400):
            later = next(midnights, None)
            if later is None:
                break
            gaps.append((later - earlier).days * _DAY_MINUTES - (of_day[-1] - of_day[0]))
            earlier = later
        return min(gaps, default=float("inf")) * 60.0

    def _until(self, start: float, last: float) -> Iterator[float]:
        tick = self.after(start - 0.001)
        while tick is not None and tick <= last:
            yield tick
            tick = self.after(tick)

    def _walls(self, wall: datetime) -> Iterator[datetime]:
        """Later times on the clock's face, as if it were never put."""
        for tick in CronSim(self._expression, wall):
            if tick > _HORIZON:
                return
            yield tick

    def _once(self, wall: datetime) -> float:
        return self._gap_end(wall) if self._skipped(wall) else self._instant(wall, 0)

    def _instant(self, wall: datetime, fold: int) -> float:
        return wall.replace(tzinfo=self._zone, fold=fold).timestamp()

    def _skipped(self, wall: datetime) -> bool:
        there = wall.replace(tzinfo=self._zone).astimezone(UTC).astimezone(self._zone)
        return there.replace(tzinfo=None) != wall

    def _gap_end(self, wall: datetime) -> float:
        """The instant at which the clock was put beyond this time."""
        before, after = self._instant(wall, 1), self._instant(wall, 0)
        put = datetime.fromtimestamp(after, self._zone).utcoffset()
        while after - before > 1:
            middle = (before + after) // 2
            if datetime.fromtimestamp(middle, self._zone).utcoffset() == put:
                after = middle
            else:
                before = middle
        return after


@lru_cache(maxsize=1024)
def schedule(expression: str, time_zone: str) -> Schedule:
    """Reads a trigger's `schedule` and `time_zone`. Raises Rejected."""
    zone = _zone(time_zone)
    text = _ALIASES.get(expression.strip().lower(), expression)
    parts = text.split()
    if text.startswith("@"):
        known = ", ".join(f"'{alias}'" for alias in _ALIASES)
        raise invalid(f"'{text[:80]}' is no known alias ({known})", "schedule")
    if len(parts) != len(_FIELDS) or len(text) > _LONGEST:
        raise invalid(
            f"'{text[:80]}' does not have the five fields of a cron schedule: minute, hour, day of"
            " the month, month, day of the week",
            "schedule",
        )
    try:
        read = Schedule(" ".join(parts), zone)
    except CronSimError as error:
        raise _refusal(parts, error) from error
    if next(CronSim(" ".join(parts), datetime(2000, 1, 1)), None) is None:
        raise _never(parts)
    return read


def _refusal(parts: list[str], error: CronSimError) -> Exception:
    for number, name in enumerate(_FIELDS):
        alone = ["*"] * len(_FIELDS)
        alone[number] = parts[number]
        try:
            CronSim(" ".join(alone), datetime(2000, 1, 1))
        except CronSimError:
            return invalid(f"'{parts[number][:80]}' is no {name} of a cron schedule", "schedule")
    return _never(parts)


def _never(parts: list[str]) -> Exception:
    return invalid(f"'{' '.join(parts)}' never comes: no month it names has such a day", "schedule")


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - {"localtime", "Factory"}


def _zone(name: str) -> zoneinfo.ZoneInfo:
    if name in _zones():
        return zoneinfo.ZoneInfo(name)
    near = difflib.get_close_matches(name[:64], _zones(), n=1)
    way_out = f"did you mean '{near[0]}'?" if near else "e.g. 'Europe/Berlin' or 'UTC'."
    raise invalid(f"'{name[:80]}' at 'time_zone' is no time zone of the IANA database; {way_out}")
