"""DBOS in this process: it carries jobs to whoever has a place for them.

DBOS can be there once in a process, so the dispatchers of one process share it; usually there is
one. It runs on threads and an event loop of its own: what it does never holds up ours.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar, Protocol, TypeVar

import sqlalchemy
from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, WorkflowStatus, error
from dbos._core import ActiveWorkflowById
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from interplay.contracts.store import StoreAway, StoreUnusable
from interplay.plugins.dispatchers.dbos.gate import Gate
from interplay.plugins.dispatchers.dbos.ledger import Carried
from interplay.plugins.dispatchers.dbos.pool import Pool
from interplay.plugins.dispatchers.dbos.quiet import quieten

SCHEMA = "interplay_dbos"
APPLICATION = "interplay"
VERSION = "1"
"""Of the shape of the workflow below; DBOS gives a workflow only to processes of its version."""
WORKFLOW = "interplay_job"
LAND_SECONDS = 4.0
"""How long the end of DBOS is waited for."""
ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]

_log = logging.getLogger("interplay.dispatch")
T = TypeVar("T")


class Taker(Protocol):
    """Who does jobs: a dispatcher of this process."""

    executor: str

    def free(self, kind: str) -> int:
        """How many more jobs of a kind it has places for; asked from other threads too."""
        ...

    async def carry(self, job: Carried) -> None:
        """Does a job. A CancelledError hands it back."""
        ...

    def dismissed(self) -> None:
        """DBOS has ended here, though this one still works."""
        ...


@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
async def _carry(kind: str, id: str) -> None:
    """One job, once. There are no steps: what was done stands in the store, behind its fences."""
    engine = Engine.here
    workflow = DBOS.workflow_id
    if engine is None or workflow is None:
        raise asyncio.CancelledError
    await engine.carried(Carried(kind, id, workflow))


class _Counted(ActiveWorkflowById):
    """What DBOS asks before it takes work: how many of a queue run here. It is told so many that
    exactly our free places are left of `Gate.LIMITLESS`, which is what the queues allow: so each
    process has its own places, and work without a job counts too."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate

    def count_for_queue(self, queue_name: str) -> int:
        return self._gate.count(queue_name)


class Engine:
    """DBOS, running under the name of one executor."""

    here: ClassVar[Engine | None] = None
    """The one of this process, while it runs."""
    _turn: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, url: str, executor: str) -> None:
        self.executor = executor
        """The owner of what DBOS runs here, as it stands in the database."""
        self.gate = Gate(self.free)
        self.url = url
        self.ended = False
        self.takers: list[Taker] = []
        """Who works here."""
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="interplay-dispatch")
        self._pool = Pool(url)
        self._client: DBOSClient | None = None
        self._active: ActiveWorkflowById | None = None
        self._returned: dict[str, str] = {}
        self._returning: asyncio.Task[None] | None = None

    async def start(self, kinds: Collection[str]) -> None:
        """Begins to take work of these kinds. Raises StoreAway, and StoreUnusable when DBOS is
        there already in this process, over another database."""
        if not Engine._turn.acquire(blocking=False):
            raise StoreUnusable("DBOS is in use in this process already.")
        launch = asyncio.ensure_future(self._in_thread(partial(self._launch, sorted(kinds))))
        try:
            await asyncio.shield(launch)
        except BaseException:
            self._pool.end()
            await asyncio.wait([launch])  # a thread cannot be stopped half-way
            await self._land()
            raise
        Engine.here = self

    async def stop(self) -> None:
        """Ends DBOS; what it still ran is nobody's once its executor counts as dead."""
        Engine.here = None
        self.ended = True
        if self._returning is not None:
            self._returning.cancel()
        await self._land()

    async def add(self, taker: Taker, kinds: Collection[str]) -> None:
        """One more dispatcher of this process works."""
        client = self._control()
        await self._in_thread(lambda: _queues(client, kinds))
        self.takers.append(taker)
        for kind in kinds:
            self.gate.look(kind)

    def free(self, kind: str) -> int:
        """The places of all who work here."""
        return sum(taker.free(kind) for taker in self.takers)

    async def carried(self, job: Carried) -> None:
        """Called by DBOS, on its own event loop."""
        try:
            doing = asyncio.run_coroutine_threadsafe(self._do(job), self._loop)
        except RuntimeError as fault:  # our loop has ended: others will do it
            raise asyncio.CancelledError from fault
        await asyncio.wrap_future(doing)

    async def _do(self, job: Carried) -> None:
        takers = [taker for taker in self.takers if taker.free(job.kind)] or self.takers
        try:
            if not takers:
                raise asyncio.CancelledError
            await takers[0].carry(job)
        except asyncio.CancelledError:
            self.give_back(job)
            raise

    def give_back(self, job: Carried) -> None:
        """Makes a job nobody's, soon: another process can take it."""
        self._returned[job.workflow] = job.kind
        if self._returning is None or self._returning.done():
            self._returning = asyncio.create_task(self._return())

    async def given_back(self) -> None:
        """Returns when nothing is left to be made nobody's."""
        while self._returning is not None and not self._returning.done():
            await asyncio.wait([self._returning])

    async def _return(self) -> None:
        while self._returned:
            returned, self._returned = self._returned, {}
            try:
                await self.resume(returned)
            except StoreAway as fault:  # whoever finds this executor dead takes it
                _log.warning("jobs could not be handed back: %s", fault)

    async def pending(self, executors: Collection[str]) -> dict[str, str]:
        """What DBOS runs, or believes to run, in these executors: workflows and their kinds."""
        found = await self._listed(status="PENDING", executor_id=list(executors), limit=5_000)
        return {each.workflow_id: each.queue_name or "" for each in found}

    async def owners(self) -> set[str]:
        """The executors in which DBOS believes something to run."""
        found = await self._listed(status="PENDING", limit=20_000)
        return {each.executor_id for each in found if each.executor_id}

    async def lost(self, workflows: Collection[str]) -> set[str]:
        """Those of these workflows that are not there, or have ended."""
        found = await self._listed(workflow_ids=list(workflows))
        return set(workflows) - {each.workflow_id for each in found if each.status not in ENDED}

    async def resume(self, workflows: dict[str, str]) -> None:
        """Puts workflows back into the queues of their kinds, for anybody."""
        kinds = {
            kind: [w for w in workflows if workflows[w] == kind] for kind in workflows.values()
        }
        client = self._control()
        for kind, ids in kinds.items():
            await self._in_thread(partial(client.resume_workflows, ids, queue_name=kind))

    async def cancel(self, workflows: list[str]) -> None:
        """Takes workflows from their queues, for good."""
        await self._in_thread(partial(self._control().cancel_workflows, workflows))

    async def sweep(self, before: str, limit: int) -> int:
        """Removes workflows that ended before a time (ISO 8601); answers how many."""
        ended = await self._listed(status=ENDED, completed_before=before, limit=limit)
        ids = [status.workflow_id for status in ended]
        if ids:
            await self._in_thread(partial(self._control().delete_workflows, ids))
        return len(ids)

    def running(self) -> set[str]:
        """The workflows that are being carried here."""
        return set(self._active.activeList()) if self._active is not None else set()

    async def _listed(self, **which: Any) -> list[WorkflowStatus]:
        listing = partial(
            self._control().list_workflows, **which, load_input=False, load_output=False
        )
        return await self._in_thread(listing)

    def _control(self) -> DBOSClient:
        if self._client is None:
            raise StoreAway("DBOS does not run.")
        return self._client

    async def _in_thread(self, call: Callable[[], T]) -> T:
        try:
            return await self._loop.run_in_executor(self._threads, call)
        except SQLAlchemyError as fault:
            raise StoreAway(f"The database is away: {fault}") from fault
        except error.DBOSException as fault:
            raise StoreUnusable(f"DBOS says: {fault}") from fault

    def _launch(self, kinds: list[str]) -> None:
        self._client = DBOSClient(
            system_database_engine=self._pool.engine,
            dbos_system_schema=SCHEMA,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            retry_connection_errors=False,
            lazy=True,
        )
        try:
            _queues(self._client, kinds)
        except ProgrammingError:  # the tables are those of an older version of DBOS
            migrate(self.url)
            _queues(self._client, kinds)
        instance = DBOS(
            config={
                "name": APPLICATION,
                "executor_id": self.executor,
                "application_version": VERSION,
                "system_database_engine": self._pool.engine,
                "dbos_system_schema": SCHEMA,
                "serializer": DBOSPortableJSONSerializer(),
                "max_executor_threads": 4,
                "use_listen_notify": False,
                "notification_listener_polling_interval_sec": 0.25,
                "scheduler_polling_interval_sec": 3_600.0,
                "log_level": "WARNING",
            }
        )
        if not isinstance(getattr(instance, "_active_workflows_set", None), ActiveWorkflowById):
            raise StoreUnusable("This version of the dbos package counts its work in another way.")
        self._active = instance._active_workflows_set = _Counted(self.gate)  # pyright: ignore
        DBOS.launch()

    async def _land(self) -> None:
        await self.gate.shut()
        self._client = None
        self._pool.end()
        landed = asyncio.Event()
        threading.Thread(target=self._destroy, args=[landed], daemon=True).start()
        try:
            async with asyncio.timeout(LAND_SECONDS):
                await landed.wait()
        except TimeoutError:
            _log.warning("DBOS does not end in %.0f s; it is left to itself", LAND_SECONDS)

    def _destroy(self, landed: asyncio.Event) -> None:
        try:
            DBOS.destroy()
        finally:
            self._pool.close()
            self._threads.shutdown(wait=False)
            Engine._turn.release()
            with suppress(RuntimeError):  # our loop has ended before
                self._loop.call_soon_threadsafe(landed.set)


def _queues(client: DBOSClient, kinds: Collection[str]) -> None:
    """Each kind has its queue, known to every process; runs are looked for most often."""
    for kind in kinds:
        client.register_queue(
            kind,
            worker_concurrency=Gate.LIMITLESS,
            polling_interval_sec=0.1 if kind == "run" else 0.4,
            on_conflict="always_update",
        )


def migrate(url: str) -> None:
    """Makes or renews the tables of DBOS. Raises StoreUnusable."""
    quieten()
    patient = sqlalchemy.make_url(url).update_query_dict({"connect_timeout": "5"})
    try:
        DBOS.migrate(patient.render_as_string(hide_password=False), schema=SCHEMA)
    except (SQLAlchemyError, error.DBOSException) as fault:
        raise StoreUnusable(f"The tables of DBOS cannot be made: {fault}") from fault
