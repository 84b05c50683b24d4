"""`/models`: what is configured, in the form the SDKs list models."""

from __future__ import annotations

from typing import Any

import msgspec

from interplay import __version__
from interplay.interactions.failures import Rejected
from interplay.interactions.roster import Roster, UnknownName
from interplay.interactions.routes import answer


class Models:
    """GET /{version}/models and /{version}/models/{name}."""

    def __init__(self, roster: Roster, owner_of: Any) -> None:
        self._roster, self._owner_of = roster, owner_of

    async def list(self, scope: Any, receive: Any, send: Any) -> None:
        """Every configured name; a glob stands as it is, the fallback says what it leads to."""
        self._owner_of(scope)
        names = self._roster.model_names()
        models = [self._described(name) for name in names]
        if self._roster.fallback_entry() is not None:
            models.append(self._described("gemini-*"))
        await answer(send, msgspec.json.encode({"models": models}))

    async def get(self, scope: Any, receive: Any, send: Any) -> None:
        """One model by name."""
        self._owner_of(scope)
        name = scope["path_params"]["name"]
        await answer(send, msgspec.json.encode(self._described(name)))

    def _described(self, name: str) -> dict[str, Any]:
        try:
            found = self._roster.model(name)
        except UnknownName as error:
            raise Rejected("model_not_found", str(error)) from error
        facts = found.model.facts
        described: dict[str, Any] = {
            "name": f"models/{name}",
            "version": __version__,
            "displayName": f"{found.entry} (stands in for {name})" if found.fallback else name,
            "description": _description(found.entry, found.fallback, found.model.doing()),
            "supportedGenerationMethods": ["createInteraction"],
            "inputTokenLimit": facts.context_tokens,
            "outputTokenLimit": facts.max_output_tokens,
            "thinking": bool(facts.thinking_levels),
        }
        return {key: value for key, value in described.items() if value is not None}


def _description(entry: str, fallback: bool, doing: str | None) -> str:
    said = f"Answered by the configured model '{entry}'"
    if fallback:
        said += ", because no model is configured for this name (gemini_fallback)"
    return f"{said}; {doing}." if doing else f"{said}."
