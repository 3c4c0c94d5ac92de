"""Encode jobs for small originals, many at a time: one round trip to a child, one flush, one transaction.

A thousand 1 KB objects would otherwise cost a thousand of each. Small originals are not probed: trying every codec that
the effort allows costs less than predicting which would win.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from lithify import limits
from lithify.codecs.codec import effort
from lithify.codecs.fidelity import EXACT, Contract
from lithify.codecs.registry import all_codecs
from lithify.crashpoints import crashpoint
from lithify.errors import BY_CODE, CodecCrashed, LithifyError, MissingPrimer, NotFound
from lithify.store.assignments import Assignment
from lithify.store.blobs import Address, Entry
from lithify.store.encodings import NewBlob, NewEncoding
from lithify.workers.control import Control
from lithify.workers.encode import encode_revision, keep, load_assignments, publish
from lithify.workers.primers import Offer, Offers, read_primers
from lithify.workers.proof import prove_small
from lithify.workers.route import Candidate, Route, choose_small

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

Settle = Callable[[Control, Callable[[], object]], None]
"""Runs the end of a job's work and writes down how it went."""


@dataclass(frozen=True, slots=True)
class _Task:
    """One small original, and what helps to encode it."""

    control: Control
    assignment: Assignment
    offered: Offer | None
    needed: tuple[bytes, ...]
    """The primer that decoding what is current needs."""

    @property
    def primers(self) -> set[bytes]:
        return {*self.needed, *([self.offered.primer] if self.offered and self.offered.primer else ())}


@dataclass(slots=True)
class _Small:
    """One small original on its way."""

    task: _Task
    route: Route
    found: dict[str, Any]
    frame: bytes
    peak_memory_bytes: int
    address: Address | None = None
    """Where the new frame lies; None while the current one is not larger."""

    @property
    def control(self) -> Control:
        return self.task.control

    @property
    def assignment(self) -> Assignment:
        return self.task.assignment

    @property
    def place(self) -> Address:
        return self.address or self.assignment.place

    @property
    def primer(self) -> Address | None:
        """What decoding the frame at `place` needs besides."""
        if self.address is None:
            return self.assignment.standing.primer
        winner = self.route.running[self.found["winner"]]
        return self.task.offered.taken(winner.primer) if self.task.offered else None


def encode_batch(archive: "Archive", controls: Sequence[Control], settle: Settle) -> None:
    """Find, prove and publish the densest forms of many small revisions; each job ends on its own."""
    loaded = load_assignments(archive, controls)
    for control in controls:
        if control not in loaded:
            settle(control, _refuse)
    loose = {control for control, assignment in loaded.items() if Contract.parse(assignment.contract) != EXACT}
    for control in loose:  # what comes back must be measured: that is done one by one
        settle(control, partial(encode_revision, archive, control))
    exact = {control: assignment for control, assignment in loaded.items() if control not in loose}
    for tasks in _share_out(_prepare(archive, exact, settle)):
        _encode(archive, tasks, settle)
    for assignment in exact.values():
        archive.watch.published(assignment.collection, assignment.kind)


def _prepare(archive: "Archive", loaded: dict[Control, Assignment], settle: Settle) -> Iterator[_Task]:
    """Read the primers that are needed; who cannot be decoded without a lost one ends here."""
    offers = Offers(archive)
    for control, assignment in loaded.items():
        try:
            needed = read_primers(archive, [assignment.standing.primer])
        except MissingPrimer as error:
            settle(control, partial(_fail, error))
            continue
        yield _Task(control, assignment, offers.to(assignment), needed)


def _share_out(tasks: Iterable[_Task]) -> Iterator[list[_Task]]:
    """Tasks that can travel together: with the frames, so many primers fit one message to a child."""
    together: list[_Task] = []
    primers: set[bytes] = set()
    for task in tasks:
        if together and len(primers | task.primers) > limits.PRIMERS_PER_TASK_MAX:
            yield together
            together, primers = [], set()
        together.append(task)
        primers |= task.primers
    if together:
        yield together


def _encode(archive: "Archive", tasks: Sequence[_Task], settle: Settle) -> None:
    try:
        smalls = _race(archive, tasks)
        _store(archive, smalls)
        proofs = _prove(archive, smalls)
    except LithifyError as error:
        for task in tasks:
            settle(task.control, partial(_fail, error))
        return
    endings = [(small.control, _ending(archive, small, proof)) for small, proof in zip(smalls, proofs, strict=True)]
    for control, ending in endings:
        settle(control, ending)


def _refuse() -> None:
    raise NotFound("the revision was removed before it was encoded")


def _fail(error: LithifyError) -> None:
    raise error


def _race(archive: "Archive", tasks: Sequence[_Task]) -> list[_Small]:
    crashpoint("work.before_route")
    routes = _with_kernels_only_where_they_are(archive, [_route(task) for task in tasks])
    crashpoint("work.after_route")
    frames = [_read(archive, task.assignment.place) for task in tasks]
    primers = set().union(*(task.primers for task in tasks))
    items = [{"candidates": [_candidate(one, route.effort) for one in route.running]} for route in routes]
    crashpoint("work.before_encode")
    result = archive.sandbox.run("encode_small", {"framed": True, "items": items}, attached=[*frames, *primers])
    crashpoint("work.after_encode")
    return [
        _Small(task, route, found, frame, result.peak_memory_bytes)
        for task, route, found, frame in zip(tasks, routes, result.result["items"], result.attached, strict=True)
    ]


def _route(task: _Task) -> Route:
    wanted, priming = task.assignment, task.offered.priming if task.offered else None
    contract, tried = Contract.parse(wanted.contract), effort(wanted.effort)
    return choose_small(contract, tried, wanted.codecs, wanted.length, priming, kind=wanted.kind)


def _candidate(candidate: Candidate, effort: str) -> dict[str, Any]:
    return {"codec": candidate.codec, "effort": effort, "primer": candidate.primer}


def _with_kernels_only_where_they_are(archive: "Archive", routes: list[Route]) -> list[Route]:
    """The routes; without the codecs whose kernels (workers/kernels.py) no process can have."""
    needy = {codec.facts.id for codec in all_codecs() if codec.facts.kernels}
    wanted = needy & {candidate.codec for route in routes for candidate in route.running}
    for codec, missing in archive.sandbox.missing_kernels(sorted(wanted)).items():
        routes = [route.without({codec}, missing) for route in routes]
    return routes


def _read(archive: "Archive", place: Address) -> bytes:
    with archive.blobs.open(place) as blob:
        return blob.read()


def _store(archive: "Archive", smalls: Sequence[_Small]) -> None:
    """Bring the frames that are smaller than what is current into the cellar, under one flush."""
    smaller = [small for small in smalls if small.frame and len(small.frame) < small.assignment.place.length]
    addresses = archive.blobs.append([Entry("blob", small.frame) for small in smaller]) if smaller else []
    for small, address in zip(smaller, addresses, strict=True):
        small.address = address


def _prove(archive: "Archive", smalls: Sequence[_Small]) -> list[float | LithifyError]:
    frames = [_read(archive, small.place) for small in smalls]
    primers = read_primers(archive, (small.primer for small in smalls))
    promises = [(small.assignment.digest, small.assignment.length) for small in smalls]
    return prove_small(archive.sandbox, frames, promises, primers=primers)


def _ending(archive: "Archive", small: _Small, proof: float | LithifyError) -> Callable[[], object]:
    """Hand a proved result to the group commit now, so that all share one; the ending waits for it."""
    if isinstance(proof, LithifyError):
        return lambda: _fail(proof)
    outcomes = zip(small.route.runs, small.found["found"], strict=True)
    route = small.route.completed({label: _found(outcome) for label, outcome in outcomes})
    if small.address is None:
        return keep(archive, small.control, small.assignment, route, proof).result
    outcome = small.found["found"][small.found["winner"]]
    new = NewEncoding(
        blob=NewBlob(small.address),
        codec=outcome["codec"],
        format=outcome["format"],
        fidelity=str(EXACT),
        route=route,
        original_bytes=small.assignment.length,
        encode_seconds=sum(tried.get("seconds", 0.0) for tried in small.found["found"]),
        decode_seconds=proof,
        peak_memory_bytes=small.peak_memory_bytes,
        primer=small.primer,
    )
    return publish(archive, small.control, small.assignment, new).result


def _found(outcome: dict[str, Any]) -> dict[str, Any]:
    if "error" in outcome:
        error = BY_CODE.get(outcome["error"]["code"], CodecCrashed)(outcome["error"]["message"])
        return {"error": error.code, "detail": error.message}
    stored = outcome["stored_bytes"]
    return {
        "stored_bytes": stored,
        "ratio": round(outcome["original_bytes"] / stored, 4),
        "encode_seconds": round(outcome["seconds"], 6),
        **{said: outcome[said] for said in ("reasons", "tried") if outcome[said]},
    }
