"""How the tests are spread over the processes of pytest-xdist, and which run before others.

A file stays together in one process, since its fixtures are shared, unless it says otherwise:
`pytestmark = pytest.mark.spread()` lets each test go where there is room, `spread("name")` keeps
together the tests with the same value of that parameter. What takes long begins first.
"""

from __future__ import annotations

import pytest

LONG = (
    "tests/plugins/models/test_openai_compatible_real.py",
    "tests/plugins/models/test_llama_cpp.py",
    "tests/acceptance/test_two_replicas.py",
    "tests/acceptance/",
    "tests/contracts/test_dispatchers.py",
    "tests/crash/",
    "tests/plugins/dispatchers/",
    "tests/deploy/",
    "tests/bench/",
)
"""The longest first."""


def keep_together(item: pytest.Item) -> None:
    """Names the group of a test; pytest-xdist reads it when all are collected."""
    group = _group(item)
    if group is not None:
        item.add_marker(pytest.mark.xdist_group(group))


def turn(item: pytest.Item) -> int:
    """What to sort the tests by."""
    return next((n for n, path in enumerate(LONG) if item.nodeid.startswith(path)), len(LONG))


def _group(item: pytest.Item) -> str | None:
    file = item.nodeid.partition("::")[0]
    spread = item.get_closest_marker("spread")
    if spread is None:
        return file
    if not spread.args:
        return None
    given = getattr(item, "callspec", None)
    values = [str(given.params.get(name)) for name in spread.args] if given is not None else []
    return "-".join([file, *values])
