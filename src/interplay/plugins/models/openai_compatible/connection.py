"""The way to a server: one pool of connections per event loop."""

from __future__ import annotations

import asyncio
import os
from weakref import WeakKeyDictionary

import aiohttp
import msgspec
from yarl import URL

from interplay.contracts.failure import Failure, Unavailable
from interplay.plugins.models.openai_compatible.config import OpenAICompatibleConfig
from interplay.plugins.models.openai_compatible.faults import (
    Garbled,
    Server,
    read_body,
    retry_after,
)

_ERROR_BYTES = 65_536
_ERROR_SECONDS = 10.0
_RESENT = 2
"""How often a request is sent again at once when its connection was closed before any answer: some
servers (llama.cpp after a stream) promise to keep a connection and close it."""


class Lost(Unavailable):
    """A connection was closed before a single byte of the answer came."""


class _Listed(msgspec.Struct):
    id: str


class _Listing(msgspec.Struct):
    data: list[_Listed]


class _Pool:
    """The session of one event loop, and the line before it."""

    def __init__(self, session: aiohttp.ClientSession, places: int | None) -> None:
        self.session = session
        self.line = asyncio.Semaphore(places) if places is not None else None


class Connection:
    """Sends requests to one server; connections are kept and used again."""

    def __init__(self, config: OpenAICompatibleConfig) -> None:
        self._config = config
        given = URL(config.base_url)
        key = config.api_key
        if key is None and config.api_key_env is not None:
            key = os.environ.get(config.api_key_env)
        self._key_missing = key is None and config.api_key_env is not None
        key = (key or "").strip()
        headers = {name: value.strip() for name, value in config.headers.items()}
        if key:
            headers = {"Authorization": f"Bearer {key}", **headers}
            given = given.with_user(None)
        secrets = [key, given.password or "", URL(config.proxy or "").password or ""]
        for value in headers.values():
            secrets += value.split()
        self.server = Server(
            where=str(given.with_user(None).with_query(None)).rstrip("/"),
            secrets=tuple(word for word in secrets if len(word) >= 6),
        )
        # No compression: a compressed stream is held back until a block of it is full.
        self._headers = {"Accept-Encoding": "identity", "User-Agent": "interplay", **headers}
        self._post_headers = {"Content-Type": "application/json", **self._headers}
        self._chat = given.joinpath("chat", "completions").with_query(given.query)
        self._models = given.joinpath("models").with_query(given.query)
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, _Pool] = WeakKeyDictionary()

    def pool(self) -> _Pool:
        """The pool of the running loop, made when it is not there."""
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None or pool.session.closed:
            config = self._config
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=60),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=None,
                    connect=config.connect_seconds,
                    sock_connect=config.connect_seconds,
                    sock_read=config.timeout_seconds,
                ),
            )
            pool = self._pools[loop] = _Pool(session, config.max_concurrent)
        return pool

    async def close(self) -> None:
        """Closes the connections of the running loop."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.session.close()

    async def ask(self, body: bytes, asked: str, model: str) -> aiohttp.ClientResponse:
        """Sends a chat and answers the open response, whose status is a success.

        `asked` is the name the caller used, `model` the server's. Raises Failure.
        """
        if self._key_missing:
            raise Failure(
                f"The environment variable {self._config.api_key_env}, which api_key_env of this"
                f" model's entry names, is not set. The operator sets it and starts again.",
                code="service_unavailable",
            )
        response = await self._post(body, asked)
        if response.status == 200:
            return response
        try:
            raise await self._refusal(response, asked, model)
        finally:
            response.close()

    async def _post(self, body: bytes, asked: str) -> aiohttp.ClientResponse:
        resent = 0
        while True:
            try:
                return await self.pool().session.post(
                    self._chat,
                    data=body,
                    headers=self._post_headers,
                    proxy=self._config.proxy,
                    allow_redirects=False,
                )
            except (aiohttp.ClientError, TimeoutError) as error:
                failure = self.failure(error, asked)
                if resent == _RESENT or not isinstance(failure, Lost):
                    raise failure from error
                resent += 1

    async def _refusal(self, response: aiohttp.ClientResponse, asked: str, model: str) -> Failure:
        status = response.status
        if status < 400:
            target = response.headers.get("Location", "")
            to = f" and points to {URL(target).with_user(None).with_query(None)}" if target else ""
            return self.server.garbled(
                Garbled(f"answers {status} where a completion was expected{to}; check base_url")
            )
        raw = b""
        try:
            async with asyncio.timeout(_ERROR_SECONDS):
                while len(raw) < _ERROR_BYTES and (block := await response.content.readany()):
                    raw += block
        except (aiohttp.ClientError, TimeoutError, OSError):
            pass  # the status alone says enough
        said = read_body(raw[:_ERROR_BYTES])
        if status == 404:
            return self.server.not_there(said, model, await self._listed())
        return self.server.failed(status, said, asked, retry_after(response.headers))

    async def _listed(self) -> list[str] | None:
        """The models the server lists; None when it does not tell."""
        try:
            async with (
                asyncio.timeout(_ERROR_SECONDS),
                self.pool().session.get(
                    self._models,
                    headers=self._headers,
                    proxy=self._config.proxy,
                    allow_redirects=False,
                ) as response,
            ):
                raw = await response.content.read(4 * 1024 * 1024)
            return [listed.id for listed in msgspec.json.decode(raw, type=_Listing).data]
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError, UnicodeError):
            return None

    def failure(self, error: Exception, asked: str, *, reading: bool = False) -> Failure:
        """The failure for what the HTTP client raised; `reading` says that the answer had
        begun."""
        server, config = self.server, self._config
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return server.timed_out(config.connect_seconds, True)
        if isinstance(error, TimeoutError):
            return server.timed_out(config.timeout_seconds, False)
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientHttpProxyError):
            return server.unreachable(asked, error)
        if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
            if reading:
                return server.cut_off(_words(error))
            return Lost(f"The server at {server.where} closed the connection before it answered.")
        if isinstance(error, aiohttp.ClientPayloadError):
            return server.cut_off(_words(error))
        fault = Garbled(f"answered with something that is not HTTP: {_words(error)}")
        return server.garbled(fault)


def _words(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
