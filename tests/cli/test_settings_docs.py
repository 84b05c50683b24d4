"""What is written about settings is what the structs say."""

import msgspec

from interplay.cli.settings_docs import all_settings, example, is_list, page
from interplay.settings import TABLES, Settings
from tests.house.tree import ROOT


def test_the_page_of_settings_is_current():
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == page(), "run: python docs/make_settings.py"


def test_every_setting_has_a_meaning():
    assert [setting.name for setting in all_settings() if not setting.meaning] == []


def test_all_settings_are_there():
    names = {setting.name for setting in all_settings()}
    fields = {field.name for field in msgspec.structs.fields(Settings)} - TABLES.keys()
    for table, struct in TABLES.items():
        fields |= {f"{table}.{field.name}" for field in msgspec.structs.fields(struct)}
    assert names == fields


def test_a_setting_names_its_variable():
    variables = {setting.name: setting.variable for setting in all_settings()}
    assert variables["limits.queue"] == "INTERPLAY_LIMITS__QUEUE"
    assert variables["models"] is None


def test_lists_are_known():
    assert is_list("api_keys")
    assert not is_list("port")
    assert not is_list("nothing")


def test_example_and_page_name_every_setting():
    for setting in all_settings():
        key = setting.name.rpartition(".")[2]
        assert key in example()
        assert key in page()
