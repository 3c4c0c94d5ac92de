"""Pictures as arrays, and the ways of keeping one: models of ours, JPEG XL or WebP without loss, filtered and packed.

An array has shape (height, width, channels), 1 to 4 channels, uint8 or uint16. Whatever a library makes of it is
decoded again and compared before it is kept.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from lithify import limits
from lithify.codecs.array_types import U8
from lithify.codecs.codec import Effort
from lithify.codecs.media import general
from lithify.codecs.media.fence import fenced, fenced_or_none
from lithify.codecs.media.jxl_size import jxl_size
from lithify.codecs.reasons import give_reason
from lithify.errors import Corrupt, LimitExceeded

Picture = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

AS_BYTES, JXL, WEBP, WEBP_GREEN, FILTERED, SHADES, NAMES, DRAWN, FEW_COLOURS = range(9)
"""How a picture is kept: its bytes packed; JPEG XL; WebP; WebP of a single channel as its green; differences packed;
numbers that are shades, numbers that are names, and pixels that were drawn, by models of ours; few colours as names."""
CODER_NAMES = {
    AS_BYTES: "as bytes",
    JXL: "JPEG XL",
    WEBP: "WebP",
    WEBP_GREEN: "WebP",
    FILTERED: "differences",
    SHADES: "shades",
    NAMES: "names",
    DRAWN: "drawn",
    FEW_COLOURS: "few colours",
}
_LIBRARIES = frozenset({JXL, WEBP, WEBP_GREEN})
_WEBP_SIDE_MAX = 16_383
_WEBP_HEAD_BYTES = 30
_JXL_EFFORTS: dict[Effort, int] = {"fast": 3, "default": 5, "max": 7}
_WEBP_EFFORTS: dict[Effort, int] = {"fast": 2, "default": 6, "max": 6}
_WEBP_LEVEL = 75
_SMALL_SAMPLES = 4096
"""Up to here everything is tried."""
_TAKEN, _DRAWN = 0.35, 0.8
"""If so many pixels equal their left neighbours, a picture may be drawn, and is surely."""
_REPEATS_ROWS = 256
"""Rows that are looked at to tell."""
_NAMES_PIXELS_MAX: dict[Effort, int] = {"fast": 1 << 16, "default": 1 << 23}
"""Mixing takes half a microsecond a pixel: larger ones are taken for drawn, but at effort `max`."""
_NAME_BITS = 8
_DRAWN_COLUMNS_MAX = 1 << 18
"""There is room for a row, 280 bytes for each of its pixels."""


class Shape(NamedTuple):
    """Of a picture."""

    height: int
    width: int
    channels: int
    octets: int
    """Bytes of a sample, 1 or 2."""

    @property
    def samples(self) -> int:
        return self.height * self.width * self.channels

    @property
    def length(self) -> int:
        """In bytes."""
        return self.samples * self.octets


def shape_of(picture: Picture) -> Shape:
    """The shape of an array."""
    height, width, channels = picture.shape
    return Shape(height, width, channels, picture.dtype.itemsize)


def check_shape(shape: Shape, what: str) -> None:
    """Raises LimitExceeded for a picture that is larger than any may be, Corrupt for one that is none."""
    if not shape.height or not shape.width or not 1 <= shape.channels <= 4 or shape.octets not in {1, 2}:
        raise Corrupt(f"{what} has {shape.width} × {shape.height} pixels of {shape.channels} channels")
    if shape.samples > limits.IMAGE_SAMPLES_MAX:
        raise LimitExceeded(f"{what} has {shape.samples} samples; the limit is {limits.IMAGE_SAMPLES_MAX}")


def encode_picture(picture: Picture, effort: Effort, coders: tuple[int, ...] = ()) -> tuple[int, bytes]:
    """The smallest of the forms by these coders, or by those that are worth trying, with the number of its coder."""
    made = []
    for coder in coders or _worth_trying(picture, effort):
        if not _takes(coder, shape_of(picture)):
            continue
        packed = fenced_or_none(partial(_ENCODERS[coder], picture, effort))
        if packed is not None:
            made.append((coder, packed))
    smallest_first = sorted(made, key=lambda one: len(one[1]))
    found = next((one for one in smallest_first if one[0] not in _LIBRARIES or _gives_back(*one, picture)), None)
    return found or (AS_BYTES, _pack_bytes(picture, effort))


def _takes(coder: int, shape: Shape) -> bool:
    """Whether a model of ours is for such a picture; libraries say so themselves."""
    if coder not in {SHADES, NAMES, DRAWN, FEW_COLOURS}:
        return True
    if coder in {DRAWN, FEW_COLOURS} and shape.width > _DRAWN_COLUMNS_MAX:
        return False
    return shape.octets == 1 and (coder in {SHADES, DRAWN} or (shape.channels == 1) == (coder == NAMES))


def decode_picture(coder: int, packed: bytes, shape: Shape) -> Picture:
    """The picture of this shape. Raises Truncated, Corrupt, LimitExceeded."""
    check_shape(shape, "a picture")
    if coder not in _DECODERS:
        raise Corrupt(f"a picture is kept by coder 0x{coder:02x}, which does not exist")
    picture = _DECODERS[coder](packed, shape)
    if shape_of(picture) != shape:
        raise Corrupt(f"a picture is {shape_of(picture)}, {shape} was expected")
    return picture


def _gives_back(coder: int, packed: bytes, picture: Picture) -> bool:
    try:
        back = np.array_equal(decode_picture(coder, packed, shape_of(picture)), picture)
    except (Corrupt, LimitExceeded):
        back = False
    if not back:
        give_reason(f"coder 0x{coder:02x} does not give back a picture of {shape_of(picture)}: another keeps it")
    return back


def coders_of_names(picture: Picture, effort: Effort) -> tuple[int, ...]:
    """For a channel whose numbers are names, not shades."""
    shape = shape_of(picture)
    if effort == "max":
        return (NAMES, DRAWN, JXL, *_by_webp(shape))
    return (NAMES,) if shape.samples <= _NAMES_PIXELS_MAX[effort] else (DRAWN,)


def _worth_trying(picture: Picture, effort: Effort) -> list[int]:
    shape = shape_of(picture)
    if effort == "max" or (effort == "default" and shape.samples <= _SMALL_SAMPLES):
        return [SHADES, DRAWN, FEW_COLOURS, NAMES, JXL, *_by_webp(shape), AS_BYTES, FILTERED]
    repeats = _repeats(picture)
    if shape.octets == 2:
        return [JXL, AS_BYTES] if repeats > _DRAWN else [JXL]
    if repeats < _TAKEN:
        return [SHADES]
    drawn = list(coders_of_names(picture, effort)) if shape.channels == 1 else [DRAWN, FEW_COLOURS]
    return drawn if repeats > _DRAWN else [SHADES, *drawn]


def _repeats(picture: Picture) -> float:
    """How many of the pixels equal their left neighbour, in some rows."""
    rows = picture[:: max(1, len(picture) // _REPEATS_ROWS)]
    if picture.shape[1] < 2:
        return 0.0
    equal = rows[:, 1:] == rows[:, :-1]
    return float(np.logical_and.reduce([equal[:, :, c] for c in range(equal.shape[2])]).mean())


def _by_webp(shape: Shape) -> tuple[int, ...]:
    """WebP, if it takes such a picture."""
    if not _fits_webp(shape):
        return ()
    return (WEBP,) if shape.channels > 1 else (WEBP_GREEN,)


def _fits_webp(shape: Shape) -> bool:
    return shape.octets == 1 and shape.channels != 2 and max(shape.height, shape.width) <= _WEBP_SIDE_MAX


def warm() -> None:
    """Run the kernels of the models once each way."""
    picture = np.zeros((2, 2, 1), np.uint8)
    for coder in (SHADES, NAMES, DRAWN):
        decode_picture(*encode_picture(picture, "default", (coder,)), shape_of(picture))
    encode_picture(picture.repeat(3, axis=2), "default", (FEW_COLOURS,))


# --- JPEG XL ----------------------------------------------------------------------------------------------


def _encode_jxl(picture: Picture, effort: Effort) -> bytes:
    import imagecodecs

    array = picture[:, :, 0] if picture.shape[2] == 1 else picture
    return bytes(imagecodecs.jpegxl_encode(array, lossless=True, effort=_JXL_EFFORTS[effort], numthreads=1))


def _decode_jxl(packed: bytes, shape: Shape) -> Picture:
    import imagecodecs

    width, height = jxl_size(packed)
    if (width, height) != (shape.width, shape.height):
        raise Corrupt(f"a JPEG XL stream has {width} × {height} pixels, {shape.width} × {shape.height} were expected")
    return _as_picture(fenced("JPEG XL", lambda: imagecodecs.jpegxl_decode(packed, numthreads=1)))


def _as_picture(array: npt.NDArray[np.uint8]) -> Picture:
    if array.dtype not in (np.uint8, np.uint16) or array.ndim not in {2, 3}:
        raise Corrupt(f"a picture came as {array.dtype} in {array.ndim} dimensions")
    return array if array.ndim == 3 else array[:, :, np.newaxis]


# --- WebP -------------------------------------------------------------------------------------------------


def _encode_webp(picture: Picture, effort: Effort) -> bytes:
    import imagecodecs

    method = _WEBP_EFFORTS[effort]
    return bytes(imagecodecs.webp_encode(picture, _WEBP_LEVEL, lossless=True, method=method, numthreads=1))


def _decode_webp(packed: bytes, shape: Shape) -> Picture:
    import imagecodecs

    _check_webp(packed, shape)
    return _as_picture(fenced("WebP", lambda: imagecodecs.webp_decode(packed, hasalpha=shape.channels == 4)))


def _check_webp(packed: bytes, shape: Shape) -> None:
    """Raises Corrupt if the stream's own header, a lossless one, announces another size."""
    bits = int.from_bytes(packed[21:25], "little")
    width, height = (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if len(packed) < 25 or packed[12:16] != b"VP8L" or (width, height) != (shape.width, shape.height):
        raise Corrupt(f"a WebP stream is no lossless picture of {shape.width} × {shape.height} pixels")


def _encode_green(picture: Picture, effort: Effort) -> bytes:
    return _encode_webp(_green(picture[:, :, 0]), effort)


def _decode_green(packed: bytes, shape: Shape) -> Picture:
    return _decode_webp(packed, shape._replace(channels=3))[:, :, 1:2]


def _green(channel: Picture) -> Picture:
    """In WebP's green nothing is taken from other channels, and the others cost nothing."""
    colours = np.zeros((*channel.shape, 3), np.uint8)
    colours[:, :, 1] = channel
    return colours


# --- models of ours ---------------------------------------------------------------------------------------


def _encode_shades(picture: Picture, effort: Effort) -> bytes:
    from lithify.codecs.media.shades_model import encode_shades

    return encode_shades(cast("U8", picture))


def _decode_shades(packed: bytes, shape: Shape) -> Picture:
    from lithify.codecs.media.shades_model import decode_shades

    picture = decode_shades(packed, shape.height, shape.width, shape.channels) if _takes(SHADES, shape) else None
    if picture is None:
        raise Corrupt(f"a stream makes shades that a picture of {shape.width} × {shape.height} pixels cannot have")
    return picture


def _encode_drawn(picture: Picture, effort: Effort) -> bytes:
    from lithify.codecs.media.drawn_model import encode_drawn

    return encode_drawn(cast("U8", picture))


def _decode_drawn(packed: bytes, shape: Shape) -> Picture:
    from lithify.codecs.media.drawn_model import decode_drawn

    picture = decode_drawn(packed, shape.height, shape.width, shape.channels) if _takes(DRAWN, shape) else None
    if picture is None:
        raise Corrupt(f"a stream draws no picture of {shape.width} × {shape.height} pixels")
    return picture


def _encode_few_colours(picture: Picture, effort: Effort) -> bytes | None:
    from lithify.codecs.media.few_colours import take_colours

    taken = take_colours(cast("U8", picture))
    if taken is None:
        return None
    colours, indices = taken
    coder, packed = encode_picture(indices[:, :, np.newaxis], effort, (DRAWN, NAMES) if effort == "max" else (DRAWN,))
    if coder not in {DRAWN, NAMES}:
        return None
    return bytes([len(colours) - 1]) + colours.tobytes() + bytes([coder]) + packed


def _decode_few_colours(packed: bytes, shape: Shape) -> Picture:
    if not _takes(FEW_COLOURS, shape):
        raise Corrupt(f"a picture of {shape.channels} channels is kept as few colours")
    behind = 1 + (1 + packed[0]) * shape.channels if packed else 0
    if len(packed) <= behind or packed[behind] not in {DRAWN, NAMES}:
        raise Corrupt(f"a picture of few colours has {len(packed)} bytes, its colours end at {behind}")
    colours = np.frombuffer(packed[1:behind], np.uint8).reshape(-1, shape.channels)
    indices = decode_picture(packed[behind], packed[behind + 1 :], shape._replace(channels=1))
    if indices.max() >= len(colours):
        raise Corrupt(f"a pixel has colour {indices.max()} of {len(colours)}")
    return np.ascontiguousarray(colours[indices[:, :, 0]])


def _encode_names(picture: Picture, effort: Effort) -> bytes:
    from lithify.codecs.media.names_model import NamesCoder

    channel = cast("U8", picture[:, :, 0])
    bits = max(1, int(channel.max()).bit_length())
    coder = NamesCoder(channel.size)
    coder.code(channel, np.zeros_like(channel), bits)
    return bytes([bits]) + coder.written()


def _decode_names(packed: bytes, shape: Shape) -> Picture:
    from lithify.codecs.media.names_model import NamesCoder

    if not _takes(NAMES, shape) or not packed or not 1 <= packed[0] <= _NAME_BITS:
        raise Corrupt(f"a picture of {shape.channels} channels has names of {packed[:1].hex() or 'no'} bits")
    channel = np.zeros((shape.height, shape.width), np.uint8)
    NamesCoder(channel.size, packed[1:]).code(channel, np.zeros_like(channel), packed[0])
    return channel[:, :, np.newaxis]


# --- the general codecs -----------------------------------------------------------------------------------


def _pack_bytes(picture: Picture, effort: Effort) -> bytes:
    return general.pack(picture.astype(_little(picture.dtype.itemsize)).tobytes(), effort)


def _unpack_bytes(packed: bytes, shape: Shape) -> Picture:
    flat = np.frombuffer(general.unpack(packed, shape.length), _little(shape.octets))
    return flat.astype(np.uint8 if shape.octets == 1 else np.uint16).reshape(shape[:3])


def _pack_filtered(picture: Picture, effort: Effort) -> bytes:
    """Each pixel less its left neighbour, the high bytes before the low."""
    difference = picture.copy()
    difference[:, 1:] -= picture[:, :-1]
    planes = difference.astype(">u2").view(np.uint8).reshape(-1, 2).T if picture.dtype.itemsize == 2 else difference
    return general.pack(np.ascontiguousarray(planes).tobytes(), effort)


def _unpack_filtered(packed: bytes, shape: Shape) -> Picture:
    octets = np.frombuffer(general.unpack(packed, shape.length), np.uint8)
    if shape.octets == 1:
        return np.cumsum(octets.reshape(shape[:3]), axis=1, dtype=np.uint8)
    words = np.ascontiguousarray(octets.reshape(2, -1).T).view(">u2").reshape(shape[:3])
    return np.cumsum(words, axis=1, dtype=np.uint16)


def _little(octets: int) -> str:
    return f"<u{octets}"


_ENCODERS: dict[int, Callable[[Picture, Effort], bytes | None]] = {
    AS_BYTES: _pack_bytes,
    JXL: _encode_jxl,
    WEBP: _encode_webp,
    WEBP_GREEN: _encode_green,
    FILTERED: _pack_filtered,
    SHADES: _encode_shades,
    NAMES: _encode_names,
    DRAWN: _encode_drawn,
    FEW_COLOURS: _encode_few_colours,
}
_DECODERS: dict[int, Callable[[bytes, Shape], Picture]] = {
    AS_BYTES: _unpack_bytes,
    JXL: _decode_jxl,
    WEBP: _decode_webp,
    WEBP_GREEN: _decode_green,
    FILTERED: _unpack_filtered,
    SHADES: _decode_shades,
    NAMES: _decode_names,
    DRAWN: _decode_drawn,
    FEW_COLOURS: _decode_few_colours,
}
