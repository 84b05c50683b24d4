"""code_execution over a real sandbox: what it offers, and what becomes of its sandboxes."""

from __future__ import annotations

import asyncio
import sysconfig
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from interplay.contracts.tool import CallSite, ToolCall
from interplay.plugins.tools.code_execution import CodeExecution
from interplay.wire.content import ImageContent
from interplay.wire.tools import CodeExecution as Declaration
from tests.sandboxes import backend, needs_bubblewrap

pytestmark = needs_bubblewrap


def made(sandboxes: Any, **config: Any) -> CodeExecution:
    """The tool over a backend."""
    lent: Any = SimpleNamespace(sandbox=lambda: sandboxes)
    kind: Any = CodeExecution
    return kind(kind.Config(**config), lent)


async def said(tool: CodeExecution, code: str, interaction: str = "a") -> Any:
    """The last piece of a call."""
    site = CallSite(
        interaction_id=interaction,
        owner="",
        declaration=Declaration(),
        idempotency_key="k",
        timeout=90.0,
    )
    call = ToolCall(id="call0001", name="code_execution", arguments={"code": code})
    return [piece async for piece in tool.call(call, site)][-1]


async def test_interactions_do_not_see_each_other_and_lost_files_are_told(tmp_path: Path) -> None:
    sandboxes = backend(tmp_path)
    tool = made(sandboxes)
    try:
        assert (await said(tool, "open('a', 'w').write('x')")).is_error is False
        other = await said(tool, "print(open('a').read())", "b")
        assert "FileNotFoundError" in other.result
        assert other.is_error is True
        await sandboxes.close()
        gone = await said(tool, "print(1)")
        assert "Files of earlier calls are lost" in gone.result
        assert (await said(tool, "print(1)")).result == "1"
    finally:
        await tool.close()
        await sandboxes.close()


async def test_a_sandbox_nobody_uses_ends(tmp_path: Path) -> None:
    sandboxes = backend(tmp_path)
    tool = made(sandboxes, idle_seconds=0.0)
    try:
        assert (await said(tool, "print(1)")).result == "1"
        async with asyncio.timeout(60):
            while sandboxes._open:  # noqa: ASYNC110 - nobody tells of their end
                await asyncio.sleep(0.01)
    finally:
        await tool.close()
        await sandboxes.close()


async def test_what_is_no_code_is_an_error(tmp_path: Path) -> None:
    sandboxes = backend(tmp_path)
    tool = made(sandboxes)
    assert "`code`" in (await said(tool, " ")).result
    await tool.close()


async def test_figures_that_are_shown_become_images(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed here")
    sandboxes = backend(tmp_path, packages=sysconfig.get_path("purelib"))
    tool = made(sandboxes)
    code = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nplt.figure()\nplt.show()"
    try:
        step = await said(tool, code)
        assert [type(block) for block in step.result] == [ImageContent, ImageContent], step
    finally:
        await tool.close()
        await sandboxes.close()
