"""Whether this machine reckons with a model as every other does: what it makes of some tokens is compared.

Everything is whole numbers; this is for compilers and libraries that are wrong, and memory that is.
"""

import hashlib
from functools import lru_cache
from io import BytesIO

import numpy as np

from lithify.codecs.array_types import I64
from lithify.codecs.text.lm.model import ExactModel, file_pieces, read_model
from lithify.codecs.text.lm.shape import PROOF_BYTES, Shape
from lithify.codecs.text.lm.stream import Reader, decode_text, encode_symbols
from lithify.errors import Unsound

_STEPS, _AT_ONCE = 16, 8
_STRIDE = 7919
_WARMING = b"\x00\x01" * 20 + b"\xff"


def told_digest(reader: Reader, vocabulary: int) -> bytes:
    """The SHA-256 of what a reader of one stream says behind some tokens: eight read together, eight one by one."""
    tokens: I64 = (np.arange(_STEPS, dtype=np.int64) * _STRIDE % vocabulary)[None]
    reader.begin()
    said = [reader.read(tokens[:, :_AT_ONCE])]
    said += [reader.read(tokens[:, at : at + 1]) for at in range(_AT_ONCE, _STEPS)]
    return hashlib.sha256(b"".join(np.ascontiguousarray(one, "<i4").tobytes() for one in said)).digest()


@lru_cache(maxsize=1)
def _kept(digest: str) -> list[ExactModel]:
    """The last model that was proved."""
    return []


def proved(digest: str, data: memoryview) -> ExactModel:
    """The model of this SHA-256, which was compared. Raises Unsound when this machine does not reckon rightly with it.

    The last one is kept: small originals come in crowds.
    """
    kept = _kept(digest)
    if not kept:
        kept.append(prove(read_model(data)))
    return kept[0]


def prove(model: ExactModel) -> ExactModel:
    """This model, once it says what it says everywhere."""
    from lithify.codecs.text.lm.engine import Engine

    found = told_digest(Engine(model, 1), model.shape.vocabulary)
    if found != model.proof:
        raise Unsound(
            f"on this machine the language model says {found.hex()[:12]}… where {model.proof.hex()[:12]}… is right: "
            "nothing is encoded or decoded with it here"
        )
    return model


def warm() -> None:
    """Encode and decode a little, so that every kernel is there."""
    model = empty_model()
    symbols = np.frombuffer(_WARMING, np.uint8).astype(np.int32)
    for streams in (1, 5):
        decode_text(encode_symbols(symbols, model, streams=streams), len(_WARMING), model)


def empty_model() -> ExactModel:
    """The smallest model there is: its tokens are the bytes, and it expects all of them alike."""
    shape = Shape(1, 8, 1, 1, 2, 8, 256, 16, 0, 1 << 12, 16, 256, 0, 8)
    arrays = {section.name: np.ones(section.dimensions, section.kind) for section in shape.sections()}
    arrays["token_text"] = np.arange(256)
    arrays["tokenizer"] = np.zeros(0, np.uint8)
    file = BytesIO()
    for piece in file_pieces(shape, arrays, bytes(PROOF_BYTES)):
        file.write(piece)
    return read_model(memoryview(file.getvalue()))
