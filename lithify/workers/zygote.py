"""The process that codecs' processes are forked from: it has imported the codecs, runs none, and buries the dead.

Python's own forkserver was weighed and left: it imports the program's `__main__` again, keeps a resource tracker, and
is shared by everything in the interpreter. It would have saved the hundred lines below, and those also give what it
lacks: one process that kills, adopts and reaps, so that no signal can reach a recycled process id, and no child, nor
any process a child left behind, outlives its worker.

The worker asks for a child with one message on the control socket, carrying two sockets: one for the child to work on,
one, the lifeline, for us. On the lifeline we write how the child ended; `END` there asks it to end (SIGTERM, SIGKILL
after limits.CHILD_GRACE_SECONDS), and closing it kills.
"""

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

from lithify import limits
from lithify.codecs.registry import by_id
from lithify.workers import confine, extras, kernels
from lithify.workers.child import Task, serve
from lithify.workers.wire import END, MAKING, REQUEST_BYTES_MAX, Start, receive_fds, send

_TICK_SECONDS = 1.0
_BURIAL_SECONDS = 0.02
_REFUSAL_MAX = 600  # characters of a reason: as JSON it fits one read


@dataclass
class _Ward:
    """A living child."""

    pid: int
    pidfd: int
    lifeline: int
    kill_at: float | None = None


class Zygote:
    """Forks on request until its worker is gone."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._pid = os.getpid()
        self._control = socket.socket(fileno=start.control)
        self._parent = os.pidfd_open(start.parent)
        self._wards: dict[int, _Ward] = {}
        self._tasks = _tasks(start.modules)
        self._gaps = [*confine.leave_network(), *confine.gain_no_privileges(), *confine.adopt_orphans()]
        self._poll = selectors.DefaultSelector()

    def run(self) -> NoReturn:
        """Serve until the worker closes the control socket or dies; then everything here dies."""
        self._poll.register(self._control, selectors.EVENT_READ, self._on_request)
        self._poll.register(self._parent, selectors.EVENT_READ, self._end)
        confine.readable_paths()
        gc.freeze()  # children share these pages for as long as no collection touches them
        while True:
            strays = self._bury_strays()
            for key, _ in self._poll.select(self._patience(strays=strays)):
                if self._poll.get_map().get(key.fileobj) is key:  # an event earlier in this round may have closed it
                    key.data()
            self._kill_overdue()

    def _patience(self, *, strays: bool) -> float | None:
        if strays:
            return _BURIAL_SECONDS
        due = [ward.kill_at - time.monotonic() for ward in self._wards.values() if ward.kill_at is not None]
        return max(0.0, min([_TICK_SECONDS, *due])) if self._wards else None

    def _on_request(self) -> None:
        message, fds = receive_fds(self._control, REQUEST_BYTES_MAX, 2)
        if not message:
            self._end()
        work, lifeline = fds
        try:
            self._get_kernels(json.loads(message), partial(_announce, work))
        except Exception as error:  # noqa: BLE001 - whatever a codec's module or numba raises: this child cannot be had
            _refuse(f"cannot have its kernels: {type(error).__name__}: {error}", work, lifeline)
            if not self._wards:
                self._end()  # whoever asks again gets another zygote, and that one may have better luck
            return
        try:
            pid = os.fork()
        except OSError as error:  # too many processes, too little memory: this child is refused, the others live on
            _refuse(f"was refused by the system: {error.strerror}", work, lifeline)
            return
        if pid == 0:
            self._become_child(work)
        os.close(work)
        ward = _Ward(pid, os.pidfd_open(pid), lifeline)
        self._wards[pid] = ward
        self._poll.register(ward.lifeline, selectors.EVENT_READ, lambda: self._on_order(ward))
        self._poll.register(ward.pidfd, selectors.EVENT_READ, lambda: self._on_death(ward))

    def _get_kernels(self, codecs: list[str], announce: Callable[[str], None]) -> None:
        """Bring in what is wanted and not yet there, while there is one thread; raises what a codec's code raises."""
        if missing := [codec for codec in codecs if codec not in kernels.ready]:
            made = _make(missing, self._start.kernels_seconds, announce)
            self._gaps += [gap for gap in made if gap not in self._gaps]
            gc.freeze()

    def _become_child(self, work: int) -> NoReturn:
        """Runs in the new process. Nothing of ours is closed by name: objects that own descriptors stay untouched."""
        try:
            confine.die_with(self._pid)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.setsid()
            for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - descriptors are no files
                if int(name) > 2 and int(name) != work:
                    with contextlib.suppress(OSError):
                        os.close(int(name))
            serve(work, self._tasks, memory_bytes=self._start.memory_bytes, gaps=self._gaps)
        finally:
            os._exit(70)

    def _on_order(self, ward: _Ward) -> None:
        order = b""
        with contextlib.suppress(OSError):
            order = os.read(ward.lifeline, len(END))
        if order == END:
            ward.kill_at = time.monotonic() + limits.CHILD_GRACE_SECONDS
            _signal_group(ward.pid, signal.SIGTERM)
        else:
            self._poll.unregister(ward.lifeline)
            _signal_group(ward.pid, signal.SIGKILL)

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for ward in self._wards.values():
            if ward.kill_at is not None and ward.kill_at <= now:
                ward.kill_at = None
                _signal_group(ward.pid, signal.SIGKILL)

    def _on_death(self, ward: _Ward) -> None:
        _signal_group(
            ward.pid, signal.SIGKILL
        )  # what it started and left; before reaping, while its id is still its own
        _, status = os.waitpid(ward.pid, 0)
        with contextlib.suppress(OSError):
            os.write(ward.lifeline, json.dumps({"exit": os.waitstatus_to_exitcode(status)}).encode())
        for fd in (ward.lifeline, ward.pidfd):
            with contextlib.suppress(KeyError):
                self._poll.unregister(fd)
            os.close(fd)
        del self._wards[ward.pid]

    def _bury_strays(self) -> bool:
        """Kill and reap adopted processes: whoever started them is gone. True while some are left."""
        try:
            children = Path(f"/proc/self/task/{self._pid}/children").read_text().split()
        except OSError:
            return False
        strays = [pid for pid in map(int, children) if pid not in self._wards]
        for pid in strays:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        return bool(strays)

    def _end(self) -> NoReturn:
        for pid in self._wards:
            _signal_group(pid, signal.SIGKILL)
        self._wards.clear()
        deadline = time.monotonic() + limits.CHILD_GRACE_SECONDS
        while self._bury_strays() and time.monotonic() < deadline:
            time.sleep(_BURIAL_SECONDS)
        os._exit(0)


def _make(codecs: list[str], seconds: int, announce: Callable[[str], None]) -> list[str]:
    """Get the kernels of some codecs; gives what is to be known of it, and announces those that must be made."""
    from lithify.workers.kernel_cache import make_kernels

    gaps: list[str] = []
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # ends us now; at other times our end is that of the control socket
    try:
        for codec in codecs:
            for user in sorted(set(kernels.users(by_id(codec))) - kernels.ready):
                # Both kill: nothing else ends a compiler that hangs. One that only waits for a busy machine goes on.
                signal.setitimer(signal.ITIMER_PROF, seconds)
                signal.alarm(limits.KERNELS_WALL_TIMES * seconds)
                gaps += make_kernels(by_id(user), partial(announce, user))
                kernels.ready.add(user)
            kernels.ready.add(codec)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return gaps


def _announce(work: int, codec: str) -> None:
    """Tell whoever waits for the child that is to work on `work` that a codec's kernels must be made first."""
    sock = socket.socket(fileno=work)
    try:
        with contextlib.suppress(OSError):  # who has given up need not know
            send(sock, MAKING, {"codec": codec})
    finally:
        sock.detach()


def _refuse(why: str, work: int, lifeline: int) -> None:
    os.write(lifeline, json.dumps({"refused": why[:_REFUSAL_MAX]}).encode())
    os.close(lifeline)
    os.close(work)


def _tasks(modules: tuple[str, ...]) -> dict[str, Task]:
    found: dict[str, Task] = {}
    for module in modules:
        for name, task in importlib.import_module(module).TASKS.items():
            assert name not in found, f"task {name!r} of {module} has its name from another module"
            found[name] = task
    return found


def _signal_group(pid: int, number: int) -> None:
    """Signal a child's process group; the child itself, while it has not yet made its group."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def main(start: str) -> NoReturn:
    """The body of the zygote process; `start` is the JSON of a Start."""
    facts = json.loads(start)
    extras.look_once()
    for number in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C is for the worker to act upon
        signal.signal(number, signal.SIG_IGN)
    Zygote(Start(**{**facts, "modules": tuple(facts["modules"])})).run()
