"""What an encode job needs to know of its revision."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from lithify.store.blobs import Address
from lithify.store.places import DIGEST, LENGTH, NEEDS, PLACE, PRIMER, Standing, standing
from lithify.store.tables import Blob, Collection, Encoding, Measurement, Object, Revision


@dataclass(frozen=True, slots=True)
class Assignment:
    """A live revision, the encoding that serves it now, and where that lies."""

    revision_id: str
    name: str
    kind: str
    digest: str
    length: int
    """Of what that encoding decodes to: the original's, unless it keeps less than every byte."""
    original_length: int
    contract: str
    fidelity: str
    measured: dict[str, Any]
    effort: str
    codecs: tuple[str, ...]
    encoding_id: str
    codec: str
    standing: Standing
    collection: str
    model: str | None
    """The language model that is to tell it."""

    @property
    def place(self) -> Address:
        """Where that encoding lies."""
        return self.standing.blob


def load(connection: Connection, revision_ids: Sequence[str]) -> dict[str, Assignment]:
    """The assignments of those revisions that are still live, by revision."""
    rows = connection.execute(
        select(
            *PLACE,
            *NEEDS,
            Revision.id,
            DIGEST.label("decoded"),
            LENGTH.label("decoded_length"),
            Revision.length.label("original_length"),
            Revision.contract,
            Revision.effort,
            Revision.codecs,
            Revision.kind,
            Object.name,
            Encoding.id.label("encoding_id"),
            Encoding.codec,
            Encoding.fidelity,
            Measurement.fidelity.label("measured"),
            Collection.name.label("collection"),
            Revision.model,
        )
        .join(Object, Object.id == Revision.object_id)
        .join(Collection, Collection.id == Object.collection_id)
        .join(Encoding, (Encoding.revision_id == Revision.id) & (Encoding.state == "current"))
        .join(Measurement, Measurement.encoding_id == Encoding.id)
        .join(Blob, Blob.digest == Encoding.blob_digest)
        .outerjoin(PRIMER, PRIMER.c.digest == Encoding.primer_digest)
        .where(Revision.id.in_(revision_ids), Revision.deleted_at.is_(None))
    )
    return {
        row.id: Assignment(
            revision_id=row.id,
            name=row.name,
            kind=row.kind,
            digest=row.decoded,
            length=row.decoded_length,
            original_length=row.original_length,
            contract=row.contract,
            fidelity=row.fidelity,
            measured=row.measured,
            effort=row.effort,
            codecs=tuple(row.codecs),
            encoding_id=row.encoding_id,
            codec=row.codec,
            standing=standing(row),
            collection=row.collection,
            model=row.model,
        )
        for row in rows
    }
