"""Tries to get out of a sandbox; runs inside, prints what got through as JSON, by probe.

Arguments: a file of the host, a word of the server's environment backwards, a process of the host,
a port on the host's loopback, the name of an abstract socket of the host. The file calls.json
beside it holds the system calls that are to be refused. A probe's first letter says what it tries:
f and w files, p processes, s the kernel, n the network.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import resource
import socket
import sys
from contextlib import suppress
from typing import Any

_libc = ctypes.CDLL(None, use_errno=True)
_through: dict[str, str] = {}


def main() -> None:
    """Tries everything, one after the other."""
    canary, drow, pid, port, abstract = sys.argv[1:]
    word = drow[::-1]  # else its own arguments would hold it
    _files(canary)
    _processes(canary, word.encode(), int(pid))
    _proc()
    _devices()
    with open("calls.json", encoding="utf-8") as file:
        _calls(json.load(file))
    _families()
    _namespaces()
    _terminal()
    _raises()
    _credentials()
    _network(int(port), abstract)
    print(json.dumps(_through))


def _contents(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _opens(probe: str, path: str, flags: int = os.O_RDONLY) -> None:
    with suppress(OSError):
        os.close(os.open(path, flags | os.O_NONBLOCK))
        _through[probe] = path


def _connects(probe: str, family: int, address: Any) -> None:
    with suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as made:
        made.settimeout(1)
        made.connect(address)
        _through[probe] = str(address)


def _called(number: int, *arguments: int) -> int:
    """The error a system call answers with."""
    ctypes.set_errno(0)
    return ctypes.get_errno() if _libc.syscall(number, *arguments) < 0 else 0


def _files(canary: str) -> None:
    _opens("f1 host file", canary)
    _opens("f1 data folder", os.path.dirname(canary))
    admin = os.path.join("/", "root")
    if not sys.base_prefix.startswith(admin):
        _opens("f1 home of root", admin)
    for name in (".ssh", ".bashrc"):
        _opens(f"f1 {name} of root", f"{admin}/{name}")
    for path in ("/var", "/boot", "/etc/shadow", "/etc/ssh", "/sys/kernel"):
        _opens("f1 " + path, path)
    for fd in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{fd}")
            if not target.startswith(("pipe:", "/proc/")):
                _through["f3 leaked descriptor"] = target
    for folder in ("/usr", "", "/etc", "/dev", "/run"):
        _opens(f"writes {folder}/x", f"{folder}/x", os.O_WRONLY | os.O_CREAT)


def _processes(canary: str, word: bytes, pid: int) -> None:
    numbers = [entry for entry in os.listdir("/proc") if entry.isdigit()]
    if len(numbers) > 3:
        _through["p1 processes"] = "more than ours"
    for entry in numbers:
        _opens("f2 root of a process", f"/proc/{entry}/root{canary}")
        with suppress(OSError):
            said = _contents(f"/proc/{entry}/environ") + _contents(f"/proc/{entry}/cmdline")
            if entry != str(os.getpid()) and word in said:
                _through["p2 the word"] = entry
    if word in _contents("/proc/self/environ"):
        _through["p2 own environment"] = word.decode()
    for name in ("environ", "mem", "maps", "fd", "cwd", "root"):
        _opens("p2 first process " + name, f"/proc/1/{name}")
    with suppress(OSError):
        os.kill(pid, 0)
        _through["p4 host process"] = str(pid)
    with suppress(OSError):
        # Answering any further is the proof that neither ended it.
        os.kill(1, 9)
        os.kill(1, 19)


def _proc() -> None:
    names = ("kernel/core_pattern", "vm/drop_caches", "kernel/hostname", "kernel/modprobe")
    for name in (*names, "net/ipv4/ip_forward"):
        _opens("p5 " + name, "/proc/sys/" + name, os.O_WRONLY)
    with suppress(OSError):
        fd = os.open("/proc/sysrq-trigger", os.O_WRONLY)
        if os.fstat(fd).st_rdev != os.makedev(1, 3):  # /dev/null lies over it
            _through["p5 sysrq"] = "opened"
        os.close(fd)
    for name in ("keys", "timer_list", "kmsg", "kallsyms"):
        with suppress(OSError):
            if _contents("/proc/" + name):
                _through["p6 " + name] = "read"


def _devices() -> None:
    for kind, mode in (("block", 0o60600), ("char", 0o20600)):
        with suppress(OSError):
            os.mknod("node", mode, os.makedev(1, 1))
            _through["f7 " + kind] = "made"
            os.unlink("node")
    for device in ("kvm", "fuse", "net/tun", "mem", "sda", "vda"):
        _opens("f7 " + device, "/dev/" + device)


def _calls(calls: dict[str, int]) -> None:
    for name, number in calls.items():
        # Arguments that name nothing: what is let through fails otherwise than with EPERM.
        found = _called(number, -1, 0, 0, 0, 0, 0)
        if found not in (errno.EPERM, errno.ENOSYS):
            _through["s3 " + name] = os.strerror(found)


def _families() -> None:
    for family in (40, 17, 38, 31, 15, 9, 44):  # vsock, packet, alg, bluetooth, key, x25, xdp
        for kind in (socket.SOCK_RAW, socket.SOCK_STREAM):
            with suppress(OSError):
                socket.socket(family, kind).close()
                _through[f"s4 family {family}"] = "made"


def _namespaces() -> None:
    clone = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
    made = _libc.syscall(clone, 0x10000000 | 17, 0, 0, 0, 0)
    if made == 0:
        os._exit(0)
    if made > 0:
        _through["s1 clone of a user namespace"] = "made"
    found = _called(435, 0, 0)
    if found != errno.ENOSYS:
        _through["s1 clone3"] = os.strerror(found)
    if os.uname().machine == "x86_64" and _libc.syscall(0x40000000 + 39) >= 0:
        _through["s9 x32"] = "answered"


def _terminal() -> None:
    try:
        fcntl.ioctl(0, 0x5412, b"x")
        _through["s5 terminal"] = "typed"
    except OSError as error:
        if error.errno != errno.EPERM:
            _through["s5 terminal"] = str(error)
    _opens("s5 controlling terminal", "/dev/tty", os.O_RDWR)


def _raises() -> None:
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
        _through["s7 priority"] = "set"
    for name in ("RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"):
        with suppress(OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (2**31, 2**31))
            _through["s8 " + name] = "raised"


def _credentials() -> None:
    lines = _contents("/proc/self/status").decode().splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
        if int(status[name], 16):
            _through["s10 " + name] = status[name]
    if (status["NoNewPrivs"], status["Seccomp"]) != ("1", "2"):
        _through["s10 new privileges"] = status["NoNewPrivs"] + status["Seccomp"]
    if status["Uid"].split()[0] == "0" or status["Groups"].strip() not in ("", "1000", "65534"):
        _through["s10 user"] = status["Uid"] + status["Groups"]


def _network(port: int, abstract: str) -> None:
    _connects("n1 host loopback", socket.AF_INET, ("127.0.0.1", port))
    _connects("n2 metadata", socket.AF_INET, ("169.254.169.254", 80))
    _connects("n3 private", socket.AF_INET, ("10.0.0.1", 80))
    _connects("n3 public", socket.AF_INET, ("1.1.1.1", 53))
    _connects("n5 abstract socket", socket.AF_UNIX, "\0" + abstract)
    with suppress(OSError):
        socket.getaddrinfo("example.org", 80)
        _through["n4 names"] = "resolved"


if __name__ == "__main__":
    main()
