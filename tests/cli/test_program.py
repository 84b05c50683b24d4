"""The `interplay` command as a whole."""

import os
import subprocess
import sys

import click
import pytest

from interplay import __version__
from interplay.cli.program import COMMANDS, program
from tests.cli.conftest import run

IMPORT_SECONDS = 0.3


def commands(group=program, path=()):
    """Every command with its path."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def process(*words, **more):
    return subprocess.run(
        [sys.executable, "-m", "interplay", *words], capture_output=True, timeout=120, **more
    )


def test_importing_the_commands_is_cheap():
    code = "import time, interplay.cli; print(time.process_time())"
    took = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120).stdout)
        for _ in range(5)
    ]
    assert min(took) < IMPORT_SECONDS


def test_importing_the_commands_leaves_the_heavy_ones_out():
    code = "import sys, interplay.cli; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120).stdout
    heavy = {"aiohttp", "uvicorn", "starlette", "msgspec", "http.client", "asyncio", "ssl"}
    assert heavy & set(modules.decode().split()) == set()


def test_python_m_interplay_is_the_same_command():
    done = process("--version")
    assert (done.returncode, done.stdout.decode()) == (0, f"interplay {__version__}\n")


@pytest.mark.parametrize("path", [(), *(path for path, _ in commands())], ids=" ".join)
def test_every_command_has_help(path):
    done = run(*path, "--help")
    assert done.exit_code == 0
    assert done.output.startswith("Usage: interplay")


def test_help_teaches_by_examples_and_exit_codes():
    shown = run("--help").output
    for word in ("interplay serve", "Exit codes", "INTERPLAY_URL", "NO_COLOR"):
        assert word in shown


def test_the_list_of_commands_says_what_each_says_itself():
    for name, (_, line) in COMMANDS.items():
        command = program.get_command(click.Context(program), name)
        assert (command.help or "").replace("\n", " ").startswith(line.rstrip(".")), name


def test_without_a_command_the_help_is_shown():
    done = run()
    assert "Commands:" in done.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("serv",), "Did you mean 'serve'?"),
        (("ask", "--modl", "x"), "--model"),
        (("interactions", "lst"), "Did you mean 'list'?"),
    ],
)
def test_what_is_mistyped_is_answered_by_the_near_name(words, told):
    done = run(*words)
    assert done.exit_code == 2
    assert told in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of a POSIX shell")
@pytest.mark.parametrize("words", ["config", "config --example", "--help"])
def test_a_reader_that_has_enough_causes_no_traceback(words):
    command = f"'{sys.executable}' -m interplay {words} | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, timeout=120)
    assert (len(done.stdout), done.stderr) == (1, b"")


def test_output_survives_an_encoding_that_cannot_hold_it():
    environ = {**os.environ, "PYTHONIOENCODING": "ascii", "INTERPLAY_HOST": "ünï"}
    done = process("config", env=environ)
    assert done.returncode == 0
    assert (b"host" in done.stdout, done.stderr) == (True, b"")


def test_settings_that_are_wrong_exit_with_2_from_any_command(monkeypatch):
    monkeypatch.setenv("INTERPLAY_PORT", "many")
    for words in (("config",), ("serve",), ("ask", "hi"), ("chat",), ("interactions", "list")):
        done = run(*words)
        assert done.exit_code == 2, words
        assert "port" in done.stderr
        assert "Traceback" not in done.stderr
