"""The bench of sandboxes runs for a moment and times what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import sandbox
from interplay.contracts.sandbox import Limits
from tests.sandboxes import backend, needs_bubblewrap

pytestmark = needs_bubblewrap


async def test_every_row_is_measured(tmp_path: Path) -> None:
    rows = await sandbox.collect(tmp_path, opens=2, commands=3)
    assert [row.unit for row in rows] == ["ms p50", "ms p95", "ms p50", "ms p50"]
    assert all(row.ours > 0 and row.limit for row in rows)
    assert all(row.floor for row in rows[2:])
    assert rows[0].ours <= rows[1].ours


async def test_a_command_that_fails_is_no_figure(tmp_path: Path) -> None:
    sandboxes = backend(tmp_path)
    box = await sandboxes.open(Limits())
    try:
        with pytest.raises(AssertionError):
            await sandbox.inside(box, ["false"])
    finally:
        await sandboxes.close()
    with pytest.raises(AssertionError):
        await sandbox.outside(["false"])
