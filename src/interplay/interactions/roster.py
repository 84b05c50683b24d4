"""Which models and agents are configured, and which one a name means."""

from __future__ import annotations

import asyncio
import difflib
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from interplay.contracts import registry
from interplay.contracts.agent import Agent
from interplay.contracts.model import Model
from interplay.contracts.surroundings import Surroundings
from interplay.contracts.tool import Tool
from interplay.settings import Settings, SettingsError
from interplay.wire.explain import explain


class UnknownName(LookupError):
    """Nobody configured this model or agent; the message lists the near names."""


class Found(msgspec.Struct):
    """A model that answers to a name."""

    model: Model
    entry: str
    """The entry of `models` in settings."""
    fallback: bool = False
    """The name was not configured; `default_model` stands in for it."""


class Roster:
    """Models, agents and tools by name, built from settings; backends open on first use."""

    def __init__(
        self,
        settings: Settings,
        *,
        models: dict[str, Model] | None = None,
        agents: dict[str, Agent] | None = None,
        tools: dict[str, Tool] | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._settings, self._surroundings = settings, surroundings
        self._models: dict[str, Model] = dict(models or {})
        self._agents: dict[str, Agent] = dict(agents or {})
        self._tools: dict[str, Tool] = dict(tools or {})
        self._opened: set[str] = set()
        self._opening: dict[str, asyncio.Lock] = {}
        entries = settings.models if models is None else {}
        for name, entry in entries.items():
            self._models[name] = self._build_model(name, entry)
        self._globs = sorted((n for n in self._models if "*" in n or "?" in n), key=len)[::-1]
        self._found: dict[str, Found] = {}

    def _build_model(self, name: str, entry: dict[str, Any]) -> Model:
        fields = dict(entry)
        backend = fields.pop("backend", None)
        if not isinstance(backend, str):
            raise SettingsError(f'models."{name}" needs backend = "...".')
        try:
            kind: Any = registry.load("interplay.models", backend)
        except registry.UnknownPlugin as error:
            raise SettingsError(f'models."{name}".backend: {error}') from error
        except ImportError as error:
            raise SettingsError(
                f'models."{name}".backend: {backend} cannot be loaded: {error}'
            ) from error
        known = {field.name for field in msgspec.structs.fields(kind.Config)}
        if "cache_dir" in known:
            fields.setdefault("cache_dir", str(self._settings.cache_path))
        return kind(convert(fields, kind.Config, f'models."{name}"'))

    def model_names(self) -> list[str]:
        """Every configured name and glob."""
        return sorted(self._models)

    def fallback_entry(self) -> str | None:
        """The entry that stands in for `gemini-*`; None when those names are configured, or the
        fallback is switched off or leads nowhere."""
        if not self._settings.gemini_fallback or self._match("gemini-any") is not None:
            return None
        default = self._settings.default_model
        return default if default in self._models else None

    def _match(self, name: str) -> str | None:
        if name in self._models:
            return name
        return next((glob for glob in self._globs if fnmatchcase(name, glob)), None)

    def model(self, name: str) -> Found:
        """The model a name means: exactly, else by the longest glob, else the fallback.

        Raises UnknownName.
        """
        found = self._found.get(name)
        if found is not None:
            return found
        entry, fallback = self._match(name), False
        if entry is None and name.startswith("gemini-"):
            entry, fallback = self.fallback_entry(), True
        if entry is None:
            raise UnknownName(self._unknown("model", name, self.model_names()))
        found = Found(self._models[entry], entry, fallback)
        if len(self._found) < 10_000:
            self._found[name] = found
        return found

    def is_open(self, found: Found) -> bool:
        """Whether its backend was opened."""
        return found.entry in self._opened

    async def open(self, found: Found) -> None:
        """Opens the backend of a model, once."""
        if found.entry in self._opened:
            return
        async with self._opening.setdefault(found.entry, asyncio.Lock()):
            if found.entry not in self._opened:
                await found.model.open()
                self._opened.add(found.entry)

    async def close(self) -> None:
        """Closes every backend that was opened, and every tool that holds something open."""
        for entry in list(self._opened):
            await self._models[entry].close()
        self._opened.clear()
        for tool in self._tools.values():
            if (close := getattr(tool, "close", None)) is not None:
                await close()

    def agent_names(self) -> list[str]:
        """Every configured or installed agent."""
        installed = registry.names("interplay.agents")
        return sorted({*self._agents, *self._settings.agents, *installed})

    def agent(self, name: str) -> Agent:
        """The agent of this name, built on first use. Raises UnknownName, SettingsError."""
        agent = self._agents.get(name)
        if agent is None:
            if name not in self.agent_names():
                raise UnknownName(self._unknown("agent", name, self.agent_names()))
            agent = self._agents[name] = self._build("agents", name)
        return agent

    def tool_types(self) -> list[str]:
        """Every tool type the server itself can execute."""
        installed = registry.names("interplay.tools")
        return sorted({*self._tools, *self._settings.tools, *installed})

    def tool(self, type_: str) -> Tool | None:
        """The plugin for a tool type; None when there is none."""
        if type_ not in self._tools and type_ in self.tool_types():
            self._tools[type_] = self._build("tools", type_)
        return self._tools.get(type_)

    def _build(self, section: str, name: str) -> Any:
        entries: dict[str, dict[str, Any]] = getattr(self._settings, section)
        fields = dict(entries.get(name, {}))
        use = fields.pop("use", name)
        try:
            kind: Any = registry.load(f"interplay.{section}", use)
        except (registry.UnknownPlugin, ImportError) as error:
            raise SettingsError(f"{section}.{name}: {error}") from error
        if section == "tools" and hasattr(kind, "Config"):
            return kind(convert(fields, kind.Config, f"{section}.{name}"), self._surroundings)
        try:
            return kind(**fields)
        except TypeError as error:
            raise SettingsError(f"{section}.{name}: {error}") from error

    @staticmethod
    def _unknown(kind: str, name: str, known: list[str]) -> str:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = " Did you mean {}?".format(" or ".join(f"'{n}'" for n in near)) if near else ""
        listed = ", ".join(f"'{n}'" for n in known[:20]) or "none"
        return f"The {kind} '{name}' is not configured.{hint} Configured: {listed}."


def convert(fields: dict[str, Any], kind: Any, at: str) -> Any:
    """A plugin's own settings; `at` names them in what is raised. Raises SettingsError."""
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        faults = [
            f"{at}.{fault.path}: {fault.message}" for fault in explain(fields, kind, strict=False)
        ]
        raise SettingsError(" ".join(faults) or f"{at}: {error}") from error
