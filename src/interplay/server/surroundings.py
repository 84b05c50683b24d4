"""What this server lends to its plugins: see interplay.contracts.surroundings."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from interplay.contracts import registry
from interplay.contracts.blobs import Blobs
from interplay.contracts.egress import Guard
from interplay.contracts.embedder import Embedder
from interplay.contracts.engine import SearchEngine
from interplay.contracts.failure import NotInstalled
from interplay.contracts.library import Library
from interplay.contracts.reader import Reader
from interplay.contracts.reranker import Reranker
from interplay.contracts.sandbox import NoIsolation, Sandboxes
from interplay.contracts.store import Store
from interplay.interactions.roster import convert
from interplay.settings import Settings, SettingsError

log = logging.getLogger("interplay.server")


class Lent:
    """Builds engines and the reader from settings when they are first asked for."""

    def __init__(self, settings: Settings, store: Store, blobs: Blobs, guard: Guard) -> None:
        self.guard, self.records, self.blobs = guard, store.records, blobs
        self._settings = settings
        self._engines: list[SearchEngine] | None = None
        self._reader: Reader | None = None
        self._sandboxes: Sandboxes | None = None
        self._embedders: list[Embedder | Reranker] = []
        self.shelves: Library | None = None
        """What `library` answers; the assembly puts it there."""

    def folder(self, name: str) -> Path:
        """A folder for a plugin's own data."""
        return _made(self._settings.data_path / "plugins" / name)

    def cache(self, name: str) -> Path:
        """A folder for what can be made again."""
        return _made(self._settings.cache_path / name)

    def engines(self) -> Sequence[SearchEngine]:
        """The search engines in their order. Raises NotInstalled."""
        if self._engines is None:
            entries = self._settings.engines
            self._engines = [
                self._plugin("engines", name, fields) for name, fields in entries.items()
            ]
        if not self._engines:
            known = ", ".join(sorted(registry.names("interplay.engines")))
            raise NotInstalled(
                f"No search engine is configured: add a table [engines.NAME] (one of {known}) to"
                " the settings; see docs/tools.md."
            )
        return self._engines

    def reader(self) -> Reader:
        """The reader of pages."""
        reader = self._reader
        if reader is None:
            reader = self._reader = self._plugin("readers", "http", self._settings.reader)
        return reader

    def sandbox(self) -> Sandboxes:
        """The backend of sandboxes. Raises NoIsolation, SettingsError."""
        made = self._sandboxes
        if made is None:
            made = self._sandboxes = sandboxes(self._settings, self)
        return made

    def embedder(self) -> Embedder | None:
        """A new embedder as `files.embedder` has it; said in the log. Raises SettingsError."""
        given = self._settings.files.embedder
        if given != "auto":
            made: Embedder | None = self._chosen("embedder", given)
        else:
            try:
                made = self._plugin("embedders", "onnx", {})
            except NotInstalled as reason:
                log.info("search stores find documents by their words alone: %s", reason)
                return None
        return self._kept("embedder", made)

    def reranker(self) -> Reranker | None:
        """A new reranker as `files.reranker` has it; said in the log. Raises SettingsError."""
        made: Reranker | None = self._chosen("reranker", self._settings.files.reranker)
        return self._kept("reranker", made)

    def _chosen(self, part: str, given: str | dict[str, Any]) -> Any:
        if given == "none":
            return None
        fields: dict[str, Any] = {"use": given} if isinstance(given, str) else given
        if "use" not in fields:
            raise SettingsError(f"files.{part}: the table needs `use`, the name of a plugin.")
        try:
            return self._plugin(f"{part}s", str(fields["use"]), fields)
        except NotInstalled as error:
            raise SettingsError(f"files.{part}: {error}") from error

    def _kept(self, part: str, made: Any) -> Any:
        if made is not None:
            self._embedders.append(made)
            name = made.facts.name if part == "embedder" else made.name
            log.info("the %s of search stores is %s", part, name)
        return made

    def library(self) -> Library:
        """The search stores."""
        if self.shelves is None:
            raise RuntimeError("the search stores are asked for before they are assembled")
        return self.shelves

    def _plugin(self, section: str, name: str, given: dict[str, Any]) -> Any:
        return _built(section, name, given, self)

    async def close(self) -> None:
        """Lets go of what was built."""
        for engine in self._engines or ():
            await engine.close()
        for made in self._embedders:
            await made.close()
        if self._reader is not None:
            await self._reader.close()
        if self._sandboxes is not None:
            await self._sandboxes.close()


def sandboxes(settings: Settings, lent: Any) -> Sandboxes:
    """A new backend of sandboxes as settings have it, over a Surroundings of which it uses
    folders alone. Raises NoIsolation when there is to be none, SettingsError."""
    fields = dict(settings.sandbox)
    backend = str(fields.pop("backend", "auto"))
    if backend == "none":
        raise NoIsolation('Nothing is run here: the settings say sandbox.backend = "none".')
    made: Sandboxes = _built(
        "sandboxes", "bubblewrap" if backend == "auto" else backend, fields, lent
    )
    return made


def _built(section: str, name: str, given: dict[str, Any], lent: Any) -> Any:
    """A plugin of settings."""
    fields = dict(given)
    use = fields.pop("use", name)
    try:
        kind: Any = registry.load(f"interplay.{section}", use)
    except (registry.UnknownPlugin, ImportError) as error:
        raise SettingsError(f"{section}.{name}: {error}") from error
    config: msgspec.Struct = convert(fields, kind.Config, f"{section}.{name}")
    return kind(config, lent)


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
