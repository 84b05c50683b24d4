"""`serve` is the whole server: started, stopped, restarted on the same data."""

import asyncio

import aiohttp
import pytest

from interplay.settings import Settings
from interplay.testing.scripted_model import ScriptedModel
from interplay.testing.server import ServerDidNotStart, serve


async def test_it_answers_googles_client():
    async with serve(models={"m": ScriptedModel.of("Hello.")}) as server:
        made = await server.client().aio.interactions.create(model="m", input="Hi")
    assert made.output_text == "Hello."


async def test_the_same_data_can_be_served_again(tmp_path):
    settings = Settings(data_dir=str(tmp_path / "data"))
    model = ScriptedModel.of("Kept.")
    async with serve(models={"m": model}, settings=settings) as server:
        made = await server.client().aio.interactions.create(model="m", input="Hi")
    async with serve(models={"m": model}, settings=settings) as server:
        read = await server.client().aio.interactions.get(made.id)
    assert read.output_text == "Kept."
    assert (model.opened, model.shut) == (1, 1)


async def test_a_start_that_fails_says_so(tmp_path):
    settings = Settings(data_dir=str(tmp_path / "data"))
    async with serve(models={}, settings=settings):
        with pytest.raises(ServerDidNotStart, match="startup failed"):
            async with serve(models={}, settings=settings):
                pass


async def test_it_stops_while_a_stream_is_open():
    model = ScriptedModel.of({"chunks": ["a", {"hold": "for ever"}]})
    async with aiohttp.ClientSession() as session:
        async with asyncio.timeout(60):
            async with serve(models={"m": model}) as server:
                body = {"model": "m", "input": "x", "stream": True, "background": True}
                url = f"{server.url}/v1/interactions"
                async with session.post(url, json=body) as answer:
                    await model.gate("for ever").reached()
                    assert answer.status == 200
    await model.abandoned()
    assert model.closed == 1
