"""What an encoding decodes to, and where blobs lie, as columns to select: its own, and its primer's if it needs one."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, case, func

from lithify.store.blobs import Address
from lithify.store.tables import Blob, Encoding, Measurement, Revision

DIGEST = func.coalesce(Encoding.decoded_digest, Revision.digest)
LENGTH = func.coalesce(Encoding.decoded_length, Revision.length)
"""Of the bytes that come back of a revision as it is encoded: the original's, unless it may differ."""

_PICTURES_AND_SOUND = ("image", "video", "audio")
"""What may come back in another form; of other kinds `media_type` may be anything, such as a variable's name."""
CONTENT_TYPE = case(
    (
        and_(Encoding.decoded_digest.is_not(None), Revision.kind.in_(_PICTURES_AND_SOUND)),
        func.coalesce(Measurement.fidelity["media_type"].as_string(), Revision.content_type),
    ),
    else_=Revision.content_type,
)
"""Of what comes back: a codec that gives another form back measured which; else what whoever put it there said."""

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
