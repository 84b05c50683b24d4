"""Several processes of the server over one database, behind a proxy: what `deploy/` sets up."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import tomli_w

from tests.api.test_ask import ASKS
from tests.ports import free_port


def _in_toml(reply: Any) -> Any:
    """TOML has no null: arguments of calls are written as JSON."""
    calls = [
        {k: v for k, v in call.items() if k != "arguments"}
        | ({"raw": json.dumps(call["arguments"])} if "arguments" in call else {})
        for call in reply.get("calls", ())
    ]
    return {**reply, "calls": calls} if calls else reply


DEPLOY = Path(__file__).parents[2] / "deploy"
SBIN = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
MODELS: dict[str, Any] = {
    "m": {"backend": "scripted", "echo": True},
    "gemini-*": {"backend": "scripted", "echo": True},
    "slow": {"backend": "scripted", "echo": True, "pace": 0.05},
    **{
        f"ask-{name}": {"backend": "scripted", "replies": [_in_toml(reply)], "repeat": True}
        for name, (reply, _) in ASKS.items()
    },
}


class Process:
    """One process with a log; `url` is where it says it listens."""

    def __init__(self, command: list[str], log: Path, seconds: float = 90) -> None:
        self._log = log
        environment = {k: v for k, v in os.environ.items() if not k.startswith("INTERPLAY_")}
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, env=environment
            )
        self._until = time.monotonic() + seconds

    def listening(self) -> str:
        """Waits until it says where; the address."""
        while True:
            found = re.findall(r" on (http://[\d.]+:\d+)", self._log.read_text())
            if found:
                return found[-1]
            self.waited()

    def waited(self) -> None:
        """Waits a moment of the time it has to start; raises when it has ended or takes longer."""
        if self._process.poll() is not None or time.monotonic() > self._until:
            self.end(signal.SIGKILL)
            raise RuntimeError(f"It did not start: {self._log.read_text()[-3000:]}")
        time.sleep(0.02)

    def end(self, how: signal.Signals = signal.SIGTERM, seconds: float = 90) -> int:
        """Ends it; answers the exit status."""
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=seconds)
            raise

    def log(self) -> str:
        """The end of what it said."""
        return self._log.read_text()[-3000:]


class Replicas:
    """Two API processes and a worker over one database, and a proxy before them.

    `database` is the address of a PostgreSQL, or "" for a file all processes share.
    """

    def __init__(self, folder: Path, proxy: str, database: str = "") -> None:
        self._folder, self._database = folder, database
        self._config = folder / "interplay.toml"
        settings = {"preload": False, "blobs_url": str(folder / "blobs"), "models": MODELS}
        self._config.write_text(tomli_w.dumps(settings))
        self._ports = [free_port(), free_port()]
        self.addresses = [f"http://127.0.0.1:{port}" for port in self._ports]
        self.processes: list[Process] = []
        self.proxy: Process | None = None
        try:
            self.processes.append(self._api(0))
            self.processes[0].listening()  # it brings the database up to date, alone
            self.processes += [self._api(1), self._server("worker", "worker", "--port", "0")]
            for process in self.processes:
                process.listening()
            self.url = self._front(proxy)
        except BaseException:
            self.close()
            raise

    def restart(self, number: int, how: signal.Signals = signal.SIGTERM) -> int:
        """Ends an API process and starts it again at its port; answers how it ended."""
        status = self.processes[number].end(how)
        self.processes[number] = self._api(number)
        self.processes[number].listening()
        return status

    def logs(self) -> str:
        """What each process said last."""
        return "\n".join(process.log() for process in self.processes)

    def close(self) -> None:
        """Ends everything."""
        for process in self.processes:
            process.end(signal.SIGKILL)
        if self.proxy is not None:
            self.proxy.end(signal.SIGTERM)  # killed, it would leave its own processes behind

    def _api(self, number: int) -> Process:
        return self._server(
            f"api-{number}", "serve", "--role", "api", "--port", str(self._ports[number])
        )

    def _server(self, name: str, *arguments: str) -> Process:
        place = ["--database", self._database] if self._database else ["--shared"]
        data = self._folder / ("data" if not self._database else f"data-{name}")
        command = [sys.executable, "-m", "interplay", *arguments, *place]
        command += ["--data-dir", str(data), "--config", str(self._config)]
        return Process(command, self._folder / f"{name}.log.{time.monotonic_ns()}")

    def _front(self, proxy: str) -> str:
        """Starts the proxy with the configuration of deploy/, at addresses of ours."""
        port = free_port()
        name = {"nginx": "nginx.conf", "haproxy": "haproxy.cfg"}[proxy]
        text = (DEPLOY / name).read_text("utf-8")
        for number, ours in enumerate(self._ports, 1):
            text = _replaced(text, f"api-{number}:8080", f"127.0.0.1:{ours}")
        if proxy == "nginx":
            text = _replaced(text, "listen 8080", f"listen 127.0.0.1:{port}")
            text = _replaced(text, "/tmp/", f"{self._folder}/nginx-")
            user = "user root;" if os.geteuid() == 0 else ""
            arguments = ["-p", str(self._folder), "-e", "stderr", "-g", f"daemon off; {user}", "-c"]
        else:
            text = _replaced(text, "bind :8080", f"bind 127.0.0.1:{port}")
            text = _replaced(text, "maxconn 40000", "maxconn 1000")
            arguments = ["-db", "-f"]
        path = self._folder / name
        path.write_text(text)
        command = [shutil.which(proxy, path=SBIN) or proxy, *arguments, str(path)]
        self.proxy = Process(command, self._folder / f"{proxy}.log")
        url = f"http://127.0.0.1:{port}"
        while not _answers(f"{url}/ready"):
            self.proxy.waited()
        return url


def has_proxy(name: str) -> bool:
    """Whether this proxy is installed."""
    return shutil.which(name, path=SBIN) is not None


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text, old
    return text.replace(old, new)


def _answers(url: str) -> bool:
    with suppress(OSError, urllib.error.HTTPError), urllib.request.urlopen(url, timeout=2) as said:
        return said.status == 200
    return False
