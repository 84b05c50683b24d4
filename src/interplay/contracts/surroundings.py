"""What the server lends to tools, engines, readers and sandboxes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from interplay.contracts.blobs import Blobs
from interplay.contracts.egress import Guard
from interplay.contracts.engine import SearchEngine
from interplay.contracts.library import Library
from interplay.contracts.reader import Reader
from interplay.contracts.records import Records
from interplay.contracts.sandbox import Sandboxes


class Surroundings(Protocol):
    """Given to a plugin when it is built; what it holds is opened by then, or on first use."""

    guard: Guard
    """The one guard of every address that a caller or a model names."""
    records: Records
    blobs: Blobs

    def folder(self, name: str) -> Path:
        """A folder of this machine for a plugin's own data, made on first use; the server's other
        processes on this machine may use it too."""
        ...

    def cache(self, name: str) -> Path:
        """A folder for what can be fetched or made again."""
        ...

    def engines(self) -> Sequence[SearchEngine]:
        """The configured search engines in the order they are to be tried. Raises
        interplay.contracts.failure.Failure saying what to configure when there is none."""
        ...

    def reader(self) -> Reader:
        """The configured reader of pages."""
        ...

    def library(self) -> Library:
        """The search stores that callers fill."""
        ...

    def sandbox(self) -> Sandboxes:
        """The configured backend of sandboxes. Raises interplay.contracts.sandbox.NoIsolation when
        the settings say that there is none."""
        ...
