"""Ports of loopback that nobody else takes while a test starts, ends and restarts what listens.

The system gives ports from 32768 on to whoever connects or asks for any; these lie below, and no
two processes that run tests on this machine are given the same.
"""

from __future__ import annotations

import os
import socket

from filelock import FileLock

from tests.cache import CACHE

FIRST, LAST = 15_000, 32_000


def free_port() -> int:
    """A port nobody listens on, and nobody else was given lately."""
    CACHE.mkdir(parents=True, exist_ok=True)
    last = CACHE / "port"
    with FileLock(f"{last}.lock"):
        port = int(last.read_text()) if last.exists() else FIRST + os.getpid() % (LAST - FIRST)
        for _ in range(LAST - FIRST):
            port = port + 1 if port < LAST else FIRST
            if _is_free(port):
                last.write_text(str(port))
                return port
    raise RuntimeError(f"Every port from {FIRST} to {LAST} is taken.")


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
