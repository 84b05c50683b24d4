"""Groups that import their commands late."""

import click
import pytest
from click.testing import CliRunner

from interplay.cli.lazy import LazyGroup

GROUP = LazyGroup(
    name="group",
    lazy={
        "decode": ("json:loads", "Never imported by help."),
        "missing": ("interplay.cli.nowhere:nothing", "Not there."),
    },
)


@GROUP.command()
def plain() -> None:
    """Registered the usual way."""
    click.echo("ran")


def test_help_imports_nothing():
    done = CliRunner().invoke(GROUP, ["--help"])
    assert done.exit_code == 0
    assert "missing" in done.output
    assert "Not there." in done.output


def test_a_command_is_imported_when_it_is_used():
    context = click.Context(GROUP)
    assert GROUP.get_command(context, "decode").__name__ == "loads"
    with pytest.raises(ModuleNotFoundError):
        GROUP.get_command(context, "missing")


def test_commands_registered_the_usual_way_run_too():
    assert CliRunner().invoke(GROUP, ["plain"]).output == "ran\n"


@pytest.mark.parametrize(
    ("given", "told"),
    [("decod", "Did you mean 'decode'?"), ("x", "There are: decode, missing, plain.")],
)
def test_an_unknown_command_names_the_near_one_or_all(given, told):
    done = CliRunner().invoke(GROUP, [given])
    assert done.exit_code == 2
    assert told in done.output
