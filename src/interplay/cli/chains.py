"""The conversation an interaction stands in: the chain of those before it."""

from __future__ import annotations

from typing import Any

from interplay.cli.client import Api, ApiFault
from interplay.cli.plain import objects

LONGEST = 2_000
"""Interactions of a chain that are loaded at most, the latest of them."""


def chain_to(api: Api, id: str) -> list[dict[str, Any]]:
    """The interactions from the first one to `id`, oldest first, each with its own steps.

    Where an earlier one was deleted the chain begins behind it. Raises ApiFault when `id` itself
    is not there.
    """
    found = [api.get(f"interactions/{id}")]
    seen = {id}
    while len(found) < LONGEST:
        before = found[-1].get("previous_interaction_id")
        if not before or before in seen:
            break
        seen.add(before)
        try:
            found.append(api.get(f"interactions/{before}"))
        except ApiFault as fault:
            if fault.status != 404:
                raise
            break
    return found[::-1]


def texts_of(interaction: dict[str, Any], kind: str) -> str:
    """The text of its steps of one type (user_input, model_output)."""
    return "".join(
        str(block.get("text") or "")
        for step in objects(interaction.get("steps"))
        if step.get("type") == kind
        for block in objects(step.get("content"))
        if block.get("type") == "text"
    )
