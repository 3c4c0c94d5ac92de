"""The encoder: race the codecs of a route over an original, part by part, and join what won into one frame.

It knows no archive: jobs and `lithify pack` both use it. Parts are of bounded size, so memory and staging are too, and
several are worked on at a time, so that one large original uses every core. A codec that must see the whole of an
original (its `seams` say so) reads what it needs of it, while the others work on parts of a longer one.
"""

import os
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from lithify import limits
from lithify.codecs.codec import Effort
from lithify.codecs.fidelity import EXACT, Contract
from lithify.codecs.frame import Frame, FrameWriter, at_hand, read_frame
from lithify.codecs.inside import Inside
from lithify.codecs.tried import Heard, add_tries
from lithify.crashpoints import crashpoint
from lithify.errors import (
    BadArgument,
    Cancelled,
    CodecCrashed,
    Fenced,
    FidelityBroken,
    LithifyError,
    OutOfSpace,
    StoreUnavailable,
)
from lithify.workers.model_files import OpenModel, arguments
from lithify.workers.parts import Part, cut, cut_at_lines
from lithify.workers.route import Candidate, Priming, Route, choose
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
    primers: tuple[bytes, ...] = ()
    models: tuple[OpenModel, ...] = ()
    """What decoding that frame needs."""

    @property
    def needs(self) -> tuple[dict[str, Any], tuple[int, ...]]:
        """The argument that names those models, and their descriptors."""
        return arguments(self.models)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was promised, and how hard to try."""

    contract: Contract
    effort: Effort
    codecs: tuple[str, ...] = ()
    """Ids of the only codecs to try; empty: all that may serve."""
    priming: Priming | None = None
    primer: bytes = b""
    """The primer that `priming` is about."""
    model: OpenModel | None = None
    """A language model that may help."""


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
    primer: str | None
    """Digest of the primer that decoding it needs."""
    model: str | None = None
    """Digest of the language model that decoding it needs."""
    contract: Contract = EXACT
    """What it keeps."""
    digest: str = ""
    """SHA-256 of what it decodes to: the original's, where the contract is exact."""
    decoded_length: int = 0


class _Tally:
    """What one candidate cost and gave over all parts."""

    def __init__(self) -> None:
        self.stored_bytes = 0
        self.seconds = 0.0
        self.peak_memory_bytes = 0
        self.parts_won = 0
        self.error: LithifyError | None = None
        self.reasons: dict[str, None] = {}
        self.tries: Heard = {}

    def add(self, result: TaskResult) -> None:
        self.stored_bytes += result.result["stored_bytes"]
        self.seconds += result.result["seconds"]
        self.peak_memory_bytes = max(self.peak_memory_bytes, result.peak_memory_bytes)
        self.reasons |= dict.fromkeys(result.result["reasons"])
        add_tries(self.tries, (Inside(**row) for row in result.result["tried"]))

    def found(self, length: int) -> dict[str, Any]:
        if self.error is not None:
            return {"error": self.error.code, "detail": self.error.message}
        return {
            "stored_bytes": self.stored_bytes,
            "ratio": round(length / self.stored_bytes, 4) if self.stored_bytes else 1.0,
            "encode_seconds": round(self.seconds, 6),
            "peak_memory_bytes": self.peak_memory_bytes,
            "parts_won": self.parts_won,
            **({"reasons": list(self.reasons)[: limits.REASONS_MAX]} if self.reasons else {}),
            **({"tried": [asdict(row) for row in self.tries.values()]} if self.tries else {}),
        }


class _Race:
    """One original's race: candidates over parts."""

    def __init__(
        self, sandbox: Sandbox, original: Original, route: Route, wishes: Wishes, staging: Path, told: OnProgress
    ) -> None:
        self.tallies = {label: _Tally() for label in route.runs}
        self.formats: dict[str, str] = {}
        self._sandbox = sandbox
        self._original = original
        self.attached = (*original.primers, wishes.primer) if wishes.primer else original.primers
        self.model = wishes.model
        self._route = route
        self._staging = staging
        self._told = told
        self._done: dict[tuple[str, int], int] = {}
        self._lock = threading.Lock()
        # Small parts are enough for a language model, which tells each of its groups alone, and takes minutes for one.
        self._part_bytes = limits.PART_BYTES if wishes.model is None else limits.LM_GROUP_BYTES_MAX
        longer = original.length > self._part_bytes
        self.uncut = [one for one in route.running if longer and one.label in route.uncut]
        self._cut = [one for one in route.running if one not in self.uncut]

    def parts(self) -> list[Part]:
        """Where the original is cut: at line ends, if that is of use to a candidate."""
        length = self._original.length
        if self._route.at_lines and self.model is None:
            return cut_at_lines(length, self._line_ends)
        return cut(length, self._part_bytes)

    def _line_ends(self, cuts: Sequence[int]) -> Sequence[int]:
        named, fds = self._original.needs
        args = {"input": self._original.place.as_json(), "cuts": list(cuts), "back_bytes": limits.SEAM_BYTES, **named}
        told = self._sandbox.run("line_ends", args, (self._original.fd, *fds), attached=self._original.primers)
        found: list[int] = told.result["cuts"]
        for cut_at, end in zip(cuts, found, strict=True):
            if not cut_at - limits.SEAM_BYTES <= end <= cut_at:
                raise CodecCrashed(f"line_ends: {end} was found for the line end before {cut_at}")
        return found

    def run_uncut(self, candidate: Candidate) -> IO[bytes] | None:
        """A candidate's frame of the whole of an original that others work on in parts; None when it failed."""
        made = self._attempt(candidate, 0, self._original.length)
        return None if made is None else made[1]

    def won_uncut(self, candidate: Candidate) -> None:
        """Say that a frame of the whole is smaller than that of all parts."""
        for tally in self.tallies.values():
            tally.parts_won = 0
        self.tallies[candidate.label].parts_won = 1

    def run_part(self, part: tuple[int, int]) -> IO[bytes]:
        """The smallest frame of one part. Raises the last candidate's error when none could encode it."""
        best: tuple[int, str, IO[bytes]] | None = None
        for candidate in self._cut:
            if (made := self._attempt(candidate, *part)) is None:
                continue
            length, file = made
            if best is not None and best[0] <= length:
                file.close()
                continue
            if best is not None:
                best[2].close()
            best = length, candidate.label, file
        if best is None:
            errors = [tally.error for tally in self.tallies.values() if tally.error is not None]
            raise errors[-1] if errors else CodecCrashed("no codec may serve")
        with self._lock:
            self.tallies[best[1]].parts_won += 1
        return best[2]

    def _attempt(self, candidate: Candidate, start: int, end: int) -> tuple[int, IO[bytes]] | None:
        """One candidate's frame of one part; None when it failed, which costs only that candidate."""
        label = candidate.label
        args = {
            "input": self._original.place.as_json(),
            "start": start,
            "end": end,
            "codec": candidate.codec,
            "effort": self._route.effort,
            "primer": candidate.primer,
            "contract": candidate.contract,
            "model": candidate.model,
        }
        named, fds = arguments([*self._original.models, *self._models_of(candidate)])
        output_bytes_max = end - start + limits.FRAME_SLACK_BYTES
        file = tempfile.TemporaryFile(dir=self._staging)  # noqa: SIM115 - whoever takes the winner closes it
        try:
            result = self._sandbox.run(
                "encode",
                args | named,
                (self._original.fd, file.fileno(), *fds),
                attached=self.attached,
                output_bytes_max=output_bytes_max,
                work_bytes=end - start,
                on_progress=lambda done_bytes: self._tell(label, start, done_bytes),
            )
        except _FATAL:
            file.close()
            raise
        except LithifyError as error:
            file.close()
            if isinstance(error, BadArgument) and candidate.contract and Contract.parse(candidate.contract).variables:
                raise  # it names a variable that is not there: who promised this should know
            with self._lock:
                self.tallies[label].error = error
            return None
        with self._lock:
            self.tallies[label].add(result)
            self.formats[label] = result.result["format"]
        return result.result["stored_bytes"], file

    def _models_of(self, candidate: Candidate) -> list[OpenModel]:
        """What goes with a candidate beside the models of the original."""
        known = {model.digest for model in self._original.models}
        return [self.model] if self.model is not None and candidate.model not in {None, *known} else []

    def _tell(self, label: str, start: int, done_bytes: int) -> None:
        with self._lock:
            self._done[label, start] = done_bytes
            done = sum(self._done.values())
        self._told(min(1.0, done / max(1, self._original.length * len(self._route.runs))))

    def winners(self) -> list[Candidate]:
        """Whose parts are in the frame, the one with most parts first."""
        won = [candidate for candidate in self._route.running if self.tallies[candidate.label].parts_won]
        return sorted(won, key=lambda candidate: -self.tallies[candidate.label].parts_won)


@contextmanager
def encode_original(
    sandbox: Sandbox, original: Original, wishes: Wishes, staging: Path, told: OnProgress
) -> Iterator[Encoded]:
    """Find the smallest frame of an original. Raises a candidate's error when none could encode some part.

    staging  a folder for temporary files, which have no name there
    told     called with the fraction done, at least once a second; what it raises ends the race
    """
    crashpoint("work.before_route")
    route = _route(sandbox, original, wishes, told)
    crashpoint("work.after_route")
    crashpoint("work.before_encode")
    race = _Race(sandbox, original, route, wishes, staging, told)
    with _smallest(race, original, staging) as (out, frame):
        crashpoint("work.after_encode")
        winners = race.winners()
        found = {label: tally.found(original.length) for label, tally in race.tallies.items()}
        yield Encoded(
            file=out,
            length=frame.frame_length,
            codec="+".join(dict.fromkeys(winner.codec for winner in winners)),
            format="+".join(dict.fromkeys(race.formats[winner.label] for winner in winners)),
            route=route.completed(found, frame.contract),
            seconds=sum(tally.seconds for tally in race.tallies.values()),
            peak_memory_bytes=max(tally.peak_memory_bytes for tally in race.tallies.values()),
            primer=next((winner.primer for winner in winners if winner.primer), None),
            model=next((winner.model for winner in winners if winner.model), None),
            contract=frame.contract,
            digest=frame.decoded_digest.hex(),
            decoded_length=frame.decoded_length,
        )


@contextmanager
def _smallest(race: _Race, original: Original, staging: Path) -> Iterator[tuple[IO[bytes], Frame]]:
    """The smallest frame of an original, of all of its parts or of the whole, and what it says of itself."""
    with ThreadPoolExecutor(max_workers=len(race.uncut) or 1) as pool, ExitStack() as opened:
        running = [(candidate, pool.submit(race.run_uncut, candidate)) for candidate in race.uncut]
        for _, future in running:
            opened.callback(_close, future)
        best, smallest = opened.enter_context(_joined(race, original, staging))
        for candidate, future in running:
            if (file := future.result()) is None:
                continue
            if (frame := _whole(file, original)).frame_length < smallest.frame_length:
                best, smallest = file, frame
                race.won_uncut(candidate)
        yield best, smallest


def _close(future: Future[IO[bytes] | None]) -> None:
    """Wait for a frame and let it go."""
    with suppress(LithifyError):
        if (file := future.result()) is not None:
            file.close()


def _whole(file: IO[bytes], original: Original) -> Frame:
    """What a frame of a whole original says of itself; nothing in it is decoded."""
    frame = read_frame(cast("BinaryIO", file))
    if frame.original_digest.hex() != original.digest:
        raise FidelityBroken(
            f"a codec was given other bytes than the original's: SHA-256 {frame.original_digest.hex()}, "
            f"expected {original.digest}"
        )
    return frame


@contextmanager
def _joined(race: _Race, original: Original, staging: Path) -> Iterator[tuple[IO[bytes], Frame]]:
    """One frame of all parts, and what it says of itself. That of an only part is whole already."""
    parts = race.parts()
    if len(parts) == 1:
        with race.run_part(parts[0]) as file:
            yield file, _whole(file, original)
        return
    models = [*original.models, *([race.model] if race.model is not None else [])]
    primers = at_hand(race.attached, {model.digest: model.mapped() for model in models})
    with tempfile.TemporaryFile(dir=staging) as out:
        writer = FrameWriter(cast("BinaryIO", out), hashing=False)
        for file in _in_order(race.run_part, parts):
            with file:
                writer.append(cast("BinaryIO", file), primers=primers)
        frame = writer.finish(digest=bytes.fromhex(original.digest))
        out.flush()
        yield out, frame


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


def _route(sandbox: Sandbox, original: Original, wishes: Wishes, told: OnProgress) -> Route:
    args = {
        "input": original.place.as_json(),
        "effort": wishes.effort,
        "name": original.name,
        "codecs": list(wishes.codecs) or None,
        **original.needs[0],
        "contract": str(wishes.contract),
    }
    fds = (original.fd, *original.needs[1])
    facts = sandbox.run("probe", args, fds, attached=original.primers).result
    if without := facts["without_kernels"]:
        facts["codecs"].update(_ask_with_kernels(sandbox, original, args, without, facts["codecs"], told))
    model = None if wishes.model is None else wishes.model.digest
    return choose(facts, wishes.contract, wishes.effort, wishes.codecs, original.length, wishes.priming, model=model)


def _ask_with_kernels(
    sandbox: Sandbox,
    original: Original,
    args: dict[str, Any],
    codecs: Sequence[str],
    facts: dict[str, Any],
    told: OnProgress,
) -> dict[str, Any]:
    """What codecs promise that could not say it without kernels; or why those cannot be had, which costs only them."""
    missing = sandbox.missing_kernels(codecs, lambda: told(0.0))
    found = {codec: {**facts[codec], "missing": reason} for codec, reason in missing.items()}
    if had := [codec for codec in codecs if codec not in missing]:
        again = {**args, "codecs": had}
        fds = (original.fd, *original.needs[1])
        asked = sandbox.run("probe", again, fds, attached=original.primers, kernels=had).result["codecs"]
        found |= {codec: asked[codec] for codec in had}
    return found
