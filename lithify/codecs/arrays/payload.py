"""A payload: a file as its arrays, each by the coder of numbers, and the rest by a general one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite, ldexp, log10
from typing import NamedTuple

import numpy as np

from lithify import limits
from lithify.codecs.array_types import U8, Values
from lithify.codecs.arrays.bounds import rounded
from lithify.codecs.arrays.checks import CHECK_BYTES, Checks, check_of, checks_of, pack_checks, parse_checks
from lithify.codecs.arrays.containers.find import BYTES_MIN, apart
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.extents import Extent, skeleton_mask
from lithify.codecs.arrays.inflated import Inflated, inflate
from lithify.codecs.arrays.layout import Kept, pack_layout, parse_layout
from lithify.codecs.arrays.near_fills import became_missing, is_within, moved_from_fills
from lithify.codecs.arrays.pieces import Piece, Structure, structure_of
from lithify.codecs.arrays.skeleton import pack, unpack
from lithify.codecs.arrays.streams import pack_streams, parse_streams
from lithify.codecs.arrays.values import Bound, Floor, Looseness, decode_values, encode_values
from lithify.codecs.arrays.wire import Reader, varint
from lithify.codecs.codec import Effort
from lithify.codecs.raw.block import taste
from lithify.codecs.raw.zstd import Zstd
from lithify.codecs.reasons import give_reason
from lithify.codecs.tried import tell_try, trying
from lithify.errors import Corrupt, Truncated

ARRAYS, INFLATED = 0x10, 0x11
"""First byte of a payload that has arrays, and of one whose deflated streams were opened before they were looked for;
below are the numbers of general methods, for the whole."""
_CLOSE = 1.1
"""A general coder is tried on the whole if pieces of it say that it may come so near: xz takes a second a megabyte."""
_ROUNDED = 0.25
"""The mean square that rounding to whole steps may add, in squares of a step: none is off by more than half of one."""
_LAYOUT_BYTES_MAX = 16 * limits.MIB


class Encoded(NamedTuple):
    """What became of an original."""

    payload: bytes
    decoded: bytes
    arrays: int
    """How many arrays were kept as such."""
    shut: int = 0
    """How many streams of numbers could not be opened so that they close to the byte."""


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


class Wanted(NamedTuple):
    """An array to be kept as such, and by how much its values may differ; None: not at all."""

    variable: Variable
    bound: Looseness | None = None


def encode_file(data: bytes, effort: Effort, bound: Looseness | None) -> Encoded:
    """The smallest payload of a whole file, which is not empty, and what it decodes to.

    bound  by how much the values of those arrays that are data may differ; None: not at all
    """
    structure = structure_of(data)
    piece = Piece(0, len(data))
    bounds = {number: bound for number, one in enumerate(structure.variables) if one.data}
    return encode_piece(data, structure, piece, effort, bounds.get)


def encode_piece(
    data: bytes, structure: Structure, piece: Piece, effort: Effort, bound_of: Callable[[int], Looseness | None]
) -> Encoded:
    """The smallest payload of a piece of a file, and what it decodes to.

    data      the bytes of the piece
    bound_of  by how much the values of a variable may differ, by its number; None: not at all
    """
    places = structure.places(piece)
    plain, inflated = inflate(data, places) if places else (data, None)
    shut = 0 if inflated is None else inflated.shut
    if inflated is None or not inflated.streams:
        return encode(data, _wanted(structure, piece, None, len(data), bound_of), effort)._replace(shut=shut)
    inner = encode(plain, _wanted(structure, piece, inflated, len(plain), bound_of), effort)
    head = b"".join(pack_piece(part, effort) for part in pack_streams(inflated))
    payload = bytes([INFLATED]) + checked_head(head) + inner.payload
    found = Encoded(payload, data if inner.decoded == plain else inflated.closed(inner.decoded), inner.arrays)
    return min(found, _whole(data, "fast"), key=lambda one: len(one.payload))._replace(shut=shut)


def _wanted(
    structure: Structure,
    piece: Piece,
    inflated: Inflated | None,
    length: int,
    bound_of: Callable[[int], Looseness | None],
) -> list[Wanted]:
    """The arrays of a piece of `length` plain bytes, none sharing a byte with another."""
    found = [
        Wanted(replace(structure.variables[number], extent=part.extent), bound_of(number))
        for number, part in structure.parts(piece, inflated)
        if part.extent.stored_bytes >= BYTES_MIN
    ]
    apart_from = {id(one) for one in apart([one.variable for one in found], length)}
    return [one for one in found if id(one.variable) in apart_from]


def encode(data: bytes, arrays: Sequence[Wanted], effort: Effort) -> Encoded:
    """The smallest payload of a file whose streams, if it has any, were opened.

    arrays  those in it, none sharing a byte with another
    """
    decoded: bytearray | None = None
    kept: list[tuple[Extent, bytes]] = []
    for variable, bound in arrays:
        with trying(variable.known_as):
            coded = _encode_array(data, variable, effort, bound)
        if coded is not None:
            kept.append((variable.extent, coded.payload))
            if coded.loosened is not None:
                decoded = bytearray(data) if decoded is None else decoded
                variable.extent.scatter(coded.loosened, decoded)
    if not kept:
        return _whole(data, effort)
    found = Encoded(_pack(data, kept, effort), data if decoded is None else bytes(decoded), len(kept))
    quickly = _whole(data, "fast")
    others = [quickly, _whole(data, effort)] if _may_win(data, quickly, found, effort) else [quickly]
    with trying("the whole, streams opened"):
        tell_try("arrays and the rest", len(data), len(found.payload))
        for one, how in zip(others, ("general, quickly", "general"), strict=False):
            tell_try(how, len(data), len(one.payload))
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


def _encode_array(data: bytes, variable: Variable, effort: Effort, bound: Looseness | None) -> _Coded | None:
    """One array; None if its bytes are smaller elsewhere. What a bound makes of it is seen by decoding it again.

    An array that comes back exactly is not decoded here: whoever keeps the frame does so in another process anyway.
    """
    extent = variable.extent
    values = extent.gather(data)
    if bound is not None and extent.element.scale is not None:
        bound = _tightened(extent, values, bound, data)
    exact = values
    if isinstance(bound, Bound) and values.dtype.kind != "f":
        values, bound = rounded(values, bound, variable.own_fills), None
    packed = encode_values(values, bound=bound, effort=effort, fills=variable.own_fills)
    cost = len(pack_layout([Kept(extent, len(packed))]))
    if len(packed) + cost >= min(exact.nbytes, _plain_bytes(exact, data)):
        return None
    if bound is None:
        return _Coded(packed, None if values is exact else values)
    again = decode_values(packed, extent.shape, extent.element.native)
    if became_missing(exact, again, variable.own_fills).any():
        return _away_from_fills(data, variable, effort, bound)
    return _Coded(packed, None if again.tobytes() == exact.tobytes() else again)


def _away_from_fills(data: bytes, variable: Variable, effort: Effort, bound: Looseness) -> _Coded | None:
    """An array of which a bound alone would make some values fills: those are moved first, or all is exact."""
    extent, fills = variable.extent, variable.own_fills
    exact = extent.gather(data)
    moved = moved_from_fills(exact, fills, bound)
    if moved is not None:
        packed = encode_values(moved.values, bound=moved.bound, effort=effort, fills=fills)
        again = decode_values(packed, extent.shape, extent.element.native)
        if len(packed) < exact.nbytes and is_within(exact, again, fills, bound):
            return _Coded(packed, again)
    give_reason(f"{variable.known_as} is kept exactly: other values would be among its fills")
    return _encode_array(data, variable, effort, None)


def _plain_bytes(values: Values, data: bytes) -> int:
    """What the quickest coder makes of an array's bytes; where they are most of the file, the whole is tried anyway."""
    if 2 * values.nbytes > len(data):
        return values.nbytes
    raw = values.tobytes()
    return len(Zstd(Zstd.params_for("fast", len(raw))).encode_block(raw))


def _tightened(extent: Extent, values: Values, bound: Looseness, data: bytes) -> Looseness | None:
    """What is left of a bound when values become whole numbers of their scale again; None: nothing."""
    scale = extent.element.scale
    if scale is None or (isinstance(bound, Bound) and bound.kind == "pwrel"):
        return None
    exponent = max(scale.read(data, offset)[1] for offset in extent.offsets)
    low, high = float(values.min()), float(values.max())
    if isinstance(bound, Floor):
        return _raised(bound, bound.span or high - low, ldexp(1.0, exponent))
    allowed = bound.value * (high - low if bound.kind == "rel" else 1.0)
    left = allowed - ldexp(0.5, exponent) - 2 * float(np.spacing(np.float32(max(abs(low), abs(high)))))
    return Bound("abs", left) if left > 0 and isfinite(left) else None


def _raised(floor: Floor, span: float, step: float) -> Floor | None:
    """The floor that leaves room for rounding to whole steps; None: there is none, or not for so small a step in dB."""
    if floor.metric != "psnr":
        return None
    square = span * span * 10 ** (-floor.value / 10) - _ROUNDED * step * step
    return replace(floor, value=10 * log10(span * span / square), span=span) if square > 0 and span > 0 else None


def _pack(data: bytes, kept: Sequence[tuple[Extent, bytes]], effort: Effort) -> bytes:
    extents = [extent for extent, _ in kept]
    layout = pack_layout([Kept(extent, len(packed)) for extent, packed in kept])
    whole: U8 = np.frombuffer(data, np.uint8)
    rest = whole[skeleton_mask(extents, len(data))].tobytes()
    checks = pack_checks(checks_of(packed, extent.shape, extent.element.native) for extent, packed in kept)
    head = b"".join(pack_piece(piece, effort) for piece in (layout, rest, checks))
    return b"".join([bytes([ARRAYS]), checked_head(head), *(packed for _, packed in kept)])


def checked_head(head: bytes) -> bytes:
    """The pieces at the begin of a payload, behind their length and their checksum."""
    return varint(len(head)) + check_of(head).to_bytes(CHECK_BYTES, "little") + head


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
    inflated = open_streams(_head(reader), length)
    return replace(_open_plain(reader.rest(), inflated.plain_length), inflated=inflated)


def open_streams(head: bytes, length: int) -> Inflated:
    """The streams of an original of `length` bytes. Raises Truncated, Corrupt or LimitExceeded."""
    reader = Reader(head)
    table, recipes = _piece(reader, _LAYOUT_BYTES_MAX), _piece(reader, limits.CHUNK_BYTES_MAX)
    reader.end()
    return parse_streams(table, recipes, length)


class Head(NamedTuple):
    """What is in front of the arrays of a payload: the arrays, the bytes that are in none, the checksums."""

    kept: tuple[Kept, ...]
    skeleton: bytes
    checks: tuple[Checks, ...]


def open_head(head: bytes, length: int) -> Head:
    """Of an original of `length` plain bytes. Raises Truncated, Corrupt or LimitExceeded."""
    reader = Reader(head)
    kept = parse_layout(_piece(reader, min(_LAYOUT_BYTES_MAX, 64 + 8 * length)), length)
    skeleton = _piece(reader, length)
    checks = parse_checks(_piece(reader, _LAYOUT_BYTES_MAX), [one.payload_bytes for one in kept])
    reader.end()
    return Head(tuple(kept), skeleton, checks)


def _open_plain(payload: bytes, length: int) -> Opened:
    if not payload:
        raise Truncated("a payload of arrays has no bytes")
    if payload[0] != ARRAYS:
        return Opened(length, (), (), unpack(payload[0], payload[1:], length))
    reader = Reader(payload)
    reader.byte()
    head = open_head(_head(reader), length)
    payloads = tuple(reader.take(one.payload_bytes) for one in head.kept)
    reader.end()
    return Opened(length, tuple(one.extent for one in head.kept), payloads, head.skeleton)


def _head(reader: Reader) -> bytes:
    length = reader.varint(reader.left)
    reader.take(CHECK_BYTES)
    return reader.take(length)


def _piece(reader: Reader, most: int) -> bytes:
    method = reader.byte()
    length = reader.varint(most)
    return unpack(method, reader.take(reader.varint(reader.left)), length)
