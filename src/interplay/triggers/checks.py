"""What is refused at the creation of a trigger, so that no tick is refused later."""

from __future__ import annotations

import msgspec

from interplay.contracts.store import TERMINAL
from interplay.interactions.admit import admit, check_fields
from interplay.interactions.failures import Rejected, invalid, within
from interplay.interactions.history import History
from interplay.interactions.reading import Reading
from interplay.interactions.references import References
from interplay.interactions.roster import Roster
from interplay.settings import Settings
from interplay.triggers.schedule import schedule
from interplay.wire.interaction import CreateInteraction
from interplay.wire.steps import Step
from interplay.wire.trigger import TriggerCreateParams

LARGEST_INTERACTION = 1024 * 1024
"""Bytes of the interaction's JSON: it is read and written at every tick."""


class Checks:
    """Checks bodies against what is configured."""

    def __init__(
        self,
        roster: Roster,
        history: History,
        reading: Reading,
        settings: Settings,
        references: References,
    ) -> None:
        self._references = references
        self._roster, self._history, self._reading = roster, history, reading
        self._settings = settings

    async def check(self, given: TriggerCreateParams, owner: str) -> None:
        """Raises Rejected with the path of what is wrong."""
        interval = self._settings.triggers.smallest_interval_seconds
        times = schedule(given.schedule, given.time_zone)
        if interval > 60 and times.shortest_seconds() < interval:
            raise invalid(
                f"The ticks lie closer together than {interval:g} s"
                " (triggers.smallest_interval_seconds)",
                "schedule",
            )
        asked = given.interaction
        if asked.stream:
            raise invalid(
                "A trigger's run is not streamed: follow the interaction it creates",
                "interaction.stream",
            )
        if len(msgspec.json.encode(asked)) > LARGEST_INTERACTION:
            raise Rejected(
                "payload_too_large",
                f"The interaction of a trigger has at most {LARGEST_INTERACTION} bytes; upload"
                " media as files and refer to them by 'uri' at 'interaction'.",
            )
        tried = msgspec.json.decode(msgspec.json.encode(asked), type=CreateInteraction)
        tried.background = True
        try:
            await self._admit(tried, owner)
        except Rejected as rejected:
            raise within("interaction", rejected) from rejected
        if given.environment_id is not None:
            await self._environment(tried, given.environment_id, owner)

    async def _environment(self, tried: CreateInteraction, id: str, owner: str) -> None:
        tried.environment = id
        try:
            await self._admit(tried, owner)
        except Rejected as rejected:
            raise Rejected(rejected.code, f"{rejected.message} (at 'environment_id')") from rejected

    async def _admit(self, asked: CreateInteraction, owner: str) -> None:
        check_fields(asked, self._settings)
        history: list[Step] = []
        parent = asked.previous_interaction_id
        if parent is not None:
            stored = await self._reading.stored(parent, owner)
            if stored.status not in TERMINAL:
                raise invalid(
                    f"The interaction '{parent[:80]}' has not ended yet", "previous_interaction_id"
                )
            history = await self._history.until(parent, owner)
        limits = self._settings.limits
        await admit(asked, owner, history, self._roster, limits, self._references)
