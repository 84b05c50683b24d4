"""The query parameters that every list takes."""

from __future__ import annotations

from interplay.interactions.failures import invalid

LARGEST_PAGE = 500


def page_size(query: dict[str, str]) -> int:
    """How many on a page: 50 unless told. Raises Rejected."""
    size = query.get("page_size", query.get("pageSize", "")) or "50"
    if not size.isascii() or not size.isdigit() or not 1 <= int(size[:9]) <= LARGEST_PAGE:
        raise invalid(f"Expected number from 1 to {LARGEST_PAGE}", "page_size")
    return int(size)


def page_position(query: dict[str, str]) -> int | None:
    """Where the page begins, None for the first one. Raises Rejected."""
    token = query.get("page_token", query.get("pageToken", ""))
    if not token:
        return None
    if not token.isascii() or not token.isdigit() or len(token) > 17:
        raise invalid("The page token is not one of this list's", "page_token")
    return int(token)
