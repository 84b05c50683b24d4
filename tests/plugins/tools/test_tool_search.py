"""tool_search: found by name or by words, listed as far as it fits."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from interplay.contracts import shown
from interplay.contracts.failure import Refused
from interplay.contracts.tool import CallSite, ToolCall
from interplay.plugins.tools.tool_search import ToolSearch, ToolSearchConfig
from interplay.wire.deltas import ToolSearchCallDelta, ToolSearchResultDelta
from interplay.wire.steps import ToolSearchCallStep, ToolSearchResultStep
from interplay.wire.tools import Function
from interplay.wire.tools import ToolSearch as Declaration

FUNCTIONS = [
    Function(name="sendEmail", description="Sends a message to somebody.", defer_loading=True),
    Function(
        name="list_invoices",
        description="Every bill of one customer.\nMore lines.",
        short_description="The bills",
        parameters={"type": "object", "properties": {"customer": {"type": "string"}}},
        defer_loading=True,
    ),
    Function(name="book_flight", description="Reserves a seat on a plane.", defer_loading=True),
    Function(name="cancel_flights", description="Gives seats back.", defer_loading=True),
    Function(name="wetter", description="東京の天気予報を教えます", defer_loading=True),
]


def tool(**config: Any) -> ToolSearch:
    return ToolSearch(ToolSearchConfig(**config), SimpleNamespace())  # type: ignore[arg-type]


async def searched(it: ToolSearch, arguments: dict[str, Any], among: Any = FUNCTIONS) -> list[Any]:
    site = CallSite(
        interaction_id="i",
        owner="",
        declaration=Declaration(),
        idempotency_key="k",
        timeout=9,
        deferred=among,
    )
    call = ToolCall(id="c1", name="tool_search", arguments=arguments)
    return [piece async for piece in it.call(call, site)]


def names(made: list[Any]) -> list[str]:
    return [function.name for function in made[3].result]


async def test_what_is_named_is_loaded_as_it_was_declared() -> None:
    made = await searched(tool(), {"function_names": ["list_invoices", "sendEmail"]})
    kinds = [ToolSearchCallStep, ToolSearchCallDelta, ToolSearchResultStep, ToolSearchResultDelta]
    assert [type(piece) for piece in made] == kinds
    assert made[1].arguments.function_names == ["list_invoices", "sendEmail"]
    assert made[2].call_id == made[0].id == "c1"
    invoices = made[3].result[0]
    assert (invoices.description, invoices.defer_loading) == (FUNCTIONS[1].description, None)
    assert invoices.parameters == FUNCTIONS[1].parameters
    (told,) = shown.read(made[3].signature, images=False) or []
    assert (
        told.text == "Loaded: list_invoices, sendEmail. Call what fits now; do not load it again."
    )


FOUND = [
    ("email", "sendEmail"),
    ("which bills does the customer have", "list_invoices"),
    ("booking flights", "book_flight"),
    ("cancelled my flight", "cancel_flights"),
    ("天気", "wetter"),
]


@pytest.mark.parametrize(("query", "first"), FOUND)
async def test_words_find_what_does_it(query: str, first: str) -> None:
    assert names(await searched(tool(), {"query": query}))[0] == first


async def test_words_load_no_more_than_the_setting_says() -> None:
    many = [Function(name=f"flight_{n}", description="a flight") for n in range(30)]
    assert len(names(await searched(tool(found=3), {"query": "flight"}, many))) == 3


DAYS = ("sun", "moon", "wind", "rain", "dust", "heat")


async def test_words_that_everything_shares_load_nothing_beside_the_best() -> None:
    many = [Function(name=name, description=f"The {name} of a day") for name in DAYS]
    assert names(await searched(tool(), {"query": "the moon of a day"}, many)) == ["moon"]


async def test_nothing_found_is_said_with_near_names() -> None:
    made = await searched(tool(), {"function_names": ["book_flights"], "query": "zebra"})
    assert made[3].result == []
    (told,) = shown.read(made[3].signature, images=False) or []
    assert "no function 'book_flights'. Near names: book_flight" in told.text
    assert "No function fits these words" in told.text


BAD: list[dict[str, Any]] = [
    {},
    {"function_names": [], "query": " "},
    {"function_names": [3]},
    {"query": 3},
    {"function_names": [f"f{n}" for n in range(60)]},
]


@pytest.mark.parametrize("arguments", BAD)
async def test_a_call_that_asks_for_nothing_or_too_much_is_refused(arguments: Any) -> None:
    with pytest.raises(Refused):
        await searched(tool(), arguments)


async def test_functions_are_listed_as_far_as_they_fit() -> None:
    whole = (await tool().offer_over(Declaration(), FUNCTIONS)).description
    assert "- list_invoices: The bills\n- book_flight: Reserves a seat on a plane." in whole
    short = (await tool(listed_chars=100).offer_over(Declaration(), FUNCTIONS)).description
    assert "sendEmail, list_invoices, book_flight" in short
    assert "bills" not in short
    none = (await tool(listed_chars=10).offer_over(Declaration(), FUNCTIONS)).description
    assert "5 functions can be loaded; find them by 'query'" in none
    assert "sendEmail" not in none


async def test_the_callers_own_words_come_first() -> None:
    own = Declaration(
        execution="client", name="find", description="Finds tools.", parameters={"type": "object"}
    )
    spec = await tool().offer_over(own, FUNCTIONS[:1])
    assert (spec.name, spec.parameters) == ("find", {"type": "object"})
    assert spec.description.startswith("Finds tools.\nThe functions that can be loaded:\n- send")


async def test_two_thousand_functions_are_searched_in_no_time() -> None:
    many = [
        Function(name=f"do_thing_{n}", description=f"Does the thing of number {n} to a customer.")
        for n in range(2000)
    ]
    began = time.process_time()
    assert names(await searched(tool(), {"query": "thing 1234"}, many))[0] == "do_thing_1234"
    assert time.process_time() - began < 5.0
