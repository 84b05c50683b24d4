"""Following an interaction to its end, over any number of dropped connections."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from interplay.cli.client import Api, ApiFault, Frame, HungUp, StreamLost, Unreachable
from interplay.cli.narration import Narration

PATIENCE_SECONDS = 300.0
"""How long a server may stay away before following it is given up."""
_RESEND_PAUSES = (0.2, 1.0)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


def follow(
    api: Api,
    id: str,
    narration: Narration,
    *,
    after: str | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Tells an interaction from the event after `after` to its last one.

    After a drop it goes on behind the last event heard. Raises ApiFault, and Unreachable when
    the server was away for PATIENCE_SECONDS.
    """
    narration.reading.id = id
    narration.reading.last_event_id = after
    _resume(api, narration, pause)


def create(
    api: Api,
    body: dict[str, Any],
    narration: Narration,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Creates an interaction and tells its stream; a stored one is resumed after a drop.

    Before its first event it is sent again, under one key, so that it is made once. Raises
    StreamLost, or HungUp, when the connection drops and there is nothing to resume.
    """
    key = os.urandom(12).hex()
    asked = {**body, "stream": True}
    pauses = iter(_RESEND_PAUSES)
    while True:
        try:
            frames = api.stream("POST", "interactions", body=asked, idempotency_key=key)
            _tell(frames, narration)
            return
        except (StreamLost, HungUp) as lost:
            if narration.reading.id is not None:
                if body.get("store") is False:
                    raise
                narration.comment(f"{lost} Going on.")
                break
            wait = next(pauses, None)
            if wait is None:
                raise
        pause(wait)
    _resume(api, narration, pause)


def stop(api: Api, narration: Narration) -> bool:
    """Cancels what is being told; answers whether the server did it.

    Where it cannot, hanging up is all a client can do.
    """
    if narration.reading.id is None or narration.reading.ended:
        return False
    try:
        api.call("POST", f"interactions/{narration.reading.id}/cancel", seconds=5.0)
    except (ApiFault, Unreachable):
        return False
    return True


def _resume(api: Api, narration: Narration, pause: Callable[[float], None]) -> None:
    reading = narration.reading
    wait, away = _FIRST_PAUSE, 0.0
    while True:
        heard = reading.last_event_id
        query = {"stream": "true", "last_event_id": heard}
        try:
            _tell(api.stream("GET", f"interactions/{reading.id}", query=query), narration)
            return
        except StreamLost as lost:
            problem: Exception = lost
        except Unreachable as unreachable:
            problem = unreachable
        except ApiFault as fault:
            if fault.status not in (429, 502, 503, 504):
                raise
            problem = fault
        if reading.last_event_id != heard:
            wait, away = _FIRST_PAUSE, 0.0
        if away >= PATIENCE_SECONDS:
            raise Unreachable(f"{problem} Given up after {PATIENCE_SECONDS:.0f} s.") from problem
        narration.comment(f"{problem} Trying again.")
        pause(wait)
        away += wait
        wait = min(wait * 2, _LONGEST_PAUSE)


def _tell(frames: Iterator[Frame], narration: Narration) -> None:
    for frame in frames:
        if frame.data is not None:
            narration.event(frame.data)
        elif frame.comment:
            narration.comment(frame.comment)
