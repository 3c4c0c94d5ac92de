"""A payload: a file as its arrays, each by the coder of numbers, and the rest by a general one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite, ldexp
from typing import NamedTuple

import numpy as np

from lithify import limits
from lithify.codecs.array_types import U8, Values
from lithify.codecs.arrays.containers.find import arrays_in, streams_in
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.extents import Extent, skeleton_mask
from lithify.codecs.arrays.inflated import Inflated, inflate
from lithify.codecs.arrays.layout import Kept, pack_layout, parse_layout
from lithify.codecs.arrays.skeleton import pack, unpack
from lithify.codecs.arrays.streams import pack_streams, parse_streams
from lithify.codecs.arrays.values import Bound, decode_values, encode_values
from lithify.codecs.arrays.wire import Reader, varint
from lithify.codecs.codec import Effort
from lithify.codecs.raw.block import taste
from lithify.codecs.raw.zstd import Zstd
from lithify.errors import Corrupt, Truncated

ARRAYS, INFLATED = 0x10, 0x11
"""First byte of a payload that has arrays, and of one whose deflated streams were opened before they were looked for;
below are the numbers of general methods, for the whole."""
_CLOSE = 1.1
"""A general coder is tried on the whole if pieces of it say that it may come so near: xz takes a second a megabyte."""
_LAYOUT_BYTES_MAX = 16 * limits.MIB


class Encoded(NamedTuple):
    """What became of an original."""

    payload: bytes
    decoded: bytes
    arrays: int
    """How many arrays were kept as such."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A payload taken apart, nothing of its values decoded.

    length    of the original; of the plain file, if streams were opened
    skeleton  its bytes that belong to no array, in order
    payloads  one for each of `extents`
    inflated  the streams that were opened
    """

    length: int
    extents: tuple[Extent, ...]
    payloads: tuple[bytes, ...]
    skeleton: bytes
    inflated: Inflated | None = None

    def with_holes(self) -> bytearray:
        """The original (or the plain file) with zeros for the values of its arrays."""
        out = bytearray(self.length)
        mask = skeleton_mask(self.extents, self.length)
        if np.count_nonzero(mask) != len(self.skeleton):
            raise Corrupt(f"a skeleton of {len(self.skeleton)} bytes for {np.count_nonzero(mask)} places")
        whole: U8 = np.frombuffer(out, np.uint8)
        whole[mask] = np.frombuffer(self.skeleton, np.uint8)
        return out

    def values(self, index: int) -> Values:
        """The values of one array. Raises Truncated, Corrupt or LimitExceeded."""
        extent = self.extents[index]
        return decode_values(self.payloads[index], extent.shape, extent.element.native)

    def decoded(self) -> bytes:
        """All bytes of the original, or what its contract made of it."""
        out = self.with_holes()
        for index, extent in enumerate(self.extents):
            extent.scatter(self.values(index), out)
        return bytes(out) if self.inflated is None else self.inflated.closed(out)


def encode_file(data: bytes, effort: Effort, bound: Bound | None) -> Encoded:
    """The smallest payload of a file, which is not empty, and what it decodes to.

    bound  by how much the values of those arrays that are data may differ; None: not at all
    """
    places = streams_in(data)
    plain, inflated = inflate(data, places) if places else (data, None)
    if inflated is None or not inflated.streams:
        return encode(data, arrays_in(data), effort, bound)
    inner = encode(plain, arrays_in(data, inflated=inflated, plain=plain), effort, bound)
    table, recipes = (pack_piece(piece, effort) for piece in pack_streams(inflated))
    payload = bytes([INFLATED]) + table + recipes + inner.payload
    found = Encoded(payload, data if inner.decoded == plain else inflated.closed(inner.decoded), inner.arrays)
    return min(found, _whole(data, "fast"), key=lambda one: len(one.payload))


def encode(data: bytes, variables: Sequence[Variable], effort: Effort, bound: Bound | None) -> Encoded:
    """The same of a file whose streams, if it has any, were opened.

    variables  its arrays, none sharing a byte with another (containers/find.py)
    bound      by how much the values of those that are data may differ; None: not at all
    """
    decoded = bytearray(data)
    kept: list[tuple[Extent, bytes]] = []
    for variable in variables:
        coded = _encode_array(data, variable, effort, bound if variable.data else None)
        if coded is not None:
            kept.append((variable.extent, coded.payload))
            if coded.loosened is not None:
                variable.extent.scatter(coded.loosened, decoded)
    if not kept:
        return _whole(data, effort)
    found = Encoded(_pack(data, kept, effort), bytes(decoded), len(kept))
    quickly = _whole(data, "fast")
    others = [quickly, _whole(data, effort)] if _may_win(data, quickly, found, effort) else [quickly]
    return min([found, *others], key=lambda one: len(one.payload))


def _may_win(data: bytes, quickly: Encoded, found: Encoded, effort: Effort) -> bool:
    """Whether a general coder may make the whole smaller: by what it makes of some pieces, beside zstd."""
    pieces = taste(data)
    sooner, later = len(_whole(pieces, "fast").payload), len(_whole(pieces, effort).payload)
    return len(quickly.payload) * later / sooner < _CLOSE * len(found.payload)


def _whole(data: bytes, effort: Effort) -> Encoded:
    method, packed = pack(data, effort)
    return Encoded(bytes([method]) + packed, data, 0)


class _Coded(NamedTuple):
    """The payload of one array, and what it decodes to if that is not what it was."""

    payload: bytes
    loosened: Values | None


def _encode_array(data: bytes, variable: Variable, effort: Effort, bound: Bound | None) -> _Coded | None:
    """One array, decoded again; None if its bytes are smaller elsewhere, or do not come back."""
    extent = variable.extent
    values = extent.gather(data)
    if bound is not None and extent.element.scale is not None:
        bound = _tightened(extent, values, bound, data)
    packed = encode_values(values, bound=bound, effort=effort, fills=variable.own_fills)
    raw = values.tobytes()
    plainly = Zstd(Zstd.params_for("fast", len(raw))).encode_block(raw)
    cost = len(pack_layout([Kept(extent, len(packed))]))
    if len(packed) + cost >= len(plainly):
        return None
    again = decode_values(packed, extent.shape, extent.element.native)
    if again.tobytes() == raw:
        return _Coded(packed, None)
    return None if bound is None else _Coded(packed, again)


def _tightened(extent: Extent, values: Values, bound: Bound, data: bytes) -> Bound | None:
    """What is left of a bound when values become whole numbers of their scale again; None: nothing."""
    scale = extent.element.scale
    if scale is None or bound.kind == "pwrel":
        return None
    exponent = max(scale.read(data, offset)[1] for offset in extent.offsets)
    low, high = float(values.min()), float(values.max())
    allowed = bound.value * (high - low if bound.kind == "rel" else 1.0)
    left = allowed - ldexp(0.5, exponent) - 2 * float(np.spacing(np.float32(max(abs(low), abs(high)))))
    return Bound("abs", left) if left > 0 and isfinite(left) else None


def _pack(data: bytes, kept: Sequence[tuple[Extent, bytes]], effort: Effort) -> bytes:
    extents = [extent for extent, _ in kept]
    layout = pack_layout([Kept(extent, len(packed)) for extent, packed in kept])
    whole: U8 = np.frombuffer(data, np.uint8)
    rest = whole[skeleton_mask(extents, len(data))].tobytes()
    pieces = [bytes([ARRAYS])]
    pieces += [pack_piece(layout, effort), pack_piece(rest, effort)]
    return b"".join([*pieces, *(packed for _, packed in kept)])


def pack_piece(piece: bytes, effort: Effort) -> bytes:
    """A piece of a payload: its method, its two lengths, its bytes."""
    method, packed = pack(piece, effort)
    return bytes([method]) + varint(len(piece)) + varint(len(packed)) + packed


def open_payload(payload: bytes, length: int) -> Opened:
    """Take apart the payload of an original of `length` bytes. Raises Truncated, Corrupt or LimitExceeded."""
    if payload[:1] != bytes([INFLATED]):
        return _open_plain(payload, length)
    reader = Reader(payload)
    reader.byte()
    table = _piece(reader, _LAYOUT_BYTES_MAX)
    inflated = parse_streams(table, _piece(reader, limits.CHUNK_BYTES_MAX), length)
    return replace(_open_plain(reader.rest(), inflated.plain_length), inflated=inflated)


def _open_plain(payload: bytes, length: int) -> Opened:
    if not payload:
        raise Truncated("a payload of arrays has no bytes")
    if payload[0] != ARRAYS:
        return Opened(length, (), (), unpack(payload[0], payload[1:], length))
    reader = Reader(payload)
    reader.byte()
    kept = parse_layout(_piece(reader, min(_LAYOUT_BYTES_MAX, 64 + 8 * length)), length)
    skeleton = _piece(reader, length)
    payloads = tuple(reader.take(one.payload_bytes) for one in kept)
    reader.end()
    return Opened(length, tuple(one.extent for one in kept), payloads, skeleton)


def _piece(reader: Reader, most: int) -> bytes:
    method = reader.byte()
    length = reader.varint(most)
    return unpack(method, reader.take(reader.varint(reader.left)), length)
