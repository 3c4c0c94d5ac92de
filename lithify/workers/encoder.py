"""The encoder: race the codecs of a route over an original, part by part, and join what won into one frame.

It knows no archive: jobs and `lithify pack` both use it. Parts are of bounded size, so memory and staging are too, and
several are worked on at a time, so that one large original uses every core.
"""

import os
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from lithify import limits
from lithify.codecs.codec import Effort
from lithify.codecs.fidelity import Contract
from lithify.codecs.frame import FrameWriter
from lithify.crashpoints import crashpoint
from lithify.errors import Cancelled, CodecCrashed, Fenced, LithifyError, OutOfSpace, StoreUnavailable
from lithify.workers.route import Route, choose
from lithify.workers.sandbox import Sandbox, TaskResult
from lithify.workers.sources import Place

OnProgress = Callable[[float], None]

_FATAL = (Fenced, Cancelled, OutOfSpace, StoreUnavailable)
"""Errors that are not the codec's own: another candidate would meet them too."""


@dataclass(frozen=True, slots=True)
class Original:
    """An original in an open file, or a frame there that decodes to it."""

    fd: int
    place: Place
    length: int
    digest: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was promised, and how hard to try."""

    contract: Contract
    effort: Effort
    codecs: tuple[str, ...] = ()
    """Ids of the only codecs to try; empty: all that may serve."""


@dataclass(slots=True)
class Encoded:
    """The smallest frame that was found, in a temporary file."""

    file: IO[bytes]
    length: int
    codec: str
    format: str
    route: dict[str, Any]
    seconds: float
    peak_memory_bytes: int


class _Tally:
    """What one candidate cost and gave over all parts."""

    def __init__(self) -> None:
        self.stored_bytes = 0
        self.seconds = 0.0
        self.peak_memory_bytes = 0
        self.parts_won = 0
        self.error: LithifyError | None = None

    def add(self, result: TaskResult) -> None:
        self.stored_bytes += result.result["stored_bytes"]
        self.seconds += result.result["seconds"]
        self.peak_memory_bytes = max(self.peak_memory_bytes, result.peak_memory_bytes)

    def found(self, length: int) -> dict[str, Any]:
        if self.error is not None:
            return {"error": self.error.code, "detail": self.error.message}
        return {
            "stored_bytes": self.stored_bytes,
            "ratio": round(length / self.stored_bytes, 4) if self.stored_bytes else 1.0,
            "encode_seconds": round(self.seconds, 6),
            "peak_memory_bytes": self.peak_memory_bytes,
            "parts_won": self.parts_won,
        }


class _Race:
    """One original's race: candidates over parts."""

    def __init__(self, sandbox: Sandbox, original: Original, route: Route, staging: Path, told: OnProgress) -> None:
        self.tallies = {codec: _Tally() for codec in route.runs}
        self.formats: dict[str, str] = {}
        self._sandbox = sandbox
        self._original = original
        self._route = route
        self._staging = staging
        self._told = told
        self._done: dict[tuple[str, int], int] = {}
        self._lock = threading.Lock()

    def run_part(self, part: tuple[int, int]) -> IO[bytes]:
        """The smallest frame of one part. Raises the last candidate's error when none could encode it."""
        best: tuple[int, str, IO[bytes]] | None = None
        for codec in self._route.runs:
            if (made := self._attempt(codec, *part)) is None:
                continue
            length, file = made
            if best is not None and best[0] <= length:
                file.close()
                continue
            if best is not None:
                best[2].close()
            best = length, codec, file
        if best is None:
            errors = [tally.error for tally in self.tallies.values() if tally.error is not None]
            raise errors[-1] if errors else CodecCrashed("no codec may serve")
        with self._lock:
            self.tallies[best[1]].parts_won += 1
        return best[2]

    def _attempt(self, codec: str, start: int, end: int) -> tuple[int, IO[bytes]] | None:
        """One candidate's frame of one part; None when it failed, which costs only that candidate."""
        args = {
            "input": self._original.place.as_json(),
            "start": start,
            "end": end,
            "codec": codec,
            "effort": self._route.effort,
        }
        output_bytes_max = end - start + limits.FRAME_SLACK_BYTES
        file = tempfile.TemporaryFile(dir=self._staging)  # noqa: SIM115 - whoever takes the winner closes it
        try:
            result = self._sandbox.run(
                "encode",
                args,
                (self._original.fd, file.fileno()),
                output_bytes_max=output_bytes_max,
                on_progress=lambda done_bytes: self._tell(codec, start, done_bytes),
            )
        except _FATAL:
            file.close()
            raise
        except LithifyError as error:
            file.close()
            with self._lock:
                self.tallies[codec].error = error
            return None
        with self._lock:
            self.tallies[codec].add(result)
            self.formats[codec] = result.result["format"]
        return result.result["stored_bytes"], file

    def _tell(self, codec: str, start: int, done_bytes: int) -> None:
        with self._lock:
            self._done[codec, start] = done_bytes
            done = sum(self._done.values())
        self._told(min(1.0, done / max(1, self._original.length * len(self._route.runs))))

    def winners(self) -> list[str]:
        """The codecs in the frame, the one with most parts first."""
        won = [codec for codec, tally in self.tallies.items() if tally.parts_won]
        return sorted(won, key=lambda codec: -self.tallies[codec].parts_won)


@contextmanager
def encode_original(
    sandbox: Sandbox, original: Original, wishes: Wishes, staging: Path, told: OnProgress
) -> Iterator[Encoded]:
    """Find the smallest frame of an original. Raises a candidate's error when none could encode some part.

    staging  a folder for temporary files, which have no name there
    told     called with the fraction done, at least once a second; what it raises ends the race
    """
    crashpoint("work.before_route")
    route = _route(sandbox, original, wishes)
    crashpoint("work.after_route")
    crashpoint("work.before_encode")
    race = _Race(sandbox, original, route, staging, told)
    with tempfile.TemporaryFile(dir=staging) as out:
        writer = FrameWriter(cast("BinaryIO", out), hashing=False)
        for file in _in_order(race.run_part, list(cut(original.length))):
            with file:
                writer.append(cast("BinaryIO", file))
        frame = writer.finish(digest=bytes.fromhex(original.digest))
        out.flush()
        crashpoint("work.after_encode")
        winners = race.winners()
        yield Encoded(
            file=out,
            length=frame.frame_length,
            codec="+".join(winners),
            format="+".join(race.formats[codec] for codec in winners),
            route=route.completed({codec: tally.found(original.length) for codec, tally in race.tallies.items()}),
            seconds=sum(tally.seconds for tally in race.tallies.values()),
            peak_memory_bytes=max(tally.peak_memory_bytes for tally in race.tallies.values()),
        )


def cut(length: int) -> Iterator[tuple[int, int]]:
    """Parts of equal size, at most limits.PART_BYTES each: a short last one would compress worse for nothing."""
    count = -(-length // limits.PART_BYTES)
    bounds = [length * part // count for part in range(count + 1)] if count else []
    return pairwise(bounds)


def _in_order(work: Callable[[tuple[int, int]], IO[bytes]], parts: list[tuple[int, int]]) -> Iterator[IO[bytes]]:
    """The results of `work`, in order; several are worked on at a time, and few are ever waiting."""
    workers = min(len(parts), os.cpu_count() or 1) or 1
    with ThreadPoolExecutor(max_workers=workers) as pool:
        running: deque[Future[IO[bytes]]] = deque()
        left = iter(parts)
        try:
            running.extend(pool.submit(work, part) for part in islice(left, 2 * workers))
            while running:
                yield running.popleft().result()
                running.extend(pool.submit(work, part) for part in islice(left, 1))
        finally:
            for future in running:
                if not future.cancel():
                    with suppress(LithifyError):
                        future.result().close()


def _route(sandbox: Sandbox, original: Original, wishes: Wishes) -> Route:
    args = {
        "input": original.place.as_json(),
        "effort": wishes.effort,
        "name": original.name,
        "codecs": list(wishes.codecs) or None,
    }
    facts = sandbox.run("probe", args, (original.fd,)).result
    return choose(facts, wishes.contract, wishes.effort, wishes.codecs, original.length)
