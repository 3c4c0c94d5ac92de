"""Append: go on behind what an object holds; what came becomes a revision that begins with all that was there.

The new frame takes over the chunks of the old one as they are, densely packed ones too; only the last, if it is
short, is decoded and compressed again together with what comes, so that no frame fills up with crumbs. The SHA-256 goes
on from where it had come to, which the process remembers; another process decodes the object once to get there.

Each append writes the whole frame anew, into a blob that is as immutable as any other: reading knows nothing of all
this. So an object that grows for long is best ended now and then: one object per day, say.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from lithify import limits
from lithify.codecs.fidelity import EXACT, Contract
from lithify.codecs.frame import Frame, read_frame
from lithify.codecs.raw.stored import Stored
from lithify.codecs.raw.zstd import Zstd
from lithify.crashpoints import crashpoint
from lithify.errors import BadBytes, Busy, Conflict, Corrupt, DigestMismatch, NotNow
from lithify.store import garbage
from lithify.store.append import Append, Base, find_base, outgrown_blobs
from lithify.store.blobs import compare
from lithify.store.clock import read_clock
from lithify.store.encodings import NewBlob, NewEncoding
from lithify.store.removal import Tombstones
from lithify.workers.ingest import SAMPLE_BYTES, STAGING_LEVEL, Ingest
from lithify.workers.log import log

if TYPE_CHECKING:
    from lithify.store.put import Put
    from lithify.store.views import Receipt
    from lithify.workers.archive import Archive

_STAGED = {codec.facts.format: codec.facts.id for codec in (Zstd, Stored)}


@dataclass(frozen=True, slots=True)
class _Reached:
    """How far the SHA-256 of an object has come at the end of its last whole chunk, and how the object begins."""

    digest: Any
    sample: bytes


class Appends:
    """What one process knows of the objects that grow here. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[tuple[str, str]] = set()
        self._reached: OrderedDict[tuple[str, int], _Reached] = OrderedDict()

    @contextmanager
    def hold(self, collection: str, name: str) -> Iterator[None]:
        """While held, nobody else in this process appends to the object. Raises Busy when somebody does.

        Other processes find out by the revision that they go on behind (store/append.py).
        """
        with self._lock:
            if (collection, name) in self._held:
                raise Busy(f"{collection}/{name} is being appended to; one at a time")
            self._held.add((collection, name))
        try:
            yield
        finally:
            with self._lock:
                self._held.discard((collection, name))

    def recall(self, digest: str, length: int) -> _Reached | None:
        """What was remembered of an object with that SHA-256, after so many of its bytes."""
        with self._lock:
            return self._reached.get((digest, length))

    def remember(self, digest: str, length: int, reached: _Reached) -> None:
        """Keep it for the next append; the longest unused is forgotten."""
        with self._lock:
            self._reached[digest, length] = reached
            self._reached.move_to_end((digest, length))
            while len(self._reached) > limits.APPEND_HASHES_MAX:
                self._reached.popitem(last=False)


class Appending(Ingest):
    """Bytes on their way to the end of one object; a commit makes all of them part of it, or none."""

    SMALL_BYTES: ClassVar[int] = limits.APPEND_SMALL_BYTES

    def __init__(
        self,
        archive: "Archive",
        collection: str,
        name: str,
        *,
        digest: str | None = None,
        length: int | None = None,
        **wishes: Any,
    ) -> None:
        """Copy what is there, and be ready for what comes behind it.

        digest, length    of the bytes that are appended
        wishes            as for Ingest; what is left out is taken from the object, if there is one

        Raises Conflict when the object was promised something else than what is asked for, or is not kept exactly.
        """
        super().__init__(archive, collection, name, **wishes)
        self._announced = (digest.lower() if digest else None, length)
        self._appended = hashlib.sha256() if digest or self._wishes["idempotency_key"] else None
        self.appended_length = 0
        """Bytes of what goes behind, as far as it came."""
        self._reached: tuple[int, _Reached] | None = None
        with archive.catalog.reading() as connection:
            self._base = find_base(connection, collection, name)
        self._kept_chunks = 0
        if self._base is not None:
            try:
                self._inherit(self._base)
                self._copy(self._base)
            except BaseException:
                self.abort()
                raise

    def _inherit(self, base: Base) -> None:
        where = f"{self._collection}/{self._name}"
        wanted = self._wishes["contract"] or base.contract
        if wanted != base.contract:
            raise Conflict(f"{where} was promised {base.contract}; what is appended cannot be promised {wanted}")
        if Contract.parse(base.fidelity) != EXACT:
            raise Conflict(f"{where} is kept as {base.fidelity}, not exactly: nothing can be appended to it")
        self._wishes["contract"] = wanted
        self._wishes["effort"] = self._wishes["effort"] or base.effort
        self._wishes["model"] = self._wishes["model"] or base.model
        self._wishes["content_type"] = base.content_type or self._wishes["content_type"]

    def _copy(self, base: Base) -> None:
        crashpoint("append.before_copy")
        kept = self._copy_chunks(base)
        if kept:
            reached = self._archive.appends.recall(base.digest, kept) or self._hash_up_to(base, kept)
            self._digest, self._sample, self._length = reached.digest.copy(), reached.sample, kept
        for block in self._decoded(base, kept, base.length):
            super().write(block)
        found = self._digest.copy()
        found.update(self._rest)
        if found.hexdigest() != base.digest:
            raise Corrupt(f"{self._collection}/{self._name} decodes to {found.hexdigest()}, not {base.digest}")
        crashpoint("append.after_copy")

    def _copy_chunks(self, base: Base) -> int:
        """Take over chunks of the old frame, and give how many bytes they decode to; the rest is to be decoded."""
        with self._archive.blobs.open(base.standing.blob) as blob:
            try:
                compare(base.standing.blob, blob)  # a damaged payload must not get a blob whose name vouches for it
                frame = read_frame(blob)
            except BadBytes as error:
                log("append").error("encoding_unreadable", blob=base.standing.blob.digest, code=error.code)
                return 0  # a spare encoding may serve, or decoding says what is wrong
            count, kept = _worth_keeping(frame)
            if count:
                self._frame.append(blob, count=count)
            self._kept_chunks = count
            return kept

    def _hash_up_to(self, base: Base, end: int) -> _Reached:
        digest, sample = hashlib.sha256(), b""
        for block in self._decoded(base, 0, end):
            digest.update(block)
            sample += block[: max(0, SAMPLE_BYTES - len(sample))]
        return _Reached(digest, sample)

    def _decoded(self, base: Base, start: int, end: int) -> Iterator[bytes]:
        if start == end:
            return
        with self._archive.get(self._collection, self._name, revision=base.revision, start=start, end=end) as content:
            yield from content

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.appended_length += len(data)
        if self._appended is not None:
            self._appended.update(data)
        super().write(data)

    def _check_announced(self) -> None:
        crashpoint("ingest.before_digest")
        digest, length = self._announced
        where = f"{self._collection}/{self._name}"
        if length is not None and length != self.appended_length:
            raise DigestMismatch(f"{where}: {length} bytes were announced, {self.appended_length} were received")
        if self._appended is not None and digest is not None and digest != self._appended.hexdigest():
            raise DigestMismatch(f"{where}: SHA-256 {digest} was announced, {self._appended.hexdigest()} was received")
        crashpoint("ingest.after_digest")

    @property
    def is_new(self) -> bool:
        """Whether there was no object of that name."""
        return self._base is None

    @property
    def length(self) -> int:
        """Bytes of the object with all that was written."""
        return self._length

    def finish(self) -> "Put":
        whole = self._length - len(self._rest)
        self._reached = (whole, _Reached(self._digest.copy(), self._sample[:whole])) if whole else None
        return super().finish()

    def _change(self, **facts: Any) -> "Append":
        return Append(
            **facts,
            base=None if self._base is None else self._base.revision,
            appended="" if self._appended is None else self._appended.hexdigest(),
            rest_seconds=self._archive.repack_seconds,
        )

    def _encoding(self, blob: NewBlob, frame: Frame) -> NewEncoding:
        formats = dict.fromkeys(entry.format for entry in frame.formats) or {Stored.facts.format: None}
        base = self._base if self._kept_chunks else None
        codecs = [*(base.codec.split("+") if base else ()), *(_STAGED[one] for one in formats if one in _STAGED)]
        return NewEncoding(
            blob=blob,
            codec="+".join(dict.fromkeys(codecs)),
            format="+".join(map(str, formats)),
            fidelity=str(EXACT),
            route={
                "reason": f"appended with zstd level {STAGING_LEVEL} behind {self._kept_chunks} chunks; once nothing "
                f"came for {self._archive.repack_seconds:g} s, a worker finds the densest form"
            },
            original_bytes=self._length,
            encode_seconds=self._encode_seconds,
            primer=base.standing.primer if base else None,
            model=base.standing.model if base else None,
        )

    def commit(self) -> "Receipt":
        """Make what came part of the object. Raises Conflict when that has changed meanwhile, and as Ingest.commit."""
        change = self.finish()
        receipt: Receipt = self._archive.commits.run(change)
        if self._reached is not None:
            self._archive.appends.remember(receipt.digest, *self._reached)
        assert isinstance(change, Append)
        _clear_away(self._archive, change)
        return receipt


def _worth_keeping(frame: Frame) -> tuple[int, int]:
    """How many chunks of a frame to take over as they are, and how many bytes they decode to."""
    if len(frame.formats) + len(_STAGED) > limits.FORMATS_PER_FRAME_MAX:
        return 0, 0
    count, length = len(frame.chunks), frame.decoded_length
    if count and frame.chunks[count - 1].length < limits.STAGE_CHUNK_BYTES:
        count, length = count - 1, frame.chunks[count - 1].start
    return count, length


def _clear_away(archive: "Archive", change: Append) -> None:
    """Write the tombstone of what was outgrown, and remove the files of those before it.

    The receipt stands already, so a world in the way of this only leaves it to the next append, or to sweep.
    """
    try:
        if change.outgrown:
            archive.commits.run(Tombstones(change.outgrown))
        _drop_outgrown(archive, change.collection, change.name)
    except NotNow as error:
        log("append").warning("left_to_sweep", code=error.code)


def _drop_outgrown(archive: "Archive", collection: str, name: str) -> None:
    grace = min(limits.CHECKPOINT_GRACE_SECONDS, archive.grace_seconds)
    with archive.catalog.reading() as connection:
        if not outgrown_blobs(connection, collection, name, read_clock(connection) - grace):
            return
    with archive.catalog.writing() as connection:
        dead = outgrown_blobs(connection, collection, name, read_clock(connection) - grace)
        for address in dead:
            crashpoint("append.before_drop")
            archive.blobs.remove(address)
            crashpoint("append.after_drop")
        garbage.forget_blobs(connection, [address.digest for address in dead])
