"""One real `interplay serve` for all tests of the commands, and a way to run them against it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from interplay.cli.client import Api
from interplay.cli.program import program
from interplay.settings import DEFAULT_MODELS

SETTINGS = """
default_model = "echo"
data_dir = "{folder}/data"
cache_dir = "{folder}/cache"
log_level = "warning"
{embedded}
[models.echo]
backend = "scripted"
echo = true
[models.slow]
backend = "scripted"
echo = true
pace = 0.05
[models.slower]
backend = "scripted"
echo = true
pace = 0.3
[models.breaking]
backend = "scripted"
repeat = true
replies = [{{chunks = ["half "], fail = {{code = "bad_gateway", message = "It broke."}}}}]
[models.short]
backend = "scripted"
repeat = true
replies = [{{text = "cut", end = {{reason = "length"}}}}]
[models.citing]
backend = "scripted"
repeat = true
replies = [{{text = "So it is.", deltas = [{{type = "text_annotation_delta", annotations = [
  {{type = "url_citation", url = "https://example.com/a", title = "A page"}}]}}]}}]
"""
_EMBEDDED = "\n".join(f'models."{name}".backend = "scripted"' for name in DEFAULT_MODELS)
START_SECONDS = 90

Cli = Callable[..., Result]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting, key or file of the machine reaches a test."""
    for name in os.environ:
        if name.startswith("INTERPLAY_") or name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)


class Served:
    """A server process, started by the command under test."""

    def __init__(self, folder: Path) -> None:
        config = folder / "interplay.toml"
        config.write_text(SETTINGS.format(folder=folder, embedded=_EMBEDDED))
        command = [sys.executable, "-m", "interplay", "serve", "--config", str(config)]
        command += ["--port", "0"]
        environ = {k: v for k, v in os.environ.items() if not k.startswith("INTERPLAY_")}
        self.log = folder / "server.log"
        self.config, self.data = config, folder / "data"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=environ, cwd=folder
            )
        self.url = self._first_line().rpartition(" ")[2].strip()
        Api(self.url).health("/ready", seconds=START_SECONDS)

    def _first_line(self) -> str:
        assert self.process.stdout is not None
        timer = threading.Timer(START_SECONDS, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        assert "http://" in line, f"{line!r} {self.log.read_text()}"
        return line

    def stop(self) -> int:
        """Ends it as Ctrl-C would; answers its exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server all tests of the commands share."""
    server = Served(tmp_path_factory.mktemp("served"))
    yield server
    assert server.stop() == 0


@pytest.fixture
def api(served: Served) -> Api:
    """A client of that server."""
    return Api(served.url)


@pytest.fixture
def cli(served: Served, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs a command line in process: `cli("ask", "hi", input="")`; INTERPLAY_URL leads to the
    server, and the settings are those it was started with."""
    monkeypatch.setenv("INTERPLAY_URL", served.url)
    monkeypatch.setenv("INTERPLAY_CONFIG", str(served.config))
    return run


def run(*words: str, input: str | bytes = "") -> Result:
    """Runs a command line in process."""
    return CliRunner().invoke(program, list(words), input=input, catch_exceptions=False)
