"""Where the samples lie in files of sound: WAV (RIFF, RIFX, RF64), AIFF and AIFF-C, AU. Only what is uncompressed."""

from enum import IntEnum
from typing import NamedTuple

CHANNELS_MAX = 64


class Kind(IntEnum):
    """How a sample is written. The values are part of the format."""

    U8 = 0
    S8 = 1
    S16LE = 2
    S16BE = 3
    S24LE = 4
    S24BE = 5
    S32LE = 6
    S32BE = 7
    F32LE = 8
    F32BE = 9
    MU_LAW = 10
    A_LAW = 11


WIDTHS = {
    Kind.U8: 1, Kind.S8: 1, Kind.S16LE: 2, Kind.S16BE: 2, Kind.S24LE: 3, Kind.S24BE: 3, Kind.S32LE: 4, Kind.S32BE: 4,
    Kind.F32LE: 4, Kind.F32BE: 4, Kind.MU_LAW: 1, Kind.A_LAW: 1,
}  # fmt: skip
"""Bytes of a sample."""


class Layout(NamedTuple):
    """The samples of a file: frames of `channels` samples from `start` to `end`."""

    start: int
    end: int
    kind: Kind
    channels: int

    @property
    def frame_bytes(self) -> int:
        return WIDTHS[self.kind] * self.channels


_LITTLE = {1: Kind.U8, 2: Kind.S16LE, 3: Kind.S24LE, 4: Kind.S32LE}
_BIG = {1: Kind.S8, 2: Kind.S16BE, 3: Kind.S24BE, 4: Kind.S32BE}
_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_AU = {1: Kind.MU_LAW, 2: Kind.S8, 3: Kind.S16BE, 4: Kind.S24BE, 5: Kind.S32BE, 6: Kind.F32BE, 27: Kind.A_LAW}
_CHUNKS_MAX = 10_000
_HEAD_BYTES = 8


def find_sound(data: bytes, length: int | None = None) -> Layout | None:
    """The samples of a file that begins with `data`; None: it is no such file, or compressed.

    length  of the whole file; None: `data` is all of it
    """
    length = len(data) if length is None else length
    start = data[:4]
    if start in {b"RIFF", b"RIFX", b"RF64", b"BW64"} and data[8:12] == b"WAVE":
        found = _wav(data, length, "big" if start == b"RIFX" else "little")
    elif start == b"FORM" and data[8:12] in {b"AIFF", b"AIFC"}:
        found = _aiff(data, length)
    elif start == b".snd":
        found = _au(data, length)
    else:
        return None
    if found is None or not 1 <= found.channels <= CHANNELS_MAX:
        return None
    whole = (found.end - found.start) // found.frame_bytes * found.frame_bytes
    return found._replace(end=found.start + whole) if whole > 0 else None


def _wav(data: bytes, length: int, order: str) -> Layout | None:
    number = _Reader(data, order)
    at, form = 12, None
    for _ in range(_CHUNKS_MAX):
        if at + _HEAD_BYTES > len(data):
            return None
        name, size = data[at : at + 4], number(at + 4, 4)
        at += _HEAD_BYTES
        if name == b"fmt " and size >= 16:
            form = _wav_form(data, at, size, number, big=order == "big")
        elif name == b"data":
            if form is None:
                return None
            # 0 and all ones are written by programs that did not know yet; RF64 says the length elsewhere.
            end = length if size in {0, 0xFFFFFFFF} else min(at + size, length)
            return Layout(at, end, *form)
        at += size + (size & 1)
    return None


def _wav_form(data: bytes, at: int, size: int, number: "_Reader", *, big: bool) -> tuple[Kind, int] | None:
    code, channels, align, bits = number(at, 2), number(at + 2, 2), number(at + 12, 2), number(at + 14, 2)
    if code == _EXTENSIBLE and size >= 26:
        code = number(at + 24, 2)
    if not channels or align % channels:
        return None
    width = align // channels
    kind: Kind | None = None
    if code == _PCM and (bits + 7) // 8 <= width:
        kind = (_BIG if big else _LITTLE).get(width)
        kind = Kind.U8 if kind == Kind.S8 else kind
    elif code == _FLOAT and bits == 32 and width == 4:
        kind = Kind.F32BE if big else Kind.F32LE
    elif code in {_A_LAW, _MU_LAW} and width == 1:
        kind = Kind.A_LAW if code == _A_LAW else Kind.MU_LAW
    return None if kind is None else (kind, channels)


def _aiff(data: bytes, length: int) -> Layout | None:
    number = _Reader(data, "big")
    at, form, sound = 12, None, None
    for _ in range(_CHUNKS_MAX):
        if at + _HEAD_BYTES > len(data):
            break
        name, size = data[at : at + 4], number(at + 4, 4)
        at += _HEAD_BYTES
        if name == b"COMM" and size >= 18:
            form = _aiff_form(data, at, size, number, compressed=data[8:12] == b"AIFC")
        elif name == b"SSND" and size >= 8 and at + 8 <= len(data):
            sound = at + 8 + number(at, 4), min(at + size, length)
        at += size + (size & 1)
    if form is None or sound is None or sound[0] >= sound[1]:
        return None
    return Layout(*sound, *form)


def _aiff_form(data: bytes, at: int, size: int, number: "_Reader", *, compressed: bool) -> tuple[Kind, int] | None:
    channels, bits = number(at, 2), number(at + 6, 2)
    packing = data[at + 18 : at + 22].lower() if compressed and size >= 22 else b"none"
    width = (bits + 7) // 8
    kinds: dict[bytes, Kind | None] = {
        b"none": _BIG.get(width),
        b"twos": _BIG.get(width),
        b"in24": Kind.S24BE,
        b"in32": Kind.S32BE,
        b"sowt": Kind.S8 if width == 1 else _LITTLE.get(width),
        b"raw ": Kind.U8,
        b"fl32": Kind.F32BE,
        b"ulaw": Kind.MU_LAW,
        b"alaw": Kind.A_LAW,
    }
    kind = kinds.get(packing)
    return None if kind is None else (kind, channels)


def _au(data: bytes, length: int) -> Layout | None:
    if len(data) < 24:
        return None
    number = _Reader(data, "big")
    start, size, kind = number(4, 4), number(8, 4), _AU.get(number(12, 4))
    if kind is None or not 24 <= start < length:
        return None
    end = length if size == 0xFFFFFFFF else min(start + size, length)
    return Layout(start, end, kind, number(20, 4))


class _Reader:
    """Numbers of a file in its order of bytes; 0 behind its end."""

    def __init__(self, data: bytes, order: str) -> None:
        self._data, self._big = data, order == "big"

    def __call__(self, at: int, width: int) -> int:
        piece = self._data[at : at + width]
        return int.from_bytes(piece, "big" if self._big else "little") if len(piece) == width else 0
