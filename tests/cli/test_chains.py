"""The conversation an interaction stands in."""

import pytest

from interplay.cli.chains import chain_to, texts_of
from interplay.cli.client import ApiFault


def say(api, text, before=None):
    body = {"model": "echo", "input": text}
    if before is not None:
        body["previous_interaction_id"] = before
    return api.call("POST", "interactions", body=body)["id"]


def test_a_chain_is_told_from_its_start_to_the_one_asked_for(api):
    one = say(api, "one")
    two = say(api, "two", one)
    say(api, "another branch", one)
    three = say(api, "three", two)
    chain = chain_to(api, three)
    assert [body["id"] for body in chain] == [one, two, three]
    assert [texts_of(body, "user_input") for body in chain] == ["one", "two", "three"]
    assert texts_of(chain[0], "model_output") == "one"


def test_a_chain_begins_behind_what_was_deleted(api):
    one = say(api, "one")
    two = say(api, "two", one)
    three = say(api, "three", two)
    api.call("DELETE", f"interactions/{one}")
    assert [body["id"] for body in chain_to(api, three)] == [two, three]


def test_the_chain_of_nothing_is_an_error(api):
    with pytest.raises(ApiFault, match="not found"):
        chain_to(api, "v1_nothing")
