"""Teach: a collection's newest logs or texts, decoded once more, give a primer to encode its next ones with.

It happens after objects were published, in a job of its own, so that nobody waits for it: when a collection has
limits.PRIMER_OBJECTS_MIN of them and no primer, and again each time it has twice as many as when the last one was made.
"""

import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from lithify import limits
from lithify.errors import BadBytes, CodecCrashed, LithifyError, NotFound
from lithify.store import jobs, policies, primers
from lithify.store.encodings import NewBlob
from lithify.workers.control import Control
from lithify.workers.log import log
from lithify.workers.primer_files import to_line_end
from lithify.workers.primers import KINDS, TEACHERS

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

JOB = "primer"
_QUEUE = "logs"
_PRIORITY = 1  # before the logs that wait: they are what it helps


class Watch:
    """Counts what comes into collections, and looks now and then whether one has more to teach.

    Looking means to count a collection's objects, so it is done when the answer may have changed: about log2(objects)
    times while a collection grows, rather than once an object.
    """

    def __init__(self, archive: "Archive") -> None:
        self._archive = archive
        self._left: dict[str, int] = {}
        self._lock = threading.Lock()

    def published(self, collection: str, kind: str) -> None:
        """An object of that kind was encoded. Never raises: there will be another."""
        if kind not in KINDS or not somebody_learns():
            return
        with self._lock:
            self._left[collection] = self._left.get(collection, 1) - 1
            if self._left[collection] > 0:
                return
            try:
                self._left[collection] = self._look(collection)
            except LithifyError as error:
                log("teach").warning("primer_not_looked_for", collection=collection, code=error.code)

    def _look(self, collection: str) -> int:
        """Queue the making of a primer if it is time; gives after how many more objects to look again."""
        with self._archive.catalog.reading() as connection:
            _, objects = _teachers(connection, collection)
            found = primers.current(connection, collection)
        whole = found is not None and found.damage is None
        due = 2 * found.objects if found is not None and whole else limits.PRIMER_OBJECTS_MIN
        if objects < due:
            return due - objects
        with self._archive.catalog.writing() as connection:
            args = {"collection": collection}
            if not jobs.is_unsettled(connection, JOB, args):
                self._archive.queue.defer(connection, kind=JOB, queue=_QUEUE, priority=_PRIORITY, args=args)
        return objects


@cache
def somebody_learns() -> bool:
    """Whether any codec here takes a primer."""
    from lithify.codecs.registry import all_codecs

    return any(codec.facts.takes_primer for codec in all_codecs())


def teach(archive: "Archive", control: Control, collection: str) -> dict[str, Any]:
    """Make a primer of the newest logs of a collection, and set it; gives what was made of what."""
    with archive.catalog.reading() as connection:
        kinds, objects = _teachers(connection, collection)
        names = primers.newest_teachers(connection, collection, kinds, limits.PRIMER_SAMPLES_MAX)
        codecs = policies.get(connection, collection, effort_default=archive.effort).codecs
    samples = _samples(archive, control, collection, names)
    asked = {"codecs": list(codecs) or None, "kinds": sorted(kinds)}
    made = archive.sandbox.run("make_primer", asked, attached=samples) if samples else None
    document: dict[str, Any] = {"collection": collection, "samples": len(samples), "primer": None}
    if made is None or made.result["codec"] is None:
        return document
    blob = _bring(archive, made.attached[0])
    control.check()
    archive.commits.run(primers.SetPrimer(collection, blob, made.result["codec"], objects))
    address = blob.address
    return {**document, "primer": address.digest, "codec": made.result["codec"], "primer_bytes": address.length}


def _teachers(connection: Connection, collection: str) -> tuple[frozenset[str], int]:
    """The kinds that a collection has most objects of, among those that teach each other, and how many those are."""
    counts = [(kinds, primers.count_teachers(connection, collection, kinds)) for kinds in TEACHERS]
    return max(counts, key=lambda counted: counted[1])


def _samples(archive: "Archive", control: Control, collection: str, names: list[str]) -> list[bytes]:
    """The newest originals, or their beginnings, as far as they can be read."""
    samples: list[bytes] = []
    for name in names:
        control.check()
        left = min(limits.PRIMER_SAMPLE_BYTES, limits.PRIMER_SAMPLES_BYTES - sum(map(len, samples)))
        if left <= 0:
            break
        try:
            samples.append(_sample(archive, collection, name, left))
        except (BadBytes, CodecCrashed, NotFound) as error:  # removed meanwhile, or damaged: the others teach
            log("teach").warning("sample_unreadable", collection=collection, name=name, code=error.code)
    return samples


def _sample(archive: "Archive", collection: str, name: str, bytes_max: int) -> bytes:
    with archive.get(collection, name, end=bytes_max) as content:
        sample = b"".join(content)
    whole = len(sample) == content.view.length
    return sample if whole else to_line_end(sample)


def _bring(archive: "Archive", primer: bytes) -> NewBlob:
    """A primer on its way into the cellar: for a pack, or in a file of its own that nothing refers to yet."""
    if len(primer) <= limits.SMALL_BYTES:
        return NewBlob.small(primer)
    with archive.blobs.stage() as stage:
        stage.write(primer)
        return NewBlob(stage.commit())
