"""Logs are lines a machine can read, and hold neither contents nor keys."""

import json
import logging
from typing import Any

import pytest

from interplay.server.logs import Lines
from tests.api.api import requirement

SECRET, TEXT = "the-secret-key", "words nobody else may read"


def record(message: str, **extra: Any) -> logging.LogRecord:
    """A record as a logger makes it."""
    made = logging.LogRecord("interplay.x", logging.WARNING, "f.py", 1, message, None, None)
    made.__dict__.update(extra)
    return made


@requirement("operate:logs")
def test_a_json_line_is_json_with_its_fields():
    line = Lines("json").format(record('quoted "so"\nand on', interaction="v1_x", events=3))
    assert "\n" not in line
    said = json.loads(line)
    assert (said["level"], said["logger"]) == ("warning", "interplay.x")
    assert (said["interaction"], said["events"]) == ("v1_x", 3)


@requirement("operate:logs")
def test_a_text_line_names_its_fields():
    line = Lines("text").format(record("taken up", interaction="v1_x"))
    assert line.endswith("interplay.x: taken up interaction=v1_x")


@requirement("operate:logs")
async def test_contents_and_keys_stay_out_of_the_log(
    opened: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api = (await opened(TEXT, ValueError("broken plugin"), api_keys=[f"a:{SECRET}"])).acting_as(
        SECRET
    )
    await api.create(input=TEXT)
    failed = await api.create(input=TEXT)
    assert failed.status == 500
    own = [entry for entry in caplog.records if entry.name.startswith("interplay")]
    lines = [Lines("json").format(entry) for entry in own]
    assert any("broken plugin" in line for line in lines), "the fault itself is logged"
    assert not any(SECRET in line or TEXT in line for line in lines)
