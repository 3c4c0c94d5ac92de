"""The dimensions of a language model, and where each of its arrays lies in a model file (FORMAT.md)."""

import struct
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from typing import NamedTuple

from lithify.errors import Corrupt, LimitExceeded, Truncated

MAGIC = b"LTHL\x01"
_NUMBERS = struct.Struct("<14I")
HEAD_BYTES = 128
"""Magic, numbers and proof, filled up with zeros."""
ALIGNED_BYTES = 64
"""All arrays begin at multiples of this."""
PROOF_BYTES = 32
"""The SHA-256 of what the model says of some tokens (proof.py)."""
TOKEN_BYTES_MAX = 65_535


class Section(NamedTuple):
    """An array in a model file."""

    name: str
    kind: str
    dimensions: tuple[int, ...]
    offset: int

    @property
    def end(self) -> int:
        """Where it ends; the next begins at the next multiple of 64."""
        count = 1
        for size in self.dimensions:
            count *= size
        return self.offset + count * int(self.kind[-1])


@dataclass(frozen=True)
class Shape:
    """What a model file begins with."""

    layers: int
    width: int
    heads: int
    key_heads: int
    head_width: int
    inner: int
    vocabulary: int
    context: int
    """Positions that the model knows: it is never asked for more."""
    begin: int
    """The token that stands before the first, and for a byte that has none."""
    epsilon: int
    """Added to the mean of squares, times 2^32."""
    embedding_bits: int
    """Embeddings are in units of 2^-embedding_bits."""
    text_bytes: int
    """Of all tokens, one after another."""
    tokenizer_bytes: int
    """Of what makes tokens of text, which only encoders need."""
    activation_bits: int
    """Of each activation, its sign among them."""

    def __post_init__(self) -> None:
        """Raise LimitExceeded for dimensions that no model has, Corrupt for those that do not fit each other."""
        for name, least, most in _LIMITS:
            if not least <= getattr(self, name) <= most:
                raise LimitExceeded(f"a language model with {name} = {getattr(self, name)}; expected {least} to {most}")
        if self.heads % self.key_heads or self.head_width % 2 or self.begin >= self.vocabulary:
            raise Corrupt(f"dimensions of a language model that do not fit each other: {self}")

    @property
    def memory_bytes(self) -> int:
        """What it remembers of one stream: for each position a key of 16 bits, its cut, and a value of 32 bits."""
        return self.layers * self.key_heads * self.context * (6 * self.head_width + 4)

    @property
    def activation_max(self) -> int:
        """The largest activation."""
        return (1 << (self.activation_bits - 1)) - 1

    @property
    def queries(self) -> int:
        """Width of all queries together."""
        return self.heads * self.head_width

    @property
    def keys(self) -> int:
        """Width of all keys together, and of all values."""
        return self.key_heads * self.head_width

    @property
    def weights(self) -> int:
        """How many numbers of seven bits there are."""
        return sum(one.end - one.offset for one in self.sections() if one.name.endswith(".weights"))

    def head(self, proof: bytes) -> bytes:
        """The first bytes of a model file."""
        return (MAGIC + _NUMBERS.pack(*astuple(self)) + proof).ljust(HEAD_BYTES, b"\0")

    def sections(self) -> Iterator[Section]:
        """Every array, in the order of the file."""
        at = HEAD_BYTES
        for name, kind, dimensions in self._arrays():
            section = Section(name, kind, dimensions, at)
            yield section
            at = -(-section.end // ALIGNED_BYTES) * ALIGNED_BYTES

    @property
    def file_bytes(self) -> int:
        """The length of a whole model file."""
        return max(section.end for section in self.sections())

    def _arrays(self) -> Iterator[tuple[str, str, tuple[int, ...]]]:
        yield "token_lengths", "<u2", (self.vocabulary,)
        yield "token_text", "|u1", (self.text_bytes,)
        yield "tokenizer", "|u1", (self.tokenizer_bytes,)
        yield "cosines", "<i2", (self.context, self.head_width // 2)
        yield "sines", "<i2", (self.context, self.head_width // 2)
        yield "embedding", "<i2", (self.vocabulary, self.width)
        for layer in range(self.layers):
            yield from _gain(f"{layer}.attention", self.width)
            yield from _matrix(f"{layer}.qkv", self.queries + 2 * self.keys, self.width)
            yield from _matrix(f"{layer}.out", self.width, self.queries)
            yield from _gain(f"{layer}.inner", self.width)
            yield from _matrix(f"{layer}.gate_up", 2 * self.inner, self.width)
            yield from _matrix(f"{layer}.down", self.width, self.inner)
        yield from _gain("last", self.width)
        yield from _matrix("head", self.vocabulary, self.width)


_LIMITS = (
    ("layers", 1, 256),
    ("width", 8, 16_384),
    ("heads", 1, 256),
    ("key_heads", 1, 256),
    ("head_width", 2, 256),
    ("inner", 8, 65_536),
    ("vocabulary", 2, 262_144),
    ("context", 16, 4096),
    ("begin", 0, 262_143),
    ("epsilon", 0, (1 << 32) - 1),
    ("embedding_bits", 0, 16),
    ("text_bytes", 1, 1 << 26),
    ("tokenizer_bytes", 0, 1 << 26),
    ("activation_bits", 8, 12),
)


def _gain(name: str, width: int) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    yield f"{name}.gain", "<i2", (width,)
    yield f"{name}.gain_bits", "|i1", (1,)


def _matrix(name: str, rows: int, columns: int) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    yield f"{name}.weights", "|i1", (rows, columns)
    yield f"{name}.scales", "<u2", (rows,)
    yield f"{name}.scale_bits", "|i1", (1,)


def read_shape(data: memoryview) -> tuple[Shape, bytes]:
    """The dimensions in a model file, and its proof. Raises Truncated, Corrupt or LimitExceeded."""
    if len(data) < HEAD_BYTES:
        raise Truncated(f"a language model of {len(data)} bytes")
    head = bytes(data[:HEAD_BYTES])
    if not head.startswith(MAGIC):
        raise Corrupt(f"a language model begins with {MAGIC!r}, found {head[: len(MAGIC)]!r}")
    shape = Shape(*_NUMBERS.unpack_from(head, len(MAGIC)))
    proof = head[len(MAGIC) + _NUMBERS.size :][:PROOF_BYTES]
    if shape.head(proof) != head:
        raise Corrupt("the head of a language model has bytes that mean nothing")
    if len(data) != shape.file_bytes:
        raise Truncated(f"a language model of {len(data)} bytes; its head says {shape.file_bytes}")
    return shape, proof


assert len(fields(Shape)) == 14
