"""`interplay chat` as a process: through a pipe, and at a terminal."""

import json
import os
import select
import sys
import time

import pytest

from tests.cli.conftest import Cli, Served

TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
SECONDS = 60


def test_a_pipe_is_a_conversation_without_prompts(cli: Cli):
    done = cli("chat", input="one\ntwo\\\nlines\n/history\n")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1:4] == ["one", "two", "lines"]
    assert "2> two\nlines\ntwo\nlines\n" in done.stdout


def test_the_result_of_a_function_is_asked_for_and_sent(cli: Cli, tmp_path):
    (tmp_path / "tools.json").write_text(json.dumps([TOOL]))
    typed = 'call weather {"city": "Oslo"}\nrain\n'
    done = cli("chat", "--tools", "tools.json", input=typed)
    assert 'The model calls weather with {"city": "Oslo"}.' in done.stdout
    assert "weather: rain" in done.stdout


def test_an_error_does_not_end_the_chat(cli: Cli):
    done = cli("chat", "--model", "nobody", input="one\n/model echo\ntwo\n")
    assert done.exit_code == 0
    assert "'nobody' is not configured" in done.stdout
    assert done.stdout.endswith("two\n")


def test_a_blank_before_a_slash_sends_it(cli: Cli):
    assert cli("chat", input=" /quit\n").stdout.endswith("/quit\n")


def test_a_conversation_is_taken_up_from_the_command_line(cli: Cli):
    cli("chat", input="one\n")
    done = cli("chat", "--resume", "last", input="two\n/history\n")
    assert done.stdout.startswith("1> one\none\n")
    assert done.stdout.endswith("1> one\none\n2> two\ntwo\n")


def test_no_server_exits_with_3_and_says_how_to_start_one(cli: Cli):
    done = cli("chat", "--url", "http://127.0.0.1:1")
    assert done.exit_code == 3
    assert "interplay serve" in done.stderr


def keys(*pressed):
    """What stands in for `input`: lines, and what keys like Ctrl-C raise."""
    left = iter(pressed)

    def typed(_):
        key = next(left)
        if isinstance(key, str):
            return key
        raise key

    return typed


def test_ctrl_c_at_the_prompt_leaves_the_line_and_not_the_chat(cli: Cli, monkeypatch):
    monkeypatch.setattr("builtins.input", keys(KeyboardInterrupt, "one", EOFError))
    done = cli("chat")
    assert done.exit_code == 0
    assert done.stdout.endswith("\nCtrl-D or /quit leaves.\none\n")


def test_ctrl_c_instead_of_a_result_leaves_the_question(cli: Cli, monkeypatch, tmp_path):
    (tmp_path / "tools.json").write_text(json.dumps([TOOL]))
    typed = keys("call weather {}", KeyboardInterrupt, "/history", EOFError)
    monkeypatch.setattr("builtins.input", typed)
    done = cli("chat", "--tools", "tools.json")
    assert done.stdout.endswith("from before this.\nNothing has been said yet.\n")


class Terminal:
    """A command at a pseudo-terminal."""

    def __init__(self, *words: str, **environ: str) -> None:
        import pty

        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            command = [sys.executable, "-m", "interplay", *words]
            os.execve(sys.executable, command, {**os.environ, "TERM": "xterm", **environ})
        self._heard = ""

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def until(self, text: str) -> str:
        """What is shown up to and with `text`."""
        end = time.monotonic() + SECONDS
        while text not in self._heard:
            ready, _, _ = select.select([self._fd], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"{text!r} did not come in {SECONDS} s: {self._heard!r}"
            self._heard += self._read()
        shown, _, self._heard = self._heard.partition(text)
        return shown + text

    def _read(self) -> str:
        try:
            more = os.read(self._fd, 4096).decode()
        except OSError:
            more = ""
        assert more, f"it ended: {self._heard!r}"
        return more

    def ended(self) -> int:
        """Its exit code."""
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self._fd)
        return code


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")
def test_at_a_terminal_ctrl_c_stops_the_answer_and_not_the_chat(served: Served, tmp_path):
    urls = {"INTERPLAY_URL": served.url, "NO_COLOR": "1", "INPUTRC": "/dev/null"}
    here = Terminal("chat", "--model", "slower", **urls)
    here.until("1> ")
    here.type("word " * 12 + "end\n")
    here.until("word end\r\n")
    here.until("word word")
    here.type("\x03")
    here.until("Stopped. The conversation goes on from before this.")
    here.until("1> ")
    here.type("/hist\t")
    here.until("/history ")
    here.type("\n")
    here.until("Nothing has been said yet.")
    here.until("1> ")
    here.type("hello\n")
    here.until("\nhello\r\n")
    here.until("2> ")
    here.type("\x04")
    assert here.ended() == 0
    history = tmp_path / "state" / "interplay" / "chat_history"
    assert history.read_text().splitlines()[-1] == "hello"
    assert history.stat().st_mode & 0o077 == 0
