"""The papers are true: their Python runs, their settings load, their links and commands exist."""

import asyncio
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from interplay.cli.program import COMMANDS
from interplay.contracts.model import Turn
from interplay.interactions.roster import Roster
from interplay.settings import Settings
from interplay.testing.echo import echo
from interplay.testing.script import Call, Reply
from interplay.testing.scripted_model import ScriptedModel
from interplay.testing.server import serve
from interplay.wire.steps import FunctionCallStep, FunctionResultStep
from tests.house.tree import ROOT, short

PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bench/*.md")])
ADDRESS = "http://127.0.0.1:8080"


def blocks(paper: Path, language: str) -> list[str]:
    """The code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", paper.read_text("utf-8"), re.M | re.S)


def samples() -> list[tuple[str, str]]:
    """Python that asks a server: (where it stands, the code)."""
    papers = [ROOT / "README.md", ROOT / "docs" / "tutorial.md"]
    return [
        (f"{paper.name} {number}", code)
        for paper in papers
        for number, code in enumerate(blocks(paper, "python"), start=1)
    ]


def played(turn: Turn) -> Reply:
    """A model as the samples expect it: it calls a function it is offered, once."""
    called = any(isinstance(step, FunctionCallStep | FunctionResultStep) for step in turn.steps)
    if turn.functions and not called:
        return Reply(calls=[Call(name=turn.functions[0].name, arguments={"city": "Rome"})])
    return echo(turn)


@pytest.mark.parametrize(("name", "code"), samples(), ids=[name for name, _ in samples()])
async def test_a_sample_runs(name, code, capsys):
    model = ScriptedModel.of(played, repeat=True)
    async with serve(models={"qwen2.5-coder-1.5b": model}) as server:
        assert ADDRESS in code
        program = compile(code.replace(ADDRESS, server.url), name, "exec")
        await asyncio.wait_for(asyncio.to_thread(exec, program, {"__name__": name}), 120)
    assert model.turns
    assert capsys.readouterr().out.strip()


def test_the_plugins_of_the_guide_keep_their_contracts(tmp_path):
    file = tmp_path / "test_guide.py"
    file.write_text("\n\n".join(blocks(ROOT / "docs" / "plugins.md", "python")), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-o", "asyncio_mode=auto", "-o", "addopts=", file],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("paper", PAPERS, ids=map(short, PAPERS))
def test_settings_load_and_models_can_be_built(paper, monkeypatch):
    monkeypatch.setenv("DEEPSEEK_API_KEY", "secret")
    for text in blocks(paper, "toml"):
        values = tomllib.loads(text)
        if "project" in values:
            continue
        settings = msgspec.convert(values, Settings)
        if paper.name != "plugins.md":
            Roster(settings)


@pytest.mark.parametrize("paper", PAPERS, ids=map(short, PAPERS))
def test_links_lead_somewhere(paper):
    for link in re.findall(r"\]\(([^)#\s]+)", paper.read_text("utf-8")):
        if not link.startswith("http"):
            assert (paper.parent / link).exists(), f"{paper.name}: {link}"


@pytest.mark.parametrize("paper", PAPERS, ids=map(short, PAPERS))
def test_commands_exist(paper):
    text = paper.read_text("utf-8")
    ways = set(re.findall(r"^([a-z]+)\)", (ROOT / "run").read_text("utf-8"), re.M))
    assert set(re.findall(r"\./run ([a-z]+)", text)) <= ways
    spoken = [*blocks(paper, "sh"), *re.findall(r"`([^`\n]+)`", text)]
    named = {name for part in spoken for name in re.findall(r"^interplay ([a-z]+)", part, re.M)}
    assert named <= set(COMMANDS)
