"""Blobs and encodings on their way into the catalog: what is new, what is here already, and their rows."""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update

from lithify.errors import Busy
from lithify.store.blobs import Address, Entry
from lithify.store.commit import Moment
from lithify.store.tables import Blob


@dataclass(frozen=True, slots=True)
class NewBlob:
    """A blob on its way in: small bytes that a pack will take, or one that already has a file of its own."""

    address: Address
    payload: bytes | None = None

    @classmethod
    def small(cls, payload: bytes) -> "NewBlob":
        """A blob for a pack; its address is complete once appended."""
        return cls(Address(hashlib.sha256(payload).hexdigest(), len(payload)), payload)


@dataclass(frozen=True, slots=True)
class NewEncoding:
    """A codec's result, as far as the codec's side knows it."""

    blob: NewBlob
    codec: str
    format: str
    fidelity: str
    route: dict[str, Any]
    original_bytes: int
    encode_seconds: float
    decode_seconds: float | None = None
    peak_memory_bytes: int | None = None
    primer: Address | None = None
    """What the frame needs besides to be decoded."""
    model: str | None = None
    """SHA-256 of the language model that it needs."""
    measured: dict[str, Any] = field(default_factory=dict)
    decoded: tuple[str, int] | None = None
    """SHA-256 and length of what the frame decodes to, where that is not the original."""

    def rows(self, *, revision_id: str, number: int, now: float, verified: bool) -> tuple[dict[str, Any], ...]:
        """The columns of the encoding and of its measurement."""
        encoding_id = uuid.uuid4().hex
        stored = self.blob.address.length
        encoding = {
            "id": encoding_id,
            "revision_id": revision_id,
            "number": number,
            "blob_digest": self.blob.address.digest,
            "primer_digest": None if self.primer is None else self.primer.digest,
            "model_digest": self.model,
            "state": "current",
            "codec": self.codec,
            "format": self.format,
            "fidelity": self.fidelity,
            "decoded_digest": None if self.decoded is None else self.decoded[0],
            "decoded_length": None if self.decoded is None else self.decoded[1],
            "route": self.route,
            "created_at": now,
            "verified_at": now if verified else None,
        }
        return encoding, measurement_row(encoding_id, self, stored)


def measurement_row(encoding_id: str, encoding: NewEncoding, stored: int) -> dict[str, Any]:
    """The columns of a measurement. An empty original has ratio 1 and no bits."""
    original = encoding.original_bytes
    return {
        "encoding_id": encoding_id,
        "original_bytes": original,
        "stored_bytes": stored,
        "ratio": original / stored if original and stored else 1.0,
        "bits_per_byte": 8 * stored / original if original else 0.0,
        "encode_seconds": encoding.encode_seconds,
        "decode_seconds": encoding.decode_seconds,
        "peak_memory_bytes": encoding.peak_memory_bytes,
        "fidelity": encoding.measured,
    }


def look_ahead(moment: Moment, digests: Iterable[str]) -> None:
    """Find which of these blobs are in the catalog already."""
    wanted = list(set(digests))
    for digest in wanted:
        moment.ahead["blob", digest] = None
    for row in moment.connection.execute(select(*_BLOB_COLUMNS).where(Blob.digest.in_(wanted))):
        moment.ahead["blob", row.digest] = row


def bring_in(moment: Moment, blob: NewBlob) -> list[Entry]:
    """What must be appended for this blob; nothing when its bytes are here already.

    Runs inside the writing transaction, and sweep unlinks inside one too, so what is seen here stays.
    """
    digest = blob.address.digest
    known = moment.ahead["blob", digest]
    if known is not None and _stands(moment, known):
        return []
    if blob.payload is None and not moment.blobs.exists(blob.address):
        raise Busy(f"blob {digest} was swept while it was being brought in; send it again")
    moment.ahead["blob", digest] = _Incoming(blob.address, mends=known is not None)
    return [Entry("blob", blob.payload)] if blob.payload is not None else []


def hold(moment: Moment, primer: Address) -> None:
    """See that the primer of a new encoding is still here, and no longer condemned. Raises Busy when it is not."""
    known = moment.ahead["blob", primer.digest]
    if known is None or not _stands(moment, known):
        raise Busy(f"primer {primer.digest} was lost while an original was encoded with it; it will be tried again")


def _stands(moment: Moment, known: Any) -> bool:
    """Whether a blob that the catalog knows can be used again; if it was condemned, it no longer is."""
    if isinstance(known, _Incoming):
        return True
    address = Address(known.digest, known.length, known.pack, known.offset)
    if known.damage is not None or not moment.blobs.exists(address):
        return False
    if known.condemned_at is not None:
        moment.connection.execute(update(Blob).where(Blob.digest == known.digest).values(condemned_at=None))
    return True


def settle(moment: Moment, blob: NewBlob, appended: Address | None) -> None:
    """Insert the blob's row, or mend the row of a blob that had gone missing; once for a group."""
    incoming = moment.ahead["blob", blob.address.digest]
    if not isinstance(incoming, _Incoming) or incoming.settled:
        return
    incoming.settled = True
    address = appended or incoming.address
    place = {"length": address.length, "pack": address.pack, "offset": address.offset}
    columns = {**place, "condemned_at": None, "damage": None, "checked_at": moment.now}
    if incoming.mends:
        moment.connection.execute(update(Blob).where(Blob.digest == address.digest).values(columns))
    else:
        moment.insert(Blob, {"digest": address.digest, "created_at": moment.now, **columns})


@dataclass(slots=True)
class _Incoming:
    """A blob that a change of this group brings in."""

    address: Address
    mends: bool
    settled: bool = False


_BLOB_COLUMNS = (Blob.digest, Blob.length, Blob.pack, Blob.offset, Blob.condemned_at, Blob.damage)
