"""The Messages API as a model, through the API: what a client of it sees."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from google import genai

from interplay.plugins.models.anthropic import Anthropic
from interplay.testing.contracts.model import DOT
from interplay.testing.local_messages import LocalMessages, Said
from interplay.testing.scripted_tool import ScriptedTool
from tests.api.api import fold, ids, kinds, requirement, text_of
from tests.plugins.models.anthropic.upstream import NEW, OLD, config

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
KINDS = [OLD, "claude-opus-4-6", "claude-sonnet-5-5", NEW]


@pytest.fixture
async def claude() -> AsyncIterator[LocalMessages]:
    """The double; what it refused fails the test."""
    async with LocalMessages() as made:
        yield made
    assert made.refused == []


def behind(claude: LocalMessages, **fields: Any) -> Anthropic:
    """A model of the double's."""
    return Anthropic(config(base_url=claude.url, **fields))


def client_of(house: Any) -> Any:
    return genai.Client(api_key="k", http_options={"base_url": house.server.url})


@requirement("anthropic:conversation")
@pytest.mark.parametrize("name", KINDS)
async def test_a_conversation_of_thoughts_and_calls_goes_on_at_the_server(
    opened: Any, house: Any, claude: LocalMessages, name: str
) -> None:
    await opened(models={"claude-*": behind(claude)})
    client = client_of(house)
    how: Any = {
        "model": name,
        "tools": [WEATHER],
        "system_instruction": "Be kind to everyone who asks.",
        "generation_config": {"thinking_level": "high", "thinking_summaries": "auto"},
    }
    asked = 'call get_weather {"city": "Rome"}\ncall get_weather {"city": "Oslo"}'
    first = await client.aio.interactions.create(input=asked, **how)
    assert first.status == "requires_action"
    assert [step.type for step in first.steps] == ["thought", "function_call", "function_call"]
    assert first.steps[0].summary[0].text.startswith("Thinking about")
    results = [
        {"type": "function_result", "call_id": step.id, "name": step.name, "result": "mild"}
        for step in first.steps
        if step.type == "function_call"
    ]
    second = await client.aio.interactions.create(
        input=results, previous_interaction_id=first.id, **how
    )
    assert second.status == "completed"
    third = await client.aio.interactions.create(
        input="thanks", previous_interaction_id=second.id, **how
    )
    assert third.usage.total_cached_tokens == second.usage.total_input_tokens
    assert third.usage.total_thought_tokens > 0
    back = claude.requests[-1].body["messages"]
    assert [message["role"] for message in back] == ["user", "assistant"] * 2 + ["user"]
    assert back[1]["content"][0]["signature"]


@requirement("anthropic:conversation")
async def test_a_caller_who_keeps_the_conversation_gives_the_thoughts_back(
    opened: Any, house: Any, claude: LocalMessages
) -> None:
    api = await opened(models={"claude-*": behind(claude)})
    how: Any = {"model": OLD, "store": False, "generation_config": {"thinking_level": "low"}}
    first = (await api.create(input="hello", **how)).body
    asked = {"type": "user_input", "content": [{"type": "text", "text": "hello"}]}
    more = {"type": "user_input", "content": [{"type": "text", "text": "and?"}]}
    again = await api.create(input=[asked, *first["steps"], more], **how)
    assert again.body["status"] == "completed"
    assert claude.requests[1].body["messages"][1]["content"][0]["type"] == "thinking"


async def test_a_stream_folds_to_what_is_stored(
    opened: Any, house: Any, claude: LocalMessages
) -> None:
    await opened(models={"claude-*": behind(claude)})
    client = client_of(house)
    text, id = "", ""
    stream = await client.aio.interactions.create(
        model=NEW, input="one two three four", stream=True
    )
    async for event in stream:
        if event.event_type == "step.delta" and event.delta.type == "text":
            text += event.delta.text
        if event.event_type == "interaction.created":
            id = event.interaction.id
    stored = await client.aio.interactions.get(id)
    assert stored.steps[-1].content[0].text == text == "one two three four"
    assert stored.usage.total_output_tokens == 4


async def test_a_tool_of_the_server_is_called_and_its_result_read(
    opened: Any, claude: LocalMessages
) -> None:
    tool = ScriptedTool(results=["Rome is in Italy."])
    api = await opened(models={"claude-*": behind(claude)}, tools={"google_search": tool})
    made = (
        await api.create(
            model=NEW,
            input='call google_search {"query": "Rome"}',
            tools=[{"type": "google_search"}],
        )
    ).body
    assert made["status"] == "completed"
    kinds_of_steps = [step["type"] for step in made["steps"]]
    assert kinds_of_steps[:2] == ["google_search_call", "google_search_result"]
    assert len(claude.requests) == 2


@requirement("anthropic:media")
async def test_images_and_documents_reach_the_server(opened: Any, claude: LocalMessages) -> None:
    api = await opened(models={"claude-*": behind(claude)})
    pdf = b64encode(b"%PDF-1.4 x").decode()
    parts: list[Any] = [
        {"type": "text", "text": "what is this?"},
        {"type": "image", "data": DOT, "mime_type": "image/png"},
        {"type": "document", "data": pdf, "mime_type": "application/pdf"},
    ]
    made = (await api.create(model=NEW, input=parts)).body
    assert text_of(made) == "what is this? [image] [document]"
    sent = claude.requests[0].body["messages"][0]["content"]
    assert [part["source"]["media_type"] for part in sent[1:]] == ["image/png", "application/pdf"]


@requirement("anthropic:schema")
@pytest.mark.parametrize("name", [OLD, NEW, "claude-3-haiku-20240307"])
async def test_json_fits_its_schema_on_models_that_can_be_held_to_it_and_on_others(
    opened: Any, claude: LocalMessages, name: str
) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 3}, "c": {"enum": ["red"]}},
        "required": ["n", "c"],
    }
    api = await opened(models={name: behind(claude, model=name)})
    claude.replies = [Said(text='{"n": 4, "c": "red"}')]
    made = await api.create(
        model=name, input="x", response_format=schema, response_mime_type="application/json"
    )
    assert made.body["status"] == "completed", made.body
    assert ("output_config" in claude.requests[0].body) == (name != "claude-3-haiku-20240307")
    assert "valid for this" in claude.requests[0].body["system"][0]["text"]


async def test_a_refusal_is_an_interaction_that_failed_with_the_reason(
    opened: Any, claude: LocalMessages
) -> None:
    why = {"type": "refusal", "category": "bio", "explanation": "Not this."}
    claude.replies = [Said(text="I", stop_reason="refusal", stop_details=why)]
    api = await opened(models={"claude-*": behind(claude)})
    made = (await api.create(model=NEW, input="x")).body
    assert "Not this." in str(made)
    assert made["status"] in ("failed", "incomplete")


async def test_a_full_server_is_told_with_the_seconds_to_wait(
    opened: Any, claude: LocalMessages
) -> None:
    claude.replies = [Said(status=429, error="rate_limit_error", headers={"retry-after": "41"})]
    api = await opened(models={"claude-*": behind(claude)})
    answer = await api.create(model=NEW, input="x")
    assert (answer.status, answer.code) == (429, "too_many_requests")
    assert answer.headers["retry-after"] == "41"


async def _handed_over(house: Any, claude: LocalMessages, name: str) -> tuple[Any, list[Any]]:
    """A run that one server begins, stops in the middle of its text, and another ends."""
    async with AsyncExitStack() as stack:
        models = {name: behind(claude, model=name)}
        _, one = await house.start(models=models, shared=True, stack=stack)
        id = (await one.create(model=name, input="count", background=True)).body["id"]
        async with one.opened("GET", f"/v1/interactions/{id}?stream=true") as events:
            async for event in events:
                if event["event_type"] == "step.delta":
                    break
        models = {name: behind(claude, model=name)}
        _, two = await house.start(models=models, shared=True)
        following = asyncio.create_task(two.replay(id))
    async with asyncio.timeout(60):
        events = await following
    return (await two.get(id)).body, events


@requirement("anthropic:resume")
async def test_a_run_taken_up_in_the_middle_of_its_text_goes_on_inside_it(
    house: Any, claude: LocalMessages
) -> None:
    claude.replies = [
        Said(text="One two three.", breaks_after=1, breaks="stall"),
        Said(text=" three."),
    ]
    made, events = await _handed_over(house, claude, OLD)
    assert [step["type"] for step in made["steps"]] == ["user_input", "model_output"]
    assert text_of(made) == "One two three."
    assert ids(events) == list(range(len(events)))
    assert kinds(events).count("interaction.completed") == 1
    assert fold(events) == made["steps"][1:]
    assert claude.requests[1].body["messages"][-1] == {
        "role": "assistant",
        "content": [{"type": "text", "text": "One two"}],
    }


@requirement("anthropic:resume")
async def test_a_model_that_takes_no_prefill_goes_on_in_a_new_step(
    house: Any, claude: LocalMessages
) -> None:
    claude.replies = [
        Said(text="One two three.", breaks_after=1, breaks="stall"),
        Said(text=" three."),
    ]
    made, events = await _handed_over(house, claude, NEW)
    assert text_of(made) == "One two three."
    assert [step["type"] for step in made["steps"]].count("model_output") == 2
    assert fold(events) == made["steps"][1:]
    assert claude.requests[1].body["messages"][-1]["role"] == "user"
