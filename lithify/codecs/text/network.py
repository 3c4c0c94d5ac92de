"""The trained network: how it is packed, and that it is what it should be. FORMAT.md describes the file."""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import zstandard

from lithify.codecs.array_types import I32
from lithify.codecs.text.classes import FIRST_CLASSES
from lithify.codecs.text.learnt import Learnt, learnt
from lithify.codecs.text.model import INPUTS, MIXERS, POINTS, ROWS, Start
from lithify.codecs.text.models import NETWORK
from lithify.codecs.text.neural import (
    ACTIVATION_MAX,
    HASHED,
    HEAD_WIDTH_MAX,
    OPINIONS,
    SIGMOID_AT_ZERO,
    SUM_SHIFT,
    Network,
)
from lithify.errors import Unsound

PATH = NETWORK.path
DIGEST = NETWORK.digest
NAME_BYTES = 2

MAGIC = b"LTHN\x01"
WEIGHT_MAX = 63
_HEAD = struct.Struct("<5s32s3I")
_SHAPE = struct.Struct("<2H4B5B")
_KINDS = {"i1": np.int8, "<i4": np.int32}

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Shape:
    """How large a network is."""

    width: int
    hidden: int
    layers: int
    hash_columns: int
    byte_columns: int
    class_columns: int
    hash_logs: tuple[int, ...]

    def packed(self) -> bytes:
        return _SHAPE.pack(
            self.width,
            self.hidden,
            self.layers,
            self.hash_columns,
            self.byte_columns,
            self.class_columns,
            *self.hash_logs,
        )

    def arrays(self) -> Iterator[tuple[str, str, tuple[int, ...]]]:
        """Name, kind and shape of everything in a network, in the order of the file."""
        inputs = HASHED * self.hash_columns + self.byte_columns + self.class_columns
        width, rows = self.width, self.width * self.layers
        yield "hashed", "i1", (sum(1 << log for log in self.hash_logs), self.hash_columns)
        yield "bytes_", "i1", (256, self.byte_columns)
        yield "classes", "i1", (len(FIRST_CLASSES), self.class_columns)
        for name, outs, ins in (
            ("in", width, inputs),
            ("gates", 3 * rows, width),
            ("out", rows, width),
            ("up", self.layers * self.hidden, width),
            ("down", rows, self.hidden),
        ):
            yield f"weights_{name}", "i1", (outs, ins)
            yield f"scale_{name}", "<i4", (outs,)
        yield "bias_gates", "<i4", (3 * rows,)
        for name, columns in (("gates", rows), ("out", rows), ("up", rows), ("down", self.layers * self.hidden)):
            yield f"narrow_{name}", "<i4", (columns,)
        yield "narrow_head", "<i4", (width,)
        yield "head", "i1", (OPINIONS * 256, width)
        yield "scale_head", "<i4", (OPINIONS * 256,)
        yield "bias_head", "<i4", (OPINIONS * 256,)
        yield "sigmoid", "<i4", (2 * SIGMOID_AT_ZERO + 1,)


_START: tuple[tuple[str, str, tuple[int, ...], int], ...] = (
    ("weights", "<i2", (ROWS, INPUTS), 4),
    ("final_weights", "<i2", (256 * MIXERS,), 4),
    ("near", "<u2", (256 * POINTS,), 6),
)
"""What the mixers of each class start from when the network reads along, and how many bits of it are not kept."""


@dataclass(frozen=True)
class Trained:
    """The network, and the tables of the mixer that it was trained beside."""

    network: Network
    learnt: Learnt
    starts: tuple[Start, ...]
    digest: bytes

    @property
    def name(self) -> bytes:
        """What payloads call this network; the tables have a name of their own."""
        return self.digest[:NAME_BYTES]


@cache
def trained() -> Trained:
    """The network of this release. Raises Unsound if it is not what it was made with."""
    try:
        packed = PATH.read_bytes()
    except OSError as error:
        raise Unsound(f"the network of the text codec cannot be read ({error}): install lithify again") from error
    return shipped(packed, DIGEST)


def shipped(packed: bytes, digest: str) -> Trained:
    """The network in a file that should be that of this SHA-256. Raises Unsound if it is another."""
    found = unpack(packed, learnt())
    if found.digest.hex() != digest:
        raise Unsound(
            f"the network of the text codec is {found.digest.hex()[:12]}…, this release was made with "
            f"{digest[:12]}…: install lithify again"
        )
    return found


def pack(shape: Shape, network: Network, starts: tuple[Start, ...]) -> bytes:
    """The file of a network."""
    narrow, wide, beginnings = (b"".join(parts) for parts in _parts(shape, network, starts))
    sections = [zstandard.compress(part, 19) for part in (narrow, wide, beginnings)]
    digest = hashlib.sha256(shape.packed() + narrow + wide + beginnings).digest()
    return _HEAD.pack(MAGIC, digest, *map(len, sections)) + shape.packed() + b"".join(sections)


def _parts(shape: Shape, network: Network, starts: tuple[Start, ...]) -> Iterator[list[bytes]]:
    for wanted in _KINDS:
        yield [
            getattr(network, name).reshape(size).astype(kind).tobytes()
            for name, kind, size in shape.arrays()
            if kind == wanted
        ]
    yield [
        np.clip(getattr(start, name) >> shift, np.iinfo(kind).min, np.iinfo(kind).max).astype(kind).tobytes()
        for start in starts
        for name, kind, _, shift in _START
    ]


def unpack(packed: bytes, tables: Learnt) -> Trained:
    """The network in a file. Raises Unsound if that is not what it was, or could do sums that do not fit."""
    try:
        magic, digest, *lengths = _HEAD.unpack_from(packed)
        if magic != MAGIC:
            raise Unsound(f"a network of the text codec begins with {MAGIC!r}, found {magic!r}")
        width, hidden, layers, *columns = _SHAPE.unpack_from(packed, _HEAD.size)
        shape = Shape(width, hidden, layers, columns[0], columns[1], columns[2], tuple(columns[3:]))
        at, parts = _HEAD.size + _SHAPE.size, []
        for length in lengths:
            parts.append(zstandard.decompress(packed[at : at + length]))
            at += length
        if hashlib.sha256(b"".join([shape.packed(), *parts])).digest() != digest:
            raise Unsound("the network of the text codec is not what its SHA-256 says: install lithify again")
        network, starts = _network(shape, parts[0], parts[1]), tuple(_starts(parts[2], tables))
    except (struct.error, zstandard.ZstdError, ValueError, IndexError) as error:
        raise Unsound(f"the network of the text codec cannot be unpacked ({error}): install lithify again") from error
    prove(network)
    return Trained(network, tables, starts, digest)


def _network(shape: Shape, narrow: bytes, wide: bytes) -> Network:
    places = {"i1": 0, "<i4": 0}
    data = {"i1": narrow, "<i4": wide}
    found: dict[str, Array] = {}
    for name, kind, size in shape.arrays():
        count = int(np.prod(size))
        found[name] = np.frombuffer(data[kind], kind, count, places[kind]).astype(_KINDS[kind]).reshape(size)
        places[kind] += found[name].nbytes
    rows = np.array([1 << log for log in shape.hash_logs], np.int64)
    return Network(hashed_rows=rows, **found)  # type: ignore[arg-type]


def _starts(data: bytes, tables: Learnt) -> Iterator[Start]:
    at = 0
    for start in tables.starts:
        arrays: list[I32] = []
        for _, kind, size, shift in _START:
            stored = np.frombuffer(data, kind, int(np.prod(size)), at)
            at += stored.nbytes
            arrays.append((stored.astype(np.int32) << shift).reshape(size))
        weights, final_weights, near = arrays
        yield start._replace(weights=weights, final_weights=final_weights, near=near)


def prove(network: Network) -> None:
    """Raises Unsound unless every number fits, whatever the text: sums 32 bits, products of what follows 63.

    Each bound takes all activations at their largest and all weights of a row with the same sign.
    """
    most = {name: _largest(network, name) for name in ("in", "gates", "out", "up", "down")}
    layers = len(network.weights_out) // len(network.weights_in)
    residual = most["in"] + layers * (most["out"] + most["down"])
    state = most["gates"] << 6
    bounds = {
        "the mean square of what goes through it": (residual * residual + 1) << 12,
        "a state": (2 * state << 16) + (1 << 15),
        "what a state shows": state * int(network.narrow_out.max()),
        "a square": (most["up"] * most["up"] >> 10) * int(network.narrow_down.max()),
        "what is normalised": (len(network.weights_in) << 12) * int(_narrowest(network)),
    }
    for what, bound in bounds.items():
        if bound >= 1 << 62:
            raise Unsound(
                f"{what} in the text codec's network could be {bound}, which does not fit: install lithify again"
            )
    for table in (network.hashed, network.bytes_, network.classes):
        if np.abs(table.astype(np.int64)).max() > ACTIVATION_MAX:
            raise Unsound("an embedding of the text codec's network is out of range: install lithify again")
    if network.head.shape[1] > HEAD_WIDTH_MAX:
        raise Unsound(
            f"the last layer of the text codec's network is wider than {HEAD_WIDTH_MAX}: install lithify again"
        )


def _largest(network: Network, name: str) -> int:
    """The largest number that a matrix could make, scaled."""
    weights = np.abs(getattr(network, f"weights_{name}").astype(np.int64))
    sums = ACTIVATION_MAX * weights.sum(axis=1)
    if weights.max() > WEIGHT_MAX or sums.max() >= 1 << 31:
        raise Unsound(
            f"the weights '{name}' of the text codec's network are too large to be summed: install lithify again"
        )
    scales = np.abs(getattr(network, f"scale_{name}").astype(np.int64))
    return int((sums * scales >> SUM_SHIFT).max()) + 1


def _narrowest(network: Network) -> int:
    return max(int(np.abs(one).max()) for one in (network.narrow_gates, network.narrow_up, network.narrow_head))
