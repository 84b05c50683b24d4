"""The example of computer_use: a real browser, moved by models that play and models that look."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import struct
import sys
import tempfile
import zlib
from base64 import b64decode
from pathlib import Path
from typing import Any

import msgspec
import pytest

from interplay.plugins.models.openai_compatible import OpenAICompatible, OpenAICompatibleConfig
from interplay.settings import Settings
from interplay.testing.server import serve
from tests.api.api import requirement
from tests.plugins.models.openai_compatible.upstream import (
    DONE,
    STOP,
    Upstream,
    Wire,
    calls,
    chunk,
    stream,
    text,
    upstream,
)

EXAMPLE = Path(__file__).parents[2] / "examples" / "computer_use.py"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")
BUTTON = bytes((0x10, 0x60, 0xC0))
GIVEN = '"name": "Ada Lovelace", "mail": "ada@example.org"'

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        CHROMIUM is None, reason="needs a Chromium (Debian: apt-get install chromium)"
    ),
]


async def run(
    folder: Path, *arguments: str, said: bytes = b"", url: str | None = None
) -> tuple[int | None, str]:
    """Runs the example; its exit status and what it printed."""
    # A browser's socket lies among its temporary files and bears no long path.
    with tempfile.TemporaryDirectory() as scratch:
        environment = {**os.environ, "TMPDIR": scratch, "HOME": str(folder)}
        environment |= {"INTERPLAY_URL": url} if url else {}
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            str(EXAMPLE),
            *arguments,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(240):
                out, _ = await child.communicate(said)
        finally:
            if child.returncode is None:
                child.terminate()
                await child.wait()
    return child.returncode, out.decode()


@requirement("computer-use:example")
async def test_the_form_arrives_filled_in(tmp_path: Path) -> None:
    status, out = await run(tmp_path, "--yes")
    assert f'arrived: [{{{GIVEN}, "terms": "accepted"}}]' in out, out
    assert status == 0, out


@requirement("computer-use:example")
async def test_a_model_that_looks_finds_the_button_and_presses_it_when_the_user_agrees(
    tmp_path: Path,
) -> None:
    async with upstream() as at:
        at.will(lambda wire: look(at, wire))
        fields = {"base_url": at.base_url, "facts": {"inputs": ["text", "image"]}}
        model = OpenAICompatible(msgspec.convert(fields, OpenAICompatibleConfig))
        settings = Settings(data_dir=str(tmp_path / "data"), cache_dir=str(tmp_path / "cache"))
        async with serve(settings=settings, models={"eyes": model}) as server:
            _, out = await run(tmp_path, "--model", "eyes", said=b"n\ny\n", url=server.url)
    assert re.findall(r" (\w+) \{", out) == ["navigate", "click", "click"], out
    assert out.count("the model asks: I press the button.") == 2
    assert "It was still there, and it is gone." in out, "the first click was not done"
    assert "arrived: [{}]" in out, "nothing was typed, but the button was found"


async def look(at: Upstream, wire: Wire) -> None:
    """A model with one idea: to press what is blue in the last screenshot, until it is gone."""
    messages = at.requests[-1].body["messages"]
    blocks = [b for m in messages if isinstance(m["content"], list) for b in m["content"]]
    shot = [b["image_url"]["url"] for b in blocks if b["type"] == "image_url"][-1]
    asked = "".join(b["text"] for b in blocks if b["type"] == "text")
    place = middle(b64decode(shot.removeprefix("data:image/png;base64,")))
    if place is not None:
        asks = {"decision": "require_confirmation", "explanation": "I press the button."}
        move = call("click", x=place[0], y=place[1], safety_decision=asks)
    elif "call_click" not in str(messages):
        found = ADDRESS.search(asked)
        assert found
        move = call("navigate", url=found[0])
    else:
        again = "was still there" if "does not want this" in str(messages) else "went at once"
        await wire.send(stream(text(f"It {again}, and it is gone."), STOP))
        return
    await wire.send(stream(calls(move), chunk({}, "tool_calls"), DONE))


def call(name: str, **arguments: Any) -> dict[str, Any]:
    """A call as a chunk holds it."""
    given = msgspec.json.encode({**arguments, "intent": "to order"}).decode()
    return {"index": 0, "id": f"call_{name}", "function": {"name": name, "arguments": given}}


def middle(png: bytes) -> tuple[int, int] | None:
    """The middle of what has the button's colour, on the grid from 0 to 999."""
    width, height, rows = pixels(png)
    found = [(row, line.find(BUTTON * 20)) for row, line in enumerate(rows)]
    hits = [(row, at // 3) for row, at in found if at >= 0]
    if not hits:
        return None
    (top, left), (bottom, _) = hits[0], hits[-1]
    right = rows[top].rfind(BUTTON) // 3
    return (left + right) * 500 // width, (top + bottom) * 500 // height


def pixels(png: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and rows of RGB of a PNG as browsers write it."""
    width, height, depth, kind, *_ = struct.unpack(">IIBBBBB", png[16:29])
    assert (depth, kind) == (8, 2), "8 bits each of red, green and blue"
    packed, at = b"", 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + size]
        at += 12 + size
    raw, size = zlib.decompress(packed), width * 3
    rows, before = list[bytes](), bytes(size)
    for start in range(0, len(raw), size + 1):
        before = unfiltered(raw[start], raw[start + 1 : start + 1 + size], before)
        rows.append(before)
    return width, height, rows


def unfiltered(kind: int, row: bytes, above: bytes) -> bytes:
    """One row of a PNG with its filter undone."""
    if kind == 0 or (kind == 2 and not any(row)):
        return above if kind else row
    made = bytearray(row)
    for i in range(len(row)):
        left, up = (made[i - 3], above[i - 3]) if i > 2 else (0, 0)
        guess = above[i]
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + above[i]) // 2
        elif kind == 4:
            near = (abs(above[i] - up), abs(left - up), abs(left + above[i] - 2 * up))
            guess = (left, above[i], up)[near.index(min(near))]
        made[i] = (made[i] + guess) & 255
    return bytes(made)
