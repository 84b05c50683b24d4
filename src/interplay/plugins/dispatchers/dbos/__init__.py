"""Work shared over PostgreSQL by DBOS Transact: as many processes on as many machines as one likes.

DBOS carries the jobs: queues, workflows and their owners lie in its own schema,
`interplay_dbos`. In `interplay_dispatch` lies what DBOS does not have: which job there is under
which kind and id, and who is alive. Both need a direct connection to the database, not one
through a pooler in transaction mode. The `dbos` package is imported by a process only when it
works, or makes the tables.
"""

from interplay.plugins.dispatchers.dbos.dispatcher import DbosDispatcher

__all__ = ["DbosDispatcher"]
