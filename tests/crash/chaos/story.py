"""What one interaction looks like to all its clients together."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from tests.api.api import fold, text_of
from tests.crash.chaos.plan import WORDS

TERMINAL = "interaction.completed"


class Violation(Exception):
    """A promise was broken; the message says which, and where."""


class Witness:
    """One client's sequence of events."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.count = 0
        self.last_id = ""
        self.ended = False
        self.resumes = 0
        self.longest = 0.0
        """The longest time between two events, in seconds."""
        self.heard = time.monotonic()

    def take(self, event: dict[str, Any]) -> None:
        """The next event, as it came. Raises Violation."""
        if self.ended:
            raise Violation(f"{self.story.name}: an event after the last: {event}")
        number = int(event["event_id"].rpartition(".")[2])
        if number != self.count:
            raise Violation(f"{self.story.name}: event {number} came where {self.count} is due")
        self.story.seen(self.count, event)
        now = time.monotonic()
        self.longest = max(self.longest, now - self.heard)
        self.heard = now
        self.count += 1
        self.last_id = event["event_id"]
        self.ended = event["event_type"] == TERMINAL


class Story:
    """An interaction, the events anybody was shown, and what was promised about it."""

    def __init__(self, number: int, model: str, report: Callable[[Violation], None]) -> None:
        self.number, self.model, self._report = number, model, report
        self.id = ""
        self.known = asyncio.Event()
        self.events: list[dict[str, Any]] = []
        self.witnesses = [Witness(self), Witness(self)]
        self.cancelled = False
        """Somebody was told that it is cancelled."""
        self.broken = False
        """Promises about it were broken already."""
        self._steps, self._open = 0, False

    @property
    def name(self) -> str:
        """How violations call it."""
        return f"#{self.number} {self.model} {self.id or 'not made yet'}"

    def is_called(self, id: str) -> None:
        """Somebody was told its id. Raises Violation when it was another before."""
        if self.id and self.id != id:
            raise Violation(f"{self.name}: the same request made a second interaction, {id}")
        self.id = id
        self.known.set()

    def seen(self, number: int, event: dict[str, Any]) -> None:
        """Somebody was shown an event. Raises Violation when it is not what others were shown."""
        if number == len(self.events):
            self.events.append(event)
            if not self._fits(event):
                raise Violation(f"{self.name}: event {number} does not fit: {str(event)[:300]}")
        elif self.events[number] != event:
            raise Violation(
                f"{self.name}: event {number} was {json.dumps(self.events[number])[:300]}"
                f" and is {json.dumps(event)[:300]}"
            )

    def _fits(self, event: dict[str, Any]) -> bool:
        """Whether it goes on with the steps as they stand: one open at a time, in order."""
        kind = event["event_type"]
        if kind == "step.start":
            fits = not self._open and event["index"] == self._steps
            self._steps, self._open = self._steps + 1, True
            return fits
        if kind in ("step.delta", "step.stop"):
            fits = self._open and event["index"] == self._steps - 1
            self._open = kind == "step.delta"
            return fits
        return True

    def reported(self, broken: Violation) -> None:
        """Notes a broken promise."""
        self.broken = True
        self._report(broken)

    def judge(self, stored: dict[str, Any], replay: list[dict[str, Any]]) -> None:
        """Compares what everybody was shown with what there is in the end. Raises Violation."""
        for witness in self.witnesses:
            if not witness.ended:
                self.reported(Violation(f"{self.name}: a client saw {witness.count} events only"))
        if replay != self.events:
            self.reported(Violation(f"{self.name}: {self._difference(replay)}"))
        kinds = [event["event_type"] for event in self.events]
        if kinds.count(TERMINAL) != 1 or kinds[-1] != TERMINAL:
            self.reported(Violation(f"{self.name}: its end stands at {kinds.count(TERMINAL)}"))
        try:
            folded = fold(self.events)
        except (AssertionError, IndexError) as error:
            raise Violation(f"{self.name}: its events do not fit together: {error!r}") from error
        if folded != stored["steps"][1:]:
            raise Violation(f"{self.name}: the steps are not what the events make")
        self._judge_status(stored)

    def _difference(self, replay: list[dict[str, Any]]) -> str:
        pairs = enumerate(zip(replay, self.events, strict=False))
        least = min(len(replay), len(self.events))
        place = next((n for n, (again, shown) in pairs if again != shown), least)
        again, shown = (json.dumps(events[place : place + 2]) for events in (replay, self.events))
        return (
            f"what is replayed ({len(replay)} events) is not what was shown ({len(self.events)}):"
            f" from {place} on {again[:500]} instead of {shown[:500]}"
        )

    def _judge_status(self, stored: dict[str, Any]) -> None:
        status, text = stored["status"], text_of(stored)
        if self.cancelled and status != "cancelled":
            raise Violation(f"{self.name}: was cancelled, and is {status} all the same")
        if status not in ("completed", "cancelled"):
            raise Violation(f"{self.name}: is {status} in the end: {stored.get('errors')}")
        if status != "completed":
            return
        whole = "".join(WORDS)
        if text != whole if self.model == "m" else not text.endswith(whole):
            raise Violation(f"{self.name}: says '{text[:400]}'")
