"""Settings: where they come from, which wins, and what is said when one is wrong."""

from pathlib import Path

import msgspec
import pytest

from interplay.settings import DEFAULT_MODEL, Settings, SettingsError, load
from tests.api.api import requirement


def file(folder: Path, text: str) -> str:
    """A settings file."""
    path = folder / "x.toml"
    path.write_text(text)
    return str(path)


def test_without_anything_the_defaults_hold(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    loaded = load(environ={})
    assert loaded.settings == Settings()
    assert loaded.sources == {}
    assert DEFAULT_MODEL in loaded.settings.models


def test_flags_win_over_environment_over_file(tmp_path):
    config = file(tmp_path, 'port = 1\nhost = "::1"\nlog_level = "debug"\n')
    environ = {"INTERPLAY_PORT": "2", "INTERPLAY_HOST": "127.0.0.2"}
    loaded = load(config=config, environ=environ, flags={"port": 3})
    settings = loaded.settings
    assert (settings.port, settings.host, settings.log_level) == (3, "127.0.0.2", "debug")
    assert loaded.sources["port"] == "command line"
    assert loaded.sources["host"] == "environment"
    assert loaded.sources["log_level"] == config


def test_the_environment_names_nested_settings_and_lists(tmp_path):
    environ = {
        "INTERPLAY_CONFIG": file(tmp_path, "[limits]\nturns = 7\n"),
        "INTERPLAY_LIMITS__QUEUE": "5",
        "INTERPLAY_TRIGGERS__MISSED": "skip",
        "INTERPLAY_API_KEYS": "a:x, b:y",
        "INTERPLAY_GEMINI_FALLBACK": "false",
        "INTERPLAY_NOT_A_SETTING": "1",
    }
    settings = load(environ=environ).settings
    assert (settings.limits.queue, settings.limits.turns) == (5, 7)
    assert settings.triggers.missed == "skip"
    assert settings.api_keys == ["a:x", "b:y"]
    assert settings.gemini_fallback is False


def test_a_file_here_is_read(monkeypatch, tmp_path):
    (tmp_path / "interplay.toml").write_text("port = 9\n")
    monkeypatch.chdir(tmp_path)
    assert load(environ={}).settings.port == 9


@requirement("operate:config-faults")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1", ["prot", "Did you mean 'port'?"]),
        ('port = "many"', ["port"]),
        ("[limits]\nqueue = []\nturns = {}", ["limits.queue", "limits.turns"]),
        ("port = ", ["cannot be read"]),
    ],
)
def test_every_wrong_setting_is_named_with_its_source(tmp_path, text, said):
    config = file(tmp_path, text)
    with pytest.raises(SettingsError) as error:
        load(config=config, environ={})
    for part in [*said, config]:
        assert part in str(error.value)


@requirement("operate:config-faults")
def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(SettingsError, match=r"no settings file .*none\.toml"):
        load(config=str(tmp_path / "none.toml"), environ={})


@requirement("operate:config-faults")
def test_a_network_that_is_none_is_said(tmp_path):
    good = load(environ={"INTERPLAY_ALLOWED_NETWORKS": "10.0.0.0/8, fd00::1"})
    assert good.settings.allowed_networks == ["10.0.0.0/8", "fd00::1"]
    with pytest.raises(SettingsError, match=r"allowed_networks: '10\.0\.0/8' is no network"):
        load(config=file(tmp_path, 'allowed_networks = ["10.0.0/8"]'), environ={})


def test_settings_do_not_change():
    with pytest.raises(AttributeError):
        Settings().port = 1
    assert msgspec.structs.replace(Settings(), port=1).port == 1
