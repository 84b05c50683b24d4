"""`interplay models`, run as a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from interplay.cli.models import models


def run(*arguments: str) -> Result:
    return CliRunner().invoke(models, arguments)


def test_the_list_names_every_model_and_its_state(tmp_path: Path):
    rows = json.loads(run("list", "--json", "--cache-dir", str(tmp_path)).stdout)
    assert {row["name"]: row["state"] for row in rows}["qwen2.5-coder-1.5b"] == "absent"
    assert "smollm2-135m" in run("list", "--cache-dir", str(tmp_path)).stdout


def test_a_name_that_is_not_there_fails_with_the_names_that_are(tmp_path: Path):
    for command in ("pull", "rm"):
        outcome = run(command, "smollm2", "--cache-dir", str(tmp_path))
        assert outcome.exit_code == 1
        assert "Did you mean 'smollm2-135m'?" in outcome.stderr


def test_removing_frees_what_was_there(tmp_path: Path):
    held = tmp_path / "models" / "smollm2-135m-instruct-q4_1.gguf"
    held.parent.mkdir()
    held.write_bytes(b"GGUF")
    outcome = run("rm", "smollm2-135m", "--json", "--cache-dir", str(tmp_path))
    assert json.loads(outcome.stdout)["freed"] > 0
    assert not held.exists()
    again = run("rm", "smollm2-135m", "--cache-dir", str(tmp_path))
    assert again.stdout == "smollm2-135m was not here\n"


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    outcome = run("pull", "smollm2-135m", "--cache-dir", str(blocked / "cache"))
    assert outcome.exit_code == 1
    assert "Cannot keep 'smollm2-135m'" in outcome.stderr


def test_the_cache_is_the_settings_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTERPLAY_CACHE_DIR", str(tmp_path / "elsewhere"))
    rows = json.loads(run("list", "--json").stdout)
    assert all(row["path"].startswith(str(tmp_path / "elsewhere")) for row in rows)
