"""Sandboxes for tests, and what the kernel says about the processes in them."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lithify import limits
from lithify.workers.sandbox import Sandbox

OFFENDERS = "tests.hostile.offenders"


@contextlib.contextmanager
def sandbox(**terms: int) -> Iterator[Sandbox]:
    """A sandbox whose children also know the tasks of tests/hostile/offenders.py."""
    terms.setdefault("memory_bytes", 512 * limits.MIB)
    with Sandbox(modules=(OFFENDERS,), **terms) as opened:
        yield opened


def is_running(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    return state(pid) not in {None, "Z", "X"}


def state(pid: int) -> str | None:
    """The kernel's letter for a process; None when it is gone, buried too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def children(pid: int) -> list[int]:
    """The processes a process has to bury, zombies too; but for those that Python starts for itself."""
    found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [child for child in found if b"from multiprocessing." not in Path(f"/proc/{child}/cmdline").read_bytes()]


def open_descriptors() -> int:
    """How many descriptors this process holds."""
    return len(list(Path("/proc/self/fd").iterdir()))


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait for something that another process is about to do."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
