"""Writes settings.md from the structs of interplay.settings."""

from pathlib import Path

from interplay.cli.settings_docs import page

Path(__file__).with_name("settings.md").write_text(page(), encoding="utf-8")
