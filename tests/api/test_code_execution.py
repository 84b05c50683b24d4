"""code_execution through the API: code in, words and images out, never outside of a sandbox."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from typing import Any

import pytest
from google import genai

from tests.api.api import Api, fold, requirement
from tests.sandboxes import needs_bubblewrap

TOOL = {"type": "code_execution"}
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


def runs(code: str, language: str = "python", number: int = 1) -> dict[str, Any]:
    """A turn in which the model runs code."""
    arguments = {"code": code, "language": language}
    return {"calls": [{"name": "code_execution", "arguments": arguments, "id": f"run{number:05}"}]}


@needs_bubblewrap
@requirement("code-execution:steps")
@pytest.mark.parametrize("stream", [False, True])
async def test_code_gives_its_typed_steps_and_files_stay(opened: Any, stream: bool) -> None:
    one = runs("open('a', 'w').write('kept'); print(6 * 7)")
    two = runs("cat a; echo; python3 --version >/dev/null 2>&1; echo bad >&2; exit 3", "bash", 2)
    api: Api = await opened(one, two, "Done.")
    if stream:
        events = await api.stream(input="a", tools=[TOOL])
        body = (await api.get(events[0]["interaction"]["id"])).body
        assert await api.replay(body["id"]) == events
        assert fold(events) == body["steps"][-5:]
    body = body if stream else (await api.create(input="a", tools=[TOOL])).body
    call, result, again, failed, _ = body["steps"][-5:]
    assert call["arguments"] == {"code": one["calls"][0]["arguments"]["code"], "language": "python"}
    assert (result["type"], result["call_id"]) == ("code_execution_result", "run00001")
    assert (result["result"], result["is_error"]) == ("42", False)
    assert again["arguments"]["language"] == "bash"
    assert (failed["result"], failed["is_error"]) == ("kept\nbad\n[exit code 3]", True)


@needs_bubblewrap
@requirement("code-execution:images")
async def test_images_that_code_writes_are_content_of_the_result(opened: Any, house: Any) -> None:
    code = f"import base64\nopen('a.png', 'wb').write(base64.b64decode('{PIXEL}'))\nprint('drawn')"
    lies = "open('no.png', 'w').write('no image')"
    api: Api = await opened(runs(code), runs(lies, number=2), "Look.")
    events = await api.stream(input="a", tools=[TOOL])
    body = (await api.get(events[0]["interaction"]["id"])).body
    _, result, _, other, _ = body["steps"][-5:]
    text, image = result["result"]
    assert (text["text"], result["is_error"]) == ("drawn", False)
    assert (image["type"], image["mime_type"]) == ("image", "image/png")
    assert b64decode(image["data"]) == b64decode(PIXEL)
    assert (other["result"], other["is_error"]) == ("", False)
    assert await api.replay(body["id"]) == events
    assert fold(events) == body["steps"][-5:]
    assert house.model.turns[1].steps[-1].result[0].text == "drawn"


@needs_bubblewrap
@requirement("code-execution:limits")
async def test_code_that_takes_too_long_is_an_error_and_the_run_goes_on(opened: Any) -> None:
    asked = runs("print('begun', flush=True)\nwhile True: pass")
    given = {"code_execution": {"seconds": 1.0}}
    api: Api = await opened(asked, "It hung.", tool_settings=given)
    body = (await api.create(input="a", tools=[TOOL])).body
    assert body["status"] == "completed"
    _, result, _ = body["steps"][-3:]
    assert (result["result"], result["is_error"]) == ("begun\n[ended after 1 s]", True)


@requirement("code-execution:refused")
@pytest.mark.parametrize(
    ("settings", "words"),
    [({"backend": "none"}, "sandbox.backend"), ({"bwrap": "/nonexistent"}, "'bubblewrap' failed")],
)
async def test_without_isolation_the_tool_is_refused_by_name(
    opened: Any, settings: dict[str, Any], words: str
) -> None:
    api: Api = await opened("Never.", sandbox=settings)
    answer = await api.create(input="a", tools=[TOOL])
    assert answer.status == 400
    assert "tools[0]" in answer.message
    assert words in answer.message


@needs_bubblewrap
@requirement("code-execution:sdk")
async def test_the_official_client_reads_code_and_images(opened: Any) -> None:
    code = f"import base64\nopen('a.png', 'wb').write(base64.b64decode('{PIXEL}'))\nprint('drawn')"
    api: Api = await opened(runs(code), "Look.")
    client = genai.Client(api_key="none", http_options={"base_url": api.url})

    def ask() -> Any:
        return client.interactions.create(model="m", input="a", tools=[{"type": "code_execution"}])

    made = await asyncio.to_thread(ask)
    call, result, _ = (made.steps or [])[-3:]
    assert call.arguments.language == "python"
    kinds = [json.loads(block.model_dump_json())["type"] for block in result.result]
    assert kinds == ["text", "image"]
