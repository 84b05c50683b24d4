"""Opens the dispatchers under test, here and in other processes: one that keeps the rules, and
some that each break one."""

from contextlib import asynccontextmanager
from pathlib import Path

from interplay.plugins.dispatchers.local import LocalDispatcher
from interplay.plugins.stores.sqlite import SqliteStore


def opener(kind):
    """How the suite opens one dispatcher over a store of its own."""

    @asynccontextmanager
    async def opened(place, silence):
        folder = Path(place)
        store = SqliteStore(folder, shared=True)
        await store.open()
        try:
            dispatcher = kind(jobs=store.jobs, folder=folder, shared=True, silence=silence)
            await dispatcher.open()
            try:
                yield dispatcher
            finally:
                await dispatcher.close()
        finally:
            await store.close()

    return opened


class Hasty(LocalDispatcher):
    """Has no patience with what is due later."""

    async def submit(self, kind, id, *, due=0.0, tier=1):
        await super().submit(kind, id, tier=tier)


class Flat(LocalDispatcher):
    """Takes no notice of tiers."""

    async def submit(self, kind, id, *, due=0.0, tier=1):
        await super().submit(kind, id, due=due)


class Twofold(LocalDispatcher):
    """Does everything twice, to be sure."""

    def work(self, handlers, places):
        async def twice(handler, id):
            await handler(id)
            return await handler(id)

        doubled = {k: lambda id, h=h: twice(h, id) for k, h in handlers.items()}
        super().work(doubled, places)


class Crowded(LocalDispatcher):
    """Has room for everybody."""

    def work(self, handlers, places):
        super().work(handlers, dict.fromkeys(places, 99))

    def occupy(self, kind, places):
        pass


class Stubborn(LocalDispatcher):
    """Never lets go of a job."""

    async def cancel(self, kind, id):
        pass

    async def drain(self):
        pass


class Trusting(LocalDispatcher):
    """Takes everybody for alive."""

    async def dead(self, executors):
        return set()


class Gloomy(LocalDispatcher):
    """Takes everybody else for dead."""

    async def dead(self, executors):
        return set(executors) - {self.executor}


class Patient(LocalDispatcher):
    """Waits for the kernel alone: who is frozen keeps his jobs."""

    def __init__(self, *, silence, **made):
        super().__init__(silence=3_600, **made)


class Nameless(LocalDispatcher):
    """Has the same name at each start."""

    def __init__(self, **made):
        super().__init__(**made)
        self.executor = "1-a"


class Restless(LocalDispatcher):
    """Tries what failed again at once."""

    async def _call(self, job, doing):
        self._failures.clear()
        return await super()._call(job, doing)


local = opener(LocalDispatcher)
hasty, flat, twofold, crowded = (opener(kind) for kind in (Hasty, Flat, Twofold, Crowded))
stubborn, trusting, gloomy = (opener(kind) for kind in (Stubborn, Trusting, Gloomy))
patient, nameless, restless = (opener(kind) for kind in (Patient, Nameless, Restless))
