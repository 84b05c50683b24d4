"""The servers of tests/api, for tests of what stands around the interactions."""

from tests.api.conftest import house, opened

__all__ = ["house", "opened"]
