"""Sockets to a server, straight or through an HTTP proxy."""

from __future__ import annotations

import asyncio
import socket
from itertools import chain, zip_longest
from typing import Any

from interplay.plugins.models.remote.address import Address

_HEAD_START = 0.25
"""Seconds one of several addresses has before the next one is tried beside it."""
_PROXY_ANSWER_BYTES = 16_384

Found = tuple[socket.AddressFamily, Any]
"""A family and the address to connect to."""


class ProxyRefused(OSError):
    """The proxy did not make a way to the server."""


async def dial(host: str, port: int) -> socket.socket:
    """A connected socket. Of several addresses the first that answers is taken; a dead one does
    not hold up the others. Raises OSError."""
    found = await _resolve(host, port)
    if len(found) == 1:
        return await _connect(found[0])
    return await first_of(found)


async def _resolve(host: str, port: int) -> list[Found]:
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:  # a name
        loop = asyncio.get_running_loop()
        infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    six = [(info[0], info[4]) for info in infos if info[0] == socket.AF_INET6]
    four = [(info[0], info[4]) for info in infos if info[0] == socket.AF_INET]
    both = (four, six) if infos and infos[0][0] == socket.AF_INET else (six, four)
    found = [one for one in chain(*zip_longest(*both)) if one is not None]
    if not found:
        raise OSError(f"'{host}' has no address")
    return found


async def _connect(to: Found) -> socket.socket:
    family, address = to
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(made, address)
    except BaseException:
        made.close()
        raise
    return made


async def first_of(found: list[Found]) -> socket.socket:
    """The first socket that connects, the tries begun a moment apart. Raises OSError."""
    left = list(reversed(found))
    running: set[asyncio.Task[socket.socket]] = set()
    fault = OSError("no address answered")
    try:
        while left or running:
            if left:
                running.add(asyncio.create_task(_connect(left.pop())))
            done, running = await asyncio.wait(
                running,
                timeout=_HEAD_START if left else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                error = task.exception()
                if error is None:
                    running |= done - {task}
                    return task.result()
                if not isinstance(error, OSError):
                    raise error
                fault = error
    finally:
        for task in running:
            task.cancel()
            task.add_done_callback(_close)
    raise fault


def _close(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


async def tunnel(proxy: Address, to: Address) -> socket.socket:
    """A socket through a proxy that passes on what is written to it. Raises OSError."""
    made = await dial(proxy.host, proxy.port)
    try:
        host = f"[{to.host}]" if ":" in to.host else to.host
        lines = [f"CONNECT {host}:{to.port} HTTP/1.1", f"Host: {host}:{to.port}"]
        if proxy.basic:
            lines.append(f"Proxy-Authorization: {proxy.basic}")
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(made, "\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = await loop.sock_recv(made, 4096)
            answer += part
            if not part or len(answer) > _PROXY_ANSWER_BYTES:
                raise ProxyRefused(f"the proxy at {proxy.authority} broke off")
        first, _, _ = answer.partition(b"\r\n")
        version, _, status = first.decode("latin-1").partition(" ")
        if not version.startswith("HTTP/1.") or not status.startswith("2"):
            raise ProxyRefused(f"the proxy at {proxy.authority} answers '{status or version}'")
    except BaseException:
        made.close()
        raise
    return made
