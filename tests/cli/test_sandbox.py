"""`interplay sandbox`, run as a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interplay.cli.isolation import backend
from interplay.contracts.sandbox import Limits
from interplay.settings import load
from interplay.testing.contracts.sandbox import ran
from tests.cli.conftest import run
from tests.cli.wheels import wheel
from tests.sandboxes import needs_bubblewrap


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERPLAY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("INTERPLAY_DATA_DIR", str(tmp_path / "data"))


@needs_bubblewrap
def test_a_machine_that_isolates_is_told_so():
    done = run("sandbox", "check")
    assert done.exit_code == 0, done.output
    assert "ok    walls: network" in done.stdout
    assert "fail" not in done.stdout


@needs_bubblewrap
def test_limits_that_are_soft_are_no_failure(tmp_path: Path):
    file = tmp_path / "own.toml"
    file.write_text('sandbox = {cgroup = "/nonexistent"}\n')
    done = run("sandbox", "check", "--json", "--config", str(file))
    states = {check["name"]: check["state"] for check in json.loads(done.stdout)}
    assert (done.exit_code, states["cgroups"], states["walls: files"]) == (0, "soft", "ok")


def test_a_check_that_fails_says_the_way_out_and_exits_with_1(tmp_path: Path):
    file = tmp_path / "own.toml"
    file.write_text('sandbox = {bwrap = "/nowhere"}\n')
    done = run("sandbox", "check", "--config", str(file))
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("fail"))
    assert lines[at + 1].strip().startswith(("Run", "Install"))


def test_without_a_backend_nothing_is_checked_or_installed(tmp_path: Path):
    (tmp_path / "interplay.toml").write_text('sandbox = {backend = "none"}\n')
    for words in (("check",), ("setup", "x")):
        done = run("sandbox", *words)
        assert (done.exit_code, 'sandbox.backend = "none"' in done.stderr) == (1, True)


@needs_bubblewrap
async def test_a_package_that_was_set_up_is_found_inside(tmp_path: Path):
    file = str(wheel(tmp_path, "greeting", "hello from the package"))
    done = run("sandbox", "setup", file, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["installed"] == [file]
    assert json.loads(run("sandbox", "setup", file, "--json").stdout)["installed"] == []
    sandboxes = backend(load().settings)
    box = await sandboxes.open(Limits())
    try:
        said, _ = await ran(box, box.python, "-c", "import greeting; print(greeting.SAID)")
    finally:
        await sandboxes.close()
    assert said == "hello from the package\n"


def test_what_cannot_be_installed_is_a_failure(tmp_path: Path):
    done = run("sandbox", "setup", str(tmp_path / "nowhere.whl"))
    assert (done.exit_code, "did not install" in done.stderr) == (1, True)
