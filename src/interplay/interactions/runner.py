"""Runs interactions: how many at a time, how long, and how each of them ends."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

import msgspec

from interplay.contracts.dispatcher import Dispatcher
from interplay.contracts.failpoint import reached
from interplay.contracts.failure import Failure
from interplay.contracts.store import Store, StoreFull, StoreUnavailable
from interplay.interactions.admit import Admitted
from interplay.interactions.failures import GenerationFault, Rejected
from interplay.interactions.history import History
from interplay.interactions.journal import Ended, Journal, OutputLimit
from interplay.interactions.loop import Conversation, converse
from interplay.interactions.roster import Roster
from interplay.interactions.run import AgentRun
from interplay.interactions.writer import Writer
from interplay.settings import Limits
from interplay.wire.errors import Error
from interplay.wire.events import InteractionStatusUpdate
from interplay.wire.generation import GenerationConfig
from interplay.wire.usage import InteractionStatus

log = logging.getLogger("interplay.runner")

PATIENCE = 4.0
"""Seconds a caller waits for the end of what he cancelled; a full disk is looked at more often."""
_STOP_SECONDS = 1.5
"""How long a run may take to stop."""
STOPPED = "The server was stopped before this ended."
RUN = "run"
"""The kind of the jobs that run an interaction; their id is the interaction's."""
CANCEL = "cancel"
"""The kind of the records by which a process is asked to cancel; their id is the interaction's."""
_TIER = {"priority": 0, "standard": 1, "flex": 2, "deferred": 3}


class Running(msgspec.Struct, eq=False):
    """An interaction that is being run by this process, or was handed over by it."""

    journal: Journal
    admitted: Admitted
    job: bool = False
    """A job of the dispatcher runs it, and holds its place."""
    handed_over: bool = False
    """There was no place for it here: whoever takes its job runs it."""
    task: asyncio.Task[None] | None = None
    handed_back: bool = False
    began: float = 0.0
    """When its run began, on the event loop's clock."""
    late: bool = False
    """It ran past its wall time."""
    error: Failure | GenerationFault | Rejected | None = None
    """Why it failed, for a caller who waits."""


class Runner:
    """Runs of this process. `live` holds them by interaction id until they have ended."""

    def __init__(
        self,
        roster: Roster,
        store: Store,
        history: History,
        dispatcher: Dispatcher,
        limits: Limits,
        *,
        works: bool = True,
    ) -> None:
        self.live: dict[str, Running] = {}
        self.on_end: Callable[[Running], None] | None = None
        self.works = works
        """Whether background runs may begin in this process."""
        self._roster, self._store = roster, store
        self._history, self._limits = history, limits
        self._dispatcher = dispatcher
        self._behind = self._arriving = 0
        self._per_owner: Counter[str] = Counter()
        self._leaving = self._draining = False
        self._cancels: set[asyncio.Task[None]] = set()
        self._watch: asyncio.TimerHandle | None = None

    @property
    def executor(self) -> str:
        """The name of this process."""
        return self._dispatcher.executor

    async def queued(self) -> int:
        """Background runs that wait for a place, of all processes."""
        return await self._dispatcher.waiting(RUN)

    async def reserve(self, owner: str, *, background: bool) -> bool:
        """Takes a place for a run, or one in the queue, to be kept until `unreserve`; whether it
        may begin in this process. Raises Rejected with a time to come back when there is none."""
        if self._draining:
            raise Rejected(
                "service_unavailable", "The server is shutting down; try again.", retry_after=2
            )
        if background:
            return await self._reserve_behind()
        if self._per_owner[owner] >= self._limits.runs_per_key:
            raise Rejected(
                "too_many_requests",
                f"{self._limits.runs_per_key} interactions of this key are running"
                " (limits.runs_per_key).",
                retry_after=1,
            )
        self._per_owner[owner] += 1
        return True

    async def _reserve_behind(self) -> bool:
        if self.works and not self._leaving and self._behind < self._limits.background_runs:
            self._behind += 1
            self._dispatcher.occupy(RUN, 1)
            return True
        self._arriving += 1
        try:
            waiting = await self.queued() + self._arriving - 1
            if waiting >= self._limits.queue:
                raise Rejected(
                    "too_many_requests",
                    f"{waiting} background interactions are waiting (limits.queue).",
                    retry_after=5,
                )
        except BaseException:
            self._arriving -= 1
            raise
        return False

    def unreserve(self, owner: str, *, background: bool, placed: bool, begun: bool) -> None:
        """Gives the place back; a foreground run that has begun has one of its own, a background
        run keeps it."""
        if not background:
            self._leave(owner)
        elif not placed:
            self._arriving -= 1
        elif not begun:
            self._unplace()

    def _leave(self, owner: str) -> None:
        self._per_owner[owner] -= 1
        if not self._per_owner[owner]:
            del self._per_owner[owner]

    def _unplace(self) -> None:
        self._behind -= 1
        self._dispatcher.occupy(RUN, -1)

    def start(self, running: Running, *, here: bool = False) -> None:
        """Runs it now; a background run has its place, or its job has. `here` leaves the running
        to the caller, who awaits `carry`."""
        self.live[running.journal.row.id] = running
        if running.job:
            self._behind += 1
        elif not running.admitted.background:
            self._per_owner[running.admitted.owner] += 1
        if not here:
            self._launch(running)

    async def hand_over(self, running: Running) -> None:
        """Leaves a stored run to whichever process has a place for it."""
        await running.journal.hand_over()
        running.handed_over = True
        reached("created")
        row, tier = running.journal.row, running.admitted.asked.service_tier
        await self._dispatcher.submit(RUN, row.id, tier=_TIER[tier or "standard"])

    async def hand_back(self, running: Running) -> None:
        """Stops a background run, with all it wrote committed, and lets others go on with it."""
        running.handed_back = True
        if running.task is not None:
            running.task.cancel()
            await asyncio.wait([running.task], timeout=_STOP_SECONDS)
        journal = running.journal
        if journal.ended:
            return
        await journal.let_go()
        try:
            await self._store.release(journal.row.id, journal.epoch)
            if not running.job:
                await self._dispatcher.submit(RUN, journal.row.id)
        except StoreUnavailable as error:
            # Whoever finds this process gone takes it up.
            log.warning("not handed back: %s", error, extra={"interaction": journal.row.id})

    async def carry(self, running: Running) -> None:
        """Runs it in the caller's own task: one who waits for the end anyway needs no other."""
        task = asyncio.current_task()
        assert task is not None
        self._watch_over(running, task)
        await self._run(running)

    def _launch(self, running: Running) -> None:
        task = asyncio.get_running_loop().create_task(self._run(running))
        self._watch_over(running, task)

    def _watch_over(self, running: Running, task: asyncio.Task[None]) -> None:
        loop = asyncio.get_running_loop()
        running.task = task
        running.began = loop.time()
        if self._watch is None:
            # One timer for all runs: one for each would cost every request.
            every = min(1.0, self._limits.run_seconds / 4)
            self._watch = loop.call_later(every, self._look, every)

        def lost() -> None:
            task.cancel()

        running.journal.on_lost = lost

    def _look(self, every: float) -> None:
        """Stops the runs that are past their wall time."""
        loop = asyncio.get_running_loop()
        before = loop.time() - self._limits.run_seconds
        for running in list(self.live.values()):
            if running.task is None or running.began >= before:
                continue
            if not running.late and not running.journal.closing:  # its end may take its time
                running.late = True
                running.task.cancel()
        self._watch = loop.call_later(every, self._look, every) if self.live else None

    def _left(self, running: Running) -> None:
        """A run has let go: its place is free."""
        self.live.pop(running.journal.row.id, None)
        if running.job:
            self._behind -= 1
        elif running.admitted.background:
            self._unplace()
        else:
            self._leave(running.admitted.owner)

    async def _run(self, running: Running) -> None:
        journal = running.journal
        try:
            status, errors = await self._attempt(running)
            if await journal.end(status, errors=errors):
                self._remember(running)
        except asyncio.CancelledError:
            if running.handed_back or journal.lost or journal.closing:
                if running.task is not None:
                    running.task.uncancel()  # it may be the request's own, which goes on
                return  # it was told to stop, and whoever told it sees to its end
            await journal.end("failed", errors=[Error("cancelled", STOPPED)])
            raise
        except Exception:
            # The store broke at the end; the journal is lost, and who waits for it was told.
            log.exception("end not stored", extra={"interaction": journal.row.id})
        finally:
            self._left(running)
            if self.on_end is not None:
                self.on_end(running)

    def _remember(self, running: Running) -> None:
        row, stored = running.journal.row, running.admitted.asked.store is not False
        if stored and running.journal.failure is None and not running.journal.fold.media:
            steps = [*running.admitted.input, *running.journal.fold.steps]
            made = running.journal.ending.steps if running.journal.ending is not None else b""
            self._history.follow(row.parent, row.id, row.owner, steps, row.input, made)

    async def _attempt(self, running: Running) -> tuple[InteractionStatus, list[Error]]:
        journal = running.journal
        try:
            if journal.count < 2:
                journal.append(InteractionStatusUpdate(journal.row.id, "in_progress"))
            return await self._drive(running), []
        except asyncio.CancelledError:
            if not running.late:
                raise
            running.error = Failure(
                f"The run took longer than {self._limits.run_seconds:g} s (limits.run_seconds).",
                code="deadline_exceeded",
            )
        except (Failure, GenerationFault, Rejected) as failure:
            running.error = failure
        except OutputLimit:
            return "incomplete", []
        except Ended:
            return "cancelled", []
        except Exception:
            # The boundary of a run: whatever broke in it ends this interaction and no other.
            log.exception("run failed", extra={"interaction": journal.row.id})
            running.error = Failure(
                "The run broke off because of a fault in the server or one of its plugins; the"
                f" log has it under {journal.row.id}.",
            )
        return "failed", [Error(running.error.code, running.error.message)]

    async def _drive(self, running: Running) -> InteractionStatus:
        admitted, journal = running.admitted, running.journal
        writer = Writer(journal)
        if admitted.agent is not None:
            writer.take_up(prefill=False)
            run = AgentRun(admitted, journal, writer, self._roster, self._store, self._limits)
            await admitted.agent.run(run)
            writer.close()
            return run.status
        assert admitted.model is not None
        if not self._roster.is_open(admitted.model):
            await self._roster.open(admitted.model)
        asked = admitted.asked
        return await converse(
            Conversation(
                model=admitted.model.model,
                name=(asked.model or "").removeprefix("models/"),
                journal=journal,
                writer=writer,
                toolbox=admitted.toolbox,
                limits=self._limits,
                owner=admitted.owner,
                references=admitted.references,
                history=admitted.history,
                input=admitted.input,
                system_instruction=asked.system_instruction,
                generation=asked.generation_config or GenerationConfig(),
                choice=admitted.choice,
                format=admitted.format,
            )
        )

    async def cancel(self, running: Running) -> None:
        """Ends an interaction as `cancelled`; its run stops at once. Whoever ends first wins.

        Raises StoreFull when the end cannot be stored yet; it is as soon as there is space.
        """
        ending = asyncio.create_task(self._cancel(running))
        self._cancels.add(ending)
        ending.add_done_callback(self._cancels.discard)
        if (await asyncio.wait([ending], timeout=PATIENCE))[0]:
            return ending.result()
        chosen = running.journal.ending
        if running.task is not None and chosen is not None and chosen.status == "cancelled":
            running.task.cancel()
        raise StoreFull("The end of the interaction waits for space.")

    async def _cancel(self, running: Running) -> None:
        if await running.journal.end("cancelled") and running.task is not None:
            running.task.cancel()

    async def leave(self) -> None:
        """The process is going to end: begins no more background runs, and hands back those it
        has, with all they wrote committed. What is still asked of it is answered."""
        self._leaving = True
        live = list(self.live.values())
        behind = [running for running in live if running.admitted.background and not running.job]
        await asyncio.gather(*(self.hand_back(running) for running in behind))

    async def drain(self) -> None:
        """Before the process ends, behind `leave`: takes no more; foreground runs may finish, for
        a time."""
        self._draining = True
        for ending in self._cancels:
            ending.cancel()
        left = [running for running in self.live.values() if not running.admitted.background]
        tasks = [running.task for running in left if running.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=self._limits.drain_seconds)
        tasks = [task for task in tasks if not task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_SECONDS)
        for running in left:
            await running.journal.end("failed", errors=[Error("cancelled", STOPPED)])
        if self._cancels:
            await asyncio.wait(self._cancels, timeout=_STOP_SECONDS)
