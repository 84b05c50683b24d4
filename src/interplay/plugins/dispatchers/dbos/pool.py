"""The connections of DBOS: made with patience, so that an outage only makes it wait.

Where a connection cannot be had, DBOS would try again after a second, then two, and at last
after a minute: long after a database was back, nothing would be done. Here it waits for the
connection itself.
"""

from __future__ import annotations

import logging
import threading

import psycopg
import sqlalchemy

from interplay.contracts.store import StoreAway

CONNECTIONS = 5
"""Connections of DBOS that are kept, in each process that works."""
MORE = 15
"""Connections beside those, while it has a lot to do: there are as many as it has threads, since
one that waited for another's connection would wait for ever when that one gives up."""
TRY_SECONDS = 0.2
"""Between two tries to connect while the database is away."""

_log = logging.getLogger("interplay.dispatch")


class Pool:
    """A pool for DBOS, until it is ended."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._ended = threading.Event()
        self._told = False
        self.engine = sqlalchemy.create_engine(
            sqlalchemy.make_url(url).set(drivername="postgresql+psycopg"),
            creator=self._connected,
            pool_size=CONNECTIONS,
            max_overflow=MORE,
        )

    def end(self) -> None:
        """Nobody waits for a connection any more: whoever does gets StoreAway."""
        self._ended.set()

    def close(self) -> None:
        """Lets go of the connections."""
        self._ended.set()
        self.engine.dispose()

    def _connected(self) -> psycopg.Connection:
        while not self._ended.is_set():
            try:
                connection = psycopg.connect(
                    self._url,
                    application_name="interplay dbos",
                    connect_timeout=5,
                    keepalives_idle=3,
                    keepalives_interval=1,
                    keepalives_count=3,
                )
            except psycopg.OperationalError as error:
                if not self._told:
                    self._told = True
                    _log.warning("DBOS waits for the database: %s", error)
                self._ended.wait(TRY_SECONDS)
                continue
            # A frozen process must not keep rows locked for long.
            connection.execute("SET idle_in_transaction_session_timeout = '10s'")
            connection.commit()
            self._told = False
            return connection
        raise StoreAway("DBOS ends here.")
