"""Gates: points where a double waits until the test lets it go on."""

from __future__ import annotations

import asyncio


class GateNotReached(AssertionError):
    """Nothing arrived at the gate in the time the test gave."""


class Gate:
    """A named point in a script. What arrives waits there until `open()`; once open it stays so."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._reached = asyncio.Event()
        self._open = asyncio.Event()

    def open(self) -> None:
        """Lets everything through that waits here now or comes later."""
        self._open.set()

    async def reached(self, seconds: float = 60.0) -> None:
        """Waits until something stands at the gate (or has passed it); raises GateNotReached."""
        try:
            async with asyncio.timeout(seconds):
                await self._reached.wait()
        except TimeoutError:
            raise GateNotReached(
                f"Nothing reached the gate '{self.name}' in {seconds:g} s."
            ) from None

    async def passing(self) -> None:
        """What a double calls when it arrives."""
        self._reached.set()
        await self._open.wait()


class Gates:
    """The gates of one double, made as they are named."""

    def __init__(self) -> None:
        self._gates: dict[str, Gate] = {}

    def __getitem__(self, name: str) -> Gate:
        return self._gates.setdefault(name, Gate(name))
