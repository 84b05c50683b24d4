"""POST /interactions, answered whole."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.api.api import requirement, text_of


@requirement("interactions:create:text")
async def test_a_text_is_answered_with_the_documented_body(opened: Any) -> None:
    api = await opened("Hello there.")
    answer = await api.create(input="Hi")
    assert answer.status == 200
    body = answer.body
    assert re.fullmatch(r"v1_[A-Za-z0-9_-]{67}", body["id"])
    assert body["object"] == "interaction"
    assert body["status"] == "completed"
    assert body["model"] == "m"
    assert body["service_tier"] == "standard"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["created"])
    assert body["steps"] == [
        {"type": "model_output", "content": [{"type": "text", "text": "Hello there."}]}
    ]
    usage = body["usage"]
    assert usage["total_tokens"] == usage["total_input_tokens"] + usage["total_output_tokens"]
    assert usage["total_output_tokens"] == 2


@requirement("interactions:get:timeline")
async def test_get_shows_the_input_before_what_was_made(opened: Any) -> None:
    api = await opened("Yes.")
    made = (await api.create(input="Is it?")).body
    read = (await api.get(made["id"])).body
    asked = {"type": "user_input", "content": [{"type": "text", "text": "Is it?"}]}
    assert read["steps"] == [asked, *made["steps"]]
    assert {k: v for k, v in read.items() if k != "steps"} == {
        k: v for k, v in made.items() if k != "steps"
    }


@requirement("interactions:versions")
@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha", "v1beta1"])
async def test_every_version_serves_the_same_objects(opened: Any, version: str) -> None:
    api = await opened("One.")
    made = await api.call(
        "POST", f"/{version}/interactions?alt=sse&key=x", json={"model": "m", "input": "a"}
    )
    assert made.status == 200
    for other in ("v1", "v1beta", "v1alpha", "v1beta1"):
        assert (await api.call("GET", f"//{other}//interactions/{made.body['id']}")).status == 200


async def test_the_path_of_the_cloud_platform_leads_to_the_same_place(opened: Any) -> None:
    api = await opened("One.")
    path = "/v1beta1/projects/p/locations/global/interactions"
    assert (await api.call("POST", path, json={"model": "m", "input": "a"})).status == 200


TEXT = {"type": "text", "text": "Hi"}
FORMS: list[tuple[str, Any]] = [
    ("a string", "Hi"),
    ("a content block", TEXT),
    ("content blocks", [TEXT]),
    ("a step", {"type": "user_input", "content": [TEXT]}),
    ("steps", [{"type": "user_input", "content": [TEXT]}]),
    ("turns", [{"role": "user", "content": "Hi"}]),
    ("turns with blocks", [{"role": "user", "content": [TEXT]}]),
    ("a step with a string", [{"type": "user_input", "content": "Hi"}]),
    ("several inputs", [{"type": "user_input", "content": [TEXT]}] * 2),
]


@requirement("interactions:create:input-forms")
@pytest.mark.parametrize("form", [form for _, form in FORMS], ids=[name for name, _ in FORMS])
async def test_input_is_taken_in_every_form(opened: Any, house: Any, form: Any) -> None:
    api = await opened("ok")
    answer = await api.create(input=form)
    assert answer.status == 200, answer.raw
    steps = house.model.turns[0].steps
    assert steps[0].content[0].text == "Hi"


async def test_a_mixture_of_blocks_and_steps_keeps_its_order(opened: Any, house: Any) -> None:
    api = await opened("ok")
    said = {"type": "model_output", "content": [{"type": "text", "text": "B"}]}
    parts = [{"type": "text", "text": "A"}, said, {"type": "text", "text": "C"}, TEXT]
    assert (await api.create(input=parts)).status == 200
    steps = house.model.turns[0].steps
    assert [type(step).__name__ for step in steps] == [
        "UserInputStep",
        "ModelOutputStep",
        "UserInputStep",
    ]
    assert [c.text for c in steps[2].content] == ["C", "Hi"]


async def test_nulls_stand_for_fields_left_out(opened: Any) -> None:
    api = await opened("ok")
    answer = await api.create(
        input="a", tools=[], system_instruction=None, generation_config=None, store=None,
        previous_interaction_id=None, labels=None, stream=None, background=None,
    )  # fmt: skip
    assert answer.status == 200, answer.raw


@requirement("interactions:create:knobs")
async def test_every_knob_reaches_the_model(opened: Any, house: Any) -> None:
    api = await opened("ok")
    config = {
        "max_output_tokens": 7, "seed": 3, "temperature": 0.5, "top_p": 0.9, "top_k": 4,
        "stop_sequences": ["END"], "thinking_level": "low", "thinking_summaries": "auto",
    }  # fmt: skip
    answer = await api.create(input="a", system_instruction="Be brief.", generation_config=config)
    assert answer.status == 200, answer.raw
    turn = house.model.turns[0]
    assert turn.system_instruction == "Be brief."
    assert (turn.max_output_tokens, turn.seed, turn.temperature) == (7, 3, 0.5)
    assert (turn.top_p, turn.top_k, turn.stop_sequences) == (0.9, 4, ["END"])
    assert (turn.thinking_level, turn.thinking_summaries) == ("low", True)


@requirement("interactions:labels")
async def test_labels_come_back(opened: Any) -> None:
    api = await opened("ok")
    made = await api.create(input="a", labels={"team": "search", "run": "7"})
    assert (await api.get(made.body["id"])).body["labels"] == {"team": "search", "run": "7"}


@requirement("interactions:incomplete")
async def test_reaching_the_token_limit_is_incomplete(opened: Any) -> None:
    api = await opened({"text": "half a sen", "end": {"reason": "length"}})
    body = (await api.create(input="a")).body
    assert body["status"] == "incomplete"
    assert text_of(body) == "half a sen"


@requirement("interactions:blocked")
async def test_a_blocked_output_fails_with_its_code_and_keeps_what_was_said(opened: Any) -> None:
    api = await opened({"text": "I wi", "end": {"reason": "blocked", "code": "safety"}})
    answer = await api.create(input="a")
    assert answer.status == 200
    assert answer.body["status"] == "failed"
    assert answer.body["errors"][0]["code"] == "safety"
    assert text_of(answer.body) == "I wi"


@requirement("thoughts:signature")
async def test_thoughts_carry_their_signature_there_and_back(opened: Any, house: Any) -> None:
    thinks = {"thought": {"summary": "Let me see.", "signature": "c2ln"}, "text": "42"}
    api = await opened(thinks, "ok")
    body = (await api.create(input="a", generation_config={"thinking_summaries": "auto"})).body
    assert body["steps"][0] == {
        "type": "thought",
        "signature": "c2ln",
        "summary": [{"type": "text", "text": "Let me see."}],
    }
    await api.create(input=[*body["steps"], {"type": "user_input", "content": [TEXT]}])
    assert house.model.turns[1].steps[0].signature == "c2ln"


@requirement("thoughts:summaries")
async def test_thoughts_have_no_summary_unless_it_is_asked_for(opened: Any) -> None:
    api = await opened({"thought": {"summary": "Hm.", "signature": "c2ln"}, "text": "42"})
    body = (await api.create(input="a")).body
    assert body["steps"][0] == {"type": "thought", "signature": "c2ln"}


async def test_an_official_client_creates_and_reads(opened: Any, house: Any) -> None:
    await opened("Hello.")
    client = house.server.client()
    made = await client.aio.interactions.create(model="m", input="Hi")
    assert made.output_text == "Hello."
    read = await client.aio.interactions.get(made.id)
    assert [step.type for step in read.steps] == ["user_input", "model_output"]
    assert read.output_text == "Hello."
