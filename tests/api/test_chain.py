"""previous_interaction_id: chains and branches."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from interplay.wire.steps import ModelOutputStep, UserInputStep
from tests.api.api import Api, requirement


def said(turn: Any) -> list[str]:
    """The texts of the steps a model was given."""
    texts: list[str] = []
    for step in turn.steps:
        assert isinstance(step, UserInputStep | ModelOutputStep)
        texts.append("".join(block.text for block in step.content or []))
    return texts


async def chain(api: Api, *inputs: str) -> list[str]:
    """A chain of interactions; their ids."""
    made: list[str] = []
    for text in inputs:
        link = {"previous_interaction_id": made[-1]} if made else {}
        answer = await api.create(input=text, **link)
        assert answer.status == 200, answer.raw
        made.append(answer.body["id"])
    return made


@requirement("chain:history")
async def test_a_chain_carries_inputs_and_outputs_only(opened: Any, house: Any) -> None:
    api = await opened("A", "B", "C")
    first = await api.create(input="1", system_instruction="Be brief.", labels={"a": "b"})
    second = await api.create(input="2", previous_interaction_id=first.body["id"])
    await api.create(input="3", previous_interaction_id=second.body["id"])
    assert said(house.model.turns[2]) == ["1", "A", "2", "B", "3"]
    assert house.model.turns[2].system_instruction is None
    assert second.body["previous_interaction_id"] == first.body["id"]
    read = (await api.get(second.body["id"])).body
    assert [step["type"] for step in read["steps"]] == ["user_input", "model_output"]


@requirement("chain:branches")
async def test_two_children_of_one_parent_are_two_branches(opened: Any, house: Any) -> None:
    api = await opened()
    root, inner, tip = await chain(api, "1", "2", "3")
    await api.create(input="left", previous_interaction_id=inner)
    await api.create(input="right", previous_interaction_id=inner)
    await api.create(input="on", previous_interaction_id=tip)
    turns = house.model.turns
    assert [said(turn)[::2] for turn in turns[3:]] == [
        ["1", "2", "left"],
        ["1", "2", "right"],
        ["1", "2", "3", "on"],
    ]
    assert turns[5].conversation == turns[0].conversation
    for any_of_it in (root, inner, tip):
        listed = (await api.call("GET", f"/v1/interactions?root={any_of_it}")).body
        assert len(listed["interactions"]) == 6
        assert listed["interactions"][-1]["id"] == root
        assert {line["root"] for line in listed["interactions"]} == {root}


@requirement("chain:cold")
async def test_a_chain_reads_the_same_after_a_restart(house: Any) -> None:
    from contextlib import AsyncExitStack

    from interplay.testing.scripted_model import ScriptedModel

    before, after = ScriptedModel.of(echo=True), ScriptedModel.of(echo=True)
    async with AsyncExitStack() as stack:
        _, api = await house.start(models={"m": before}, stack=stack)
        ids = await chain(api, "1", "2", "3")
        await api.create(input="4", previous_interaction_id=ids[2])
    _, api = await house.start(models={"m": after})
    await api.create(input="4", previous_interaction_id=ids[2])
    assert said(after.turns[0]) == said(before.turns[3])


@requirement("chain:unfinished")
async def test_chaining_onto_an_unfinished_interaction_is_400(opened: Any, house: Any) -> None:
    api = await opened({"chunks": [{"hold": "h"}]})
    id = (await api.create(input="x", background=True)).body["id"]
    answer = await api.create(input="y", previous_interaction_id=id)
    assert answer.status == 400
    assert "previous_interaction_id" in answer.message
    house.model.gate("h").open()
    await api.ended(id)
    assert (await api.create(input="y", previous_interaction_id=id)).status == 200


@requirement("chain:unknown")
async def test_chaining_onto_what_is_not_there_is_404(opened: Any) -> None:
    api = await opened()
    deleted, kept = (await chain(api, "1", "2"))[:2]
    unstored = (await api.create(input="x", store=False)).body["id"]
    await api.delete(deleted)
    for id in ("v1_nope", deleted, unstored):
        answer = await api.create(input="y", previous_interaction_id=id)
        assert (answer.status, answer.code) == (404, "not_found")
    assert (await api.create(input="y", previous_interaction_id=kept)).status == 200


@requirement("chain:deleted-ancestor")
async def test_what_was_deleted_is_never_seen_again_by_the_model(opened: Any, house: Any) -> None:
    api = await opened()
    first, second = await chain(api, "secret", "2")
    await api.delete(first)
    await api.create(input="3", previous_interaction_id=second)
    assert said(house.model.turns[-1])[::2] == ["2", "3"]


@requirement("chain:failed")
async def test_a_failed_interaction_can_be_followed(opened: Any, house: Any) -> None:
    api = await opened({"text": "so far", "fail": {"code": "service_unavailable"}}, "ok")
    events = await api.stream(input="1")
    id = events[0]["interaction"]["id"]
    assert (await api.create(input="2", previous_interaction_id=id)).status == 200
    assert said(house.model.turns[1]) == ["1", "so far", "2"]


@requirement("chain:long")
@pytest.mark.timeout(600)
async def test_a_chain_of_hundreds_of_turns_is_read_whole(house: Any) -> None:
    from contextlib import AsyncExitStack

    from interplay.testing.scripted_model import ScriptedModel

    model = ScriptedModel.of(echo=True)
    async with AsyncExitStack() as stack:
        _, api = await house.start(models={"m": model}, stack=stack)
        ids = await chain(api, *(str(number) for number in range(300)))
    model = ScriptedModel.of(echo=True)
    _, api = await house.start(models={"m": model})
    await api.create(input="end", previous_interaction_id=ids[-1])
    assert said(model.turns[0])[::2] == [*(str(n) for n in range(300)), "end"]


async def test_children_made_at_once_do_not_see_each_other(opened: Any, house: Any) -> None:
    api = await opened()
    (root,) = await chain(api, "root")
    answers = await asyncio.gather(
        *(api.create(input=f"child {n}", previous_interaction_id=root) for n in range(20))
    )
    assert {answer.status for answer in answers} == {200}
    assert sorted(said(turn)[-1] for turn in house.model.turns[1:]) == sorted(
        f"child {n}" for n in range(20)
    )
    assert all(len(said(turn)) == 3 for turn in house.model.turns[1:])
