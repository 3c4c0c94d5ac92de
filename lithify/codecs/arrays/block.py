"""One block: its class map, its values as predicted integers, what the grid cannot give back; or plain bytes."""

from dataclasses import dataclass
from math import prod

import numpy as np

from lithify.codecs.array_types import I32, I64, Bools
from lithify.codecs.arrays.base import FINER, Base, fill_smoothly, make_base, read_base
from lithify.codecs.arrays.cube import BLOCK_VALUES_MAX, FRAMED_VALUES_MAX
from lithify.codecs.arrays.films import MOST, Film, decode_film
from lithify.codecs.arrays.general import METHODS, decode_general, encode_general
from lithify.codecs.arrays.grids import K_MAX, Affine, Grid, Ranks
from lithify.codecs.arrays.network import NO_TABLE, Network
from lithify.codecs.arrays.reach import FAR, NEAR, Reach
from lithify.codecs.arrays.slabs import Integers, join_in_slabs, split_in_slabs
from lithify.codecs.arrays.specials import bits_of, classes_of, same_bits
from lithify.codecs.arrays.wire import Reader, varint, zigzag
from lithify.codecs.codec import Effort
from lithify.codecs.raw.zstd import Zstd, ZstdParams
from lithify.codecs.tried import tell_try
from lithify.errors import Corrupt, LimitExceeded, Truncated

PREDICTED, DIFFERENCES, SMOOTH, FILMED, PICTURED = range(0x10, 0x15)
LOOKING_FAR, LADDERED, COUNTED, REFINED = (1 << bit for bit in range(4))
"""How a block is predicted, as bits of its second byte."""
COUNTED_MAX = 1 << 16
"""So many different numbers are counted at most."""
OWN_NAMES = {
    PREDICTED: "predicted",
    DIFFERENCES: "differences",
    SMOOTH: "wavelet",
    FILMED: "AV1",
    PICTURED: "JPEG XL",
}
"""The methods of blocks that are not general, as people call them."""
_ALL_AT_ONCE = (DIFFERENCES, FILMED, PICTURED)
"""What does not decode one frame after another."""
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
    reach: Reach = NEAR
    laddered: bool = False
    """Whether ranks are predicted by where their values stand."""
    counted: bool = False
    """Whether it is counted how often which number occurs, where they are few."""
    network: Network | None = None
    """What refines guesses that look far."""
    base: Base | None = None
    """Only the encoder's: each block says whether it has one."""
    alone: bool = False
    """Whether there are no integers on top of the base."""
    film: Film | None = None
    """Only the encoder's, as the next: whether blocks are films."""
    pictured: bool = False
    """Whether their integers are pictures."""


def encode_block(
    values: np.ndarray,
    frames: range,
    coding: Coding,
    tolerance: Tolerance,
    effort: Effort,
    lessons: I32 = NO_TABLE,
) -> bytes | None:
    """The predicted form of a block (frames, rows, columns); None if its grid does not suit it.

    lessons  what a network can be taught by is put there (lesson × LESSON), if its guesses look far
    """
    from lithify.codecs.arrays.differences import encode_differences
    from lithify.codecs.arrays.low_bits import pack_bits
    from lithify.codecs.arrays.masks import encode_mask
    from lithify.codecs.arrays.pictures import encode_pictures
    from lithify.codecs.arrays.predict import UNCOUNTED, encode_integers

    grid = coding.grid
    if grid is None:
        return None
    classes = classes_of(values, coding.specials)
    valid = classes == 0
    found = _integers(values, valid, frames, coding, tolerance)
    if found is None:
        return None
    (narrow, low_bits, wrong), base = found
    if len(wrong) * _PATCH_SHARE > values.size:
        return None
    mask = b"" if valid.all() else encode_mask(classes, coding.lags[0])
    widths = grid.widths(narrow)
    low = (
        b"" if widths is None or low_bits is None else pack_bits(low_bits, np.where(valid, widths, 0).astype(np.uint8))
    )
    stream: bytes | None
    counted, origin = UNCOUNTED, 0
    if coding.film is not None:
        stream = coding.film.stream(narrow)
    elif coding.pictured:
        stream = encode_pictures(narrow, valid)
    elif coding.alone:
        stream = b""
    elif effort == "fast":
        stream = encode_differences(narrow, classes, coding.lags[0])
    else:
        counted = counted_of(narrow[valid]) if coding.counted and not base else UNCOUNTED
        ladder = _ladder_of(grid, coding.laddered)
        origin = int(narrow.reshape(-1)[valid.argmax()])
        network = NO_TABLE if coding.network is None else coding.network.table
        stream = encode_integers(narrow, classes, coding.lags, coding.reach, origin, ladder, counted, network, lessons)
    if stream is None:
        return None
    patches = _pack_patches(wrong, values)
    method = _method(coding, effort)
    manner = bytes([_manner(coding, bool(counted))]) if method == PREDICTED else b""
    head = [bytes([method]), manner, *map(varint, coding.lags)]
    for part in (mask, low, patches, base):
        head += [varint(len(part)), part]
    if method == PREDICTED:
        head.append(varint(zigzag(origin)))
    if counted:
        head += [varint(zigzag(counted.start)), varint(len(counted))]
    return b"".join([*head, stream])


def counted_of(integers: np.ndarray) -> range:
    """The numbers from the least to the largest, if they are few enough to be counted."""
    from lithify.codecs.arrays.predict import UNCOUNTED

    if not integers.size:
        return UNCOUNTED
    least, most = int(integers.min()), int(integers.max())
    return range(least, most + 1) if most - least < COUNTED_MAX else UNCOUNTED


def _method(coding: Coding, effort: Effort) -> int:
    if coding.film is not None:
        return FILMED
    if coding.pictured:
        return PICTURED
    if coding.alone or effort == "fast":
        return SMOOTH if coding.alone else DIFFERENCES
    return PREDICTED


def _manner(coding: Coding, counted: bool) -> int:
    """How a block is predicted."""
    bits = (LOOKING_FAR, coding.reach == FAR), (LADDERED, coding.laddered), (COUNTED, counted)
    return sum(bit for bit, is_so in (*bits, (REFINED, coding.network is not None)) if is_so)


def is_refined(body: bytes) -> bool:
    """Whether a block needs the network of its array."""
    return bool(_manner_of(body) & REFINED)


def _manner_of(body: bytes) -> int:
    """How a block is predicted; 0 for one that is not, or ends before it says so."""
    return body[1] if body[0] == PREDICTED and body[1:2] else 0


def called(body: bytes) -> str | None:
    """What people call the method of a block that is not general; None if there is none such."""
    name = OWN_NAMES.get(body[0])
    manner = _manner_of(body)
    return name and ", ".join([name, *["counted"] * bool(manner & COUNTED), *["refined"] * bool(manner & REFINED)])


def _integers(
    values: np.ndarray, valid: Bools, frames: range, coding: Coding, tolerance: Tolerance
) -> tuple[Integers, bytes] | None:
    """The integers of a block, and the base under them if any."""
    grid = coding.grid
    assert grid is not None
    if coding.base is not None:
        fine = grid.fine(values, FINER) if isinstance(grid, Affine) else None
        made = None if fine is None else make_base(fine, valid & np.isfinite(values), coding.base)
        if not isinstance(grid, Affine) or fine is None or made is None:
            return None
        under = made[1].astype(np.int64)
        integers = np.zeros_like(under) if coding.alone else _in_range(np.rint((fine - under) / FINER), valid)
        again = np.ascontiguousarray(grid.join_fine(integers * FINER + under, FINER))
        wrong = np.flatnonzero(valid & ~tolerance.kept(values, again))
        return Integers(integers.astype(np.int32), None, wrong), made[0]
    if coding.film is not None:
        filmed = _filmed(values, valid, frames, coding.film, grid, tolerance)
        return None if filmed is None else (filmed, b"")
    return split_in_slabs(values, valid, frames, grid, tolerance.kept), b""


def _filmed(
    values: np.ndarray, valid: Bools, frames: range, film: Film, grid: Grid, tolerance: Tolerance
) -> Integers | None:
    """The brightness of pictures, and where their film does not give back what it should; None: it has no form."""
    usable = valid & np.isfinite(values)
    nearest = np.where(usable, grid.split(np.where(usable, values, 0), frames).integers, 0).astype(np.float64)
    narrow = np.clip(np.rint(fill_smoothly(nearest, usable)), 0, MOST).astype(np.int32)
    stream = film.stream(narrow)
    if stream is None:
        return None
    again = decode_film(stream, (values.shape[0], values.shape[1], values.shape[2])).astype(np.int64)
    kept = tolerance.kept(values, np.ascontiguousarray(grid.join(again, None, frames)))
    return Integers(narrow, None, np.flatnonzero(valid & ~kept))


def _in_range(integers: np.ndarray, valid: Bools) -> I64:
    """What can be predicted; what cannot becomes 0, and a patch."""
    return np.where(valid & (np.abs(integers) <= K_MAX), integers, 0).astype(np.int64)


def decode_block(
    body: bytes, shape: tuple[int, int, int], frames: range, coding: Coding, upto: int | None = None
) -> np.ndarray:
    """The values of a block; of its first `upto` frames at least. Raises Truncated, Corrupt or LimitExceeded."""
    if not body:
        raise Truncated("array payload: a block has no bytes")
    if body[0] in METHODS:
        return decode_general(body[0], body[1:], shape, coding.dtype)
    if body[0] not in OWN_NAMES:
        raise Corrupt(f"array payload: a block is kept by method 0x{body[0]:02x}, which does not exist")
    return _decode_predicted(body, shape, frames, coding, upto)


def _decode_predicted(
    body: bytes, shape: tuple[int, int, int], frames: range, coding: Coding, upto: int | None
) -> np.ndarray:
    from lithify.codecs.arrays.differences import decode_differences
    from lithify.codecs.arrays.low_bits import unpack_bits
    from lithify.codecs.arrays.masks import decode_mask
    from lithify.codecs.arrays.pictures import decode_pictures
    from lithify.codecs.arrays.predict import UNCOUNTED, decode_integers

    grid, specials = coding.grid, coding.specials
    if grid is None:
        raise Corrupt("array payload: a predicted block in an array without a grid")
    reader = Reader(body)
    method = reader.byte()
    manner = reader.byte() if method == PREDICTED else 0
    if manner & ~(LOOKING_FAR | LADDERED | COUNTED | REFINED):
        raise Corrupt(f"array payload: a block is predicted in the manner 0x{manner:02x}, of which some does not exist")
    lags = (reader.varint(BLOCK_VALUES_MAX), reader.varint(BLOCK_VALUES_MAX))
    if not 1 <= lags[0] <= lags[1]:
        raise Corrupt(f"array payload: frames are predicted from those {lags} before")
    mask, low, patches, base = (reader.take(reader.varint(_LENGTH_MAX)) for _ in range(4))
    size = prod(shape)
    reach = FAR if manner & LOOKING_FAR else NEAR
    if reach.framed(*shape) > FRAMED_VALUES_MAX:
        raise LimitExceeded(f"array payload: {shape} values that look far; the limit is {FRAMED_VALUES_MAX}")
    if upto is not None and upto < shape[0] and not base and method not in _ALL_AT_ONCE:
        shape, frames = (upto, *shape[1:]), frames[:upto]  # frames are coded one after another
    classes = decode_mask(mask, shape, lags[0]) if mask else np.zeros(shape, np.uint8)
    valid = classes == 0
    if method == SMOOTH:
        if not base or reader.left:
            raise Corrupt(f"array payload: a smooth block with a base of {len(base)} bytes and {reader.left} behind it")
        decoded: I32 = np.zeros(shape, np.int32)
    elif method == FILMED:
        decoded = decode_film(reader.rest(), shape)
    elif method == PICTURED:
        decoded = decode_pictures(reader.rest(), shape)
    elif method == DIFFERENCES:
        decoded = decode_differences(reader.rest(), classes, lags[0], size)
    else:
        ladder = _ladder_of(grid, bool(manner & LADDERED))
        origin = _read_origin(reader, ladder)
        counted = _read_counted(reader, ladder) if manner & COUNTED else UNCOUNTED
        network = _network_of(coding, manner)
        decoded = decode_integers(reader.rest(), classes, lags, reach, origin, ladder, counted, network)
    if mask:
        decoded = np.where(valid, decoded, np.int32(0))
    if base:
        if not isinstance(grid, Affine):
            raise Corrupt("array payload: a base under values whose grid is not affine")
        values = grid.join_fine(decoded.astype(np.int64) * FINER + read_base(base, shape), FINER)
    else:
        widths = grid.widths(decoded)
        bits = None if widths is None else unpack_bits(low, np.where(valid, widths, 0).astype(np.uint8))
        values = join_in_slabs(decoded, bits, frames, grid, coding.dtype)
    flat = bits_of(values.reshape(-1))
    if mask:
        if classes.max() > len(specials):
            raise Corrupt(f"array payload: a special value of class {classes.max()}, there are {len(specials)}")
        table = np.concatenate((np.zeros(1, specials.dtype), specials))
        flat = np.where(valid.reshape(-1), flat, table[classes.reshape(-1)])
    _apply_patches(patches, flat, size)
    return flat.view(coding.dtype).reshape(shape)


def _read_origin(reader: Reader, ladder: I32 | None) -> int:
    """What stands around a block. Raises Corrupt or Truncated."""
    origin = reader.signed(K_MAX)
    if ladder is not None and not 0 <= origin < len(ladder):
        raise Corrupt(f"array payload: a block begins at rank {origin}, of {len(ladder)}")
    return origin


def _read_counted(reader: Reader, ladder: I32 | None) -> range:
    """The numbers that are counted. Raises Corrupt or Truncated."""
    first, count = reader.signed(K_MAX), reader.varint(COUNTED_MAX)
    least, end = (-K_MAX, K_MAX + 1) if ladder is None else (0, len(ladder))
    if not (count and least <= first and first + count <= end):
        raise Corrupt(f"array payload: {count} numbers from {first} are counted, those between {least} and {end} exist")
    return range(first, first + count)


def _network_of(coding: Coding, manner: int) -> I32:
    """The table of the network of an array, if a block wants it. Raises Corrupt."""
    if not manner & REFINED:
        return NO_TABLE
    if coding.network is None or not manner & LOOKING_FAR:
        raise Corrupt("array payload: guesses that a network refines, without one or looking near")
    return coding.network.table


def _ladder_of(grid: Grid, wanted: bool) -> I32 | None:
    """Where the values of a grid stand, if that is wanted. Raises Corrupt."""
    if not wanted:
        return None
    ladder = grid.ladder if isinstance(grid, Ranks) else None
    if ladder is None:
        raise Corrupt("array payload: values predicted by where they stand, of a grid that is no table in order")
    return ladder


def told(coded: bytes | None, values: np.ndarray) -> bytes | None:
    """The form of a block, which whoever listens is told of."""
    if coded is not None:
        tell_try(called(coded) or "", values.nbytes, len(coded))
    return coded


def smaller(predicted: bytes | None, values: np.ndarray, effort: Effort, *, race: bool) -> bytes:
    """The predicted form, or the general one where there is no other or the two are raced and it is smaller."""
    if predicted is not None and not race and len(predicted) <= values.nbytes:
        return predicted
    general = encode_general(values, effort)
    tell_try("general", values.nbytes, len(general))
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
