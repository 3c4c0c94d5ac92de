"""Verify: decode an object whole, in a process of its own, and compare it with what was promised."""

import time
from typing import TYPE_CHECKING

from lithify.errors import BadBytes, CodecCrashed, FidelityBroken, NotFound
from lithify.store import queries
from lithify.store.views import ObjectView, Verdict
from lithify.workers.needs import brought
from lithify.workers.proof import prove

if TYPE_CHECKING:
    from lithify.workers.archive import Archive


def verify_object(archive: "Archive", view: ObjectView) -> Verdict:
    """Whether the current encoding decodes to the original's digest; `detail` says what is wrong when it does not."""
    with archive.catalog.reading() as connection:
        standing = queries.serving_places(connection, view.revision)[0]
    started = time.perf_counter()
    detail, kept = f"decodes to SHA-256 {view.digest}", True
    try:
        with brought(archive, standing) as needs, archive.blobs.open(standing.blob) as blob:
            prove(needs, blob, view.digest, view.length)
    except (BadBytes, CodecCrashed, FidelityBroken, NotFound) as error:
        detail, kept = error.message, False
    return Verdict(
        collection=view.collection,
        name=view.name,
        revision=view.revision,
        digest=view.digest,
        fidelity=view.fidelity,
        kept=kept,
        detail=detail,
        decode_seconds=time.perf_counter() - started,
    )
