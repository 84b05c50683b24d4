"""Interactions, records and jobs in a PostgreSQL database that processes of many machines share.

Everything lies in the schema `interplay` of the database, which is made at the first start.

Statements are prepared, and a session is given two settings when it begins. PgBouncer therefore
needs `ignore_startup_parameters = statement_timeout, idle_in_transaction_session_timeout` and
`pool_mode = session`; in the mode `transaction` it has to prepare statements itself (version 1.21
or newer with `max_prepared_statements` above 0), and news of other processes are lost: they then
come with the next look, twice a second.
"""

from interplay.plugins.stores.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
