"""Which server a command talks to, and what failing means."""

import pytest

from interplay.cli.client import ApiFault, StreamLost, Unreachable
from interplay.cli.connection import (
    client_errors,
    connect,
    default_model,
    explained,
    key_of_environment,
    settings_url,
)
from interplay.settings import SettingsError
from tests.cli.loopback import Canned, json_answer


def test_the_flag_goes_before_the_environment_before_the_settings(monkeypatch, tmp_path):
    assert connect(None, None).url == "http://127.0.0.1:8080"
    (tmp_path / "interplay.toml").write_text('port = 9\ndefault_model = "m"\n')
    assert connect(None, None).url == "http://127.0.0.1:9"
    assert default_model() == "m"
    monkeypatch.setenv("INTERPLAY_URL", "http://there:1")
    assert connect(None, None).url == "http://there:1"
    assert connect("http://here:2", None).url == "http://here:2"


def test_an_address_that_means_all_is_reached_on_this_machine(monkeypatch):
    monkeypatch.setenv("INTERPLAY_HOST", "::1")
    assert settings_url() == "http://[::1]:8080"
    with Canned(json_answer("{}")) as server:
        port = server.url.rpartition(":")[2]
        assert connect(f"http://0.0.0.0:{port}", None).get("models") == {}


def test_the_key_is_the_first_the_environment_has(monkeypatch):
    assert key_of_environment() is None
    monkeypatch.setenv("GOOGLE_API_KEY", "g")
    assert key_of_environment() == "g"
    monkeypatch.setenv("GEMINI_API_KEY", "")
    monkeypatch.setenv("INTERPLAY_API_KEY", "i")
    with Canned(json_answer("{}")) as server:
        connect(server.url, None).get("models")
        connect(server.url, "flag").get("models")
    assert "x-goog-api-key: i\r\n" in server.requests[0]
    assert "x-goog-api-key: flag\r\n" in server.requests[1]


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (Unreachable("No server."), 3, "interplay serve"),
        (ApiFault(404, "not_found", "Gone."), 1, "Gone. [not_found]"),
        (ApiFault(401, "authentication", "Who?"), 1, "--key"),
        (ApiFault(500, "", "Bad \x1b[2J"), 1, "Bad \\x1b[2J"),
        (StreamLost("Broken."), 1, "cannot be resumed"),
        (SettingsError("port: no"), 2, "port: no"),
    ],
)
def test_every_error_has_an_exit_code_and_the_way_out(error, code, told):
    assert isinstance(error, client_errors())
    shown = explained(error)
    assert (shown.exit_code, told in shown.format_message()) == (code, True)
