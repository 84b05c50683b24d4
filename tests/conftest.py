"""What every test may use."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "requirement(id): the promise of tests/api/requirements.py this test keeps"
    )
