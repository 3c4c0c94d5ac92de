"""Taking away from a codec's process what a codec has no business with: network, files, privileges, memory without end.

What the platform refuses comes back as sentences for the operator: a codec still runs there, and the worker says at its
start what stands unguarded. All of it works without being root.

    network     an empty network namespace, inside a user namespace that also takes root's powers away
    files       Landlock: only Python and its libraries can be opened, for reading; originals arrive as open descriptors
    privileges  no_new_privs: a set-uid program gives nothing
    memory, time, output   resource limits, set again for every task
"""

import ctypes
import os
import resource
import signal
import site
import struct
import sys
import sysconfig
from functools import cache
from pathlib import Path

from lithify import limits

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_CHILD_SUBREAPER = 36

# Landlock's system calls have the same numbers on every architecture; glibc has no wrappers for them.
_LANDLOCK_CREATE, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_GET_VERSION = 1
_LANDLOCK_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_RIGHTS_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_NET_SINCE, _NET_TCP = 4, 3
_SCOPE_SINCE, _SCOPE_SIGNALS_AND_SOCKETS = 6, 3

_SYSTEM_READABLE = (
    "/usr", "/lib", "/lib64", "/bin", "/nix/store", "/etc/ld.so.cache", "/etc/localtime",
    "/dev/urandom", "/dev/zero", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu",
)  # fmt: skip

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *args: object) -> str | None:
    """Call into libc; gives the platform's reason when it refuses."""
    return None if getattr(_libc, name)(*args) == 0 else os.strerror(ctypes.get_errno())


def leave_network() -> list[str]:
    """Step into an empty network namespace, and out of root's powers where there are any."""
    refusal = _call("unshare", _CLONE_NEWUSER | _CLONE_NEWNET)
    if refusal is None:
        return []
    if _call("unshare", _CLONE_NEWNET) is None:
        return [f"codecs keep this user's privileges: a user namespace was refused ({refusal})"]
    return [
        f"codecs can reach the network, except by TCP where Landlock forbids it: a namespace was refused ({refusal})"
    ]


def gain_no_privileges() -> list[str]:
    """Make set-uid programs powerless in this process and all that come from it."""
    refusal = _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return [f"codecs can gain privileges by set-uid programs: the kernel refused ({refusal})"] if refusal else []


def adopt_orphans() -> list[str]:
    """Become the parent of every process that a child leaves behind, so that it can be found and ended."""
    refusal = _call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    return [f"processes that a codec leaves behind may survive it ({refusal})"] if refusal else []


def die_with(parent: int) -> None:
    """Be killed when `parent`, who forked us, ends; ends at once when it already has."""
    _call("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def limit_memory(memory_bytes: int) -> None:
    """Bound the address space; the hard limit leaves `make_room_for_last_words` room to say what happened."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes + 64 * limits.MIB))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def make_room_for_last_words() -> None:
    """Lift the soft memory limit to the hard one: a task has used up the rest."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def limit_task(*, cpu_seconds: float, file_bytes: int) -> None:
    """Bound the processor time from now on (the worker's clock is the first guard, this the second) and file sizes."""
    used = sum(os.times()[:2])
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + cpu_seconds) + 1, hard))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, hard))


def leave_files() -> list[str]:
    """Give up opening files, but for reading Python, its libraries and what they need of the system."""
    version = _libc.syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_GET_VERSION)
    if version < 1:
        return [f"codecs can open files: Landlock is not there ({os.strerror(ctypes.get_errno())})"]
    rights = max(mask for since, mask in _RIGHTS_BY_VERSION.items() if since <= version)
    ruleset = _create_ruleset(rights, version)
    if ruleset < 0:
        return [f"codecs can open files: Landlock was refused ({os.strerror(ctypes.get_errno())})"]
    for path in readable_paths():
        _allow(ruleset, path, _EXECUTE | _READ_FILE | _READ_DIR)
    _allow(ruleset, "/dev/null", _READ_FILE | _WRITE_FILE)
    refused = _libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)
    if refused:
        return [f"codecs can open files: Landlock was refused ({os.strerror(ctypes.get_errno())})"]
    if version < _SCOPE_SINCE:
        return ["codecs can signal other processes of this user: only Linux 6.12 and newer forbids it"]
    return []


def _create_ruleset(rights: int, version: int) -> int:
    fields = [rights]
    if version >= _NET_SINCE:
        fields.append(_NET_TCP)
    if version >= _SCOPE_SINCE:
        fields.append(_SCOPE_SIGNALS_AND_SOCKETS)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    return int(_libc.syscall(_LANDLOCK_CREATE, attributes, len(attributes), 0))


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not on this system, or not for this user, so nothing to read there
    try:
        allowed = rights if Path(path).is_dir() else rights & ~_READ_DIR
        _libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_PATH_BENEATH, struct.pack("=Qi", allowed, fd), 0)
    finally:
        os.close(fd)


@cache
def readable_paths() -> tuple[str, ...]:
    """Python, its libraries, ourselves, and what they need of the system. Costs 10 ms once: ask before forking."""
    ours = str(Path(__file__).resolve().parents[1])
    python = (sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
    wanted = (*_SYSTEM_READABLE, *python, *site.getsitepackages(), site.getusersitepackages(), ours)
    return tuple(dict.fromkeys(wanted))
