"""A codec's process: confined, it takes one task after another from a socket and answers each.

It is a fork of the zygote and ends with it. It opens no path: originals and frames arrive as open descriptors.
"""

import contextlib
import errno
import fcntl
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from lithify import limits
from lithify.errors import CodecCrashed, LimitExceeded, LithifyError, OutOfMemory, OutOfSpace
from lithify.workers import confine, kernels, wire

_PROGRESS_SECONDS = 0.25
_MESSAGE_MAX = 4000  # characters of an error; a codec may put half an original into one
_WRITABLE = (os.O_WRONLY, os.O_RDWR)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a task answers."""

    document: dict[str, Any]
    attached: Sequence[bytes] = ()


@dataclass(slots=True)
class Call:
    """One task: what it was given, and how it speaks before its answer."""

    sock: socket.socket = field(repr=False)
    args: dict[str, Any]
    fds: tuple[int, ...]
    attached: tuple[bytes, ...]
    progress_due: float = 0.0

    def data(self, block: bytes | memoryview) -> None:
        """Send bytes of an original on; waits while nobody takes them."""
        view = memoryview(block)
        for start in range(0, len(view), limits.COPY_BYTES):
            wire.send_data(self.sock, view[start : start + limits.COPY_BYTES])

    def progress(self, done_bytes: int) -> None:
        """Say how far we are; cheap to call often."""
        now = time.monotonic()
        if now >= self.progress_due:
            self.progress_due = now + _PROGRESS_SECONDS
            wire.send(self.sock, wire.PROGRESS, {"done_bytes": done_bytes})


Task = Callable[[Call], Reply]


def serve(work: int, tasks: Mapping[str, Task], *, memory_bytes: int, gaps: Sequence[str]) -> NoReturn:
    """Confine this process, then work until the worker closes the socket."""
    sock = socket.socket(fileno=work)
    memory = _Memory()
    os.chdir("/")
    os.umask(0o077)
    _be_the_first_to_go()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file grown too long is an error that can be answered
    confine.limit_memory(memory_bytes)
    hello = {"pid": os.getpid(), "kernels": sorted(kernels.ready), "gaps": [*gaps, *confine.leave_files()]}
    wire.send(sock, wire.HELLO, hello)
    while True:
        try:
            message = wire.receive(sock)
        except (wire.Silence, wire.Nonsense):
            os._exit(0)
        if not _work(sock, tasks, message, memory):
            os._exit(0)


def _be_the_first_to_go() -> None:
    """Ask the kernel to take codecs before workers when the machine runs out of memory."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123 - no file either
        file.write("1000")


def _left_processes_behind() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def _work(sock: socket.socket, tasks: Mapping[str, Task], message: wire.Message, memory: "_Memory") -> bool:
    """Do one task and answer it; says whether this process is fit for another."""
    head = message.document
    memory.start()
    started, used = time.perf_counter(), _cpu_seconds()
    try:
        confine.limit_task(cpu_seconds=head["cpu_seconds"], file_bytes=head["output_bytes_max"] + _written(message.fds))
        reply = tasks[head["task"]](Call(sock, head["args"], message.fds, message.attached))
        fit = not _left_processes_behind()
        cost = {
            "wall_seconds": time.perf_counter() - started,
            "cpu_seconds": _cpu_seconds() - used,
            "peak_memory_bytes": memory.peak(),
        }
        wire.send(sock, wire.RESULT, {"result": reply.document, "cost": cost, "fit": fit}, reply.attached)
    except kernels.Wanted as wanted:
        wire.send(sock, wire.ELSEWHERE, {"kernels": wanted.codecs})
        return True
    except Exception as error:  # noqa: BLE001 - whatever a codec raises becomes an answer; its process is then replaced
        _answer_failure(sock, error)
        return False
    else:
        return fit
    finally:
        for fd in message.fds:
            os.close(fd)


def _answer_failure(sock: socket.socket, error: Exception) -> None:
    if isinstance(error, MemoryError):
        error.__traceback__ = None  # frees what the task still held
        confine.make_room_for_last_words()
    found = as_lithify_error(error)
    wire.send(sock, wire.ERROR, {"code": found.code, "message": found.message[:_MESSAGE_MAX]})


def as_lithify_error(error: Exception) -> LithifyError:
    """The error of ours that says what went wrong."""
    if isinstance(error, LithifyError):
        return error
    if isinstance(error, MemoryError):
        return OutOfMemory("the codec needed more memory than its process may have")
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return OutOfSpace(f"the codec could not write its output: {error.strerror}")
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return LimitExceeded("the codec wrote more than it may")
    return CodecCrashed(f"the codec failed: {type(error).__name__}: {error}")


def _cpu_seconds() -> float:
    return sum(os.times()[:4])


def _written(fds: Sequence[int]) -> int:
    """Bytes already in the files that a task may write: the limit on file size counts from there."""
    return max((os.fstat(fd).st_size for fd in fds if _is_writable(fd)), default=0)


def _is_writable(fd: int) -> bool:
    return fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE in _WRITABLE


class _Memory:
    """The most memory a task held. Opened before files are given up, read through descriptors ever after."""

    def __init__(self) -> None:
        self._status = os.open("/proc/self/status", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._reset: int | None = os.open("/proc/self/clear_refs", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            self._reset = None  # then the peak is that of the process so far: never too low

    def start(self) -> None:
        if self._reset is not None:
            os.pwrite(self._reset, b"5", 0)

    def peak(self) -> int:
        status = os.pread(self._status, 8192, 0)
        line = status[status.index(b"VmHWM:") :].split(maxsplit=2)
        return int(line[1]) * limits.KIB
