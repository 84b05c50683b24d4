"""Interactions, records and jobs in a PostgreSQL database that processes of many machines share.

Everything lies in the schema `interplay` of the database, which is made at the first start. A
pooler in front of it must hand out sessions, or prepare statements itself (PgBouncer: pool_mode
transaction with max_prepared_statements, and `ignore_startup_parameters =
statement_timeout, idle_in_transaction_session_timeout`); news of other processes need a session
of their own, and without one they come with the next look.
"""

from interplay.plugins.stores.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
