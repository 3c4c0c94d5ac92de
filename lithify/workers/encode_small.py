"""Encode jobs for small originals, many at a time: one round trip to a child, one flush, one transaction.

A thousand 1 KB objects would otherwise cost a thousand of each. Small originals are not probed: trying every codec that
the effort allows costs less than predicting which would win.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lithify.codecs.codec import effort
from lithify.codecs.fidelity import EXACT, Contract
from lithify.crashpoints import crashpoint
from lithify.errors import BY_CODE, CodecCrashed, LithifyError, NotFound
from lithify.store.assignments import Assignment
from lithify.store.blobs import Address, Entry
from lithify.store.encodings import NewBlob, NewEncoding
from lithify.workers.control import Control
from lithify.workers.encode import keep, load_assignments, publish
from lithify.workers.proof import prove_small
from lithify.workers.route import Route, choose_small

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

Settle = Callable[[Control, Callable[[], object]], None]
"""Runs the end of a job's work and writes down how it went."""


@dataclass(slots=True)
class _Small:
    """One small original on its way."""

    control: Control
    assignment: Assignment
    route: Route
    found: dict[str, Any]
    frame: bytes
    peak_memory_bytes: int
    address: Address | None = None
    """Where the new frame lies; None while the current one is not larger."""

    @property
    def place(self) -> Address:
        return self.address or self.assignment.place


def encode_batch(archive: "Archive", controls: Sequence[Control], settle: Settle) -> None:
    """Find, prove and publish the densest forms of many small revisions; each job ends on its own."""
    loaded = load_assignments(archive, controls)
    for control in controls:
        if control not in loaded:
            settle(control, _refuse)
    if not loaded:
        return
    try:
        smalls = _race(archive, loaded)
        _store(archive, smalls)
        proofs = _prove(archive, smalls)
    except LithifyError as error:
        failure = error
        for control in loaded:
            settle(control, lambda: _fail(failure))
        return
    endings = [(small.control, _ending(archive, small, proof)) for small, proof in zip(smalls, proofs, strict=True)]
    for control, ending in endings:
        settle(control, ending)


def _refuse() -> None:
    raise NotFound("the revision was removed before it was encoded")


def _fail(error: LithifyError) -> None:
    raise error


def _race(archive: "Archive", loaded: dict[Control, Assignment]) -> list[_Small]:
    crashpoint("work.before_route")
    routes = [choose_small(Contract.parse(a.contract), effort(a.effort), a.codecs, a.length) for a in loaded.values()]
    crashpoint("work.after_route")
    frames = [_read(archive, assignment.place) for assignment in loaded.values()]
    items = [{"candidates": [{"codec": codec, "effort": route.effort} for codec in route.runs]} for route in routes]
    crashpoint("work.before_encode")
    result = archive.sandbox.run("encode_small", {"framed": True, "items": items}, attached=frames)
    crashpoint("work.after_encode")
    return [
        _Small(control, assignment, route, found, frame, result.peak_memory_bytes)
        for (control, assignment), route, found, frame in zip(
            loaded.items(), routes, result.result["items"], result.attached, strict=True
        )
    ]


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
    return prove_small(
        archive.sandbox, frames, [(small.assignment.digest, small.assignment.length) for small in smalls]
    )


def _ending(archive: "Archive", small: _Small, proof: float | LithifyError) -> Callable[[], object]:
    """Hand a proved result to the group commit now, so that all share one; the ending waits for it."""
    if isinstance(proof, LithifyError):
        return lambda: _fail(proof)
    route = small.route.completed({outcome["codec"]: _found(outcome) for outcome in small.found["found"]})
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
    }
