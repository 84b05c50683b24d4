"""The loopback upstream as a fixture."""

from tests.plugins.models.openai_compatible.conftest import server

__all__ = ["server"]
