"""Makes the journals of one process: of new interactions, and of those taken up again."""

from __future__ import annotations

from collections.abc import Callable

from interplay.contracts.store import NewInteraction, Store, StoredInteraction
from interplay.interactions.journal import Durability, Journal
from interplay.interactions.media import Media
from interplay.interactions.outbox import Outbox
from interplay.settings import Limits

_ROW = tuple(set(NewInteraction.__struct_fields__) & set(StoredInteraction.__struct_fields__))


def row_of(stored: StoredInteraction) -> NewInteraction:
    """The row as it was created, for a journal that is taken up again."""
    return NewInteraction(**{name: getattr(stored, name) for name in _ROW})


class Journals:
    """Knows what every journal of this process is made with."""

    def __init__(
        self,
        store: Store,
        media: Media,
        limits: Limits,
        news: Callable[[str], None] | None = None,
    ) -> None:
        self.outbox: Outbox | None = None
        """What the ends of background interactions set off."""
        self._store, self._media, self._news = store, media, news
        self._output_bytes = limits.output_bytes

    def new(self, row: NewInteraction, durability: Durability) -> Journal:
        """The journal of a new interaction; nothing is stored yet."""
        return Journal(
            row,
            self._store,
            self._media,
            durability,
            output_bytes=self._output_bytes,
            outbox=self.outbox,
            news=self._news,
        )

    def reopened(self, claimed: StoredInteraction, events: list[bytes]) -> Journal:
        """The journal of an interaction that was claimed, with the events of earlier attempts.
        Raises msgspec.MsgspecError when they cannot be read."""
        return Journal.reopened(
            row_of(claimed),
            claimed,
            events,
            store=self._store,
            media=self._media,
            output_bytes=self._output_bytes,
            outbox=self.outbox,
            news=self._news,
        )
