"""The examples: each is written of, and those that a scripted model can answer are run."""

from __future__ import annotations

import ast
import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from interplay.contracts.model import Turn
from interplay.settings import Settings
from interplay.testing.script import Call, Reply
from interplay.testing.scripted_model import ScriptedModel
from interplay.testing.server import serve

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
ANSWER = "It was looked up."
STARTED = "serving.py"
"""What the others start a server with: no example of a feature."""

pytestmark = pytest.mark.timeout(300)


async def run(folder: Path, name: str, *arguments: str, **environment: str) -> tuple[int, str]:
    """Runs an example in another folder than its own; its exit status and what it printed."""
    ours = {n: v for n, v in os.environ.items() if not n.startswith(("INTERPLAY_", "ANTHROPIC_"))}
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "examples" / name),
        *arguments,
        cwd=folder,
        env={**ours, "NO_PROXY": "127.0.0.1", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(240):
            out, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.terminate()
            await child.wait()
    assert child.returncode is not None
    return child.returncode, out.decode()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_says_what_it_shows_and_compiles(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    compile(source, str(path), "exec", dont_inherit=True)
    assert ast.get_docstring(ast.parse(source))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_linked_from_a_page(path: Path) -> None:
    if path.name == STARTED:
        others = [one.read_text(encoding="utf-8") for one in EXAMPLES if one != path]
        assert all("from serving import " in source for source in others)
        return
    pages = [page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md")]
    assert any(f"(../examples/{path.name})" in page for page in pages)


async def test_a_server_of_ones_own_starts_and_stops(tmp_path: Path) -> None:
    status, out = await run(tmp_path, STARTED)
    assert (status, "is stopped again" in out) == (0, True), out


async def test_a_server_that_does_not_start_is_shown_with_its_reason(tmp_path: Path) -> None:
    program = tmp_path / "mistaken.py"
    program.write_text("from serving import serving\nwith serving('prot = 1'):\n    pass\n")
    status, out = await run(tmp_path, str(program), PYTHONPATH=str(ROOT / "examples"))
    assert status == 1
    assert "The server did not start." in out
    assert "prot" in out, out
    assert "Traceback" not in out, out


async def test_the_example_of_claude_talks_to_the_double(tmp_path: Path) -> None:
    status, out = await run(tmp_path, "claude.py")
    assert "called: get_temperature {'city': 'Rome'}" in out, out
    assert status == 0, out


def calling(**arguments: Any) -> Any:
    """A turn that calls the function it is offered."""
    return lambda turn: Reply(calls=[Call(name=_only(turn), arguments=arguments)])


def _only(turn: Turn) -> str:
    (function,) = turn.functions
    return function.name


@pytest.mark.parametrize(
    ("name", "arguments", "said", "shown"),
    [
        ("files.py", [], [], "What comes back is the same."),
        ("mcp_server.py", [], [calling(article="lamp")], "17 pieces"),
        (
            "google_search.py",
            ["When does the ferry run?"],
            [calling(queries=["ferry"])],
            "searched: ferry",
        ),
    ],
)
async def test_an_example_goes_through_with_a_scripted_model(
    tmp_path: Path, name: str, arguments: list[str], said: list[Any], shown: str
) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "ferry.md").write_text("# Ferry\n\nThe ferry runs on Tuesdays.\n")
    settings = Settings(
        data_dir=str(tmp_path / "data"),
        cache_dir=str(tmp_path / "cache"),
        allowed_networks=["127.0.0.0/8"],
        engines={"corpus": {"folder": str(library)}},
    )
    model = ScriptedModel.of(*said, ANSWER)
    async with serve(settings=settings, models={"player": model}) as server:
        status, out = await run(
            tmp_path, name, *arguments, INTERPLAY_URL=server.url, INTERPLAY_MODEL="player"
        )
    assert shown in out, out
    assert ANSWER in out, out
    assert status == 0, out
    model.verify()
