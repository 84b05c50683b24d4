"""`interplay serve`: flags become settings; what is wrong stops it at once."""

import subprocess
import sys

import pytest

from interplay.cli.client import Api
from tests.cli.conftest import Served, run


def test_it_listens_where_it_says_and_stops_on_request(tmp_path):
    served = Served(tmp_path)
    assert Api(served.url).health("/ready")[0] == 200
    assert served.stop() == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--config", "nowhere.toml"), "There is no settings file nowhere.toml."),
        (("--set", "limits.quee=3"), "Did you mean 'queue'?"),
        (("--set", "port"), "'port' is not NAME=VALUE."),
        (("--set", "limits.=3"), "is not NAME=VALUE."),
        (("--set", "limits.queue=many"), "limits.queue"),
        (("--port", "70000"), "--port"),
        (("--host", "0.0.0.0", "--data-dir", "data"), "api_keys"),
    ],
)
def test_what_is_wrong_is_named_and_exits_with_2(words, told):
    done = run("serve", *words)
    assert done.exit_code == 2
    assert told in done.stderr


def test_a_port_that_is_taken_is_named(served: Served):
    port = served.url.rpartition(":")[2]
    done = run("serve", "--port", port, "--data-dir", "elsewhere")
    assert done.exit_code == 2
    assert f"127.0.0.1:{port} cannot be listened on" in done.stderr


def test_a_start_that_fails_exits_with_1_and_says_why(served: Served, tmp_path):
    command = [sys.executable, "-m", "interplay", "serve", "--port", "0", "--config"]
    command += [str(served.config), "--data-dir", str(served.data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert str(served.process.pid) in done.stderr
    assert "Traceback" not in done.stderr


def test_flags_reach_the_settings(monkeypatch):
    import interplay.server.serve

    seen = []
    monkeypatch.setattr(interplay.server.serve, "serve", lambda sourced: seen.append(sourced) or 0)
    words = ("--port", "9", "--model", "m", "--log-format", "json", "--data-dir", "d")
    more = ("--set", "limits.queue=7", "--set", "cors_origins=http://a, http://b")
    assert run("serve", *words, *more).exit_code == 0
    (sourced,) = seen
    settings = sourced.settings
    assert (settings.port, settings.default_model, settings.log_format) == (9, "m", "json")
    assert (settings.data_dir, settings.limits.queue) == ("d", 7)
    assert settings.cors_origins == ["http://a", "http://b"]
    assert sourced.sources["limits.queue"] == "command line"


def test_the_exit_code_is_that_of_the_server(monkeypatch):
    import interplay.server.serve

    monkeypatch.setattr(interplay.server.serve, "serve", lambda _: 1)
    assert run("serve").exit_code == 1
