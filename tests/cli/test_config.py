"""`interplay config`: every setting, its source, and no secret."""

import json
import tomllib

import msgspec
import pytest

from interplay.cli.config import masked
from interplay.settings import TABLES, Settings, load
from tests.cli.conftest import run


def test_every_setting_is_printed_with_its_value_and_source(monkeypatch, tmp_path):
    (tmp_path / "interplay.toml").write_text("port = 9\n[limits]\nqueue = 7\n")
    monkeypatch.setenv("INTERPLAY_LIMITS__TURNS", "5")
    shown = json.loads(run("config", "--json").stdout)
    assert shown["port"] == {"value": 9, "source": "interplay.toml"}
    assert shown["limits.queue"] == {"value": 7, "source": "interplay.toml"}
    assert shown["limits.turns"] == {"value": 5, "source": "environment"}
    assert shown["host"] == {"value": "127.0.0.1", "source": "default"}
    names = set(msgspec.to_builtins(Settings())) - TABLES.keys() - {"models"}
    for table, struct in TABLES.items():
        names |= {f"{table}.{name}" for name in msgspec.to_builtins(struct())}
    assert names <= set(shown)


def test_for_people_it_is_one_line_each():
    lines = run("config").stdout.splitlines()
    assert lines[0].split() == ["host", "127.0.0.1", "(default)"]


def test_secrets_are_masked_wherever_they_stand(monkeypatch, tmp_path):
    (tmp_path / "interplay.toml").write_text(
        '[models.m]\nbackend = "openai_compatible"\napi_key = "sk-hidden"\n'
        'headers = {Authorization = "Bearer hidden"}\nbase_url = "http://m"\n'
    )
    monkeypatch.setenv("INTERPLAY_API_KEYS", "alice:hidden,hidden")
    for done in (run("config", "--json"), run("config")):
        assert "hidden" not in done.stdout
        assert "alice:***" in done.stdout
        assert "http://m" in done.stdout


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("api_key", "x", "***"),
        ("api_keys", ["a:b", "c"], ["a:***", "***"]),
        ("models.m", {"token": "t", "turns": 5}, {"token": "***", "turns": 5}),
        ("api_keys_file", "/etc/keys", "/etc/keys"),
        ("limits.runs_per_key", 3, 3),
        ("api_keys", [], []),
        ("api_key", None, None),
        ("api_key_env", "OPENAI_API_KEY", "OPENAI_API_KEY"),
        ("headers", {"x-custom": "h", "x-two": "a:b"}, {"x-custom": "***", "x-two": "a:***"}),
        ("proxy", "http://me:pw@proxy:3128", "http://me:***@proxy:3128"),
        ("base_url", "http://host:80/v1", "http://host:80/v1"),
        ("cors_origins", ["*"], ["*"]),
    ],
)
def test_what_is_a_secret_is_known_by_its_name(name, value, shown):
    assert masked(value, name) == shown


def test_a_wrong_setting_is_one_clear_line_and_exits_with_2(tmp_path):
    (tmp_path / "interplay.toml").write_text("prot = 9\n")
    done = run("config")
    assert done.exit_code == 2
    assert "Unknown parameter 'prot'. Did you mean 'port'?" in done.stderr


def test_the_example_is_a_settings_file_that_changes_nothing(tmp_path):
    example = run("config", "--example").stdout
    assert tomllib.loads(example) == {table: {} for table in TABLES}
    (tmp_path / "example.toml").write_text(example)
    assert load(config="example.toml").settings == Settings()


def test_every_line_of_the_example_may_be_taken_out_of_its_comment():
    lines = run("config", "--example").stdout.splitlines()
    lines = [line.removeprefix("# ") for line in lines]
    kept = [line for line in lines if " = " in line and not line.endswith("= ...")]
    kept = [line for line in kept if line.split(" = ")[0].isidentifier()]
    start = kept.index(next(line for line in kept if line.startswith("body_bytes")))
    end = kept.index(next(line for line in kept if line.startswith("history_cache"))) + 1
    text = "\n".join([*kept[:start], "[limits]", *kept[start:end]])
    assert msgspec.convert(tomllib.loads(text), Settings) == Settings()
