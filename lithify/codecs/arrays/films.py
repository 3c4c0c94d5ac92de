"""The frames of a block as a film in AV1: where errors may be large and frames repeat, it says more in fewer bits.

Whole numbers of 10 bits are the brightness of pictures, whose colours say nothing. AV1 is decoded bit for bit by its
specification, whoever wrote the decoder. A film is pieces, one for each picture, in the order of decoding.
"""

import os
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from xxhash import xxh3_64_hexdigest, xxh3_64_intdigest

from lithify.codecs.array_types import I32
from lithify.codecs.arrays.wire import Reader, varint
from lithify.codecs.media.fence import fenced, fenced_or_none
from lithify.codecs.media.libav import in_turn, libav
from lithify.codecs.reasons import give_reason
from lithify.errors import Corrupt

MOST = 1023
"""The largest number."""
COARSEST = 252
"""In quarters of what the encoder calls a constant rate factor."""
_SIDE_MIN, _SIDE_MAX = 64, 8192
_ALIGNED = 128
"""Decoders ask for rows of multiples of so many bytes, which counts against the pixels that they may ask for."""
_PRESET = 4
_FORMAT = "yuv420p10le"
_GREY = 512
_CHECK_BYTES = 4
_PIECE_BYTES_MAX = 1 << 26


@dataclass(slots=True)
class Film:
    """How coarse films are made, and those that were made already: 0 is the finest, COARSEST the coarsest.

    made  by coarseness and what the numbers hash to
    """

    coarse: int
    made: dict[tuple[int, str], bytes | None] = field(default_factory=dict, repr=False)

    def stream(self, numbers: I32) -> bytes | None:
        """The film of a block (frames, rows, columns); None if none can be made."""
        key = self.coarse, xxh3_64_hexdigest(np.ascontiguousarray(numbers).tobytes())
        if key not in self.made:
            self.made[key] = encode_film(numbers, self.coarse)
        return self.made[key]


def can_be_filmed(shape: tuple[int, ...]) -> bool:
    """Whether frames of such sides can be, and the library is there."""
    from importlib.util import find_spec

    if max(shape[1:]) > _SIDE_MAX:
        return False
    if find_spec("av") is None:
        give_reason("AV1 was not tried: PyAV is not installed: pip install 'lithify[media]'")
        return False
    return True


def encode_film(numbers: I32, coarse: int) -> bytes | None:
    """The film of a block, with the checksum of what it says; None if the encoder cannot."""
    pieces = fenced_or_none(partial(_encoded, numbers, coarse))
    if pieces is None:
        give_reason("AV1 was not tried on all: the encoder that PyAV has made no film")
        return None
    told = b"".join(varint(len(piece)) + piece for piece in pieces)
    try:
        again = _decode(told, (numbers.shape[0], numbers.shape[1], numbers.shape[2]))
    except Corrupt:
        return None
    return _check(again).to_bytes(_CHECK_BYTES, "little") + told


def decode_film(stream: bytes, shape: tuple[int, int, int]) -> I32:
    """The numbers that it says. Raises Truncated or Corrupt, and MissingExtra where no decoder is installed."""
    reader = Reader(stream)
    check = int.from_bytes(reader.take(_CHECK_BYTES), "little")
    numbers = _decode(reader.rest(), shape)
    if _check(numbers) != check:
        raise Corrupt(f"array payload: a film of {shape} says other numbers than when it was made")
    return numbers


def _check(numbers: I32) -> int:
    return int(xxh3_64_intdigest(numbers.astype("<u2").tobytes())) & 0xFFFFFFFF


def _sides(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of a picture: even, and not too few."""
    rows, columns = (max(_SIDE_MIN, side + side % 2) for side in shape[1:])
    return rows, columns


def _encoded(numbers: I32, coarse: int) -> list[bytes]:
    os.environ.setdefault("SVT_LOG", "1")  # errors only: it tells standard error how it is set up
    av = libav()
    rows, columns = _sides(numbers.shape)
    context: Any = av.CodecContext.create("libsvtav1", "w")
    context.width, context.height, context.pix_fmt = columns, rows, _FORMAT
    context.time_base, context.gop_size = Fraction(1, 25), len(numbers)
    rate = max(coarse, 4) / 4
    context.options = {"preset": str(_PRESET), "svtav1-params": f"tune=1:lp=1:keyint=-1:crf={rate}"}
    pieces = []
    with in_turn():
        context.open()
    for number, plane in enumerate(numbers):
        frame = av.VideoFrame(columns, rows, _FORMAT)
        frame.pts = number
        _write(frame, np.pad(plane, [(0, rows - plane.shape[0]), (0, columns - plane.shape[1])], mode="edge"))
        pieces += [bytes(packet) for packet in context.encode(frame)]
    return [*pieces, *(bytes(packet) for packet in context.encode(None))]


def _write(frame: Any, plane: I32) -> None:
    for index, target in enumerate(frame.planes):
        lines = np.full((target.height, target.line_size // 2), _GREY, "<u2")
        if index == 0:
            lines[:, : plane.shape[1]] = plane
        target.update(lines.tobytes())


def _decode(told: bytes, shape: tuple[int, int, int]) -> I32:
    libav()  # says by itself that it is missing; below, whatever is raised means bytes that are wrong
    reader = Reader(told)
    pieces = []
    while reader.left:
        pieces.append(reader.take(reader.varint(_PIECE_BYTES_MAX)))
    numbers = np.zeros(shape, np.int32)
    found = 0
    for frame in fenced("a decoder of AV1", lambda: _frames(pieces, shape)):
        if found == len(numbers):
            raise Corrupt(f"array payload: a film of more than {len(numbers)} pictures")
        numbers[found] = _plane(frame, shape)
        found += 1
    if found != len(numbers):
        raise Corrupt(f"array payload: a film of {found} pictures where {len(numbers)} were expected")
    return numbers


def _frames(pieces: list[bytes], shape: tuple[int, int, int]) -> list[Any]:
    av = libav()
    context: Any = av.CodecContext.create("libdav1d", "r")
    rows, columns = _sides(shape)
    wide, high = (-(-side // _ALIGNED) * _ALIGNED for side in (columns, rows))
    context.options = {"max_pixels": str(wide * high)}
    context.thread_count = 1
    frames = [frame for piece in pieces for frame in context.decode(av.Packet(piece))]
    return frames + list(context.decode(None))


def _plane(frame: Any, shape: tuple[int, int, int]) -> I32:
    rows, columns = _sides(shape)
    if frame.format.name not in (_FORMAT, "gray10le") or (frame.height, frame.width) != (rows, columns):
        found = f"{frame.width} x {frame.height} pixels of {frame.format.name}"
        raise Corrupt(f"array payload: a picture has {found}, {columns} x {rows} of {_FORMAT} were expected")
    first = frame.planes[0]
    lines = np.frombuffer(bytes(first), "<u2").reshape(-1, first.line_size // 2)
    return lines[: shape[1], : shape[2]].astype(np.int32)
