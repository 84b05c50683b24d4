"""Opens the dispatcher over DBOS, here and in other processes, over a database of the test."""

import asyncio
from contextlib import asynccontextmanager
from itertools import count

import pytest

from interplay.plugins.dispatchers.dbos import DbosDispatcher

_numbers = count(1)


@asynccontextmanager
async def opened(place, silence):
    """One open dispatcher over the database of this URL."""
    dispatcher = DbosDispatcher(database=place, silence=silence)
    await dispatcher.open()
    try:
        yield dispatcher
    finally:
        await dispatcher.close()


async def _opened_once(url):
    async with opened(url, 30.0):
        pass


@pytest.fixture(scope="session")
def prepared(postgres_server):
    """A database with the dispatcher's tables and nothing in them, to be copied."""
    url = postgres_server.new_database()
    asyncio.run(_opened_once(url))
    return url.rpartition("/")[2]


@pytest.fixture
def dispatch_database(postgres, prepared):
    """The URL of a database with the dispatcher's tables and nothing in them."""
    name = f"dispatch_{next(_numbers)}"
    postgres.sql(f"CREATE DATABASE {name} TEMPLATE {prepared}")
    return postgres.url(name)
