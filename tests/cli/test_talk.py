"""A conversation: exchanges, branches, functions, what is taken up again."""

import io

import pytest

from interplay.cli.client import ApiFault
from interplay.cli.talk import Exchange, Given, Talk, names_of_models

TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object"}}


def talk(api, answers=lambda _: None, model="echo", **given):
    return Talk(api, io.StringIO(), model, Given(**given), answers)


def said(talk):
    return [(exchange.asked, exchange.answered) for exchange in talk.exchanges]


def test_each_exchange_goes_on_from_the_one_before(api):
    here = talk(api)
    here.say("one")
    here.say("two")
    assert said(here) == [("one", "one"), ("two", "two")]
    first, second = (api.get(f"interactions/{exchange.id}") for exchange in here.exchanges)
    assert "previous_interaction_id" not in first
    assert second["previous_interaction_id"] == first["id"]
    assert here.tip == second["id"]


def test_a_branch_goes_on_from_an_earlier_exchange(api):
    here = talk(api)
    for text in ("one", "two", "three"):
        here.say(text)
    first = here.exchanges[0].id
    here.branch(1)
    here.say("other")
    assert said(here) == [("one", "one"), ("other", "other")]
    assert api.get(f"interactions/{here.tip}")["previous_interaction_id"] == first
    here.branch(0)
    assert here.tip is None


@pytest.mark.parametrize("number", [-1, 2])
def test_there_is_no_branch_where_nothing_was_said(api, number):
    here = talk(api)
    here.say("one")
    with pytest.raises(IndexError):
        here.branch(number)


def test_functions_are_answered_until_the_end(api):
    calls = []

    def sunny(call):
        calls.append((call.name, call.arguments))
        return "sunny" if len(calls) == 1 else '{"degrees": 3}'

    here = talk(api, sunny, tools=[TOOL])
    here.say('call weather {"city": "Paris"}\ncall weather {"city": "Oslo"}')
    assert calls == [("weather", {"city": "Paris"}), ("weather", {"city": "Oslo"})]
    ((_, answered),) = said(here)
    assert "weather: sunny" in answered
    assert '"degrees":3' in answered.replace(" ", "")


def test_without_a_result_the_conversation_stays_where_it_was(api):
    here = talk(api, lambda _: None, tools=[TOOL])
    here.say("one")
    here.say("call weather {}")
    assert said(here) == [("one", "one")]
    here.say("two")
    assert said(here) == [("one", "one"), ("two", "two")]


def test_what_failed_is_told_and_not_gone_on_from(api):
    here = talk(api, model="breaking")
    here.say("one")
    assert here.exchanges == []
    assert "It broke. [bad_gateway]" in here._out.getvalue()
    assert "This ended as failed." in here._out.getvalue()


def test_what_was_cut_short_is_gone_on_from(api):
    here = talk(api, model="short")
    here.say("one")
    assert said(here) == [("one", "cut")]


def test_a_refusal_comes_through_and_changes_nothing(api):
    here = talk(api, model="nobody")
    with pytest.raises(ApiFault, match="not configured"):
        here.say("one")
    assert here.exchanges == []


def test_what_is_given_goes_along_every_time(api):
    here = talk(api, system="be terse", thoughts=True, background=True)
    here.say("one")
    here.say("two")
    assert here._out.getvalue().count("Thinking about:") == 2
    rows = api.get("interactions", {"page_size": 2})["interactions"]
    assert [row["background"] for row in rows] == [True, True]


def test_interrupting_cancels_and_stays_where_it_was(api, monkeypatch):
    here = talk(api, model="slow")
    here.say("one")

    class Interrupting(io.StringIO):
        def write(self, text):
            if "three" in text:
                raise KeyboardInterrupt
            return super().write(text)

    here._out = Interrupting()
    here.say("two three " + "four " * 200)
    assert said(here) == [("one", "one")]
    assert "Stopped." in here._out.getvalue()
    newest = api.get("interactions", {"page_size": 1})["interactions"][0]
    assert newest["status"] == "cancelled"


def test_an_earlier_conversation_is_taken_up(api):
    here = talk(api, lambda _: "sunny", tools=[TOOL])
    here.say("one")
    here.say("call weather {}")
    here.say("three")
    there = talk(api, model="other")
    there.resume(here.tip)
    assert said(there) == said(here)
    assert [e.id for e in there.exchanges] == [e.id for e in here.exchanges]
    assert there.model == "echo"
    there.given = here.given
    there.say("four")
    assert said(there)[-1] == ("four", "four")


def test_one_that_waits_for_a_function_is_its_last_exchange(api):
    asked = {"model": "echo", "input": "call weather {}", "tools": [TOOL]}
    id = api.call("POST", "interactions", body=asked)["id"]
    here = talk(api)
    here.resume(id)
    assert here.exchanges == [Exchange(id, "call weather {}", "")]


def test_models_are_named_as_requests_name_them(api):
    assert {"echo", "slow", "gemini-*"} <= set(names_of_models(api))
