"""`interplay ask` against a real server."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.cli.conftest import Cli, Served
from tests.cli.loopback import Cutting

WORDS = " ".join(f"word{number}" for number in range(40))


def test_the_answer_goes_to_stdout_and_ends_its_line(cli: Cli):
    done = cli("ask", "Why", "is the sky blue?")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "Why is the sky blue?\n", "")


def test_a_pipe_is_added_below_the_question(cli: Cli):
    assert cli("ask", "Review:", input="the diff\n").stdout == "Review:\n\nthe diff\n"
    assert cli("ask", "-", input="only\nthis\n").stdout == "only\nthis\n"


def test_a_pipe_that_is_no_text_is_a_usage_error(cli: Cli):
    done = cli("ask", "what", input=b"\xff\xfe\x00")
    assert done.exit_code == 2
    assert "no UTF-8 text" in done.stderr


def test_no_question_is_a_usage_error(cli: Cli):
    done = cli("ask")
    assert done.exit_code == 2
    assert "There is no question" in done.stderr


def test_json_prints_the_whole_interaction(cli: Cli):
    done = cli("ask", "--json", "--model", "echo", "hi")
    body = json.loads(done.stdout)
    assert body["status"] == "completed"
    assert body["steps"][-1]["content"][0]["text"] == "hi"


def test_a_schema_shapes_the_answer(cli: Cli, tmp_path):
    schema = {"type": "object", "properties": {"year": {"type": "integer", "minimum": 1800}}}
    (tmp_path / "schema.json").write_text(json.dumps(schema | {"required": ["year"]}))
    done = cli("ask", "--schema", "schema.json", "Ada Lovelace")
    assert json.loads(done.stdout) == {"year": 1800}


def test_files_go_along_by_their_type(cli: Cli, tmp_path):
    (tmp_path / "dot.png").write_bytes(b"\x89PNG")
    (tmp_path / "note.txt").write_text("a note")
    done = cli("ask", "--file", "dot.png", "--file", "note.txt", "look")
    assert done.stdout.split() == ["[image/png]", "File", "note.txt:", "a", "note", "look"]


def test_previous_goes_on_and_last_stands_for_the_newest(cli: Cli):
    first = json.loads(cli("ask", "--json", "one").stdout)
    second = json.loads(cli("ask", "--json", "--previous", "last", "two").stdout)
    assert second["previous_interaction_id"] == first["id"]


def test_a_function_call_is_shown_and_answered(cli: Cli, tmp_path):
    tool = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
    (tmp_path / "tools.json").write_text(json.dumps([tool]))
    asked = cli("ask", "--tools", "tools.json", 'call weather {"city": "Paris"}')
    assert asked.exit_code == 0
    assert 'weather(city="Paris")' in asked.stderr
    id, call = asked.stderr.rpartition("--previous ")[2].split(" --result ")
    result = f"{call.partition('=')[0]}=sunny"
    answered = cli("ask", "--tools", "tools.json", "--previous", id, "--result", result)
    assert answered.stdout.endswith("sunny\n")


def test_background_prints_the_id_and_returns(cli: Cli):
    done = cli("ask", "--background", "--model", "slow", WORDS)
    assert done.exit_code == 0
    id = done.stdout.strip()
    assert f"interplay interactions tail {id}" in done.stderr
    assert cli("interactions", "tail", id).stdout == f"{WORDS}\n"


def test_what_is_not_stored_cannot_be_looked_at(cli: Cli):
    body = json.loads(cli("ask", "--json", "--no-store", "secret").stdout)
    assert cli("interactions", "show", body["id"]).exit_code == 1


def test_background_without_storing_is_refused_before_it_is_sent(cli: Cli):
    assert cli("ask", "--background", "--no-store", "x").exit_code == 2


def test_a_failed_interaction_says_why_and_exits_with_1(cli: Cli):
    done = cli("ask", "--model", "breaking", "hi")
    assert (done.exit_code, done.stdout) == (1, "half \n")
    assert "It broke. [bad_gateway]" in done.stderr


def test_an_answer_cut_short_exits_with_1(cli: Cli):
    done = cli("ask", "--model", "short", "hi")
    assert (done.exit_code, done.stdout) == (1, "cut\n")
    assert "cut short" in done.stderr


def test_a_refusal_of_the_server_is_its_message_and_exits_with_1(cli: Cli):
    done = cli("ask", "--model", "nobody", "hi")
    assert done.exit_code == 1
    assert "The model 'nobody' is not configured." in done.stderr
    assert "[model_not_found]" in done.stderr


def test_no_server_exits_with_3_and_says_how_to_start_one(cli: Cli):
    done = cli("ask", "--url", "http://127.0.0.1:1", "hi")
    assert done.exit_code == 3
    assert "interplay serve" in done.stderr


def test_thoughts_go_to_stderr(cli: Cli):
    done = cli("ask", "--thoughts", "hm")
    assert (done.stdout, done.stderr) == ("hm\n", "Thinking about: hm\n")


def test_sources_are_listed_below_the_answer(cli: Cli):
    done = cli("ask", "--model", "citing", "hm")
    assert done.stdout == "So it is.\n"
    assert "[1] A page: https://example.com/a" in done.stderr


def test_a_dropped_connection_is_taken_up_where_it_broke(cli: Cli, served: Served):
    with Cutting(served.url, share=900, times=3) as proxy:
        done = cli("ask", "--url", proxy.url, "--model", "slow", WORDS)
    assert (done.exit_code, done.stdout) == (0, f"{WORDS}\n")
    assert proxy.cuts == 3


def test_a_drop_of_what_is_not_stored_is_an_error(cli: Cli, served: Served):
    with Cutting(served.url, share=1_500, times=1) as proxy:
        done = cli("ask", "--url", proxy.url, "--model", "slow", "--no-store", WORDS)
    assert done.exit_code == 1
    assert "cannot be resumed" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a terminal")
def test_interrupting_stops_the_interaction_and_exits_with_130(cli: Cli, served: Served):
    command = [sys.executable, "-m", "interplay", "ask", "--model", "slow", WORDS * 20]
    asking = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "INTERPLAY_URL": served.url},
    )
    assert asking.stdout is not None
    assert asking.stdout.read(5) == b"word0"
    asking.send_signal(signal.SIGINT)
    _, said = asking.communicate(timeout=120)
    assert (asking.returncode, b"Traceback" in said) == (130, False)
    shown = json.loads(cli("interactions", "list", "--json", "-n", "1").stdout)
    assert shown["interactions"][0]["status"] == "cancelled"
