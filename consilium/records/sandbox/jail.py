"""What a process that reads hostile bytes may do: nearly nothing. Linux only, by ctypes, no dependency.

Two steps. `confine_once()` runs in the warm process that never sees content: no_new_privs, a user and network
namespace of its own, Landlock. `confine_job()` runs in each forked child before it sees a byte: resource
limits and a seccomp filter. Each layer that the kernel does not offer is reported by name, never skipped silently.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWIPC, CLONE_THREAD = 0x10000000, 0x40000000, 0x08000000, 0x00010000
LAYERS = ("no_new_privs", "namespaces", "landlock", "seccomp", "limits")

# landlock(7), include/uapi/linux/landlock.h; the three numbers are the same on every architecture
_LL_CREATE, _LL_ADD, _LL_RESTRICT = 444, 445, 446
_LL_EXECUTE, _LL_READ_FILE, _LL_READ_DIR = 1 << 0, 1 << 2, 1 << 3
_LL_FS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_LL_NET = 0b11  # bind and connect TCP, ABI 4
_LL_SCOPES = 0b11  # abstract unix sockets and signals, ABI 6
_O_PATH = 0o10000000


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def prctl(option: int, value: int) -> None:
    _check(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")


def confine_once() -> dict[str, str]:
    """Confine the warm process for good. Returns layer → "" when in force, else the kernel's reason."""
    places = readable_places()  # looked up while everything can still be seen
    report = {}
    for layer, step in (
        ("no_new_privs", lambda: prctl(PR_SET_NO_NEW_PRIVS, 1)),
        ("landlock", lambda: restrict_files(places)),
        ("namespaces", leave_network),
    ):
        try:
            step()
            report[layer] = ""
        except OSError as error:
            report[layer] = str(error)
    return report


def readable_places() -> list[Path]:
    """The Python installation, this package's code, shared libraries and fonts; no data, no home, no /proc."""
    paths = sysconfig.get_paths()
    wanted = {paths["stdlib"], paths["platstdlib"], paths["purelib"], paths["platlib"]}
    wanted |= {str(Path(sys.base_prefix) / "lib"), "/lib", "/lib64", "/usr/lib", "/usr/share/fonts"}
    wanted |= {str(Path(__file__).resolve().parents[2]), "/etc/ld.so.cache", "/etc/fonts", "/dev/null"}
    return [path for path in map(Path, sorted(wanted)) if path.exists()]


def leave_network() -> None:
    """A user and network namespace of its own: nobody can be reached from here."""
    _check(_libc.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC), "unshare")


def restrict_files(readable: Iterable[Path], *, runnable: Iterable[Path] = ()) -> None:
    """Landlock: read below `readable` and `runnable`, run only the latter, nothing else; no TCP, no signals outside."""
    abi = _check(_libc.syscall(_LL_CREATE, None, 0, 1), "landlock")
    handled = _LL_FS_BY_ABI[min(abi, 5)]
    fields = [handled, _LL_NET if abi >= 4 else 0, _LL_SCOPES if abi >= 6 else 0]
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    attr = struct.pack("=QQQ", *fields)[:size]
    ruleset = _check(_libc.syscall(_LL_CREATE, attr, ctypes.c_size_t(size), 0), "landlock ruleset")
    try:
        for path in readable:
            _allow(ruleset, path, 0)
        for path in runnable:
            _allow(ruleset, path, _LL_EXECUTE)
        _check(_libc.syscall(_LL_RESTRICT, ruleset, 0), "landlock restrict")
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, more: int) -> None:
    rights = more | _LL_READ_FILE | (_LL_READ_DIR if path.is_dir() else 0)
    fd = os.open(path, _O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", rights, fd)
        _check(_libc.syscall(_LL_ADD, ruleset, 1, rule, 0), "landlock rule")
    finally:
        os.close(fd)


def confine_job(*, memory: int, cpu_seconds: int) -> dict[str, str]:
    """Confine this forked child for good: `memory` in bytes of address space, `cpu_seconds` of processor."""
    report = {"limits": "", "seccomp": ""}
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        prctl(PR_SET_DUMPABLE, 0)
        for what, bound in _limits(memory).items():
            resource.setrlimit(what, (bound, bound))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))  # SIGXCPU says why
    except (OSError, ValueError) as error:
        report["limits"] = str(error)
    try:
        forbid_system_calls()
    except OSError as error:
        report["seccomp"] = str(error)
    return report


def _limits(memory: int) -> dict[int, int]:
    return {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_NPROC: 64,  # counted in the own user namespace; seccomp forbids fork altogether
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }


# -- seccomp: a deny list for what a parser never needs -----------------------------------------
# name: (x86_64, aarch64); None where the architecture lacks the call
_DENIED: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "sendto": (44, 206), "fork": (57, None), "vfork": (58, None),
    "execve": (59, 221), "execveat": (322, 281), "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "prlimit64": (302, 261), "setrlimit": (160, 164),
    "setpriority": (141, 140), "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118), "ioprio_set": (251, 30), "unshare": (272, 97), "setns": (308, 268),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "chdir": (80, 49),
    "fsopen": (430, 430), "fsmount": (432, 432), "move_mount": (429, 429), "open_tree": (428, 428),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "utimensat": (280, 88), "futimesat": (261, None), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "truncate": (76, 45), "unlink": (87, None),
    "unlinkat": (263, 35), "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276),
    "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "link": (86, None), "linkat": (265, 37),
    "symlink": (88, None), "symlinkat": (266, 36), "mknod": (133, None), "mknodat": (259, 33),
    "creat": (85, None), "flock": (73, 32), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "init_module": (175, 105), "finit_module": (313, 273),
    "kexec_load": (246, 104), "reboot": (169, 142), "swapon": (167, 224), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "sethostname": (170, 161), "shmget": (29, 194), "msgget": (68, 186),
    "semget": (64, 190), "mq_open": (240, 180), "memfd_create": (319, 279), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "inotify_init1": (294, 26), "fanotify_init": (300, 262),
    "personality": (135, 92), "syslog": (103, 116), "acct": (163, 89), "quotactl": (179, 60),
}  # fmt: skip
_CLONE, _CLONE3 = (56, 220), (435, 435)
_ARCHES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_EPERM, _ENOSYS = 1, 38
_LOAD, _EQUAL, _AT_LEAST, _BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06


def _program(column: int, audit_arch: int) -> bytes:
    """A classic BPF program over struct seccomp_data: nr at 0, arch at 4, low half of args[0] at 16."""
    rows = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, audit_arch), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    if column == 0:  # the x32 interface would offer the same calls under other numbers
        rows += [(_AT_LEAST, 0, 1, 0x40000000), (_RETURN, 0, 0, _KILL)]
    for numbers in _DENIED.values():
        if (number := numbers[column]) is not None:
            rows += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | _EPERM)]
    # clone3 hides its flags behind a pointer: "not implemented" makes libc use clone, where threads may pass
    rows += [
        (_EQUAL, 0, 1, _CLONE3[column]),
        (_RETURN, 0, 0, _ERRNO | _ENOSYS),
        (_EQUAL, 0, 3, _CLONE[column]),
    ]
    rows += [
        (_LOAD, 0, 0, 16),
        (_BITS, 1, 0, CLONE_THREAD),
        (_RETURN, 0, 0, _ERRNO | _EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *row) for row in rows)


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_void_p)]


def forbid_system_calls() -> None:
    """Install the filter. Raises OSError where the kernel or the architecture is not supported."""
    machine = platform.machine()
    if machine not in _ARCHES:
        raise OSError(_ENOSYS, f"no system call table for {machine}")
    program = _PROGRAMS[machine]
    buffer = ctypes.create_string_buffer(program, len(program))
    fprog = _Filter(len(program) // 8, ctypes.addressof(buffer))
    _check(_libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(2), ctypes.byref(fprog), 0, 0), "seccomp")


_PROGRAMS = {machine: _program(*row) for machine, row in _ARCHES.items()}
platform.machine()  # cached now: it must not run a program later
