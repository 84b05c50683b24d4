"""The servers of tests/api, for what is only seen with a store or blobs that fail."""

from tests.api.conftest import house, opened

__all__ = ["house", "opened"]
