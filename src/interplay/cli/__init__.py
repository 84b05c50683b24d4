"""The `interplay` command, one file per command or group."""

from interplay.cli.program import main

__all__ = ["main"]
