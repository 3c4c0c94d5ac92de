"""Primers at work: read from the cellar for who decodes, and offered to the next original of a collection.

What a primer teaches is worth most to short originals: a daily file of 100 KB need not pay for its templates again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lithify import limits
from lithify.codecs.frame.primers import check_length
from lithify.codecs.registry import all_codecs
from lithify.errors import BadBytes, MissingPrimer, NotFound
from lithify.store import primers
from lithify.store.assignments import Assignment
from lithify.store.blobs import Address, read_checked
from lithify.workers.kinds import QUEUES
from lithify.workers.route import Priming

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

_TEACHING_QUEUES = ("logs", "text")
TEACHERS = tuple(frozenset(kind for kind in QUEUES if QUEUES[kind] == queue) for queue in _TEACHING_QUEUES)
"""Kinds of original that teach each other: logs teach logs, texts teach texts. A collection has one primer, of those
that it has most of."""
KINDS = frozenset().union(*TEACHERS)
"""Kinds that teach at all, and that are encoded with what was learnt."""


def read_primer(archive: "Archive", place: Address) -> bytes:
    """A primer, read from the cellar and compared with its digest. Raises MissingPrimer when it is gone or damaged."""
    try:
        check_length(place.length, f"primer {place.digest}")
        return read_checked(archive.blobs, place)
    except (BadBytes, NotFound) as error:
        raise MissingPrimer(f"the frame needs primer {place.digest}, which cannot be read: {error.message}") from error


def read_primers(archive: "Archive", places: Iterable[Address | None]) -> tuple[bytes, ...]:
    """The primers of these places, each once; raises as `read_primer`."""
    return tuple(read_primer(archive, place) for place in dict.fromkeys(places) if place is not None)


@dataclass(frozen=True, slots=True)
class Offer:
    """The primer of a collection, for whoever encodes what comes into it."""

    priming: Priming
    place: Address
    primer: bytes = b""
    """Its bytes; empty when they cannot be read, which `priming` then says."""

    def taken(self, digest: str | None) -> Address | None:
        """Where the primer lies, if an encoding came to need it."""
        return self.place if digest == self.place.digest else None


class Offers:
    """What collections offer to those who encode what comes into them; each primer is read once."""

    def __init__(self, archive: "Archive") -> None:
        self._archive = archive
        self._known: dict[str, Offer | None] = {}

    def to(self, assignment: Assignment) -> Offer | None:
        """The primer that may help to encode an original; None when there is none, or it would not help."""
        if assignment.kind not in KINDS or assignment.length > limits.PRIMED_BYTES_MAX:
            return None
        if assignment.collection not in self._known:
            self._known[assignment.collection] = self._read(assignment.collection)
        offer = self._known[assignment.collection]
        return offer if offer is not None and _has_use(offer.priming.codec, assignment.kind) else None

    def _read(self, collection: str) -> Offer | None:
        with self._archive.catalog.reading() as connection:
            found = primers.current(connection, collection)
        if found is None:
            return None
        digest = found.place.digest
        try:
            primer = read_primer(self._archive, found.place)
        except MissingPrimer as error:
            return Offer(Priming(digest, found.codec, refusal=error.message), found.place)
        return Offer(Priming(digest, found.codec), found.place, primer)


def _has_use(codec: str | None, kind: str) -> bool:
    """Whether the codec that a primer was made for is tried on originals of this kind."""
    kinds = {one.facts.id: one.facts.kinds for one in all_codecs()}.get(codec or "", frozenset())
    return not kinds or kind in kinds
