"""What `interplay sandbox` and `interplay doctor` ask the backend of sandboxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from interplay.contracts.sandbox import Check, Sandboxes
from interplay.settings import Settings


class Folders:
    """The folders of a server that does not run; making none."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def folder(self, name: str) -> Path:
        """A folder for a plugin's own data."""
        return self._settings.data_path / "plugins" / name

    def cache(self, name: str) -> Path:
        """A folder for what can be made again."""
        return self._settings.cache_path / name


def backend(settings: Settings) -> Sandboxes:
    """The backend settings name. Raises NoIsolation when they say that there is none, and
    SettingsError."""
    from interplay.server.surroundings import sandboxes

    lent: Any = Folders(settings)
    return sandboxes(settings, lent)


async def preflight(settings: Settings) -> list[Check]:
    """What the backend needs. Raises NoIsolation, SettingsError."""
    made = backend(settings)
    try:
        return await made.preflight()
    finally:
        await made.close()


async def examine(settings: Settings) -> list[Check]:
    """What the backend needs and, where that is there, whether its walls hold. Raises
    NoIsolation, SandboxGone, SettingsError."""
    made = backend(settings)
    try:
        checks = await made.preflight()
        if all(check.passed for check in checks if check.required):
            checks += await made.probe()
        return checks
    finally:
        await made.close()
