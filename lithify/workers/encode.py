"""Encode jobs: find the densest form, store it, read it back, decode it in a second process, compare, publish.

A job that fails changes nothing: the staged copy stays current, and the reason is kept with the job.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from lithify import limits
from lithify.codecs.codec import effort
from lithify.codecs.fidelity import EXACT, Contract
from lithify.errors import Busy, MissingModel, NotFound
from lithify.store import assignments
from lithify.store.assignments import Assignment
from lithify.store.blobs import Address, Entry
from lithify.store.encodings import NewBlob, NewEncoding
from lithify.store.places import Standing
from lithify.store.publish import Keep, Publish
from lithify.workers.control import Control
from lithify.workers.encoder import Encoded, Original, Wishes, encode_original
from lithify.workers.needs import Needs, brought
from lithify.workers.primers import Offer, Offers
from lithify.workers.proof import measure, place_of, prove

if TYPE_CHECKING:
    from lithify.workers.archive import Archive


def encode_revision(archive: "Archive", control: Control) -> None:
    """Find, prove and publish the densest form of one revision."""
    assignment = load_assignments(archive, [control]).get(control)
    if assignment is None:
        raise NotFound(f"revision {control.claim.revision_id} was removed before it was encoded")
    offered = Offers(archive).to(assignment)
    with _at_hand(archive, assignment) as needs, archive.blobs.open(assignment.place) as blob:
        original, wishes = _original(assignment, blob, needs), _wishes(assignment, offered, needs)
        # the race is most of the work; proving what won is the rest
        with encode_original(
            needs.sandbox, original, wishes, archive.staging, lambda done: control.progress(0.8 * done)
        ) as encoded:
            smaller = encoded.length < assignment.place.length
            stored = _store(archive, encoded) if smaller else None
        primer = offered.taken(encoded.primer) if offered else None
        figures = assignment.measured
        if stored is None:
            seconds = _prove(archive, control, assignment, assignment.standing)
        elif encoded.contract == EXACT:
            seconds = _prove(archive, control, assignment, Standing(stored.address, primer, encoded.model))
        else:
            seconds, figures = _measure(archive, stored.address, original, encoded, needs)
    control.check()
    if stored is None:
        keep(archive, control, assignment, encoded.route, seconds).result()
    else:
        new = _new_encoding(assignment, encoded, stored, primer, seconds, figures)
        publish(archive, control, assignment, new).result()
    archive.watch.published(assignment.collection, assignment.kind)


def _is_loose(assignment: Assignment) -> bool:
    """Whether something was lost already: then of what is left, nothing more may be."""
    return Contract.parse(assignment.fidelity) != EXACT


def _wishes(assignment: Assignment, offered: Offer | None, needs: Needs) -> Wishes:
    return Wishes(
        contract=EXACT if _is_loose(assignment) else Contract.parse(assignment.contract),
        effort=effort(assignment.effort),
        codecs=assignment.codecs,
        priming=offered.priming if offered else None,
        primer=offered.primer if offered else b"",
        model=next((model for model in needs.models if model.digest == assignment.model), None),
    )


def _new_encoding(
    assignment: Assignment,
    encoded: Encoded,
    stored: NewBlob,
    primer: Address | None,
    seconds: float,
    figures: dict[str, Any],
) -> NewEncoding:
    """The row of what was stored and proved: `seconds` it took to decode, `figures` of what it keeps."""
    loose = _is_loose(assignment)
    return NewEncoding(
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
        model=encoded.model,
        measured=figures,
        decoded=(encoded.digest, encoded.decoded_length) if loose or encoded.contract != EXACT else None,
    )


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


@contextmanager
def _at_hand(archive: "Archive", assignment: Assignment) -> Iterator[Needs]:
    """What decoding the original takes, and the model that is to tell it.

    Raises Busy when the model went away since the job was claimed: it waits for a worker that has it.
    """
    with ExitStack() as stack:
        try:
            needs = stack.enter_context(brought(archive, assignment.standing, model=assignment.model))
        except MissingModel as error:
            raise Busy(error.message) from error
        yield needs


def _original(assignment: Assignment, blob: BinaryIO, needs: Needs) -> Original:
    return Original(
        blob.fileno(),
        place_of(blob),
        assignment.length,
        assignment.digest,
        assignment.name,
        needs.primers,
        tuple(model for model in needs.models if model.digest == assignment.standing.model),
    )


def _measure(
    archive: "Archive", address: Address, original: Original, encoded: Encoded, needs: Needs
) -> tuple[float, dict[str, Any]]:
    with archive.blobs.open(address) as blob:
        return measure(needs, blob, original.fd, original.place, encoded.digest, original.length)


def _prove(archive: "Archive", control: Control, assignment: Assignment, standing: Standing) -> float:
    with brought(archive, standing) as needs, archive.blobs.open(standing.blob) as blob:
        return prove(needs, blob, assignment.digest, assignment.length, lambda done: control.progress(0.8 + 0.2 * done))
