"""The steps the model sees: a chain of interactions, joined and kept warm."""

from __future__ import annotations

from collections import OrderedDict

from interplay.contracts.store import Store
from interplay.interactions.media import Media
from interplay.wire.steps import (
    FunctionCallStep,
    FunctionResultStep,
    Step,
    ToolSearchResultStep,
    UserInputStep,
)

ANSWERS = FunctionResultStep | ToolSearchResultStep
"""What may answer a call of the caller's: his search for functions has a result type of its own."""
UNANSWERED = "The caller gave no result for this call."


def pending_calls(steps: list[Step]) -> list[FunctionCallStep]:
    """The function calls at the end of these steps that wait for the caller's results."""
    calls: list[FunctionCallStep] = []
    answered: set[str] = set()
    for step in reversed(steps):
        if isinstance(step, FunctionCallStep):
            if step.id not in answered:
                calls.append(step)
        elif isinstance(step, ANSWERS):
            answered.add(step.call_id)
        elif isinstance(step, UserInputStep):
            break
    return calls[::-1]


def join(steps: list[Step], addition: list[Step]) -> None:
    """Adds the steps of the next interaction in place.

    Calls the addition leaves unanswered get a result that says so, because no backend takes a
    call without one.
    """
    if steps and addition:
        given = {step.call_id for step in addition if isinstance(step, ANSWERS)}
        for call in pending_calls(steps):
            if call.id not in given:
                steps.append(FunctionResultStep(call.id, UNANSWERED, is_error=True, name=call.name))
    steps.extend(addition)


class History:
    """Chains by their tip, the most recent ones decoded in memory.

    What they hold is bounded by `limit_steps`, many short steps weighing most by their number,
    and by `limit_bytes` of the JSON they are stored as.
    """

    def __init__(self, store: Store, media: Media, limit_steps: int, limit_bytes: int) -> None:
        self._store, self._media = store, media
        self._limit_steps, self._limit_bytes = limit_steps, limit_bytes
        self._warm: OrderedDict[str, tuple[list[Step], int]] = OrderedDict()
        self._owners: dict[str, str] = {}
        self._steps = self._bytes = self._cleared = 0

    def owner(self, interaction_id: str) -> str | None:
        """Whose a warm interaction is; None when it is not warm. A warm one has ended."""
        return self._owners.get(interaction_id)

    async def until(self, interaction_id: str, owner: str) -> list[Step]:
        """The steps of a whole chain up to and with this interaction; the caller owns the list."""
        warm = self._warm.get(interaction_id)
        if warm is not None:
            self._warm.move_to_end(interaction_id)
            return warm[0].copy()
        steps: list[Step] = []
        whole, size, cleared = True, 0, self._cleared
        for link in await self._store.chain(interaction_id):
            made = link.steps or b"[]"
            join(steps, await self._media.steps(link.input))
            steps.extend(await self._media.steps(made))
            size += len(link.input) + len(made)
            whole = whole and not self._media.refers(link.input, made)
        # Media would fill the memory; what was deleted while this was read must not come back.
        if whole and cleared == self._cleared:
            self._keep(interaction_id, owner, steps.copy(), size)
        return steps

    def follow(
        self,
        parent: str | None,
        interaction_id: str,
        owner: str,
        turn: list[Step],
        input: bytes,
        made: bytes,
    ) -> None:
        """An interaction has ended: its chain is its parent's with the steps of this turn behind.
        `input` and `made` are the two parts of the turn as they are stored."""
        if self._media.refers(input, made):
            return
        steps: list[Step] = []
        size = len(input) + len(made)
        if parent is not None:
            warm = self._drop(parent)
            if warm is None:
                return
            steps = warm[0]
            size += warm[1]
        join(steps, turn)
        self._keep(interaction_id, owner, steps, size)

    def _keep(self, interaction_id: str, owner: str, steps: list[Step], size: int) -> None:
        self._drop(interaction_id)
        if len(steps) > self._limit_steps or size > self._limit_bytes:
            return  # it would only push out the others
        self._warm[interaction_id] = steps, size
        self._owners[interaction_id] = owner
        self._steps += len(steps)
        self._bytes += size
        while self._steps > self._limit_steps or self._bytes > self._limit_bytes:
            self._drop(next(iter(self._warm)))

    def _drop(self, interaction_id: str) -> tuple[list[Step], int] | None:
        warm = self._warm.pop(interaction_id, None)
        if warm is not None:
            del self._owners[interaction_id]
            self._steps -= len(warm[0])
            self._bytes -= warm[1]
        return warm

    def clear(self) -> None:
        """Forgets what is warm: after a delete no chain may show what is gone."""
        self._warm.clear()
        self._owners.clear()
        self._steps = self._bytes = 0
        self._cleared += 1
