"""The way to a server: what a request carries, and what its failures mean."""

from __future__ import annotations

import asyncio
import os

import msgspec

from interplay.contracts.failure import Failure, Unavailable
from interplay.plugins.models.remote.address import Address, parse, public
from interplay.plugins.models.remote.config import ServerConfig, fits_header
from interplay.plugins.models.remote.faults import (
    Garbled,
    Server,
    read_body,
    retry_after,
)
from interplay.plugins.models.remote.http1 import Closed, Link, LinkFault, Silent
from interplay.plugins.models.remote.pool import Pool, TookTooLong

_ERROR_BYTES = 65_536
_LISTING_BYTES = 4 * 1024 * 1024
_ERROR_SECONDS = 10.0
_ENCODING_LENGTH = len(b"content-encoding")
_RESENT = 2
"""How often a request is sent again at once when its connection was closed before any answer: some
servers (llama.cpp after a stream) promise to keep a connection and close it."""


class Lost(Unavailable):
    """A connection was closed before a single byte of the answer came."""


class _Listed(msgspec.Struct):
    id: str


class _Listing(msgspec.Struct):
    data: list[_Listed]


class Connection:
    """Sends requests to one server; connections are kept and used again, per event loop."""

    def __init__(
        self,
        config: ServerConfig,
        *path: str,
        key_header: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """`path` leads from base_url to where turns are sent. The key goes as a bearer token, or
        as it is under `key_header`; `headers` go with every request."""
        self._config, self._path = config, "/".join(path)
        self._to = to = parse(config.base_url)
        self._proxy = proxy = parse(config.proxy) if config.proxy is not None else None
        key = config.api_key
        if key is None and config.api_key_env is not None:
            key = os.environ.get(config.api_key_env)
        self._key_missing = key is None and config.api_key_env is not None
        key = (key or "").strip()
        self._key_unfit = not fits_header("Authorization", key)
        own = {name: value.strip() for name, value in config.headers.items()}
        given = {name.lower() for name in own}
        sent = dict(headers or {})
        if key:
            sent[key_header or "Authorization"] = key if key_header else f"Bearer {key}"
        elif to.basic:
            sent["Authorization"] = to.basic
        sent = {name: value for name, value in sent.items() if name.lower() not in given} | own
        secrets = [key, to.password]
        if proxy is not None:
            secrets += [proxy.password, *proxy.basic.split()]
        for name, value in sent.items():
            if name not in (headers or {}):
                secrets += value.split()
        self.server = Server(
            where=to.origin + to.path,
            secrets=tuple(word for word in secrets if len(word) >= 6),
        )
        self._post_head = _head("POST", to, proxy, sent, *path)
        self._list_head = _head("GET", to, proxy, sent, "models") + b"\r\n"
        self._pools: dict[asyncio.AbstractEventLoop, Pool] = {}
        self._lines: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}

    def pool(self) -> Pool:
        """The pool of the running loop, made when it is not there."""
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is not None:
            return pool
        for ended in [one for one in self._pools if one.is_closed()]:
            del self._pools[ended]
        config = self._config
        pool = self._pools[loop] = Pool(
            self._to, self._proxy, connect=config.connect_seconds, silence=config.timeout_seconds
        )
        return pool

    def line(self, places: int) -> asyncio.Semaphore:
        """Where turns of the running loop wait for one of so many places."""
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            for ended in [one for one in self._lines if one.is_closed()]:
                del self._lines[ended]
            line = self._lines[loop] = asyncio.Semaphore(places)
        return line

    async def close(self) -> None:
        """Closes the connections of the running loop."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.close()

    async def ask(self, body: bytes, asked: str, model: str, more: bytes = b"") -> Link:
        """Sends a turn and answers the open connection, after the head of a success.

        `asked` is the name the caller used, `model` the server's, `more` header lines for this
        request alone, each with its end. Raises Failure.
        """
        if self._key_missing or self._key_unfit:
            raise self._no_key()
        link = await self._answered(
            self._post_head + b"%d\r\n%b\r\n" % (len(body), more), body, asked
        )
        if link.status == 200:
            for name, value in link.headers:
                if len(name) == _ENCODING_LENGTH and name.lower() == b"content-encoding":
                    self._check_encoding(link, value)
            return link
        try:
            raise await self._refusal(link, asked, model)
        finally:
            _end(link)

    def _check_encoding(self, link: Link, value: bytes) -> None:
        encoding = value.decode("latin-1").strip()
        if encoding.lower() not in ("", "identity"):
            link.drop()
            fault = f"compresses its answer ({encoding}), which it was asked not to do"
            raise self.server.garbled(Garbled(fault))

    async def _answered(self, head: bytes, body: bytes, asked: str) -> Link:
        """A connection with the head of its answer. Raises Failure."""
        resent = 0
        while True:
            pool = self.pool()
            link = pool.kept() if resent == 0 else None
            if link is None:
                link = await self._opened(pool, asked)
            try:
                link.send(head, body)
                await link.head()
                return link
            except LinkFault as fault:
                link.drop()
                failure = self.failure(fault)
                if resent == _RESENT or not isinstance(failure, Lost):
                    raise failure from fault
                resent += 1
            except BaseException:
                link.drop()
                raise

    async def _opened(self, pool: Pool, asked: str) -> Link:
        try:
            return await pool.open()
        except TookTooLong as error:
            raise self.server.timed_out(self._config.connect_seconds, True) from error
        except OSError as error:
            raise self.server.unreachable(asked, error) from error

    async def _refusal(self, link: Link, asked: str, model: str) -> Failure:
        status, headers = link.status, _headers(link)
        if status < 400:
            target = headers.get("location", "")
            to = f" and points to {public(target)}" if target else ""
            return self.server.garbled(
                Garbled(f"answers {status} where an answer was expected{to}; check base_url")
            )
        raw = b""
        try:
            async with asyncio.timeout(_ERROR_SECONDS):
                while len(raw) < _ERROR_BYTES and (block := await link.read()):
                    raw += block
        except (LinkFault, TimeoutError):
            pass  # the status alone says enough
        said = read_body(raw[:_ERROR_BYTES])
        if status == 404:
            return self.server.not_there(said, self._path, model, await self._listed(asked))
        return self.server.failed(status, said, asked, retry_after(headers))

    async def _listed(self, asked: str) -> list[str] | None:
        """The models the server lists; None when it does not tell."""
        link: Link | None = None
        raw = b""
        try:
            async with asyncio.timeout(_ERROR_SECONDS):
                link = await self._answered(self._list_head, b"", asked)
                while len(raw) < _LISTING_BYTES and (block := await link.read()):
                    raw += block
            return [listed.id for listed in msgspec.json.decode(raw, type=_Listing).data]
        except (LinkFault, Failure, TimeoutError, msgspec.DecodeError, UnicodeError):
            return None
        finally:
            if link is not None:
                _end(link)

    def failure(self, fault: LinkFault) -> Failure:
        """The failure for what happened to a connection that was in use."""
        server = self.server
        if isinstance(fault, Silent):
            return server.timed_out(self._config.timeout_seconds, False)
        if isinstance(fault, Closed):
            if fault.begun:
                return server.cut_off(str(fault))
            return Lost(f"The server at {server.where} closed the connection before it answered.")
        return server.garbled(Garbled(f"answered with something that is not HTTP: {fault}"))

    def _no_key(self) -> Failure:
        config = self._config
        fault = "is not set" if self._key_missing else "has characters that no header can hold"
        return Failure(
            f"The environment variable {config.api_key_env}, which api_key_env of this"
            f" model's entry names, {fault}. The operator sets it and starts again.",
            code="service_unavailable",
        )


def _head(
    method: str, to: Address, proxy: Address | None, own: dict[str, str], *more: str
) -> bytes:
    """The head of a request up to the length of its body, or its end where it has none."""
    target = to.target(*more)
    # No compression: a compressed stream is held back until a block of it is full.
    headers = {"Host": to.authority, "Accept": "*/*", "Accept-Encoding": "identity"}
    headers["User-Agent"] = "interplay"
    if method == "POST":
        headers["Content-Type"] = "application/json"
    if proxy is not None and not to.secure:
        target = to.origin + target
        if proxy.basic:
            headers["Proxy-Authorization"] = proxy.basic
    given = {name.lower() for name in own}
    headers = {name: value for name, value in headers.items() if name.lower() not in given}
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in {**headers, **own}.items()]
    if method == "POST":
        lines.append("Content-Length: ")
        return "\r\n".join(lines).encode("latin-1")
    return "\r\n".join([*lines, ""]).encode("latin-1")


def _end(link: Link) -> None:
    """Lets a connection go: one whose answer is whole is kept, any other is closed."""
    if link.over:
        link.home.give_back(link)
    else:
        link.drop()


def _headers(link: Link) -> dict[str, str]:
    """An answer's headers by their lower-case names."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in link.headers}
