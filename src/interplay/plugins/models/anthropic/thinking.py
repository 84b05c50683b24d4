"""How a turn thinks -> the fields that ask for it."""

from __future__ import annotations

import msgspec

from interplay.contracts.model import Turn
from interplay.plugins.models.anthropic.dialect import Dialect
from interplay.plugins.models.remote.body import Body

BINDING_BETA = "thinking-binding-controls-2026-08-01"
_LEAST_BUDGET = 1_024


class Thinking(msgspec.Struct, frozen=True):
    """What a request says of thinking."""

    on: bool = False
    """It may think: its earlier thoughts go back to it, and sampling is its own affair."""
    fields: Body = {}
    betas: tuple[str, ...] = ()


def thinking_of(turn: Turn, dialect: Dialect, limit: int, *, forced: bool) -> Thinking:
    """How this turn thinks. `limit` is its most output tokens, `forced` whether it must call."""
    off = forced or bool(turn.prefix) or turn.thinking_level == "minimal"
    if dialect.thinking == "budget":
        return Thinking() if off else _budget(turn, dialect, limit)
    if dialect.thinking == "none":
        return Thinking()
    if off and dialect.thinking != "always":
        switched: Body = {"thinking": {"type": "disabled"}} if dialect.thinks else {}
        return Thinking(fields=switched)
    if turn.thinking_level is None and not dialect.thinks:
        return Thinking()
    return _adaptive(turn, dialect)


def _budget(turn: Turn, dialect: Dialect, limit: int) -> Thinking:
    """A quarter of the limit at least is left to the answer; where that leaves too little to
    think with, it does not think. A level without a budget of its own has the largest."""
    if turn.thinking_level is None or not dialect.budgets:
        return Thinking()
    wanted = dialect.budgets.get(turn.thinking_level, max(dialect.budgets.values()))
    budget = min(wanted, limit * 3 // 4)
    if budget < _LEAST_BUDGET:
        return Thinking()
    return Thinking(True, {"thinking": {"type": "enabled", "budget_tokens": budget}})


def _adaptive(turn: Turn, dialect: Dialect) -> Thinking:
    asked: Body = {"type": "adaptive"}
    if turn.thinking_summaries:
        asked["display"] = "summarized"
    if dialect.bound:
        asked["block_binding"] = {"prefix_mismatch_behavior": "drop_block"}
    fields: Body = {"thinking": asked}
    level = turn.thinking_level
    if level is not None:
        fields["output_config"] = {
            "effort": level if level in dialect.efforts else _near(level, dialect)
        }
    return Thinking(True, fields, (BINDING_BETA,) if dialect.bound else ())


def _near(level: str, dialect: Dialect) -> str:
    return dialect.efforts[0] if level == "minimal" else dialect.efforts[-1]
