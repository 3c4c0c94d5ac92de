"""Primers: what earlier originals taught a codec, kept beside the frames that were written with it.

The params of a format may name a primer by its SHA-256 (`Codec.primer`). A frame like that decodes anywhere, with the
primer in the other hand: whoever reads it brings a `Primers`, which gives the bytes of one digest.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping

from lithify import limits
from lithify.codecs.codec import Buffer, Codec
from lithify.codecs.frame.values import FormatEntry, Frame
from lithify.codecs.registry import codec_for
from lithify.errors import Corrupt, LimitExceeded, MissingModel, MissingPrimer

Primers = Callable[[str], Buffer]
"""Gives the bytes of the primer, or of the model, of one digest (SHA-256, hex). Raises MissingPrimer."""


def primers_of(frame: Frame) -> frozenset[str]:
    """The digests of all primers that decoding the frame needs. Raises UnknownFormat, MissingExtra or Corrupt."""
    return frozenset(filter(None, map(primer_of, frame.formats)))


def primer_of(entry: FormatEntry) -> str | None:
    """The digest of the primer that one format of a frame needs; None: nothing. Raises as `primers_of`."""
    return codec_for(entry.format, entry.params).primer


def ready_codec(entry: FormatEntry, primers: Primers | None) -> Codec:
    """The codec that decodes the chunks of one format, with the primer or the model that its params name.

    Raises MissingPrimer, MissingModel, Corrupt or LimitExceeded, and what `codec_for` raises.
    """
    codec = codec_for(entry.format, entry.params)
    if codec.model is not None:
        return codec.with_model(checked_model(codec.model, primers))
    return codec if codec.primer is None else codec.primed(_checked(codec.primer, primers))


def models_of(frame: Frame) -> frozenset[str]:
    """The digests of all models that decoding the frame needs. Raises as `primers_of`."""
    return frozenset(filter(None, map(model_of, frame.formats)))


def model_of(entry: FormatEntry) -> str | None:
    """The digest of the model that one format of a frame needs; None: nothing. Raises as `primers_of`."""
    return codec_for(entry.format, entry.params).model


def at_hand(found: Iterable[bytes], models: Mapping[str, memoryview] | None = None) -> Primers:
    """Primers that are in memory already, each known by what its bytes hash to, and models, by what they should."""
    known: Mapping[str, Buffer] = {digest_of(primer): primer for primer in found} | dict(models or {})

    def give(digest: str) -> Buffer:
        if digest not in known:
            raise missing(digest)
        return known[digest]

    return give


def digest_of(primer: Buffer) -> str:
    """What frames name a primer by."""
    return hashlib.sha256(primer).hexdigest()


def missing(digest: str) -> MissingPrimer:
    """The error of who needs this primer and was given none."""
    return MissingPrimer(f"the frame needs primer {digest}; give the file with --primer")


def missing_model(digest: str) -> MissingModel:
    """The error of who needs this model and was given none."""
    return MissingModel(f"the frame needs the language model {digest}; name its file or folder with --model")


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
    return bytes(primer)


def checked_model(digest: str, primers: Primers | None) -> memoryview:
    """The bytes of a model, compared with its digest. Raises MissingModel, or Corrupt when they are others."""
    if primers is None:
        raise missing_model(digest)
    try:
        model = primers(digest)
    except MissingPrimer as error:
        raise missing_model(digest) from error
    if (found := digest_of(model)) != digest:
        raise Corrupt(f"language model {digest} has SHA-256 {found}: these are other bytes")
    return memoryview(model)
