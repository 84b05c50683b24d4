"""`interplay doctor`: what it prints and how it exits."""

import json

from interplay.cli import checks
from tests.cli.conftest import Cli, run


def test_a_server_that_runs_is_found_well(cli: Cli):
    done = cli("doctor", "--json")
    found = {check["name"]: check for check in json.loads(done.stdout)}
    assert (done.exit_code, {check["state"] for check in found.values()} - {"warn"}) == (0, {"ok"})
    assert "holds the data folder" in found["data lock"]["found"]
    assert "is ready" in found["port"]["found"]
    assert "echo" in found["server"]["found"]


def test_what_fails_is_told_with_the_way_out_and_exits_with_1(monkeypatch, tmp_path):
    monkeypatch.setattr(checks, "find_spec", lambda _: object())
    monkeypatch.setenv("INTERPLAY_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("INTERPLAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("INTERPLAY_URL", "http://127.0.0.1:1")
    done = run("doctor")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("fail  default model"))
    assert lines[at + 1].strip() == "Run: interplay models pull qwen2.5-coder-1.5b"


def test_settings_that_are_wrong_are_a_failed_check(tmp_path):
    (tmp_path / "interplay.toml").write_text("prot = 1\n")
    done = run("doctor", "--json")
    assert done.exit_code == 1
    found = {check["name"]: check for check in json.loads(done.stdout)}
    assert "Did you mean 'port'?" in found["settings"]["found"]
    assert "--example" in found["settings"]["way_out"]
