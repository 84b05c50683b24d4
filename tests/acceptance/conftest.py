"""The SDKs as their users have them: one environment per version, and a server process."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from queue import Empty, Queue

import pytest

from tests.cache import kept, python_with

SAMPLES = Path(__file__).parent / "samples"
SETTINGS = """
host = "127.0.0.1"
port = 0
data_dir = "{folder}/data"
cache_dir = "{folder}/cache"
preload = false

[models."gemini-*"]
backend = "scripted"
echo = true

[models.slow]
backend = "scripted"
echo = true
pace = 0.05
"""
LISTENING = re.compile(r"http://[\d.]+:\d+")
RECORD = "\x1e"


def python_sdk(version: str, scratch: Path) -> list[str]:
    """The command that runs the Python samples with this version of google-genai."""
    python = python_with(f"python-{version}", f"google-genai=={version}")
    return [str(python), "-W", "ignore", str(SAMPLES / "python" / "run.py")]


def js_sdk(version: str, scratch: Path) -> list[str]:
    """The command that runs the JavaScript samples with this version of @google/genai.

    Modules are looked up beside the file that imports them, so the samples are copied into
    a folder that has them.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    package = f"@google/genai@{version}"
    install = [npm, "install", "--silent", "--no-audit", "--no-fund", package]
    folder = kept(f"js-{version}", [[npm, "init", "--yes"], install])
    shutil.copytree(SAMPLES / "js", scratch / "js")
    (scratch / "node_modules").symlink_to(folder / "node_modules")
    return [node, str(scratch / "js" / "run.mjs")]


class Server:
    """`interplay serve` as a process."""

    def __init__(self, folder: Path) -> None:
        settings = folder / "interplay.toml"
        settings.write_text(SETTINGS.format(folder=folder), encoding="utf-8")
        self._said: list[str] = []
        self._lines: Queue[str] = Queue()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("INTERPLAY_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "interplay", "serve", "--config", str(settings)],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        try:
            self.url = self._address()
        except BaseException:
            self.stop()
            raise

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._said.append(line)
            self._lines.put(line)

    def _address(self) -> str:
        while True:
            try:
                line = self._lines.get(timeout=90)
            except Empty:
                raise RuntimeError(f"The server did not start: {self.log}") from None
            if address := LISTENING.search(line):
                return address[0]

    @property
    def log(self) -> str:
        """What the server has said, its last lines."""
        return "".join(self._said[-60:])

    def stop(self) -> int:
        """Ends it as an operator would; answers the exit status."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout=90)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=20)
            raise


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the whole matrix; nothing but our signal may end it."""
    running = Server(tmp_path_factory.mktemp("serve"))
    yield running
    assert running.stop() in (0, -signal.SIGTERM), running.log


@cache
def outcomes(url: str, language: str, version: str, style: str) -> dict[str, str | None]:
    """Sample -> what went wrong in it, None for nothing; all of a style in one process."""
    with tempfile.TemporaryDirectory() as scratch:
        command = {"python": python_sdk, "js": js_sdk}[language](version, Path(scratch))
        return _told(url, command, style)


def _told(url: str, command: list[str], style: str) -> dict[str, str | None]:
    folder = Path(command[-1]).parent / style
    scripts = sorted(str(path) for path in folder.iterdir() if path.suffix in (".py", ".mjs"))
    done = subprocess.run(
        [*command, *scripts],
        env={
            "PATH": os.environ["PATH"],
            "GOOGLE_GEMINI_BASE_URL": url,
            "GEMINI_API_KEY": "test",
            "NO_PROXY": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        timeout=360,
        check=False,
    )
    lines = [line for line in done.stdout.split("\n") if line.startswith(RECORD)]
    told = [json.loads(line.removeprefix(RECORD)) for line in lines]
    results: dict[str, str | None] = {Path(one["sample"]).stem: one["error"] for one in told}
    results[""] = None if done.returncode == 0 else done.stdout[-2000:] + done.stderr[-2000:]
    return results
