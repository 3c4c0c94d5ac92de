"""Sound without a head: raw files, and the later parts of long ones. How samples lie is guessed from how little they
change from one to the next; a wrong guess costs time and ratio, never a byte."""

import numpy as np

from lithify import limits
from lithify.codecs.array_types import I64
from lithify.codecs.media.sound_files import WIDTHS, Kind, Layout
from lithify.codecs.media.sound_samples import to_numbers

_KINDS = (Kind.S16LE, Kind.S24LE, Kind.S16BE, Kind.S24BE, Kind.S32LE, Kind.U8, Kind.F32LE)
_CHANNELS = {1: 1.0, 2: 0.97, 4: 1.03, 6: 1.03, 8: 1.03}
"""And how their costs are weighed: two channels that are nearly one cost as little taken for one; of one channel, every
second sample looks like a channel, at a higher cost."""
_PIECE_BYTES = 24 * limits.KIB  # whole frames of every width and number of channels
_BITS_PER_BYTE_MAX = 7.0
_SIGN_BITS = 1.5


def guess_sound(data: bytes) -> Layout | None:
    """How samples lie in `data`; None: it does not look like sound."""
    if len(data) < _PIECE_BYTES:
        return None
    middle = (len(data) - _PIECE_BYTES) // 2
    piece = data[middle : middle + _PIECE_BYTES]
    best, found = _BITS_PER_BYTE_MAX, None
    for kind in _KINDS:
        width = WIDTHS[kind]
        for phase in range(width):
            whole = (len(piece) - phase) // width * width
            numbers = to_numbers(piece[phase : phase + whole], kind).astype(np.int64)
            for channels, weight in _CHANNELS.items():
                bits = weight * _bits(numbers, channels) / width
                if bits < best:
                    best, found = bits, (kind, channels, (middle + phase) % width)
    if found is None:
        return None
    kind, channels, start = found
    frame = WIDTHS[kind] * channels
    return Layout(start, start + (len(data) - start) // frame * frame, kind, channels)


def _bits(numbers: I64, channels: int) -> float:
    """What a sample costs about, given the one before it in its channel."""
    steps = numbers[channels:] - numbers[:-channels]
    return float(np.log2(1 + np.abs(steps)).mean()) + _SIGN_BITS
