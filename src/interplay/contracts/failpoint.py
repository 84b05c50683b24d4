"""Places where a crash test kills the process.

`INTERPLAY_FAILPOINT=name` makes the process end itself with SIGKILL where `reached(name)` is
called, `name:3` at the third time. Without it, as everywhere but in tests, nothing happens.
"""

from __future__ import annotations

import os
import signal

_name, _, _times = os.environ.get("INTERPLAY_FAILPOINT", "").partition(":")
_left = int(_times or 1)


def reached(name: str) -> None:
    """Ends this process when it is told to die here."""
    global _left
    if name != _name:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
