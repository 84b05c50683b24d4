"""A sweep goes on, whatever goes wrong in it."""

from __future__ import annotations

import asyncio

import pytest

from interplay.contracts.store import StoreAway
from interplay.server.sweeps import sweeping


async def test_a_sweep_goes_on_whatever_it_raises(caplog: pytest.LogCaptureFixture) -> None:
    raising: list[Exception] = [StoreAway("The database restarts."), ValueError("odd")]
    swept = asyncio.Event()

    async def sweep() -> None:
        if raising:
            raise raising.pop(0)
        swept.set()

    task = asyncio.create_task(sweeping("things", sweep, 0.001))
    async with asyncio.timeout(60):
        await swept.wait()
    task.cancel()
    assert "overdue things wait: The database restarts." in caplog.text
    assert "looking for overdue things failed" in caplog.text
