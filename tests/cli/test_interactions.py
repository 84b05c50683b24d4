"""`interplay interactions` against a real server."""

import json

import pytest

from tests.cli.conftest import Cli, Served
from tests.cli.loopback import Cutting

WORDS = " ".join(f"word{number}" for number in range(30))


def created(api, **body):
    return api.call("POST", "interactions", body={"model": "echo", "input": "hi", **body})


def test_list_is_newest_first_and_one_line_each(cli: Cli, api):
    first, second = created(api), created(api)
    lines = cli("interactions", "list").stdout.splitlines()
    assert [line.split()[-1] for line in lines[:2]] == [second["id"], first["id"]]
    assert lines[0].split()[:4:3] == ["completed", "echo"]


def test_list_filters(cli: Cli, api):
    label = {"run": "filters"}
    kept = created(api, labels=label)
    created(api, model="short", labels=label)
    done = cli("interactions", "list", "--label", "run=filters", "--status", "completed", "--ids")
    assert done.stdout.split() == [kept["id"]]
    others = cli("interactions", "list", "--label", "run:filters", "--model", "short", "--json")
    assert [row["model"] for row in json.loads(others.stdout)["interactions"]] == ["short"]


def test_list_pages_until_the_limit_and_says_where_to_go_on(cli: Cli, api):
    label = {"run": "paging"}
    ids = [created(api, labels=label)["id"] for _ in range(5)][::-1]
    ask = ("interactions", "list", "--label", "run:paging", "--ids")
    first = cli(*ask, "-n", "2")
    assert first.stdout.split() == ids[:2]
    token = first.stderr.split("--page-token ")[1].split(",")[0]
    assert cli(*ask, "-n", "2", "--page-token", token).stdout.split() == ids[2:4]
    assert cli(*ask, "--all").stdout.split() == ids
    told = json.loads(cli(*ask, "--json", "-n", "2").stdout)
    assert (len(told["interactions"]), told["next_page_token"]) == (2, token)


def test_an_empty_list_says_so_on_stderr(cli: Cli):
    done = cli("interactions", "list", "--label", "run:nothing")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "There are none.\n")


def test_a_label_without_a_value_is_a_usage_error(cli: Cli):
    assert cli("interactions", "list", "--label", "run").exit_code == 2


def test_show_tells_the_timeline(cli: Cli, api):
    id = created(api, input="the question", labels={"run": "show"})["id"]
    shown = cli("interactions", "show", id).stdout
    assert shown.startswith(f"{id}\n  completed  echo  ")
    assert "labels run:show" in shown
    assert "user_input\n  the question\nmodel_output\n  the question\n" in shown


def test_show_tells_why_it_failed(cli: Cli):
    cli("ask", "--model", "breaking", "hi")
    assert "error: It broke. [bad_gateway]" in cli("interactions", "show", "last").stdout


def test_show_prints_json_and_the_whole_chain(cli: Cli, api):
    first = created(api, input="one")
    second = created(api, input="two", previous_interaction_id=first["id"])
    one = json.loads(cli("interactions", "show", second["id"], "--json").stdout)
    assert one["steps"][0]["content"][0]["text"] == "two"
    chain = json.loads(cli("interactions", "show", second["id"], "--chain", "--json").stdout)
    assert [body["id"] for body in chain] == [first["id"], second["id"]]


def test_rm_deletes_each_and_names_those_it_cannot(cli: Cli, api):
    one, two = created(api)["id"], created(api)["id"]
    done = cli("interactions", "rm", one, "v1_nothing", two)
    assert done.exit_code == 1
    assert done.stdout == f"{one}  deleted\n{two}  deleted\n"
    assert "v1_nothing  Result not found." in done.stderr
    assert cli("interactions", "show", one).exit_code == 1


def test_cancel_stops_what_runs(cli: Cli, api):
    id = created(api, model="slow", input=WORDS * 20, background=True)["id"]
    done = cli("interactions", "cancel", id)
    assert (done.exit_code, done.stdout) == (0, f"{id}  cancelled\n")
    assert cli("interactions", "tail", id).exit_code == 1


def test_tail_tells_text_here_and_the_rest_there(cli: Cli, api):
    id = created(api, input=WORDS)["id"]
    done = cli("interactions", "tail", id)
    assert (done.exit_code, done.stdout) == (0, f"{WORDS}\n")
    assert done.stderr == "completed\n"


def test_tail_follows_a_running_one_over_drops(cli: Cli, api, served: Served):
    id = created(api, model="slow", input=WORDS, background=True)["id"]
    with Cutting(served.url, share=900, times=3) as proxy:
        done = cli("interactions", "tail", id, "--url", proxy.url)
    assert (done.exit_code, done.stdout, proxy.cuts) == (0, f"{WORDS}\n", 3)


def test_tail_prints_events_as_json_lines(cli: Cli, api):
    id = created(api)["id"]
    lines = cli("interactions", "tail", "--json", id).stdout.splitlines()
    events = [json.loads(line) for line in lines]
    assert events[0]["event_type"] == "interaction.created"
    assert events[-1]["event_type"] == "interaction.completed"
    after = cli("interactions", "tail", "--json", id, "--after", events[-2]["event_id"]).stdout
    assert [json.loads(line) for line in after.splitlines()] == events[-1:]


@pytest.mark.parametrize("command", ["show", "tail"])
def test_what_is_not_there_exits_with_1(cli: Cli, command):
    done = cli("interactions", command, "v1_nothing")
    assert done.exit_code == 1
    assert "Result not found" in done.stderr
