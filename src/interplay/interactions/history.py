"""The steps the model sees: a chain of interactions, joined and kept warm."""

from __future__ import annotations

from collections import OrderedDict

from interplay.contracts.store import Store
from interplay.interactions.media import Media
from interplay.wire.steps import (
    FunctionCallStep,
    FunctionResultStep,
    ModelOutputStep,
    Step,
    ThoughtStep,
)

UNANSWERED = "The caller gave no result for this call."


def pending_calls(steps: list[Step]) -> list[FunctionCallStep]:
    """The function calls at the end of these steps that wait for the caller's results."""
    calls: list[FunctionCallStep] = []
    answered: set[str] = set()
    for step in reversed(steps):
        if isinstance(step, FunctionCallStep):
            if step.id not in answered:
                calls.append(step)
        elif isinstance(step, FunctionResultStep):
            answered.add(step.call_id)
        elif not isinstance(step, ThoughtStep | ModelOutputStep) and not hasattr(step, "signature"):
            break
    return calls[::-1]


def join(steps: list[Step], addition: list[Step]) -> None:
    """Adds the steps of the next interaction in place.

    Calls the addition leaves unanswered get a result that says so, because no backend takes a
    call without one.
    """
    if steps and addition:
        given = {step.call_id for step in addition if isinstance(step, FunctionResultStep)}
        for call in pending_calls(steps):
            if call.id not in given:
                steps.append(FunctionResultStep(call.id, UNANSWERED, is_error=True, name=call.name))
    steps.extend(addition)


class History:
    """Chains by their tip, the most recent ones decoded in memory."""

    def __init__(self, store: Store, media: Media, limit_steps: int) -> None:
        self._store, self._media, self._limit = store, media, limit_steps
        self._warm: OrderedDict[str, list[Step]] = OrderedDict()
        self._owners: dict[str, str] = {}
        self._count = 0

    def owner(self, interaction_id: str) -> str | None:
        """Whose a warm interaction is; None when it is not warm. A warm one has ended."""
        return self._owners.get(interaction_id)

    async def until(self, interaction_id: str, owner: str) -> list[Step]:
        """The steps of a whole chain up to and with this interaction; the caller owns the list."""
        warm = self._warm.get(interaction_id)
        if warm is not None:
            self._warm.move_to_end(interaction_id)
            return warm.copy()
        steps: list[Step] = []
        whole = True
        for link in await self._store.chain(interaction_id):
            join(steps, await self._media.steps(link.input))
            if link.steps is not None:
                steps.extend(await self._media.steps(link.steps))
                whole = whole and not self._media.refers(link.input, link.steps)
        if whole:  # media would fill the memory
            self._keep(interaction_id, owner, steps.copy())
        return steps

    def follow(self, parent: str | None, interaction_id: str, owner: str, turn: list[Step]) -> None:
        """An interaction has ended: its chain is its parent's with these steps behind."""
        steps: list[Step] = []
        if parent is not None:
            warm = self._warm.pop(parent, None)
            if warm is None:
                return
            self._owners.pop(parent, None)
            self._count -= len(warm)
            steps = warm
        join(steps, turn)
        self._keep(interaction_id, owner, steps)

    def _keep(self, interaction_id: str, owner: str, steps: list[Step]) -> None:
        self._warm[interaction_id] = steps
        self._owners[interaction_id] = owner
        self._count += len(steps)
        while self._count > self._limit and self._warm:
            name, dropped = self._warm.popitem(last=False)
            self._owners.pop(name, None)
            self._count -= len(dropped)

    def clear(self) -> None:
        """Forgets what is warm: after a delete no chain may show what is gone."""
        self._warm.clear()
        self._owners.clear()
        self._count = 0
