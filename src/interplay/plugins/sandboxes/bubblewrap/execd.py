"""The first process of a sandbox: runs commands and reads files for the server outside.

It stands alone: only the standard library, and no file of the package is there. Everything goes
over standard input, a socket: frames of one letter, a length and that many bytes. When the other
end is gone it ends, and the kernel ends everything else with it.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import os
import resource
import selectors
import signal
import stat
import struct
import sys
import time
from typing import Any

_HEAD = struct.Struct(">cI")
_MOST_FILES = 2_000
_CHUNK = 65_536
_PR_SET_DUMPABLE = 4
_prctl = ctypes.CDLL(None).prctl
_control = 0
"""The socket."""


class _Left(Exception):
    """The server is gone."""


def main() -> None:
    """Serves until the other end closes."""
    # Nobody may look into this process: it could be made to speak for a command.
    _prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    home = os.getcwd()
    _send(b"j", {"ready": True, "python": sys.executable})
    try:
        while True:
            _serve(json.loads(_received()), home)
    except _Left:
        os._exit(0)


def _serve(asked: dict[str, Any], home: str) -> None:
    try:
        if asked["op"] == "exec":
            _exec(asked, home)
        elif asked["op"] == "list":
            _send(b"j", {"files": _listed(home)})
        elif asked["op"] == "read":
            _raw(b"d", _read(os.path.join(home, asked["path"]), asked["most"]))
        elif asked["op"] == "write":
            _write(os.path.join(home, asked["path"]), base64.b64decode(asked["data"]))
            _send(b"j", {})
    except (OSError, ValueError) as error:
        _send(b"f", {"message": str(error)[:500]})


def _received() -> bytes:
    size = struct.unpack(">I", _exactly(4))[0]
    return _exactly(size)


def _exactly(size: int) -> bytes:
    held = b""
    while len(held) < size:
        more = os.read(_control, size - len(held))
        if not more:
            raise _Left
        held += more
    return held


def _send(kind: bytes, told: dict[str, Any]) -> None:
    _raw(kind, json.dumps(told).encode())


def _raw(kind: bytes, data: bytes) -> None:
    whole = memoryview(_HEAD.pack(kind, len(data)) + data)
    try:
        while whole:
            whole = whole[os.write(_control, whole) :]
    except OSError:
        raise _Left from None


def _exec(asked: dict[str, Any], home: str) -> None:
    given, out_read, err_read = os.pipe(), os.pipe(), os.pipe()
    pid = _forked()
    if pid == 0:
        _become(asked, home, given[0], out_read[1], err_read[1])
    for fd in (given[0], out_read[1], err_read[1]):
        os.close(fd)
    ends = _Watched(given[1], out_read[0], err_read[0], asked)
    try:
        timed_out = ends.follow(pid)
        _end_all()
        status = _reaped(pid)
        ends.drain()
    finally:
        ends.close()
    told: dict[str, Any] = {"truncated": ends.truncated}
    if timed_out:
        told |= {"reason": "timeout", "code": 0}
    elif os.WIFSIGNALED(status):
        told |= {"reason": "killed", "code": os.WTERMSIG(status)}
    else:
        told |= {"reason": "exited", "code": os.WEXITSTATUS(status)}
    _send(b"x", told)


def _forked() -> int:
    for _ in range(50):
        try:
            return os.fork()
        except OSError:  # what an earlier command left may still hold every place
            _end_all()
            time.sleep(0.02)
    raise OSError("no process could be started")


def _become(asked: dict[str, Any], home: str, given: int, out: int, err: int) -> None:
    """The child: its limits, its ends, its program."""
    try:
        os.setsid()
        for fd, at in ((given, 0), (out, 1), (err, 2)):
            os.dup2(fd, at)
        os.closerange(3, 256)
        for name, most in asked["limits"].items():
            resource.setrlimit(getattr(resource, name), (most, most))
        _prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)  # else its own files in /proc are not its own
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write("1000")
        os.chdir(os.path.join(home, asked["cwd"]))
        os.execvpe(asked["argv"][0], asked["argv"], asked["env"])
    except (OSError, ValueError, IndexError) as error:
        os.write(2, f"{asked['argv'][:1]} cannot be run: {error}\n".encode())
    os._exit(127)


class _Watched:
    """The ends of a command, and what it may take."""

    def __init__(self, given: int, out: int, err: int, asked: dict[str, Any]) -> None:
        self._stdin = memoryview(base64.b64decode(asked["stdin"]))
        self._given: int | None = given
        self._outs = {out: b"o", err: b"e"}
        self._left: int = asked["output_bytes"]
        self._until = time.monotonic() + asked["seconds"]
        self.truncated = False

    def follow(self, pid: int) -> bool:
        """Until the program ends; True when its time was over first."""
        ended = os.pidfd_open(pid)
        selector = selectors.DefaultSelector()
        try:
            selector.register(ended, selectors.EVENT_READ)
            selector.register(_control, selectors.EVENT_READ)
            for fd in self._outs:
                os.set_blocking(fd, False)
                selector.register(fd, selectors.EVENT_READ)
            self._feed(selector)
            while True:
                left = self._until - time.monotonic()
                if left <= 0:
                    return True
                for key, _ in selector.select(left):
                    if key.fd == ended:
                        return False
                    if key.fd == _control:
                        raise _Left  # nothing is said while a command runs but that it is over
                    if key.fd == self._given:
                        self._feed(selector)
                    elif self._pass(key.fd) == b"":
                        selector.unregister(key.fd)
        finally:
            selector.close()
            os.close(ended)

    def _feed(self, selector: selectors.BaseSelector) -> None:
        fd = self._given
        if fd is None:
            return
        known = fd in selector.get_map()
        if not known:
            os.set_blocking(fd, False)
            selector.register(fd, selectors.EVENT_WRITE)
        try:
            if self._stdin:
                self._stdin = self._stdin[os.write(fd, self._stdin[:_CHUNK]) :]
        except BlockingIOError:
            return
        except OSError:
            self._stdin = memoryview(b"")
        if not self._stdin:
            selector.unregister(fd)
            os.close(fd)
            self._given = None

    def _pass(self, fd: int) -> bytes | None:
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return None
        kept = data[: self._left]
        self._left -= len(kept)
        self.truncated = self.truncated or len(kept) < len(data)
        if kept:
            _raw(self._outs[fd], kept)
        return data

    def drain(self) -> None:
        """What is still in the pipes, whose writers have ended."""
        for fd in self._outs:
            while self._pass(fd):
                pass

    def close(self) -> None:
        """Lets go of the ends."""
        for fd in [*self._outs, *([] if self._given is None else [self._given])]:
            os.close(fd)


def _end_all() -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)  # the first process is left out


def _reaped(pid: int) -> int:
    """The status of a child; everything else that ended is taken with it."""
    status = 0
    while True:
        try:
            ended, code = os.wait()
        except ChildProcessError:
            return status
        if ended == pid:
            status = code


def _listed(home: str) -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    for folder, _, names in os.walk(home):
        for name in names:
            path = os.path.join(folder, name)
            try:
                about = os.lstat(path)
                path.encode()
            except (OSError, UnicodeEncodeError):
                continue
            if stat.S_ISREG(about.st_mode):
                found.append((os.path.relpath(path, home), about.st_size, about.st_ctime_ns))
            if len(found) == _MOST_FILES:
                return found
    return found


def _read(path: str, most: int) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode):
            raise ValueError("this is no regular file")
        if about.st_size > most:
            raise ValueError(f"the file has {about.st_size} bytes, more than {most}")
        return file.read(most)


def _write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


if __name__ == "__main__":
    main()
