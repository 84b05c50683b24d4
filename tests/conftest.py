"""What every test may use."""

import pytest

from tests.postgres import database, postgres, postgres_server

__all__ = ["database", "postgres", "postgres_server"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "requirement(id): the promise of tests/api/requirements.py this test keeps"
    )
