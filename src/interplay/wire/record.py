"""The one struct every wire type derives from."""

from __future__ import annotations

import msgspec


class Record(
    msgspec.Struct,
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """A wire object: unknown fields are refused, fields left at their default are not sent.

    Subclasses that stand in a union pass `tag=`; it travels in `type` unless the subclass
    names another `tag_field`. Stored rows are read with the same types, so a field may be
    added but never taken away without a migration.
    """
