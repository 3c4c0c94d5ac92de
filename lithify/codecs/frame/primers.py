"""Primers: what earlier originals taught a codec, kept beside the frames that were written with it.

The params of a format may name a primer by its SHA-256 (`Codec.primer`). A frame like that decodes anywhere, with the
primer in the other hand: whoever reads it brings a `Primers`, which gives the bytes of one digest.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping

from lithify import limits
from lithify.codecs.codec import Codec
from lithify.codecs.frame.values import FormatEntry, Frame
from lithify.codecs.registry import codec_for
from lithify.errors import Corrupt, LimitExceeded, MissingPrimer

Primers = Callable[[str], bytes]
"""Gives the bytes of the primer of one digest (SHA-256, hex). Raises MissingPrimer."""


def primers_of(frame: Frame) -> frozenset[str]:
    """The digests of all primers that decoding the frame needs. Raises UnknownFormat, MissingExtra or Corrupt."""
    return frozenset(filter(None, map(primer_of, frame.formats)))


def primer_of(entry: FormatEntry) -> str | None:
    """The digest of the primer that one format of a frame needs; None: nothing. Raises as `primers_of`."""
    return codec_for(entry.format, entry.params).primer


def ready_codec(entry: FormatEntry, primers: Primers | None) -> Codec:
    """The codec that decodes the chunks of one format, primed if its params say so.

    Raises MissingPrimer, Corrupt or LimitExceeded, and what `codec_for` raises.
    """
    codec = codec_for(entry.format, entry.params)
    return codec if codec.primer is None else codec.primed(_checked(codec.primer, primers))


def at_hand(found: Iterable[bytes]) -> Primers:
    """Primers that are in memory already, each known by what its bytes hash to."""
    known: Mapping[str, bytes] = {digest_of(primer): primer for primer in found}

    def give(digest: str) -> bytes:
        if digest not in known:
            raise missing(digest)
        return known[digest]

    return give


def digest_of(primer: bytes) -> str:
    """What frames name a primer by."""
    return hashlib.sha256(primer).hexdigest()


def missing(digest: str) -> MissingPrimer:
    """The error of who needs this primer and was given none."""
    return MissingPrimer(f"the frame needs primer {digest}; give the file with --primer")


def check_length(length: int, what: str) -> None:
    """Raise LimitExceeded, naming `what`, if it is longer than any primer."""
    if length > limits.PRIMER_BYTES_MAX:
        raise LimitExceeded(f"{what} has {length} bytes; a primer has at most {limits.PRIMER_BYTES_MAX}")


def _checked(digest: str, primers: Primers | None) -> bytes:
    if primers is None:
        raise missing(digest)
    primer = primers(digest)
    check_length(len(primer), f"primer {digest}")
    if (found := digest_of(primer)) != digest:
        raise Corrupt(f"primer {digest} has SHA-256 {found}: these are other bytes")
    return primer
