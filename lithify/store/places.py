"""What an encoding decodes to, where its blob lies, and what decoding needs besides, as columns to select."""

from collections.abc import Sequence
from typing import Any, NamedTuple

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

NEEDS = (
    PRIMER.c.digest.label("primer_digest"),
    PRIMER.c.length.label("primer_length"),
    PRIMER.c.pack.label("primer_pack"),
    PRIMER.c.offset.label("primer_offset"),
    Encoding.model_digest.label("model_digest"),
)
"""The primer's place, and the digest of the language model."""


class Standing(NamedTuple):
    """Where an encoding lies, and what decoding it needs besides."""

    blob: Address
    primer: Address | None = None
    model: str | None = None
    """SHA-256 of a language model."""


def standing(found: Sequence[Any]) -> Standing:
    """What PLACE and NEEDS found in a row."""
    blob, primer, model = found[:4], found[4:8], found[8]
    return Standing(Address(*blob), None if primer[0] is None else Address(*primer), model)
