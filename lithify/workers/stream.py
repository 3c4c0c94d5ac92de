"""One task in one child, from question to answer: what comes back, how long it may take, and what goes wrong."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from lithify import limits
from lithify.errors import BY_CODE, CodecCrashed, LimitExceeded, TimedOut
from lithify.workers import wire
from lithify.workers.children import Child

OnProgress = Callable[[int], None]
_TICK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What a task gave, and what it cost."""

    result: dict[str, Any]
    attached: tuple[bytes, ...]
    peak_memory_bytes: int
    cpu_seconds: float
    wall_seconds: float
    pid: int
    """The process it ran in."""


class Stream:
    """A task under way. Iterate for the bytes it sends; `result` is there after the last. Leaving early is safe."""

    def __init__(
        self,
        take: Callable[[frozenset[str], Callable[[], None]], Child],
        give_back: Callable[[Child], None],
        task: str,
        *,
        kernels: frozenset[str],
        wall_seconds: float,
        still_seconds: float,
        clocked: bool,
        output_bytes_max: int | None,
        on_progress: OnProgress | None,
    ) -> None:
        """Ask nothing yet.

        take       gives a child with certain kernels; calls what it is given once a second while there is none yet
        give_back  takes it when the task has ended
        kernels    ids of the codecs whose kernels it is sure to need
        clocked    whether wall_seconds are for the whole answer; else for each wait of the reader
        still_seconds  longest, if it is clocked, that it may get no further
        """
        self.result: TaskResult | None = None
        self.pid = 0
        """The process it runs in."""
        self._take = take
        self._give_back = give_back
        self._child: Child | None = None
        self._task = task
        self._kernels = kernels
        self._wall_seconds, self._still_seconds = wall_seconds, still_seconds
        self._clocked = clocked
        self._until = self._still_until = 0.0
        self._left = output_bytes_max
        self._on_progress = on_progress
        self._done_bytes = 0
        self._question: tuple[dict[str, Any], Sequence[bytes], Sequence[int]] = ({}, (), ())

    def __iter__(self) -> Iterator[bytes]:
        """Blocks of bytes in order. Raises what the task raised, or TimedOut, CodecCrashed, LimitExceeded."""
        assert self._child is not None, "a stream is read once: its child may be working for others now"
        try:
            while (block := self._next()) is not None:
                yield block
        except wire.Silence as error:
            raise self._crash(f"its process {self._end()}") from error
        except wire.Nonsense as error:
            raise self._crash(f"its process sent {error}") from error
        except wire.Late as error:
            raise self._overtime() from error
        finally:
            self.close()

    def ask(self, document: dict[str, Any], attached: Sequence[bytes], fds: Sequence[int]) -> None:
        """Send the task itself. The descriptors stay open until the answer: a task may be sent a second time."""
        self._question = document, attached, fds
        self._ask()

    def _ask(self) -> None:
        """Put the question to a child; the clock starts when there is one, however long its kernels took."""
        self._child = child = self._take(self._kernels, self._report)
        self.pid = child.pid
        self._until = time.monotonic() + self._wall_seconds
        self._still_until = time.monotonic() + self._still_seconds
        try:
            child.ask(*self._question, self._wall_seconds)
        except wire.Silence as error:
            raise self._crash(f"its process {self._end()}") from error
        except wire.Nonsense as error:
            raise self._crash(f"it was given {error}") from error
        except wire.Late as error:
            raise self._overtime() from error

    def _move(self, message: wire.Message) -> None:
        """Begin again in a child with more kernels; the first has done nothing, and serves others."""
        wanted = message.document.get("kernels")
        if not isinstance(wanted, list) or not all(isinstance(codec, str) for codec in wanted):
            raise wire.Nonsense(f"a wish for kernels that cannot be read: {wanted!r:.80}")
        if self._living.kernels.issuperset(wanted):
            raise wire.Nonsense("a wish for kernels that it has")
        self._kernels |= set(wanted)
        self._finish(fit=True)
        self._ask()

    def _next(self) -> bytes | None:
        while True:
            message = self._hear(self._living)
            match message.type:
                case wire.DATA:
                    return self._counted(message.data)
                case wire.PROGRESS:
                    self._note(_done_bytes(message))
                    self._report()
                case wire.ERROR:
                    code, text = message.document.get("code"), str(message.document.get("message"))
                    raise BY_CODE.get(str(code), CodecCrashed)(text)
                case wire.RESULT:
                    self.result, fit = _result(message, self.pid)
                    self._finish(fit=fit)
                    return None
                case wire.ELSEWHERE:
                    self._move(message)
                case _:
                    raise wire.Nonsense(f"a message of unknown type {message.type}")

    @property
    def _living(self) -> Child:
        assert self._child is not None, "a task that has ended says nothing more"
        return self._child

    def _end(self) -> str:
        return self._living.end()

    def _hear(self, child: Child) -> wire.Message:
        """The next message; while there is none, report progress once a second, so that callers can give up."""
        until = min(self._until, self._still_until) if self._clocked else time.monotonic() + self._wall_seconds
        while not child.speaks(min(_TICK_SECONDS, until - time.monotonic())):
            if time.monotonic() >= until:
                raise wire.Late
            self._report()
        return child.hear(until)

    def _note(self, done_bytes: int) -> None:
        """How far it has come; who gets further is given time again."""
        if done_bytes > self._done_bytes:
            self._still_until = time.monotonic() + self._still_seconds
        self._done_bytes = done_bytes

    def _report(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self._done_bytes)

    def _counted(self, data: bytes) -> bytes:
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                raise LimitExceeded(f"{self._task}: the codec gave more bytes than it may")
        return data

    def _crash(self, how: str) -> CodecCrashed:
        return CodecCrashed(f"{self._task}: {how}")

    def _overtime(self) -> TimedOut:
        how = self._end()
        seconds = self._still_seconds if self._clocked and self._still_until < self._until else self._wall_seconds
        return TimedOut(f"{self._task}: nothing came within {seconds:g} s; its process {how}")

    def _finish(self, *, fit: bool) -> None:
        child, self._child = self._child, None
        if child is not None:
            if not fit:
                child.kill()
            self._give_back(child)

    def close(self) -> None:
        """Stop here. A task that has not ended costs its child."""
        self._finish(fit=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _done_bytes(message: wire.Message) -> int:
    done = message.document.get("done_bytes")
    if not isinstance(done, int) or not 0 <= done <= limits.ORIGINAL_BYTES_MAX:
        raise wire.Nonsense(f"progress that is no number of bytes: {done!r:.40}")
    return done


def _result(message: wire.Message, pid: int) -> tuple[TaskResult, bool]:
    try:
        result, cost, fit = (message.document[name] for name in ("result", "cost", "fit"))
        peak, cpu, wall = int(cost["peak_memory_bytes"]), float(cost["cpu_seconds"]), float(cost["wall_seconds"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise wire.Nonsense(f"an answer that cannot be read: {error!r}") from error
    if not isinstance(result, dict):
        raise wire.Nonsense(f"an answer that is no document: {result!r:.40}")
    return TaskResult(result, message.attached, peak, cpu, wall, pid), bool(fit)
