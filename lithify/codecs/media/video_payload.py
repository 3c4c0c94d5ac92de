"""A stretch of a file as a payload: its frames by a coder of moving pictures, all other bytes by a general one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import U8, Bools
from lithify.codecs.codec import Effort
from lithify.codecs.media import general
from lithify.codecs.media.fields import Fields, piece, varint
from lithify.codecs.media.video_coders import Coded, Form, coders_for, decode_pictures, encode_pictures, form_of
from lithify.codecs.media.video_planes import (
    PLANES_MAX,
    SIDE_MAX,
    Grid,
    Layout,
    Samples,
    fits_words,
    in_words,
    is_plain,
    planar,
    put_samples,
    take_samples,
)
from lithify.codecs.reasons import give_reason
from lithify.errors import Corrupt, LimitExceeded

FRAMES = 0x10
"""First byte of a payload that is frames and the rest; below stand the methods of `general`."""
_TWO_OCTETS, _COLOURED, _PLAIN, _REGULAR, _WORDS, _SHIFTED = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_FORM = _TWO_OCTETS | _COLOURED | _PLAIN | _REGULAR | _WORDS | _SHIFTED
_FRAMES_MAX = 1 << 20
_BITS_MAX = 16
_SHIFT_MAX = 7
_TRIED_FRAMES = 8
"""Of a stretch, from its middle: what coders make of them says which one codes all."""
_DOUBTFUL, _FLAT = 0.9, 0.02
"""Of the stretch: what is not much smaller, or nearly nothing, is compared with what the general codecs make of it."""


class Frames(NamedTuple):
    """Where the frames of a stretch lie, and what they are like."""

    layout: Layout
    starts: tuple[int, ...]

    def holes(self, length: int) -> Bools:
        """Which of the `length` bytes are no samples."""
        mask = np.ones(length, np.bool_)
        inside = self.layout.covered()
        for at in self.starts:
            mask[at : at + self.layout.length][inside] = False
        return mask


def pack_stretch(data: bytes, frames: Frames | None, effort: Effort, coders: tuple[int, ...] = ()) -> bytes:
    """The smallest payload of a stretch that is found, by one of these coders, or of those that are worth trying."""
    made = None if frames is None else _pack_frames(data, frames, effort, coders)
    if made is None:
        return general.pack(data, effort)
    if _FLAT * len(data) < len(made) < _DOUBTFUL * len(data) or coders:
        return made
    return min(made, general.pack(data, effort), key=len)


def unpack_stretch(payload: bytes, length: int) -> bytes:
    """The stretch of `length` bytes in a payload of at least one. Raises Truncated, Corrupt, LimitExceeded."""
    if payload[0] != FRAMES:
        return general.unpack(payload, length)
    fields = Fields(payload[1:])
    coder, form = fields.byte(), fields.byte()
    if form & ~_FORM:
        raise Corrupt(f"frames have form 0x{form:02x}, which does not exist")
    layout = _read_layout(fields, form, length)
    frames = Frames(layout, _read_starts(fields, form, layout, length))
    bits = fields.number(_BITS_MAX, "the bits of a sample")
    shift = fields.number(_BITS_MAX - 1, "the bits below a sample") if form & _SHIFTED else 0
    told = Form(tuple((grid.rows, grid.columns) for grid in layout.grids), bits)
    if told.octets != layout.octets:
        raise Corrupt(f"samples of {bits} bits are kept in {layout.octets} bytes")
    head = fields.piece("the head of pictures")
    coded = Coded(head, [fields.piece("a picture") for _ in frames.starts])
    planes = decode_pictures(coder, coded, told, len(frames.starts))
    out = np.zeros(length, np.uint8)
    for number, at in enumerate(frames.starts):
        one = out[at : at + layout.length].reshape(1, -1)
        put_samples([plane[number : number + 1] << shift for plane in planes], one, layout)
    holes = frames.holes(length)
    out[holes] = np.frombuffer(general.unpack(fields.rest(), int(np.count_nonzero(holes))), np.uint8)
    return out.tobytes()


# --- packing ------------------------------------------------------------------------------------------


def _pack_frames(data: bytes, frames: Frames, effort: Effort, coders: tuple[int, ...]) -> bytes | None:
    """By the coder that makes a few frames of the middle smallest; None if none can have them."""
    rows = _rows(data, frames)
    if frames.layout.words and not fits_words(rows):
        give_reason("words of v210 have bits set that belong to no sample")
        return None
    planes = take_samples(rows, frames.layout)
    shift = _shift(planes)
    planes = [plane >> shift for plane in planes]
    form = form_of(planes)
    fitting = [one for one in coders_for(form) if not coders or one[0] in coders]
    if len(fitting) > 1:
        middle = max(0, (len(frames.starts) - _TRIED_FRAMES) // 2)
        some = [plane[middle : middle + _TRIED_FRAMES] for plane in planes]
        fitting.sort(key=lambda one: _size(encode_pictures(one[0], some, form._replace(bits=one[1]), effort)))
    for coder, bits in fitting:
        coded = encode_pictures(coder, planes, form._replace(bits=bits), effort)
        if coded is not None:
            return _written(data, frames, coder, _Bits(bits, shift), coded, effort)
    give_reason(f"no coder of moving pictures takes planes of {form.shapes} in {form.bits} bits")
    return None


class _Bits(NamedTuple):
    """What a coder is told of samples, and how many zeros they have below that."""

    told: int
    shift: int


def _shift(planes: Sequence[Samples]) -> int:
    """How many of the lowest bits of all samples of two bytes are 0, as P010 has them; at most those above a byte."""
    if planes[0].dtype == np.uint8:
        return 0
    used = 0
    for plane in planes:
        used |= int(np.bitwise_or.reduce(plane, axis=None))
    return min((used & -used).bit_length() - 1, _SHIFT_MAX) if used else 0


def _size(coded: Coded | None) -> float:
    return float("inf") if coded is None else sum(map(len, coded.pictures))


def _rows(data: bytes, frames: Frames) -> U8:
    """The bytes of the frames, an array (frame, byte)."""
    octets = np.frombuffer(data, np.uint8)
    return np.stack([octets[at : at + frames.layout.length] for at in frames.starts])


def _written(data: bytes, frames: Frames, coder: int, bits: _Bits, coded: Coded, effort: Effort) -> bytes:
    layout, gaps = frames.layout, _gaps(frames)
    plain, regular = is_plain(layout), len(set(gaps[1:])) <= 1
    form = _TWO_OCTETS * (layout.octets == 2) | _COLOURED * layout.coloured | _PLAIN * plain | _REGULAR * regular
    form |= _WORDS * layout.words | _SHIFTED * bool(bits.shift)
    out = [bytes([FRAMES, coder, form]), _written_layout(layout, plain=plain), varint(len(gaps))]
    out += map(varint, gaps[:2] if regular else gaps)
    out += [varint(bits.told), *([varint(bits.shift)] if bits.shift else [])]
    out += [piece(coded.head), *map(piece, coded.pictures)]
    rest = np.frombuffer(data, np.uint8)[frames.holes(len(data))].tobytes()
    return b"".join([*out, general.pack(rest, effort)])


def _gaps(frames: Frames) -> list[int]:
    """Bytes before each frame, behind the one before it."""
    ends = [0, *(at + frames.layout.length for at in frames.starts)]
    return [at - end for at, end in zip(frames.starts, ends, strict=False)]


def _written_layout(layout: Layout, *, plain: bool) -> bytes:
    if layout.words:
        return varint(layout.grids[0].rows) + varint(layout.grids[0].columns)
    out = [varint(len(layout.grids))]
    for grid in layout.grids:
        out += [varint(grid.rows), varint(grid.columns)]
        if not plain:
            out += [varint(grid.start), varint(grid.step), varint(2 * abs(grid.stride) + (grid.stride < 0))]
    return b"".join(out if plain else [*out, varint(layout.length)])


# --- reading ------------------------------------------------------------------------------------------


def _read_layout(fields: Fields, form: int, length: int) -> Layout:
    octets, coloured, plain = 2 if form & _TWO_OCTETS else 1, bool(form & _COLOURED), bool(form & _PLAIN)
    if form & _WORDS:
        rows, columns = (fields.number(SIDE_MAX, what) for what in ("a height", "a width"))
        return _sound(in_words(rows, columns), length)
    grids = []
    for _ in range(fields.number(PLANES_MAX, "the number of planes")):
        rows, columns = (fields.number(SIDE_MAX, what) for what in ("a height", "a width"))
        places = (fields.number(2 * length, "a place in a frame") for _ in range(3))
        start, step, stride = (0, 0, 0) if plain else places
        grids.append(Grid(start, rows, columns, step, -(stride // 2) if stride % 2 else stride // 2))
    if plain:
        layout = planar([(grid.rows, grid.columns) for grid in grids], octets)._replace(coloured=coloured)
    else:
        layout = Layout(fields.number(length, "the length of a frame"), octets, tuple(grids), coloured)
    return _sound(layout, length)


def _sound(layout: Layout, length: int) -> Layout:
    if layout.length > length or not layout.is_sound():
        raise Corrupt(f"frames of {layout.length} bytes in {length} are laid out as {layout.grids}")
    return layout


def _read_starts(fields: Fields, form: int, layout: Layout, length: int) -> tuple[int, ...]:
    count = fields.number(min(_FRAMES_MAX, length // layout.length), "the number of frames")
    if not count:
        raise Corrupt("a stretch of frames has none")
    told = min(count, 2) if form & _REGULAR else count
    said = [fields.number(length, "the bytes before a frame") for _ in range(told)]
    gaps = said + said[1:] * (count - len(said))
    starts, at = [], 0
    for gap in gaps:
        starts.append(at + gap)
        at += gap + layout.length
    if at > length:
        raise LimitExceeded(f"frames end at byte {at} of {length}")
    return tuple(starts)
