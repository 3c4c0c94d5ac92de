"""Encode jobs: find the densest form, store it, read it back, decode it in a second process, compare, publish.

A job that fails changes nothing: the staged copy stays current, and the reason is kept with the job.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from lithify import limits
from lithify.codecs.codec import effort
from lithify.codecs.fidelity import EXACT, Contract
from lithify.errors import NotFound
from lithify.store import assignments
from lithify.store.assignments import Assignment
from lithify.store.blobs import Address, Entry
from lithify.store.encodings import NewBlob, NewEncoding
from lithify.store.publish import Keep, Publish
from lithify.workers.control import Control
from lithify.workers.encoder import Encoded, Original, Wishes, encode_original
from lithify.workers.primers import Offers, read_primers
from lithify.workers.proof import measure, place_of, prove

if TYPE_CHECKING:
    from lithify.workers.archive import Archive


def encode_revision(archive: "Archive", control: Control) -> None:
    """Find, prove and publish the densest form of one revision."""
    assignment = load_assignments(archive, [control]).get(control)
    if assignment is None:
        raise NotFound(f"revision {control.claim.revision_id} was removed before it was encoded")
    offered = Offers(archive).to(assignment)
    with archive.blobs.open(assignment.place) as blob:
        fd, place = blob.fileno(), place_of(blob)
        needed = read_primers(archive, [assignment.needs])
        original = Original(fd, place, assignment.length, assignment.digest, assignment.name, needed)
        loose = Contract.parse(assignment.fidelity) != EXACT  # already: of what is left, nothing more may be lost
        wishes = Wishes(
            contract=EXACT if loose else Contract.parse(assignment.contract),
            effort=effort(assignment.effort),
            codecs=assignment.codecs,
            priming=offered.priming if offered else None,
            primer=offered.primer if offered else b"",
        )
        # the race is most of the work; proving what won is the rest
        with encode_original(
            archive.sandbox, original, wishes, archive.staging, lambda done: control.progress(0.8 * done)
        ) as encoded:
            smaller = encoded.length < assignment.place.length
            stored = _store(archive, encoded) if smaller else None
        primer = offered.taken(encoded.primer) if offered else None
        figures = assignment.measured
        if stored is None:
            seconds = _prove(archive, control, assignment, assignment.place, assignment.needs)
        elif encoded.contract == EXACT:
            seconds = _prove(archive, control, assignment, stored.address, primer)
        else:
            seconds, figures = _measure(archive, stored.address, original, encoded)
    control.check()
    if stored is None:
        keep(archive, control, assignment, encoded.route, seconds).result()
    else:
        new = NewEncoding(
            blob=stored,
            codec=encoded.codec,
            format=encoded.format,
            fidelity=assignment.fidelity if loose else str(encoded.contract),
            route=encoded.route,
            original_bytes=assignment.original_length,
            encode_seconds=encoded.seconds,
            decode_seconds=seconds,
            peak_memory_bytes=encoded.peak_memory_bytes,
            primer=primer,
            measured=figures,
            decoded=(encoded.digest, encoded.decoded_length) if loose or encoded.contract != EXACT else None,
        )
        publish(archive, control, assignment, new).result()
    archive.watch.published(assignment.collection, assignment.kind)


def load_assignments(archive: "Archive", controls: Sequence[Control]) -> dict[Control, Assignment]:
    """What each job is about; jobs whose revision was removed meanwhile are left out."""
    with archive.catalog.reading() as connection:
        found = assignments.load(connection, [str(control.claim.revision_id) for control in controls])
    return {control: found[revision] for control in controls if (revision := str(control.claim.revision_id)) in found}


def publish(archive: "Archive", control: Control, assignment: Assignment, new: NewEncoding) -> "Future[Any]":
    """Make a proved encoding current and close its job, in one fenced transaction."""
    return archive.commits.submit(
        Publish(
            revision_id=assignment.revision_id,
            encoding=new,
            fence=lambda connection: archive.queue.fence(connection, control.claim),
            finish=lambda connection: archive.queue.finish(
                connection, control.claim, {"codec": new.codec, "stored_bytes": new.blob.address.length}
            ),
        )
    )


def keep(
    archive: "Archive", control: Control, assignment: Assignment, route: dict[str, Any], seconds: float
) -> "Future[Any]":
    """Nothing smaller was found: what is current stays, now proved, and the job is closed."""
    kept = {
        **route,
        "winner": f"{assignment.codec} stays: nothing tried was smaller than {assignment.place.length} bytes",
    }
    return archive.commits.submit(
        Keep(
            encoding_id=assignment.encoding_id,
            route=kept,
            decode_seconds=seconds,
            fence=lambda connection: archive.queue.fence(connection, control.claim),
            finish=lambda connection: archive.queue.finish(
                connection, control.claim, {"codec": assignment.codec, "stored_bytes": assignment.place.length}
            ),
        )
    )


def _store(archive: "Archive", encoded: Encoded) -> NewBlob:
    """Bring the new frame into the cellar, durable and not yet referred to."""
    encoded.file.seek(0)
    if encoded.length <= limits.SMALL_BYTES:
        return NewBlob(archive.blobs.append([Entry("blob", encoded.file.read())])[0])
    with archive.blobs.stage() as stage:
        while block := encoded.file.read(limits.COPY_BYTES):
            stage.write(block)
        return NewBlob(stage.commit())


def _measure(
    archive: "Archive", address: Address, original: Original, encoded: Encoded
) -> tuple[float, dict[str, Any]]:
    with archive.blobs.open(address) as blob:
        return measure(archive.sandbox, blob, original.fd, original.place, encoded.digest, primers=original.primers)


def _prove(
    archive: "Archive", control: Control, assignment: Assignment, address: Address, primer: Address | None
) -> float:
    with archive.blobs.open(address) as blob:
        return prove(
            archive.sandbox,
            blob,
            assignment.digest,
            assignment.length,
            lambda done: control.progress(0.8 + 0.2 * done),
            primers=read_primers(archive, [primer]),
        )
