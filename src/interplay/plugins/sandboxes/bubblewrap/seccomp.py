"""The system call filter: what commands in a sandbox are refused, as a classic BPF program."""

from __future__ import annotations

import errno
import platform
import struct

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _ARCH, _FIRST, _SECOND = 0, 4, 16, 24
_X32 = 0x40000000
_NEW_NAMESPACES = 0x7E020080
"""CLONE_NEW(TIME, NS, CGROUP, UTS, IPC, USER, PID, NET)."""
_FAMILIES = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: others, as AF_VSOCK, no network namespace holds."""
_TERMINAL = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX type into the terminal of another."""
_ARCHES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}

# System call -> its number on x86_64 and on aarch64; None where there is none.
_DENIED: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "create_module": (174, None),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "get_kernel_syms": (177, None),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "lsm_set_self_attr": (460, 460),
    "mbind": (237, 235),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "query_module": (178, None),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "set_mempolicy": (238, 237),
    "set_mempolicy_home_node": (450, 450),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "sysctl": (156, None),
    "sysfs": (139, None),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "ustat": (136, None),
    "vhangup": (153, 58),
}
_CLONE, _CLONE3, _SOCKET, _IOCTL = (56, 220), (435, 435), (41, 198), (16, 29)


class UnknownMachine(Exception):
    """There is no filter for this processor."""


def denied(machine: str | None = None) -> dict[str, int]:
    """What is refused whatever its arguments, by name, with its number here."""
    column = _arch(machine)[1]
    return {name: n for name, both in _DENIED.items() if (n := both[column]) is not None}


def program(machine: str | None = None) -> bytes:
    """The filter as bubblewrap takes it. Raises UnknownMachine."""
    arch, column = _arch(machine)
    lines: list[tuple[int, int, int, int]] = [_load(_ARCH), (_EQUAL, 1, 0, arch), _refuse()]
    lines.append(_load(_NUMBER))
    if column == 0:
        # The same calls under other numbers.
        lines += [(_AT_LEAST, 0, 1, _X32), _refuse(errno.ENOSYS)]
    # Its flags lie in memory, where no filter sees them; who is told it is not there takes clone.
    lines += [(_EQUAL, 0, 1, _CLONE3[column]), _refuse(errno.ENOSYS)]
    for number in denied(machine).values():
        lines += [(_EQUAL, 0, 1, number), _refuse()]
    namespaces = [_load(_FIRST), (_ANY_BIT, 0, 1, _NEW_NAMESPACES), _refuse(), _allow()]
    lines += [(_EQUAL, 0, len(namespaces), _CLONE[column]), *namespaces]
    sockets = [_load(_FIRST)]
    for family in _FAMILIES:
        sockets += [(_EQUAL, 0, 1, family), _allow()]
    sockets.append(_refuse(errno.EAFNOSUPPORT))
    lines += [(_EQUAL, 0, len(sockets), _SOCKET[column]), *sockets]
    terminal = [_load(_SECOND)]
    for request in _TERMINAL:
        terminal += [(_EQUAL, 0, 1, request), _refuse()]
    terminal.append(_allow())
    lines += [(_EQUAL, 0, len(terminal), _IOCTL[column]), *terminal, _allow()]
    return b"".join(struct.pack("<HBBI", *line) for line in lines)


def _arch(machine: str | None) -> tuple[int, int]:
    name = machine or platform.machine()
    try:
        return _ARCHES[name]
    except KeyError:
        raise UnknownMachine(f"There is no system call filter for {name}.") from None


def _load(offset: int) -> tuple[int, int, int, int]:
    return (_LOAD, 0, 0, offset)


def _refuse(error: int = errno.EPERM) -> tuple[int, int, int, int]:
    return (_RETURN, 0, 0, _ERRNO | error)


def _allow() -> tuple[int, int, int, int]:
    return (_RETURN, 0, 0, _ALLOW)
