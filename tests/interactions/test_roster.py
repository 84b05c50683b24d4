"""Names -> models, agents and tools; what cannot be set up is said by name."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from interplay.contracts.failure import Unavailable
from interplay.interactions.admit import admit
from interplay.interactions.failures import Rejected
from interplay.interactions.roster import Roster, UnknownName
from interplay.interactions.toolbox import Toolbox
from interplay.settings import Limits, Settings, SettingsError
from interplay.testing.scripted_model import ScriptedModel
from interplay.wire.interaction import CreateInteraction
from interplay.wire.tools import GoogleSearch


def roster(*names: str, **given: Any) -> Roster:
    return Roster(Settings(**given), models={name: ScriptedModel.of() for name in names})


def test_a_name_is_found_exactly_then_by_the_longest_glob() -> None:
    found = roster("a-1", "a-*", "a-large-*", "*")
    names = {"a-1": "a-1", "a-2": "a-*", "a-large-3": "a-large-*", "b": "*"}
    assert {name: found.model(name).entry for name in names} == names


def test_a_name_nobody_configured_lists_the_near_ones() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'gemma'"):
        roster("gemma", "other").model("gema")


def test_gemini_names_fall_back_to_the_default_model_where_that_is_wanted() -> None:
    found = roster("m", default_model="m").model("gemini-3-flash")
    assert (found.entry, found.fallback) == ("m", True)
    with pytest.raises(UnknownName):
        roster("m", default_model="m", gemini_fallback=False).model("gemini-3-flash")
    assert roster("m", "gemini-*", default_model="m").fallback_entry() is None


class Slow(ScriptedModel):
    """Fails to open the first time, and takes a while."""

    async def open(self) -> None:
        await super().open()
        first = self.opened == 1
        await asyncio.sleep(0)
        if first:
            raise Unavailable("not yet")


async def test_a_model_that_fails_to_open_is_opened_again_and_then_once() -> None:
    model = Slow()
    found = Roster(Settings(), models={"m": model})
    at = found.model("m")
    results = await asyncio.gather(*[found.open(at) for _ in range(4)], return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable, *[type(None)] * 3]
    assert model.opened == 2
    await found.close()
    assert model.shut == 1


async def test_a_tool_that_cannot_be_set_up_is_a_503_that_says_which() -> None:
    for use in ("nobody", "nowhere.at.all:Tool"):
        found = roster("m", tools={"google_search": {"use": use}})
        with pytest.raises(Rejected, match="google_search") as refused:
            await Toolbox.of([GoogleSearch()], found, Limits())
        assert refused.value.code == "service_unavailable"


async def test_an_agent_that_cannot_be_set_up_is_a_503_that_says_which() -> None:
    for entry in ({"use": "nobody"}, {"use": "assistant", "nonsense": 1}):
        found = roster("m", agents={"kind": entry})
        asked = CreateInteraction(agent="kind", input="x")
        with pytest.raises(Rejected, match="kind") as refused:
            await admit(asked, "", [], found, Limits(), cast(Any, None))  # it comes no further
        assert refused.value.code == "service_unavailable"


def test_an_entry_without_a_backend_or_with_an_unknown_one_is_named() -> None:
    for entry, said in (({}, "backend"), ({"backend": "nobody"}, "nobody")):
        with pytest.raises(SettingsError, match=said):
            Roster(Settings(models={"x": entry}))
