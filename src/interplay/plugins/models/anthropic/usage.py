"""A server's count of tokens -> usage."""

from __future__ import annotations

import msgspec

from interplay.plugins.models.anthropic.chunks import Spent
from interplay.wire.usage import Usage


def later(before: Spent | None, after: Spent | None) -> Spent | None:
    """Two counts as one: what the later one tells, and what only the earlier one did."""
    if before is None or after is None:
        return after or before
    told = {
        name: value for name, value in msgspec.structs.asdict(after).items() if value is not None
    }
    return msgspec.structs.replace(before, **told)


def usage_of(spent: Spent | None) -> Usage:
    """The usage of a turn; empty where the server did not count. What was read from a cache or
    written to one is input; thoughts are taken out of the output."""
    if spent is None:
        return Usage()
    cached = int(spent.cache_read_input_tokens or 0)
    read = int(spent.input_tokens or 0) + int(spent.cache_creation_input_tokens or 0) + cached
    details = spent.output_tokens_details
    written = int(spent.output_tokens or 0)
    thought = min(written, int((details.thinking_tokens if details else None) or 0))
    return Usage(
        total_input_tokens=read,
        total_output_tokens=written - thought,
        total_thought_tokens=thought,
        total_cached_tokens=cached,
        total_tokens=read + written,
    )
