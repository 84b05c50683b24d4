"""The fields of `[sandbox]` for this backend."""

from __future__ import annotations

import msgspec


class BubblewrapConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of `[sandbox]` for the backend bubblewrap."""

    bwrap: str = ""
    """The program; empty: the one of PATH, else that of the extra `sandbox`."""
    python: str = ""
    """The Python inside; empty: the one this server runs on. One outside /usr is lent read-only
    with the whole folder it is installed in."""
    packages: str = ""
    """A folder of Python packages lent read-only; empty: the one `interplay sandbox setup`
    fills."""
    first_uid: int = 2_000_000_000
    """Where the server runs as root each sandbox runs as a user of its own, from here on; no
    account may have these numbers."""
    sandboxes: int = 32
    """At a time in one process; it is also how many such users there are."""
    cgroup: str = ""
    """A cgroup (v2) this server may make groups in; empty: its own is tried, v1 and v2."""
    start_seconds: float = 30.0
    """How long a sandbox may take to start."""
