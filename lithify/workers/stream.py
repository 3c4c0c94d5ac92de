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
        child: Child,
        give_back: Callable[[Child], None],
        task: str,
        *,
        wall_seconds: float,
        output_bytes_max: int | None,
        on_progress: OnProgress | None,
        until: float | None,
    ) -> None:
        self.result: TaskResult | None = None
        self._child = child
        self._give_back: Callable[[Child], None] | None = give_back
        self._task = task
        self._wall_seconds = wall_seconds
        self._until = until
        self._left = output_bytes_max
        self._on_progress = on_progress
        self._done_bytes = 0

    @property
    def pid(self) -> int:
        """The process it runs in."""
        return self._child.pid

    def __iter__(self) -> Iterator[bytes]:
        """Blocks of bytes in order. Raises what the task raised, or TimedOut, CodecCrashed, LimitExceeded."""
        assert self._give_back is not None, "a stream is read once: its child may be working for others now"
        try:
            while (block := self._next()) is not None:
                yield block
        except wire.Silence as error:
            raise self._crash(f"its process {self._child.end()}") from error
        except wire.Nonsense as error:
            raise self._crash(f"its process sent {error}") from error
        except wire.Late as error:
            raise self._overtime() from error
        finally:
            self.close()

    def ask(self, document: dict[str, Any], attached: Sequence[bytes], fds: Sequence[int]) -> None:
        """Send the task itself."""
        try:
            self._child.ask(document, attached, fds, self._wall_seconds)
        except wire.Silence as error:
            raise self._crash(f"its process {self._child.end()}") from error
        except wire.Nonsense as error:
            raise self._crash(f"it was given {error}") from error
        except wire.Late as error:
            raise self._overtime() from error

    def _next(self) -> bytes | None:
        while True:
            message = self._hear()
            match message.type:
                case wire.DATA:
                    return self._counted(message.data)
                case wire.PROGRESS:
                    self._done_bytes = _done_bytes(message)
                    self._report()
                case wire.ERROR:
                    code, text = message.document.get("code"), str(message.document.get("message"))
                    raise BY_CODE.get(str(code), CodecCrashed)(text)
                case wire.RESULT:
                    self.result, fit = _result(message, self._child.pid)
                    self._finish(fit=fit)
                    return None
                case _:
                    raise wire.Nonsense(f"a message of unknown type {message.type}")

    def _hear(self) -> wire.Message:
        """The next message; while there is none, report progress once a second, so that callers can give up."""
        until = time.monotonic() + self._wall_seconds if self._until is None else self._until
        while not self._child.speaks(min(_TICK_SECONDS, until - time.monotonic())):
            if time.monotonic() >= until:
                raise wire.Late
            self._report()
        return self._child.hear(until)

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
        how = self._child.end()
        return TimedOut(f"{self._task}: nothing came within {self._wall_seconds:g} s; its process {how}")

    def _finish(self, *, fit: bool) -> None:
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            if not fit:
                self._child.kill()
            give_back(self._child)

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
