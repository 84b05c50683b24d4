"""What the commands ask of the backend of sandboxes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from interplay.cli.isolation import backend, examine, preflight
from interplay.contracts.sandbox import NoIsolation
from interplay.settings import Settings, SettingsError
from tests.sandboxes import needs_bubblewrap


def settings(folder: Path, **sandbox: object) -> Settings:
    return Settings(data_dir=f"{folder}/data", cache_dir=f"{folder}/cache", sandbox=sandbox)


@needs_bubblewrap
async def test_walls_are_tried_where_everything_is_there(tmp_path: Path):
    checks = await examine(settings(tmp_path))
    assert [check for check in checks if check.required and not check.passed] == []
    assert {"namespaces", "walls: files", "walls: network"} <= {check.name for check in checks}


async def test_walls_are_not_tried_where_something_is_amiss(tmp_path: Path):
    chosen = settings(tmp_path, bwrap=str(tmp_path / "nowhere"))
    checks = await examine(chosen)
    assert checks == await preflight(chosen)
    assert not any(check.name.startswith("walls") for check in checks)
    assert any(check.required and not check.passed and check.way_out for check in checks)


def test_looking_makes_no_folder(tmp_path: Path):
    chosen = settings(tmp_path)
    asyncio.run(preflight(chosen))
    place = backend(chosen).packages()
    assert place is not None
    assert place.folder.is_relative_to(tmp_path / "cache")
    assert list(tmp_path.iterdir()) == []


def test_none_is_no_backend_and_what_is_unknown_is_a_wrong_setting(tmp_path: Path):
    with pytest.raises(NoIsolation, match="none"):
        backend(settings(tmp_path, backend="none"))
    with pytest.raises(SettingsError, match="bubblewrp"):
        backend(settings(tmp_path, backend="bubblewrp"))
