"""One block: its class map, its values as predicted integers, what the grid cannot give back; or plain bytes."""

from dataclasses import dataclass
from math import prod

import numpy as np

from lithify.codecs.array_types import I32, I64, U64, Bools
from lithify.codecs.arrays.base import FINER, Base, make_base, read_base
from lithify.codecs.arrays.cube import BLOCK_VALUES_MAX
from lithify.codecs.arrays.general import METHODS, decode_general, encode_general
from lithify.codecs.arrays.grids import K_MAX, Affine, Grid, Ranks
from lithify.codecs.arrays.specials import bits_of, classes_of, same_bits
from lithify.codecs.arrays.wire import Reader, varint
from lithify.codecs.codec import Effort
from lithify.codecs.raw.zstd import Zstd, ZstdParams
from lithify.errors import Corrupt, Truncated

PREDICTED, EDGED, DIFFERENCES, SMOOTH, LADDER, EDGED_LADDER = range(0x10, 0x16)
_PATCH_SHARE = 8
_LENGTH_MAX = 1 << 40
Lags = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """By how much a decoded float may differ: `by`, or `by` times its own size; 0 for not a bit."""

    by: float = 0.0
    pointwise: bool = False

    def kept(self, original: np.ndarray, decoded: np.ndarray) -> Bools:
        """Where it is kept."""
        same = same_bits(original, decoded)
        if not self.by:
            return same
        with np.errstate(all="ignore"):
            wide, again = original.astype(np.float64), decoded.astype(np.float64)
            most = np.abs(wide) * self.by if self.pointwise else self.by
            near = np.isfinite(again) & (np.abs(wide - again) <= most)
            if self.pointwise:
                near &= np.signbit(wide) == np.signbit(again)
        kept: Bools = same | near
        return kept


@dataclass(frozen=True, slots=True)
class Coding:
    """What the blocks of an array have in common."""

    dtype: np.dtype
    grid: Grid | None
    specials: np.ndarray
    lags: Lags = (1, 2)
    edged: bool = False
    laddered: bool = False
    """Whether ranks are predicted by where their values stand."""
    base: Base | None = None
    """Only the encoder's: each block says whether it has one."""
    alone: bool = False
    """Whether there are no integers on top of the base."""


def encode_block(
    values: np.ndarray, frames: range, coding: Coding, tolerance: Tolerance, effort: Effort
) -> bytes | None:
    """The predicted form of a block (frames, rows, columns); None if its grid does not suit it."""
    from lithify.codecs.arrays.differences import encode_differences
    from lithify.codecs.arrays.low_bits import pack_bits
    from lithify.codecs.arrays.masks import encode_mask
    from lithify.codecs.arrays.predict import encode_integers

    grid = coding.grid
    if grid is None:
        return None
    classes = classes_of(values, coding.specials)
    valid = classes == 0
    found = _integers(values, valid, frames, coding)
    if found is None:
        return None
    integers, low_bits, again, base = found
    wrong = np.flatnonzero(valid & ~tolerance.kept(values, again))
    if len(wrong) * _PATCH_SHARE > values.size:
        return None
    mask = b"" if valid.all() else encode_mask(classes, coding.lags[0])
    widths = grid.widths(integers)
    low = (
        b"" if widths is None or low_bits is None else pack_bits(low_bits, np.where(valid, widths, 0).astype(np.uint8))
    )
    narrow = integers.astype(np.int32)
    stream: bytes | None
    if coding.alone:
        stream = b""
    elif effort == "fast":
        stream = encode_differences(narrow, classes, coding.lags[0])
    else:
        stream = encode_integers(narrow, classes, coding.lags, coding.edged, _ladder_of(grid, coding.laddered))
    if stream is None:
        return None
    patches = _pack_patches(wrong, values)
    method = (EDGED_LADDER if coding.edged else LADDER) if coding.laddered else EDGED if coding.edged else PREDICTED
    if coding.alone or effort == "fast":
        method = SMOOTH if coding.alone else DIFFERENCES
    head = [bytes([method]), *map(varint, coding.lags)]
    for part in (mask, low, patches, base):
        head += [varint(len(part)), part]
    return b"".join([*head, stream])


def _integers(
    values: np.ndarray, valid: Bools, frames: range, coding: Coding
) -> tuple[I64, U64 | None, np.ndarray, bytes] | None:
    """The integers of a block, their low bits, the values that come back from both, and the base under them if any."""
    grid = coding.grid
    assert grid is not None
    if coding.base is not None:
        fine = grid.fine(values, FINER) if isinstance(grid, Affine) else None
        made = None if fine is None else make_base(fine, valid & np.isfinite(values), coding.base)
        if not isinstance(grid, Affine) or fine is None or made is None:
            return None
        under = made[1].astype(np.int64)
        integers = np.zeros_like(under) if coding.alone else _in_range(np.rint((fine - under) / FINER), valid)
        return integers, None, _bits_in_order(grid.join_fine(integers * FINER + under, FINER)), made[0]
    split = grid.split(values, frames)
    integers = _in_range(split.integers, valid)
    return integers, split.low, _bits_in_order(grid.join(integers, split.low, frames)), b""


def _in_range(integers: np.ndarray, valid: Bools) -> I64:
    """What can be predicted; what cannot becomes 0, and a patch."""
    return np.where(valid & (np.abs(integers) <= K_MAX), integers, 0).astype(np.int64)


def _bits_in_order(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values)


def decode_block(
    body: bytes, shape: tuple[int, int, int], frames: range, coding: Coding, upto: int | None = None
) -> np.ndarray:
    """The values of a block; of its first `upto` frames at least. Raises Truncated, Corrupt or LimitExceeded."""
    if not body:
        raise Truncated("array payload: a block has no bytes")
    if body[0] in METHODS:
        return decode_general(body[0], body[1:], shape, coding.dtype)
    if not PREDICTED <= body[0] <= EDGED_LADDER:
        raise Corrupt(f"array payload: a block is kept by method 0x{body[0]:02x}, which does not exist")
    return _decode_predicted(body, shape, frames, coding, upto)


def _decode_predicted(
    body: bytes, shape: tuple[int, int, int], frames: range, coding: Coding, upto: int | None
) -> np.ndarray:
    from lithify.codecs.arrays.differences import decode_differences
    from lithify.codecs.arrays.low_bits import unpack_bits
    from lithify.codecs.arrays.masks import decode_mask
    from lithify.codecs.arrays.predict import decode_integers

    grid, specials = coding.grid, coding.specials
    if grid is None:
        raise Corrupt("array payload: a predicted block in an array without a grid")
    reader = Reader(body)
    reader.byte()
    lags = (reader.varint(BLOCK_VALUES_MAX), reader.varint(BLOCK_VALUES_MAX))
    if not 1 <= lags[0] <= lags[1]:
        raise Corrupt(f"array payload: frames are predicted from those {lags} before")
    mask, low, patches, base = (reader.take(reader.varint(_LENGTH_MAX)) for _ in range(4))
    size = prod(shape)
    if upto is not None and upto < shape[0] and not base and body[0] != DIFFERENCES:
        shape, frames = (upto, *shape[1:]), frames[:upto]  # frames are coded one after another
    classes = decode_mask(mask, shape, lags[0]) if mask else np.zeros(shape, np.uint8)
    valid = classes == 0
    if body[0] == SMOOTH:
        if not base or reader.left:
            raise Corrupt(f"array payload: a smooth block with a base of {len(base)} bytes and {reader.left} behind it")
        decoded: I32 = np.zeros(shape, np.int32)
    elif body[0] == DIFFERENCES:
        decoded = decode_differences(reader.rest(), classes, lags[0])
    else:
        ladder = _ladder_of(grid, body[0] in (LADDER, EDGED_LADDER))
        decoded = decode_integers(reader.rest(), classes, lags, body[0] in (EDGED, EDGED_LADDER), ladder)
    integers = np.where(valid, decoded, 0).astype(np.int64)
    if base:
        if not isinstance(grid, Affine):
            raise Corrupt("array payload: a base under values whose grid is not affine")
        values = grid.join_fine(integers * FINER + read_base(base, shape), FINER)
    else:
        widths = grid.widths(integers)
        bits = None if widths is None else unpack_bits(low, np.where(valid, widths, 0).astype(np.uint8))
        values = _bits_in_order(grid.join(integers, bits, frames))
    flat = bits_of(values.reshape(-1))
    if mask:
        if classes.max() > len(specials):
            raise Corrupt(f"array payload: a special value of class {classes.max()}, there are {len(specials)}")
        table = np.concatenate((np.zeros(1, specials.dtype), specials))
        flat = np.where(valid.reshape(-1), flat, table[classes.reshape(-1)])
    _apply_patches(patches, flat, size)
    return flat.view(coding.dtype).reshape(shape)


def _ladder_of(grid: Grid, wanted: bool) -> I32 | None:
    """Where the values of a grid stand, if that is wanted. Raises Corrupt."""
    if not wanted:
        return None
    ladder = grid.ladder if isinstance(grid, Ranks) else None
    if ladder is None:
        raise Corrupt("array payload: values predicted by where they stand, of a grid that is no table in order")
    return ladder


def smaller(predicted: bytes | None, values: np.ndarray, effort: Effort, *, race: bool) -> bytes:
    """The predicted form, or the general one where there is no other or the two are raced and it is smaller."""
    if predicted is not None and not race and len(predicted) <= values.nbytes:
        return predicted
    general = encode_general(values, effort)
    return general if predicted is None or len(general) <= len(predicted) else predicted


def _pack_patches(wrong: np.ndarray, values: np.ndarray) -> bytes:
    """Places as distances from one to the next, then the bits."""
    if not len(wrong):
        return b""
    places = b"".join(map(varint, np.diff(wrong, prepend=0).tolist()))
    bits = bits_of(values.reshape(-1))[wrong]
    plain = places + bits.astype(bits.dtype.newbyteorder("<")).tobytes()
    packed = Zstd(ZstdParams(level=19)).encode_block(plain)
    return varint(len(wrong)) + varint(len(plain)) + packed


def _apply_patches(packed: bytes, flat: np.ndarray, size: int) -> None:
    """Those that lie in `flat`, of a block of `size` values that it is the begin of."""
    if not packed:
        return
    head = Reader(packed)
    count, length = head.varint(size), head.varint(12 * size)
    reader = Reader(Zstd().decode(head.rest(), shared=b"", length=length))
    at = 0
    places = np.zeros(count, np.int64)
    for index in range(count):
        at += reader.varint(size)
        places[index] = at
    if count and at >= size:
        raise Corrupt(f"array payload: a patch at {at}, behind the last of {size} values")
    bits = reader.take(count * flat.dtype.itemsize)
    reader.end()
    inside = int(np.searchsorted(places, len(flat)))
    flat[places[:inside]] = np.frombuffer(bits, flat.dtype.newbyteorder("<"))[:inside]
