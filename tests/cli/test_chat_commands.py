"""The slash commands of `interplay chat`."""

import io
import json

import pytest

from interplay.cli.chat_commands import NAMES, Commands
from interplay.cli.talk import Given, Talk


@pytest.fixture
def chat(api):
    talk = Talk(api, io.StringIO(), "echo", Given(), lambda _: None)
    commands = Commands(talk, io.StringIO())

    def run(line):
        commands._out.seek(0)
        commands._out.truncate()
        commands.leaves = commands.run(line)
        return commands._out.getvalue()

    run.talk, run.commands = talk, commands
    return run


@pytest.mark.parametrize("line", ["/quit", "/exit", "/q"])
def test_quit_leaves(chat, line):
    chat(line)
    assert chat.commands.leaves


def test_nothing_else_leaves(chat):
    for name in NAMES.keys() - {"/quit"}:
        chat(name)
        assert not chat.commands.leaves


def test_an_unknown_command_suggests_the_near_one(chat):
    assert "Did you mean /history?" in chat("/histroy")
    assert "/help lists them." in chat("/xyzzy")


def test_help_lists_every_command(chat):
    assert all(name in chat("/help") for name in NAMES)


def test_history_numbers_what_was_said(chat):
    assert "Nothing has been said yet." in chat("/history")
    chat.talk.say("one")
    chat.talk.say("two")
    assert chat("/history") == "1> one\none\n2> two\ntwo\n"


def test_branch_goes_back_one_or_to_a_number(chat):
    for text in ("one", "two", "three"):
        chat.talk.say(text)
    assert "after exchange 2" in chat("/branch")
    assert len(chat.talk.exchanges) == 2
    assert "from the start" in chat("/branch 0")
    for wrong in ("/branch 5", "/branch -1", "/branch two"):
        assert "from 0 to 0" in chat(wrong)


def test_new_starts_again(chat):
    chat.talk.say("one")
    chat("/new")
    assert chat.talk.tip is None


def test_model_lists_and_changes(chat):
    assert " * echo\n" in chat("/model")
    assert chat("/model slow") == "Talking to slow.\n"
    assert chat.talk.model == "slow"


def test_system_sets_shows_and_clears(chat):
    assert "be terse" in chat("/system be terse")
    assert "be terse" in chat("/system")
    assert chat.talk.given.system == "be terse"
    assert "none" in chat("/system -")
    assert chat.talk.given.system is None


def test_thoughts_are_switched(chat):
    assert "shown" in chat("/thoughts")
    chat.talk.say("hm")
    assert "Thinking about: hm" in chat.talk._out.getvalue()
    assert "hidden" in chat("/thoughts")


def test_resume_offers_the_latest_and_takes_one_by_number_or_id(chat):
    chat.talk.say("the first question")
    chat.talk.say("the second question")
    first, second = (exchange.id for exchange in chat.talk.exchanges)
    chat("/new")
    offered = chat("/resume").splitlines()
    assert offered[0].endswith("the second question")
    assert offered[1].endswith("the first question")
    assert "1> the first question" in chat("/resume 2")
    assert chat.talk.tip == first
    assert "2> the second question" in chat(f"/resume {second}")


def test_save_writes_text_or_everything_and_overwrites_nothing(chat, tmp_path):
    assert "Nothing" in chat("/save")
    chat.talk.say("one")
    chat("/system be terse")
    assert chat("/save talk.md") == "Saved to talk.md.\n"
    text = (tmp_path / "talk.md").read_text()
    assert "> one\n\none\n" in text
    assert "be terse" in text
    assert "is there already" in chat("/save talk.md")
    chat("/save talk.json")
    (body,) = json.loads((tmp_path / "talk.json").read_text())
    assert body["id"] == chat.talk.tip
    assert "cannot be written" in chat("/save nowhere/talk.md")
    chat("/save")
    assert len(list(tmp_path.glob("interplay-*.md"))) == 1
