"""How the tests are spread over the processes of pytest-xdist, and which begin first.

A file stays together in one process, since its fixtures are shared; what is named here is spread
further. The groups are made from the names alone: the process that hands them out has no more.
"""

from __future__ import annotations

import re

import pytest
from xdist.scheduler import LoadScopeScheduling

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
"""What takes long begins first, the longest before the others."""
APART = ("tests/contracts/test_dispatchers.py", "tests/crash/", "tests/plugins/dispatchers/")
"""Each test for itself: they share nothing, and wait most of the time."""
BY_PARAMETER = {
    "tests/acceptance/test_two_replicas.py": re.compile(r"([a-z]+-[a-z]+)\]$"),
    "tests/acceptance/test_sdk_matrix.py": re.compile(r"\[([a-z]+-[\d.]+)-"),
}
"""File -> the parameter whose value makes a group."""


class Spread(LoadScopeScheduling):
    """Hands out the groups in the order they were found in."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def group(name: str) -> str:
    """What a test must stay together with; its own name when that is nothing."""
    file = name.partition("::")[0]
    if file.startswith(APART):
        return name
    found = BY_PARAMETER[file].search(name) if file in BY_PARAMETER else None
    return f"{file} {found[1]}" if found else file


def turn(item: pytest.Item) -> int:
    """What to sort the tests by."""
    return next((n for n, path in enumerate(LONG) if item.nodeid.startswith(path)), len(LONG))
