"""The model catalogue: what can be fetched, where it lies, and fetching it."""

from interplay.plugins.models.catalogue.entries import (
    ENTRIES,
    Entry,
    Hub,
    Member,
    Packages,
    Part,
    Source,
)
from interplay.plugins.models.catalogue.faults import (
    NoSpace,
    NotTheModel,
    PullFailed,
    SourceFailed,
    UnknownModel,
)
from interplay.plugins.models.catalogue.pull import Progress, Report, pull
from interplay.plugins.models.catalogue.shelf import (
    contents,
    find,
    listed,
    place,
    present,
    remove,
)

__all__ = [
    "ENTRIES",
    "Entry",
    "Hub",
    "Member",
    "NoSpace",
    "NotTheModel",
    "Packages",
    "Part",
    "Progress",
    "PullFailed",
    "Report",
    "Source",
    "SourceFailed",
    "UnknownModel",
    "contents",
    "find",
    "listed",
    "place",
    "present",
    "pull",
    "remove",
]
