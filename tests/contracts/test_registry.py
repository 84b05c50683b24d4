"""Plugins by name, and what is said when there is none."""

import pytest

from interplay.contracts import registry
from interplay.testing.scripted_model import ScriptedModel


def test_an_entry_point_is_found_by_its_name():
    assert "scripted" in registry.names("interplay.models")
    assert registry.load("interplay.models", "scripted") is ScriptedModel


def test_a_module_and_attribute_need_no_entry_point():
    name = "interplay.testing.scripted_model:ScriptedModel"
    assert registry.load("interplay.agents", name) is ScriptedModel


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("scriptd", "Did you mean 'scripted'?"),
        ("nothing", "Installed: "),
        ("no.such.module:Thing", "No module named"),
        ("interplay.testing.scripted_model:Thing", "Thing"),
    ],
)
def test_an_unknown_name_says_what_there_is(name, said):
    with pytest.raises(registry.UnknownPlugin) as error:
        registry.load("interplay.models", name)
    assert said in str(error.value)
