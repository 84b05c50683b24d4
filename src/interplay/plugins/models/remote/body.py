"""Bodies of requests."""

from __future__ import annotations

from typing import Any, cast

Body = dict[str, Any]


def merge(into: Body, more: Body) -> None:
    """Adds fields; objects that stand in both are merged."""
    for name, value in more.items():
        there: Any = into.get(name)
        if isinstance(there, dict) and isinstance(value, dict):
            both: Body = {**there}
            merge(both, cast(Body, value))
            into[name] = both
        else:
            into[name] = value
