"""Codecs run here, in processes of their own: they may hang, crash, loop and eat memory, and the worker goes on.

A `Sandbox` keeps children (workers/child.py) that are forked from one zygote (workers/zygote.py) and reused from task
to task; tasks that need machine code made by numba move to children of a second zygote (workers/kernels.py). Any
failure costs the child: the next task gets a fresh one. Children of different roles are never the same process, so what
"encode" wrote, "verify" reads back elsewhere. Nothing here keeps a program alive, needs a `__main__` guard, or starts
before the first task.
"""

import math
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from lithify import limits
from lithify.errors import Busy, CodecCrashed
from lithify.workers.children import Child, Nursery
from lithify.workers.log import log
from lithify.workers.patience import wall_seconds_for
from lithify.workers.stream import OnProgress, Stream, TaskResult

__all__ = ["OnProgress", "Sandbox", "Stream", "TaskResult"]

TASKS = "lithify.workers.child_tasks"
_TICK_SECONDS = 1.0


@dataclass(slots=True)
class _Kernels:
    """What is known about the kernels of each codec: why they cannot be had, if so, and until when that is believed."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    known: dict[str, tuple[str | None, float]] = field(default_factory=dict)


class Sandbox:
    """Runs tasks (workers/child_tasks.py) in confined children. Thread-safe; close it when done."""

    def __init__(
        self,
        *,
        memory_bytes: int = limits.CHILD_MEMORY_BYTES,
        wall_seconds: float = limits.CHILD_WALL_SECONDS,
        children_max: int = limits.CHILDREN_MAX,
        modules: Sequence[str] = (),
    ) -> None:
        """Start nothing yet.

        memory_bytes   address space of one child
        wall_seconds   longest a task about a part may take, where it is not told otherwise
        children_max   children of one role at one time; more callers wait
        modules        further modules with a TASKS table, loaded beside lithify.workers.child_tasks
        """
        self._memory_bytes = memory_bytes
        self._wall_seconds = wall_seconds
        self._nurseries = {
            kernels: Nursery(memory_bytes=memory_bytes, modules=(TASKS, *modules), kernels=kernels)
            for kernels in (False, True)
        }
        self._kernels = _Kernels()
        self._lock = threading.Lock()
        self._idle: defaultdict[tuple[str, bool], list[Child]] = defaultdict(list)
        self._slots: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(children_max))
        self._gaps: tuple[str, ...] | None = None
        self._closed = False

    @property
    def gaps(self) -> tuple[str, ...]:
        """What this platform does not let us take away from codecs, in sentences; empty when all is guarded."""
        if self._gaps is None:
            child = self._take("encode", kernels=frozenset())
            self._give_back("encode", child)
            self._gaps = child.gaps
        return self._gaps

    def missing_kernels(self, codecs: Iterable[str], waiting: Callable[[], None] = lambda: None) -> dict[str, str]:
        """For which of `codecs` no child with kernels can be had, and why. The first call may take a minute for each.

        waiting  called once a second meanwhile; what it raises ends the wait
        """
        while not self._kernels.lock.acquire(timeout=_TICK_SECONDS):
            waiting()
        try:
            found = {codec: self._missing(codec, waiting) for codec in codecs}
        finally:
            self._kernels.lock.release()
        return {codec: reason for codec, reason in found.items() if reason is not None}

    def _missing(self, codec: str, waiting: Callable[[], None]) -> str | None:
        missing, until = self._kernels.known.get(codec, (None, -math.inf))
        if until <= time.monotonic():
            missing = self._try_kernels(codec, waiting)
            lasts = limits.KERNELS_RETRY_SECONDS if missing else math.inf
            self._kernels.known[codec] = missing, time.monotonic() + lasts
        return missing

    def _try_kernels(self, codec: str, waiting: Callable[[], None]) -> str | None:
        try:
            child = self._take("encode", kernels=frozenset({codec}), waiting=waiting)
        except CodecCrashed as error:
            log("sandbox").warning("kernels_missing", codec=codec, reason=error.message)
            return error.message
        self._give_back("encode", child)
        for gap in set(child.gaps) - set(self.gaps):
            log("sandbox").warning("sandbox_gap", gap=gap)
        return None

    def run(
        self,
        task: str,
        args: dict[str, Any],
        fds: Sequence[int] = (),
        *,
        attached: Sequence[bytes] = (),
        role: str = "encode",
        kernels: Iterable[str] = (),
        output_bytes_max: int | None = None,
        work_bytes: int = 0,
        wall_seconds: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> TaskResult:
        """Do a task in a child and wait for its answer.

        fds               descriptors the task works on, in the order it expects; the caller keeps its own
        attached          small inputs that travel with the task
        kernels           ids of codecs whose kernels it is sure to need; a task that finds out moves to such a child
        output_bytes_max  most that any file may grow by
        work_bytes        bytes that it goes through: of more than a part it has longer, as long as it gets further
        on_progress       told the bytes done, at least once a second; what it raises ends the task

        Raises what the task raised, TimedOut, OutOfMemory, CodecCrashed, Busy.
        """
        still = self._wall_seconds if wall_seconds is None else wall_seconds
        wall = wall_seconds_for(work_bytes, still)
        grow = self._memory_bytes if output_bytes_max is None else output_bytes_max
        with self._start(
            role,
            task,
            kernels=frozenset(kernels),
            wall_seconds=wall,
            still_seconds=still,
            clocked=True,
            output_bytes_max=None,
            on_progress=on_progress,
        ) as stream:
            stream.ask(_document(task, args, wall, grow), attached, fds)
            for _ in stream:
                raise CodecCrashed(f"{task}: it sent bytes where an answer was expected")
        assert stream.result is not None, "a stream ends with its result or an error"
        return stream.result

    def stream(
        self,
        task: str,
        args: dict[str, Any],
        fds: Sequence[int] = (),
        *,
        attached: Sequence[bytes] = (),
        role: str = "restore",
        output_bytes_max: int | None = None,
        wall_seconds: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Stream:
        """Start a task whose answer is bytes; use it as a context manager.

        The child is never far ahead of the reader. The clock runs only while the reader waits: it may be slow.
        """
        wall = self._wall_seconds if wall_seconds is None else wall_seconds
        stream = self._start(
            role,
            task,
            kernels=frozenset(),
            wall_seconds=wall,
            still_seconds=wall,
            clocked=False,
            output_bytes_max=output_bytes_max,
            on_progress=on_progress,
        )
        try:
            stream.ask(_document(task, args, wall, self._memory_bytes), attached, fds)
        except BaseException:
            stream.close()
            raise
        return stream

    def _start(self, role: str, task: str, **terms: Any) -> Stream:
        def take(kernels: frozenset[str], waiting: Callable[[], None]) -> Child:
            return self._take(role, kernels=kernels, waiting=waiting)

        return Stream(take, lambda child: self._give_back(role, child), task, **terms)

    def _take(self, role: str, *, kernels: frozenset[str], waiting: Callable[[], None] = lambda: None) -> Child:
        with self._lock:
            if self._closed:
                raise CodecCrashed("the sandbox is closed")
            slot = self._slots[role]
        if not slot.acquire(timeout=limits.CHILD_WAIT_SECONDS):
            raise Busy(f"all codec processes of role {role!r} are at work")
        try:
            return self._idle_child(role, kernels) or self._nurseries[bool(kernels)].child(kernels, waiting)
        except BaseException:
            slot.release()
            raise

    def _idle_child(self, role: str, kernels: frozenset[str]) -> Child | None:
        with self._lock:
            idle = self._idle[role, bool(kernels)]
            for child in [child for child in reversed(idle) if child.kernels >= kernels]:
                idle.remove(child)
                if not child.speaks(0):
                    return child
                child.kill()  # an idle child has nothing to say: it is gone
        return None

    def _give_back(self, role: str, child: Child) -> None:
        with self._lock:
            if self._closed or not child.tasks_left:
                child.kill()
            elif not child.ended:
                self._idle[role, bool(child.kernels)].append(child)
        self._slots[role].release()

    def close(self) -> None:
        """End all children, at work or not."""
        with self._lock:
            self._closed = True
            for child in (child for idle in self._idle.values() for child in idle):
                child.kill()
            self._idle.clear()
        for nursery in self._nurseries.values():
            nursery.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _document(task: str, args: dict[str, Any], wall_seconds: float, output_bytes_max: int) -> dict[str, Any]:
    """A task as it travels. Its processor time is bounded by the wall limit on every core it might use at once."""
    cpu_seconds = (wall_seconds + limits.CHILD_GRACE_SECONDS) * (os.cpu_count() or 1)
    return {"task": task, "args": args, "cpu_seconds": cpu_seconds, "output_bytes_max": output_bytes_max}
