"""The image: its recipe is linted, sees the files it copies, and does not run as root."""

from __future__ import annotations

import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

from tests.deploy.papers import DEPLOY, is_setting, understood

RECIPE = (DEPLOY / "Dockerfile").read_text("utf-8")
ROOT = DEPLOY.parent


def test_the_linter_finds_nothing_and_would():
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [linter, DEPLOY / "Dockerfile"], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    wrong = subprocess.run(
        [linter, "-"], input="FROM x\nRUN cd /\n", capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert wrong.returncode == 1


def test_what_is_copied_is_there_and_let_through():
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    let_through = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    assert ignored[0] == "*"
    for line in re.findall(r"^COPY (?!--from)(.*)$", RECIPE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists()
            assert any(fnmatch(source, pattern) for pattern in let_through), source


def test_it_runs_as_an_ordinary_user_and_names_settings_that_exist():
    users = re.findall(r"^USER (\S+)$", RECIPE, re.MULTILINE)
    assert users == ["10001:10001"]
    variables = re.findall(r"\b(INTERPLAY_[A-Z_]+)=", RECIPE)
    assert variables
    assert all(is_setting(name) for name in variables)
    assert understood(["serve"]) == "interplay serve"
