"""Tries to get out of a sandbox; runs inside, prints what got through as JSON, by probe.

Arguments: a file of the host, a word of the server's environment, a process of the host, a port
on the host's loopback, the name of an abstract socket of the host.
"""

import ctypes
import json
import os
import resource
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)
canary, drow, pid, port, abstract = sys.argv[1:]
word = drow[::-1]  # else its own arguments would hold it
through: dict[str, str] = {}


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def opens(probe, path, flags=os.O_RDONLY):
    try:
        fd = os.open(path, flags | os.O_NONBLOCK)
    except OSError:
        return
    os.close(fd)
    through[probe] = path


def succeeds(probe, number, *arguments):
    if libc.syscall(number, *arguments) >= 0:
        through[probe] = f"system call {number}"


def connects(probe, family, address):
    try:
        with socket.socket(family, socket.SOCK_STREAM) as made:
            made.settimeout(1)
            made.connect(address)
    except OSError:
        return
    through[probe] = str(address)


opens("f1 host file", canary)
opens("f1 data folder", os.path.dirname(canary))
admin = os.path.join("/", "root")
if not sys.base_prefix.startswith(admin):
    opens("f1 home of root", admin)
for folder in (
    f"{admin}/.ssh",
    f"{admin}/.bashrc",
    "/var",
    "/boot",
    "/etc/shadow",
    "/etc/ssh",
    "/sys/kernel",
):
    if os.path.exists(folder):
        opens("f1 " + folder, folder)
for entry in os.listdir("/proc"):
    if entry.isdigit():
        opens("f2 root of a process", f"/proc/{entry}/root{canary}")
        if entry == "1":
            for name in ("environ", "mem", "maps", "fd", "cwd", "root"):
                opens("p2 first process " + name, f"/proc/1/{name}")
        try:
            said = contents(f"/proc/{entry}/environ") + contents(f"/proc/{entry}/cmdline")
        except OSError:
            said = b""
        if entry != str(os.getpid()) and word.encode() in said:
            through["p2 the word"] = entry
if word.encode() in contents("/proc/self/environ"):
    through["p2 own environment"] = word
for fd in os.listdir("/proc/self/fd"):
    try:
        target = os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        continue
    if not target.startswith(("pipe:", "/proc/")):
        through["f3 leaked descriptor"] = target
for path in ("/usr/x", "/x", "/etc/x", "/dev/x", "/proc/sys/kernel/core_pattern", "/run/x"):
    opens("writes " + path, path, os.O_WRONLY | (0 if "proc" in path else os.O_CREAT))
for path in ("vm/drop_caches", "kernel/hostname", "net/ipv4/ip_forward", "kernel/modprobe"):
    opens("p5 " + path, "/proc/sys/" + path, os.O_WRONLY)
opens("p5 sysrq", "/proc/sysrq-trigger/x", os.O_WRONLY)
for name in ("keys", "timer_list", "kmsg", "kallsyms"):
    try:
        if contents("/proc/" + name):
            through["p6 " + name] = "read"
    except OSError:
        pass
for kind, mode in (("block", 0o60600), ("char", 0o20600)):
    try:
        os.mknod("node", mode, os.makedev(1, 1))
        through["f7 " + kind] = "made"
        os.unlink("node")
    except OSError:
        pass
for device in ("kvm", "fuse", "net/tun", "mem", "sda", "vda"):
    opens("f7 " + device, "/dev/" + device)
try:
    os.kill(int(pid), 0)
    through["p4 host process"] = pid
except OSError:
    pass
try:
    os.kill(1, 9)
    os.kill(1, 19)
except OSError:
    pass
if len([entry for entry in os.listdir("/proc") if entry.isdigit()]) > 3:
    through["p1 processes"] = "more than ours"

CALLS = {name: int(number) for name, number in json.loads(contents("calls.json")).items()}
for name, number in CALLS.items():
    # Arguments that name nothing: what is let through fails otherwise than with EPERM.
    ctypes.set_errno(0)
    libc.syscall(number, -1, 0, 0, 0, 0, 0)
    if ctypes.get_errno() not in (1, 38):
        through["s3 " + name] = os.strerror(ctypes.get_errno())
for family in (40, 17, 38, 31, 15, 9, 44):  # vsock, packet, alg, bluetooth, key, x25, xdp
    try:
        socket.socket(family, socket.SOCK_RAW).close()
        through[f"s4 family {family}"] = "made"
    except OSError:
        pass
    try:
        socket.socket(family, socket.SOCK_STREAM).close()
        through[f"s4 family {family}"] = "made"
    except OSError:
        pass
clone = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
ctypes.set_errno(0)
made = libc.syscall(clone, 0x10000000 | 17, 0, 0, 0, 0)
if made == 0:
    os._exit(0)
if made > 0:
    through["s1 clone of a user namespace"] = "made"
ctypes.set_errno(0)
libc.syscall(435, 0, 0)
if ctypes.get_errno() != 38:
    through["s1 clone3"] = os.strerror(ctypes.get_errno())
if os.uname().machine == "x86_64":
    ctypes.set_errno(0)
    if libc.syscall(0x40000000 + 39) >= 0:
        through["s9 x32"] = "answered"
try:
    import fcntl

    fcntl.ioctl(0, 0x5412, b"x")
    through["s5 terminal"] = "typed"
except OSError as error:
    if error.errno != 1:
        through["s5 terminal"] = str(error)
opens("s5 controlling terminal", "/dev/tty", os.O_RDWR)
try:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    through["s7 priority"] = "set"
except OSError:
    pass
for name in ("RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"):
    try:
        resource.setrlimit(getattr(resource, name), (2**31, 2**31))
        through["s8 " + name] = "raised"
    except (OSError, ValueError):
        pass
lines = contents("/proc/self/status").decode().splitlines()
status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
for name, value in (("CapEff", "0"), ("CapPrm", "0"), ("CapBnd", "0"), ("CapAmb", "0")):
    if int(status[name], 16) != int(value):
        through["s10 " + name] = status[name]
if (status["NoNewPrivs"], status["Seccomp"]) != ("1", "2"):
    through["s10 new privileges"] = status["NoNewPrivs"] + status["Seccomp"]
if status["Uid"].split()[0] == "0" or status["Groups"].strip() not in ("", "1000", "65534"):
    through["s10 user"] = status["Uid"] + status["Groups"]

connects("n1 host loopback", socket.AF_INET, ("127.0.0.1", int(port)))
connects("n2 metadata", socket.AF_INET, ("169.254.169.254", 80))
connects("n3 private", socket.AF_INET, ("10.0.0.1", 80))
connects("n3 public", socket.AF_INET, ("1.1.1.1", 53))
connects("n5 abstract socket", socket.AF_UNIX, "\0" + abstract)
try:
    socket.getaddrinfo("example.org", 80)
    through["n4 names"] = "resolved"
except OSError:
    pass
print(json.dumps(through))
