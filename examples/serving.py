"""A server of one's own: what the other examples start where they are not told of another.

with serving('allowed_networks = ["127.0.0.0/8"]') as url:
    ...

It listens on a free loopback port and keeps its data in a folder that is gone afterwards; models
come from where `interplay models pull` lays them. Run alone, this file starts one and stops it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

STARTS_WITHIN = 120
ENDS_WITHIN = 60
LISTENING = re.compile(r"listening on (http://\S+)")


@contextmanager
def serving(settings: str = "") -> Generator[str]:
    """A server with these settings, in TOML; yields its address and stops it afterwards.

    A server that does not start within STARTS_WITHIN seconds ends the program; it and one that
    ends too early are shown with the last lines of their log.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file, log = folder / "interplay.toml", folder / "log"
        here = f'data_dir = "{folder.as_posix()}/data"\npreload = false\n'
        file.write_text(here + settings, encoding="utf-8")
        command = [sys.executable, "-m", "interplay", "serve", "--config", str(file), "--port", "0"]
        with log.open("wb") as said:
            server = subprocess.Popen(command, stdout=said, stderr=said, env=_environment())
        try:
            yield _address(server, log)
            if server.poll() is not None:
                raise SystemExit(f"The server ended too early.\n{_end_of(log)}")
        except Exception:
            if server.poll() is not None:
                print(f"The server ended too early.\n{_end_of(log)}", file=sys.stderr)
            raise
        finally:
            server.terminate()
            try:
                server.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@contextmanager
def reached(settings: str = "") -> Generator[str]:
    """The server of INTERPLAY_URL; where that is not set, one of our own with these settings."""
    if named := os.environ.get("INTERPLAY_URL"):
        yield named
    else:
        with serving(settings) as url:
            yield url


def _environment() -> dict[str, str]:
    """Ours, without settings that are meant for another server."""
    kept = {"INTERPLAY_CACHE_DIR"}
    ours = os.environ.items()
    return {name: v for name, v in ours if not name.startswith("INTERPLAY_") or name in kept}


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    """Where it listens, as soon as it says so."""
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        ended = server.poll() is not None
        if said := LISTENING.search(log.read_text(encoding="utf-8", errors="replace")):
            return said[1]
        if ended:
            break
        time.sleep(0.1)
    raise SystemExit(f"The server did not start.\n{_end_of(log)}")


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:])


if __name__ == "__main__":
    with serving() as address:
        print(f"A server answered at {address} and is stopped again.")
