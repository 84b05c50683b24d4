"""The OpenAI-compatible backend against servers of other people, with a real model.

Two servers that share no code: llama.cpp's own HTTP server (package `xllamacpp`, in a process of
its own) and mlx-lm's. Both run SmolLM2-135M. What is not there is fetched once into the cache
folder ($INTERPLAY_TEST_CACHE, else ~/.cache/interplay): the model (about 93 MB), and a virtual
environment with `mlx[cpu]` and `mlx-lm` (about 220 MB); $INTERPLAY_TEST_MLX_PYTHON names the
Python of an environment that has them already.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from interplay.contracts.failure import Failure, Refused
from interplay.contracts.model import Turn
from interplay.plugins.models.catalogue import find, pull
from interplay.plugins.models.openai_compatible import OpenAICompatible, OpenAICompatibleConfig
from interplay.testing.contracts.model import WEATHER, ModelContract, user
from interplay.testing.pieces import said
from interplay.wire.content import TextContent
from interplay.wire.steps import FunctionCallStep, FunctionResultStep, ModelOutputStep, Step
from tests.cache import python_with
from tests.ports import free_port

pytestmark = pytest.mark.timeout(900)

PARTS = Path(__file__).parent / "openai_compatible"
TEMPLATE = PARTS / "tools.jinja"
MLX = ("mlx[cpu]==0.32.4", "mlx-lm==0.32.2")
KEY = "sk-only-for-this-test"
LLAMA = """
import sys, threading, xllamacpp
model, template, key = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = model
params.n_ctx, params.n_parallel, params.cache_ram_mib = 4096, 2, 64
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.use_jinja, params.chat_template = True, open(template).read()
params.api_keys = [key]
server = xllamacpp.Server(params)
sys.stdout.write(f"ready {server.listening_address}\\n")  # in one piece: the server writes too
sys.stdout.flush()
threading.Event().wait()
"""


def cache() -> Path:
    return Path(os.environ.get("INTERPLAY_TEST_CACHE", "~/.cache/interplay")).expanduser()


@contextmanager
def running(command: list[str], ready: str, **environment: str) -> Iterator[str]:
    """A server process; yields the line that holds `ready`."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
    )
    lines: list[str] = []
    found = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if ready in line:
                found.set()
        found.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        found.wait(120)
        line = next((line for line in lines if ready in line), None)
        assert line is not None, "The server did not start:\n" + "".join(lines[-20:])
        yield line
    finally:
        process.kill()
        process.wait(30)
        reader.join(30)


@pytest.fixture(scope="module")
def gguf() -> Path:
    return asyncio.run(pull(find("smollm2-135m"), cache()))


@pytest.fixture(scope="module")
def llama_cpp(gguf: Path) -> Iterator[str]:
    """Where llama.cpp's server stands."""
    command = [sys.executable, "-c", LLAMA, str(gguf), str(TEMPLATE), KEY]
    with running(command, "ready http") as line:
        yield line.partition("ready ")[2].split()[0]  # its log may stand in front of it


@pytest.fixture(scope="module")
def mlx_python() -> str:
    """A Python that has mlx-lm."""
    given = os.environ.get("INTERPLAY_TEST_MLX_PYTHON")
    if given is not None:
        return given
    return str(python_with(MLX[1], *MLX))


@pytest.fixture(scope="module")
def mlx_lm(gguf: Path, mlx_python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where mlx-lm's server stands."""
    folder = tmp_path_factory.mktemp("smollm2")
    convert = [mlx_python, PARTS / "mlx_folder.py", gguf, TEMPLATE, folder]
    subprocess.run(convert, check=True, capture_output=True, timeout=120)
    port = str(free_port())
    command = [mlx_python, "-m", "mlx_lm", "server", "--model", str(folder), "--port", port]
    # It leaves a folder among the temporary ones.
    with running(command, "Starting httpd", HF_HUB_OFFLINE="1", TMPDIR=str(folder)):
        yield f"http://127.0.0.1:{port}"


async def opened(base_url: str, **fields: Any) -> AsyncIterator[OpenAICompatible]:
    entry = {"base_url": f"{base_url}/v1", "model": "default_model", "retries": 0, **fields}
    made = OpenAICompatible(msgspec.convert(entry, OpenAICompatibleConfig))
    await made.open()
    yield made
    await made.close()


def weather_talk() -> list[Step]:
    """A conversation that called the function twice, so that a small model does it again."""
    steps: list[Step] = []
    for id, city in (("aaaa1111", "Paris"), ("bbbb2222", "Oslo")):
        steps += [
            user(f"Weather in {city}?"),
            FunctionCallStep(arguments={"city": city}, id=id, name="get_weather"),
            FunctionResultStep(call_id=id, result="sunny"),
            ModelOutputStep(content=[TextContent("Sunny.")]),
        ]
    return [*steps, user("Weather in Rome?")]


async def check_a_call(model: OpenAICompatible, **fields: Any) -> None:
    turn = Turn(
        model="m",
        steps=weather_talk(),
        functions=[WEATHER],
        max_output_tokens=64,
        temperature=0.0,
        **fields,
    )
    async with asyncio.timeout(120):
        answer = said([piece async for piece in model.stream(turn)])
    assert [(call.name, call.arguments) for call in answer.calls] == [
        ("get_weather", {"city": "Rome"})
    ]
    assert answer.calls[0].id not in ("aaaa1111", "bbbb2222")
    assert answer.end.reason == "calls"


class TestLlamaCpp(ModelContract):
    """llama.cpp holds text to a schema and goes on from a prefix."""

    @pytest.fixture
    async def model(self, llama_cpp: str) -> AsyncIterator[OpenAICompatible]:
        # The template leaves it to the model whether it calls, so nothing can be promised.
        facts = {"functions": False, "prefill": True}
        async for made in opened(llama_cpp, api_key=KEY, facts=facts):
            yield made

    async def test_a_function_is_called(self, model: OpenAICompatible) -> None:
        await check_a_call(model)

    async def test_cached_tokens_are_told(self, model: OpenAICompatible) -> None:
        turn = self.turn(user("Tell me a long story about a whale and a lighthouse."))
        await self.ask(model, turn)
        assert ((await self.ask(model, turn)).end.usage.total_cached_tokens or 0) > 0

    async def test_a_prefix_is_continued_in_plain_text(self, model: OpenAICompatible) -> None:
        turn = self.turn(prefix="One, two, three,", max_output_tokens=12)
        assert (await self.ask(model, turn)).text.strip().startswith("four")

    async def test_a_conversation_that_is_too_long_is_refused(
        self, model: OpenAICompatible
    ) -> None:
        with pytest.raises(Refused, match="too long"):
            await self.ask(model, self.turn(user("whale " * 9000)))

    async def test_a_wrong_key_is_the_operators(self, llama_cpp: str) -> None:
        async for made in opened(llama_cpp, api_key="sk-some-wrong-key"):
            with pytest.raises(Failure, match="api_key_env") as failure:
                await self.ask(made, self.turn())
            assert "sk-some-wrong-key" not in failure.value.message

    async def test_a_wrong_base_url_is_told(self, llama_cpp: str) -> None:
        async for made in opened(f"{llama_cpp}/nowhere", api_key=KEY):
            with pytest.raises(Failure, match="base_url"):
                await self.ask(made, self.turn())


class TestMlxLm(ModelContract):
    """mlx-lm sends calls whole, comments while it reads, and knows no schemas."""

    @pytest.fixture
    async def model(self, mlx_lm: str) -> AsyncIterator[OpenAICompatible]:
        facts = {"functions": False, "schema": False}
        async for made in opened(mlx_lm, facts=facts):
            yield made

    async def test_a_function_is_called(self, model: OpenAICompatible) -> None:
        await check_a_call(model)

    async def test_a_refused_request_carries_the_servers_words(
        self, model: OpenAICompatible
    ) -> None:
        with pytest.raises(Failure, match="temperature"):
            await self.ask(model, self.turn(temperature=-5.0))
