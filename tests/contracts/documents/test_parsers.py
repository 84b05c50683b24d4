"""Processes that parse: bounded in number, time and memory."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from interplay.contracts.documents import parsers as module
from interplay.contracts.documents.parsers import Parsers
from interplay.contracts.documents.parsing import Job
from tests.plugins.readers.http.conftest import pdf

GIGABYTE = 1 << 30


def job(body: bytes = b"words", form: Any = "text", **fields: Any) -> Job:
    given: dict[str, Any] = {"seconds": 20.0, "pages": 500, "characters": 100_000, **fields}
    return Job(form=form, body=body, charset=None, **given)


@pytest.fixture
async def parsers() -> AsyncGenerator[Parsers]:
    made = Parsers(1, GIGABYTE)
    yield made
    await made.close()


def pids(parsers: Parsers) -> list[int]:
    return [parser._process.pid for parser in parsers._idle]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def test_one_process_reads_one_document_after_the_other(parsers: Parsers):
    assert (await parsers.parse(job())).texts == ["words"]
    first = pids(parsers)
    found = await asyncio.gather(
        parsers.parse(job(pdf("one", "two"), "pdf")), parsers.parse(job(b"<p>three", "html"))
    )
    assert [one.texts for one in found] == [["one", "two"], ["three"]]
    assert pids(parsers) == first


async def test_a_document_that_takes_too_long_is_given_up_and_its_process_ended(
    parsers: Parsers, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_GRACE", 0.0)
    await parsers.parse(job(b"<p>x", "html"))
    (pid,) = pids(parsers)
    slow = b"<table>" + b"<tr><td>x" * 100_000
    found = await parsers.parse(job(slow, "html", seconds=0.05))
    assert found.failure == "The document was not parsed within 0.05 s"
    assert not alive(pid)
    assert (await parsers.parse(job())).texts == ["words"]


async def test_the_event_loop_goes_on_while_a_long_document_is_read(parsers: Parsers):
    await parsers.parse(job(b"<p>x", "html"))
    loop, longest = asyncio.get_running_loop(), 0.0
    reading = asyncio.create_task(parsers.parse(job(pdf(*["words"] * 3_000), "pdf", pages=3_000)))
    while not reading.done():
        began = loop.time()
        await asyncio.wait({reading}, timeout=0.01)
        longest = max(longest, loop.time() - began)
    assert len(reading.result().texts) == 3_000
    assert longest < 1


async def test_a_process_that_dies_costs_its_own_document_only(parsers: Parsers):
    await parsers.parse(job())
    (pid,) = pids(parsers)
    os.kill(pid, signal.SIGKILL)
    assert (await parsers.parse(job())).failure == "The document broke its parser"
    assert (await parsers.parse(job())).texts == ["words"]


async def test_memory_is_bounded():
    parsers = Parsers(1, 300 * 1024 * 1024)
    found = await parsers.parse(job(b"<p>x " * 4_000_000, "html"))
    await parsers.close()
    assert found.failure.startswith("The document")
    assert found.texts == []


async def test_who_goes_away_takes_the_process_along(parsers: Parsers):
    await parsers.parse(job(b"<p>x", "html"))
    (pid,) = pids(parsers)
    reading = asyncio.create_task(parsers.parse(job(b"<table>" + b"<tr><td>x" * 100_000, "html")))
    await asyncio.wait({reading}, timeout=0.05)
    reading.cancel()
    await asyncio.wait({reading}, timeout=10)
    assert reading.cancelled()
    assert not alive(pid)
    assert pids(parsers) == []


async def test_a_process_is_replaced_after_many_documents_and_when_idle(
    parsers: Parsers, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_DOCUMENTS", 1)
    await parsers.parse(job())
    assert pids(parsers) == []
    monkeypatch.setattr(module, "_DOCUMENTS", 9)
    monkeypatch.setattr(module, "_IDLE", 0.0)
    await parsers.parse(job())
    for _ in range(3):  # turns of the loop
        await asyncio.sleep(0)
    assert pids(parsers) == []


async def test_a_parser_knows_no_secrets(parsers: Parsers, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    await parsers.parse(job())
    (pid,) = pids(parsers)
    assert b"PATH=" in environment(pid)
    assert b"secret" not in environment(pid)


async def test_a_process_that_parses_imports_nothing_of_http():
    script = "import sys, interplay.contracts.documents.parsing; print('aiohttp' in sys.modules)"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert said == b"False\n"
