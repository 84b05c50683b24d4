"""What the end of an interaction sets off beside itself."""

from __future__ import annotations

from typing import Protocol

from interplay.contracts.records import Record
from interplay.contracts.store import NewInteraction
from interplay.wire.errors import Error
from interplay.wire.usage import InteractionStatus


class Outbox(Protocol):
    """Records that are committed together with the end of a background interaction, so that a
    crash between the two cannot lose what must follow from it."""

    async def records(
        self, row: NewInteraction, status: InteractionStatus, updated: float, errors: list[Error]
    ) -> list[Record]:
        """What this end sets off; asked again, it answers records of the same ids. May raise
        StoreUnavailable."""
        ...

    async def forget(self, id: str) -> None:
        """The interaction was deleted: what repeats a part of it goes too. May raise
        StoreUnavailable."""
        ...

    def committed(self, records: list[Record]) -> None:
        """The end and these records are stored; called at once and must not wait."""
        ...
