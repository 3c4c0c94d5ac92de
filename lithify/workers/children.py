"""Codecs' processes as the worker sees them: a nursery that has them born, and each child with its two sockets."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lithify import limits
from lithify.codecs.registry import known_formats
from lithify.errors import CodecCrashed
from lithify.workers import making, wire

_START_SECONDS = 60.0
_TICK_SECONDS = 1.0
_BURIAL_SECONDS = 3.0
"""Longest that the zygote may take to say how a child ended, once it has killed it."""
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from lithify.workers.zygote import main; main(sys.argv[2])"
)  # fmt: skip
_ENVIRONMENT = ("PATH", "HOME", "XDG_CACHE_HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH")
"""All that codecs see of the environment: keys and settings are none of their business."""
_OURS = {
    "NUMBA_CACHE_LOCATOR_CLASSES": "lithify.workers.kernel_cache.Nowhere",
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
}
"""What they see besides. numpy starts a thread per core when imported: a zygote that forks has one thread only."""


class Child:
    """One codec's process. Not thread-safe: it works for one task at a time."""

    def __init__(self, sock: socket.socket, lifeline: socket.socket) -> None:
        self._sock = sock
        self._lifeline = lifeline
        self.kernels: frozenset[str] = frozenset()
        """Ids of the codecs whose kernels it was born with."""
        self.tasks_left = limits.CHILD_TASKS_MAX
        self.pid = 0
        self.ended = False
        self.gaps: tuple[str, ...] = ()

    def greet(self, until: float, waiting: Callable[[], None]) -> None:
        """Wait until it is confined and ready; `waiting` is called once a second. Raises CodecCrashed."""
        try:
            while (hello := self._next(until, waiting)).type == wire.MAKING:
                making.tell(str(hello.document["codec"]))
            self._remember(hello.document)
        except (wire.Silence, wire.Late, wire.Nonsense, KeyError, TypeError, ValueError) as error:
            how = self.end()
            raise CodecCrashed(f"a codec's process could not start: it {how}") from error

    def _next(self, until: float, waiting: Callable[[], None]) -> wire.Message:
        while not self.speaks(min(_TICK_SECONDS, until - time.monotonic())) and time.monotonic() < until:
            waiting()
        return self.hear(until)

    def _remember(self, hello: dict[str, Any]) -> None:
        self.pid, self.gaps = int(hello["pid"]), tuple(map(str, hello["gaps"]))
        self.kernels = frozenset(map(str, hello["kernels"]))

    def ask(self, document: dict[str, Any], attached: Sequence[bytes], fds: Sequence[int], wall_seconds: float) -> None:
        """Give it a task. Raises Silence when it is gone, Late when it does not listen."""
        self.tasks_left -= 1
        self._sock.settimeout(wall_seconds)
        try:
            wire.send(self._sock, wire.TASK, document, attached, fds)
        except TimeoutError as error:
            raise wire.Late from error
        except OSError as error:
            raise wire.Silence from error

    def speaks(self, seconds: float) -> bool:
        """Wait up to `seconds` for it to say something, or to be gone."""
        return _readable(self._sock, seconds)

    def hear(self, until: float) -> wire.Message:
        """Its next message. Raises Silence, Late, Nonsense."""
        return wire.receive(self._sock, until=until)

    def end(self) -> str:
        """Ask it to end, then kill it; waits, and says how it ended."""
        with contextlib.suppress(OSError):
            self._lifeline.send(wire.END)
        answer = b""
        if _readable(self._lifeline, limits.CHILD_GRACE_SECONDS + _BURIAL_SECONDS):
            with contextlib.suppress(OSError):
                answer = self._lifeline.recv(8192)
        self.kill()
        if not answer:
            self._kill_without_zygote()
            return "was lost together with the process that starts them"
        return _in_words(**json.loads(answer))

    def kill(self) -> None:
        """Have it killed at once, without waiting."""
        self.ended = True
        self._lifeline.close()
        self._sock.close()

    def _kill_without_zygote(self) -> None:
        """The zygote was killed, and what this child started may have outlived both."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.pid:
                os.killpg(self.pid, signal.SIGKILL)


class Nursery:
    """Starts the zygote when the first child is wanted, and again should it be killed. Thread-safe."""

    def __init__(self, *, memory_bytes: int, modules: Sequence[str], kernels: bool = False) -> None:
        self._memory_bytes = memory_bytes
        self._kernels = kernels
        self._modules = tuple(modules)
        self._lock = threading.Lock()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._stop: weakref.finalize[..., Any] | None = None

    def child(self, kernels: Iterable[str] = (), waiting: Callable[[], None] = lambda: None) -> Child:
        """A new child, ready for its first task; `waiting` is called once a second, and may raise to end the wait.

        kernels  ids of the codecs whose kernels it is born with
        """
        work, childs_work = socket.socketpair()
        lifeline, zygotes_lifeline = socket.socketpair()
        child = Child(work, lifeline)
        try:
            with childs_work, zygotes_lifeline:
                zygote = self._request(kernels, (childs_work.fileno(), zygotes_lifeline.fileno()))
            self._greet(child, zygote, waiting)
        except BaseException:
            child.kill()
            raise
        return child

    def _greet(self, child: Child, zygote: "subprocess.Popen[bytes]", waiting: Callable[[], None]) -> None:
        making = limits.KERNELS_WALL_TIMES * limits.KERNELS_SECONDS * len(known_formats())
        patience = _START_SECONDS + (making if self._kernels else 0.0)
        try:
            child.greet(time.monotonic() + patience, waiting)
        except CodecCrashed as error:
            if self._kernels and (ended := _ended_by(zygote)) in {signal.SIGALRM, signal.SIGPROF}:
                seconds = limits.KERNELS_SECONDS * (1 if ended == signal.SIGPROF else limits.KERNELS_WALL_TIMES)
                raise CodecCrashed(f"kernels were not made within {seconds} s") from error
            raise

    def _request(self, kernels: Iterable[str], fds: tuple[int, int]) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._zygote is None or self._zygote.poll() is not None:
                self._start()
            assert self._zygote is not None
            assert self._control is not None
            try:
                socket.send_fds(self._control, [json.dumps(sorted(kernels)).encode()], fds)
            except OSError as error:
                raise CodecCrashed(f"the process that starts codecs' processes is gone: {error.strerror}") from error
            return self._zygote

    def _start(self) -> None:
        self._end()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        modules_at = [entry or str(Path.cwd()) for entry in sys.path]  # "" is here, and the zygote lives in "/"
        seconds = limits.KERNELS_SECONDS if self._kernels else 0
        start = wire.Start(theirs.fileno(), os.getpid(), self._memory_bytes, self._modules, seconds)
        with theirs:
            self._zygote = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, json.dumps(modules_at), json.dumps(asdict(start))],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ} | _OURS,
                cwd="/",
                start_new_session=True,
            )
        self._control = ours
        self._stop = weakref.finalize(self, _stop, self._zygote, ours, making_kernels=self._kernels)

    def _end(self) -> None:
        if self._stop is not None:
            self._stop()
        self._zygote = self._control = self._stop = None

    def close(self) -> None:
        """End the zygote, and with it every child."""
        with self._lock:
            self._end()


def _stop(zygote: "subprocess.Popen[bytes]", control: socket.socket, *, making_kernels: bool) -> None:
    control.close()
    if making_kernels:
        zygote.terminate()  # ends it while it looks at no socket; later it takes no notice
    try:
        zygote.wait(limits.CHILD_GRACE_SECONDS + _BURIAL_SECONDS)
    except subprocess.TimeoutExpired:
        zygote.kill()
        zygote.wait()


def _ended_by(process: "subprocess.Popen[bytes]") -> int | None:
    """The signal that ended a process just now; None: none has."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return -process.wait(_TICK_SECONDS)
    return None


def _readable(sock: socket.socket, seconds: float) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(max(seconds, 0.0) * 1000))


def _in_words(exit: int = 0, refused: str | None = None) -> str:
    if refused is not None:
        return refused
    if exit >= 0:
        return f"ended by itself with exit code {exit}"
    name = signal.Signals(-exit).name
    hints = {
        "SIGKILL": "killed by SIGKILL, perhaps by the kernel for want of memory",
        "SIGXCPU": "killed by SIGXCPU: it used more processor time than it may",
    }
    return f"was {hints.get(name, f'killed by {name}')}"
