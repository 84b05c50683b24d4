"""Functions a model is not shown at first (`defer_loading`), and which of them it has found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from interplay.wire.steps import FunctionResultStep, Step, ToolSearchResultStep
from interplay.wire.tools import Function


class Deferred:
    """What of one request's functions is found by search."""

    def __init__(self) -> None:
        self.functions: dict[str, Function] = {}
        """As they were declared, by name."""
        self.shown: dict[str, None] = {}
        """Those that are shown by now, in that order."""
        self.search = ""
        """The name of the function that finds them; empty when there is none."""
        self.client = False
        """The caller answers the search, and may answer functions that were not declared."""

    @property
    def declared(self) -> Sequence[Function]:
        """All of them."""
        return list(self.functions.values())

    def show(self, name: str) -> None:
        """Shows a function from now on, if it is one of these."""
        if name in self.functions:
            self.shown.setdefault(name)

    def found_in(self, step: Step) -> list[Function]:
        """The functions that a step says were found."""
        if isinstance(step, ToolSearchResultStep):
            return step.result or []
        if self.client and isinstance(step, FunctionResultStep) and isinstance(step.result, list):
            blocks: list[Any] = step.result
            return [block for block in blocks if isinstance(block, Function)]
        return []
