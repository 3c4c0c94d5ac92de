"""What an encoding decodes to, and where blobs lie, as columns to select: its own, and its primer's if it needs one."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func

from lithify.store.blobs import Address
from lithify.store.tables import Blob, Encoding, Revision

DIGEST = func.coalesce(Encoding.decoded_digest, Revision.digest)
LENGTH = func.coalesce(Encoding.decoded_length, Revision.length)
"""Of the bytes that come back of a revision as it is encoded: the original's, unless it may differ."""

PLACE = (Blob.digest, Blob.length, Blob.pack, Blob.offset)
"""In the order of Address's fields."""

PRIMER = Blob.__table__.alias("primer")
"""The blobs once more, to be joined (outer) on Encoding.primer_digest."""

PRIMERS_PLACE = (
    PRIMER.c.digest.label("primer_digest"),
    PRIMER.c.length.label("primer_length"),
    PRIMER.c.pack.label("primer_pack"),
    PRIMER.c.offset.label("primer_offset"),
)


def places(found: Sequence[Any]) -> tuple[Address, ...]:
    """What PLACE and PRIMERS_PLACE found in a row: the blob's place, and the primer's behind it if there is one."""
    blob, primer = found[:4], found[4:8]
    return (Address(*blob),) if primer[0] is None else (Address(*blob), Address(*primer))
