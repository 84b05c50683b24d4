"""The proxies' configurations: read by the proxies themselves. How they carry streams is seen in
tests/acceptance/test_two_replicas.py."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from interplay.settings import Limits
from tests.deploy.papers import DEPLOY


def checked(command: list[str]) -> str:
    """What a proxy says of a configuration; skipped where the proxy is not installed."""
    found = shutil.which(command[0], path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        pytest.skip(f"{command[0]} is not installed: apt-get install {command[0]}")
    done = subprocess.run(
        [found, *command[1:]], capture_output=True, text=True, timeout=120, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr or "it failed"


def written(folder: Path, name: str, more: str = "") -> str:
    """A configuration with addresses that exist here; the file's path."""
    text = (DEPLOY / name).read_text("utf-8")
    for replica in ("api-1:8080", "api-2:8080"):
        assert replica in text
        text = text.replace(replica, "127.0.0.1:8080")
    path = folder / name
    path.write_text(text + more)
    return str(path)


def test_nginx_accepts_its_configuration_and_would_not_another(tmp_path: Path):
    def said(more: str = "") -> str:
        path = written(tmp_path, "nginx.conf", more)
        return checked(["nginx", "-t", "-e", "stderr", "-c", path, "-p", str(tmp_path)])

    assert said() == ""
    assert "unknown directive" in said("proxy_bufering off;")


def test_haproxy_accepts_its_configuration_and_would_not_another(tmp_path: Path):
    assert checked(["haproxy", "-c", "-f", written(tmp_path, "haproxy.cfg")]) == ""
    path = written(tmp_path, "haproxy.cfg", "    balance sometimes\n")
    assert "Fatal errors" in checked(["haproxy", "-c", "-f", path])


def test_both_wait_longer_than_the_longest_run_and_take_the_largest_body():
    limits = Limits()
    nginx = (DEPLOY / "nginx.conf").read_text("utf-8")
    haproxy = (DEPLOY / "haproxy.cfg").read_text("utf-8")
    assert limits.run_seconds < 3700
    assert "proxy_read_timeout 3700s;" in nginx
    assert "timeout server 3700s" in haproxy
    assert "timeout client 3700s" in haproxy
    assert limits.body_bytes < 65 * 1024 * 1024
    assert "client_max_body_size 65m;" in nginx
