"""Where blobs lie, as columns to select: an encoding's own, and the primer's that decoding it may need."""

from collections.abc import Sequence
from typing import Any

from lithify.store.blobs import Address
from lithify.store.tables import Blob

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
