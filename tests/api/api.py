"""A plain client of the HTTP API for tests: what curl would send, answers as data."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest


class Answer:
    """Status, headers and body of one answer."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.raw = status, headers, body

    @property
    def body(self) -> Any:
        """The body as JSON."""
        return json.loads(self.raw)

    @property
    def message(self) -> str:
        """The error's message."""
        return self.body["error"]["message"]

    @property
    def code(self) -> str:
        """The error's code."""
        return self.body["error"]["code"]

    @property
    def text(self) -> str:
        """The text of an interaction's model outputs."""
        return text_of(self.body)


def text_of(interaction: dict[str, Any]) -> str:
    """The text of every model_output of an interaction."""
    return "".join(
        content.get("text", "")
        for step in interaction.get("steps", [])
        if step["type"] == "model_output"
        for content in step.get("content", [])
    )


def frames_in(raw: str) -> list[dict[str, Any]]:
    """The events of a whole stream, `done` left out; comments are skipped."""
    events: list[dict[str, Any]] = []
    for block in raw.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if not lines:
            continue
        assert lines[0].startswith("event: ")
        assert lines[1].startswith("data: ")
        if lines[1] == "data: [DONE]":
            assert lines[0] == "event: done"
            continue
        event = json.loads(lines[1].removeprefix("data: "))
        assert event["event_type"] == lines[0].removeprefix("event: ")
        events.append(event)
    return events


class Api:
    """`/v1/interactions` of one server."""

    def __init__(
        self, url: str, session: aiohttp.ClientSession, headers: dict[str, str] | None = None
    ) -> None:
        self.url, self.session, self.headers = url, session, headers or {}

    def acting_as(self, key: str) -> Api:
        """The same server with this key."""
        return Api(self.url, self.session, {**self.headers, "x-goog-api-key": key})

    async def call(self, method: str, path: str, **kwargs: Any) -> Answer:
        """Any request; `path` without the host."""
        headers = {**self.headers, **kwargs.pop("headers", {})}
        async with self.session.request(
            method, self.url + path, headers=headers, **kwargs
        ) as response:
            return Answer(response.status, response.headers, await response.read())

    async def create(self, body: Any = None, **fields: Any) -> Answer:
        """POST with these fields; `headers=` goes into the headers."""
        headers = fields.pop("headers", {})
        given = {"model": "m", **fields} if body is None else body
        return await self.call("POST", "/v1/interactions", json=given, headers=headers)

    async def get(self, id: str, **query: Any) -> Answer:
        """GET one."""
        return await self.call("GET", f"/v1/interactions/{id}", params=query)

    async def delete(self, id: str) -> Answer:
        """DELETE one."""
        return await self.call("DELETE", f"/v1/interactions/{id}")

    async def cancel(self, id: str) -> Answer:
        """Cancel one."""
        return await self.call("POST", f"/v1/interactions/{id}/cancel")

    async def stream(self, **fields: Any) -> list[dict[str, Any]]:
        """Every event of a streamed create."""
        answer = await self.create(stream=True, **fields)
        assert answer.status == 200, answer.raw
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.raw.endswith(b"event: done\ndata: [DONE]\n\n"), answer.raw
        return frames_in(answer.raw.decode())

    async def replay(self, id: str, after: str | None = None) -> list[dict[str, Any]]:
        """Every event of GET ?stream=true."""
        query = {"stream": "true"} | ({"last_event_id": after} if after else {})
        answer = await self.get(id, **query)
        assert answer.status == 200, answer.raw
        return frames_in(answer.raw.decode())

    @asynccontextmanager
    async def opened(
        self, method: str = "POST", path: str = "/v1/interactions", **kwargs: Any
    ) -> AsyncGenerator[AsyncIterator[dict[str, Any]]]:
        """A live stream, event by event."""
        async with self.session.request(
            method, self.url + path, headers=self.headers, **kwargs
        ) as response:
            assert response.status == 200, await response.read()
            yield _events(response)

    async def ended(self, id: str) -> dict[str, Any]:
        """Follows an interaction to its end and answers it."""
        await self.replay(id)
        answer = await self.get(id)
        assert answer.status == 200
        assert answer.body["status"] not in ("in_progress", "queued")
        return answer.body


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    block = ""
    async for line in response.content:
        block += line.decode()
        if line == b"\n":
            for event in frames_in(block):
                yield event
            block = ""


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Returns as soon as the condition holds; TimeoutError when it does not in that time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - it looks at state that tells nobody of a change
            await asyncio.sleep(0.005)


def ids(events: list[dict[str, Any]]) -> list[int]:
    """The sequence numbers of events."""
    return [int(event["event_id"].rsplit(".", 1)[1]) for event in events]


def kinds(events: list[dict[str, Any]]) -> list[str]:
    """Their types."""
    return [event["event_type"] for event in events]


def fold(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Steps as a client would put them together from the events alone."""
    steps: list[dict[str, Any]] = []
    arguments: dict[int, str] = {}
    for event in events:
        if event["event_type"] == "step.start":
            assert event["index"] == len(steps), "indices are dense"
            steps.append(json.loads(json.dumps(event["step"])))
        elif event["event_type"] == "step.delta":
            _apply(steps[event["index"]], event["delta"], arguments, event["index"])
        elif event["event_type"] == "step.stop" and event["index"] in arguments:
            steps[event["index"]]["arguments"] = json.loads(arguments[event["index"]])
    return steps


def _apply(
    step: dict[str, Any], delta: dict[str, Any], arguments: dict[int, str], index: int
) -> None:
    kind = delta["type"]
    if kind == "text":
        _text(step.setdefault("content", []), delta["text"])
    elif kind == "thought_summary":
        _text(step.setdefault("summary", []), delta["content"]["text"])
    elif kind == "thought_signature":
        step["signature"] = delta["signature"]
    elif kind == "arguments_delta":
        arguments[index] = arguments.get(index, "") + delta["arguments"]
    elif kind == "text_annotation_delta":
        step["content"][-1].setdefault("annotations", []).extend(delta["annotations"])
    elif kind in ("image", "audio", "video", "document"):
        step.setdefault("content", []).append(delta)
    else:
        step.update(delta)


def _text(blocks: list[dict[str, Any]], text: str) -> None:
    if blocks and blocks[-1]["type"] == "text" and "annotations" not in blocks[-1]:
        blocks[-1]["text"] += text
    else:
        blocks.append({"type": "text", "text": text})


requirement = pytest.mark.requirement
