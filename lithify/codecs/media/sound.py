"""The samples of some frames as a payload: channels in pairs, each pair numbered and coded on its own."""

import numpy as np

from lithify import limits
from lithify.codecs.array_types import I32
from lithify.codecs.codec import Effort
from lithify.codecs.media.fields import Fields, piece, varint
from lithify.codecs.media.sound_files import CHANNELS_MAX, WIDTHS, Kind
from lithify.codecs.media.sound_samples import (
    Numbering,
    choose_numbering,
    float_scale,
    read_numbering,
    to_bytes,
    to_integers,
    to_numbers,
    to_ranks,
    write_numbering,
)
from lithify.errors import Corrupt

BY_RANK = 0xFF
"""In place of the scale of floats: they are numbered in their order."""
_FLOATS = (Kind.F32LE, Kind.F32BE)
_SCALE_MAX = 40
_PAIR = 2
_CONSTANT = 0xFF
"""In place of a preset: all samples of the pair are the least."""
_TRIED: dict[Effort, tuple[int, ...]] = {"fast": (3,), "default": (0, 1, 2), "max": (0, 1, 2, 3)}
_EXCERPT_FRAMES: dict[Effort, int] = {"fast": 0, "default": 16_384, "max": 65_536}
_EXCERPT_SHARE = 4
"""An excerpt is at most a quarter of the frames: what is shorter is tried as a whole."""
_COARSE_FROM_BITS = 15


def encode_frames(data: bytes, kind: Kind, channels: int, effort: Effort) -> bytes | None:
    """The samples of whole frames; None if they cannot be made smaller."""
    frames = to_numbers(data, kind).reshape(-1, channels)
    out = [bytes([kind]), varint(channels)]
    if kind in _FLOATS:
        scale, frames = _scaled(frames)
        out.append(bytes([scale]))
    for first in range(0, channels, _PAIR):
        pair = _encode_pair(np.ascontiguousarray(frames[:, first : first + _PAIR].T), effort)
        if pair is None:
            return None
        out.append(pair)
    return b"".join(out)


def decode_frames(fields: Fields, length: int) -> bytes:
    """The `length` bytes of samples. Raises Truncated, Corrupt, LimitExceeded."""
    number, channels = fields.byte(), fields.number(CHANNELS_MAX, "the number of channels")
    if number not in set(Kind) or not channels:
        raise Corrupt(f"samples of kind {number} in {channels} channels; there is no such thing")
    kind = Kind(number)
    if length % (WIDTHS[kind] * channels):
        raise Corrupt(f"{length} bytes are no whole frames of {channels} samples of {WIDTHS[kind]} bytes")
    scale = fields.byte() if kind in _FLOATS else BY_RANK
    if scale != BY_RANK and scale > _SCALE_MAX:
        raise Corrupt(f"floats are scaled by 2^{scale}; at most 2^{_SCALE_MAX} can be")
    frames = np.zeros((length // (WIDTHS[kind] * channels), channels), np.int32)
    for first in range(0, channels, _PAIR):
        beside = min(_PAIR, channels - first)
        frames[:, first : first + beside] = _decode_pair(fields, beside, len(frames)).T
    numbers = frames.ravel()
    return to_bytes(numbers if scale == BY_RANK else to_ranks(numbers, scale), kind)


def _scaled(frames: I32) -> tuple[int, I32]:
    """Floats as integers, if that gives each of them back; else as they are."""
    numbers = frames.ravel()
    scale = float_scale(numbers)
    if scale is not None and scale <= _SCALE_MAX:
        integers = to_integers(numbers, scale)
        if np.array_equal(to_ranks(integers, scale), numbers):
            return scale, integers.reshape(frames.shape)
    return BY_RANK, frames


# --- one pair of channels, or one channel -----------------------------------------------------------------


def _encode_pair(values: I32, effort: Effort) -> bytes | None:
    from lithify.codecs.media.sound_model import encode_sound

    numbering = choose_numbering(values)
    head = write_numbering(numbering)
    if not numbering.most:
        return head + bytes([_CONSTANT])
    centre = _centre(numbering)
    numbers = (numbering.numbered(values) - centre).astype(np.int32)
    coarse = _coarse(numbers)
    preset = _best_preset(numbers, numbering.most, centre, coarse, effort)
    stream = encode_sound(numbers, preset, -centre, numbering.most - centre, coarse)
    return None if stream is None else head + bytes([preset, coarse]) + piece(stream)


def _decode_pair(fields: Fields, channels: int, frames: int) -> I32:
    from lithify.codecs.media.sound_model import PRESETS, decode_sound

    numbering = read_numbering(fields)
    preset = fields.byte()
    if preset == _CONSTANT:
        return numbering.values(np.zeros((channels, frames), np.int64))
    coarse = fields.byte()
    if preset >= len(PRESETS) or coarse > limits.SOUND_COARSE_BITS_MAX:
        raise Corrupt(f"sound by preset {preset} and {coarse} bits less; there is no such thing")
    centre = _centre(numbering)
    if numbering.most - centre >= 1 << 31 or centre > 1 << 31:
        raise Corrupt(f"samples range from {-centre} to {numbering.most - centre}, over 32 bits")
    stream = fields.piece("the stream of a pair of channels")
    numbers = decode_sound(stream, channels, frames, preset, -centre, numbering.most - centre, coarse)
    return numbering.values(numbers.astype(np.int64) + centre)


def _centre(numbering: Numbering) -> int:
    """The number of silence, or that nearest to it."""
    if numbering.table is not None:
        return min(int(np.searchsorted(numbering.table, 0)), numbering.most)
    return min(max(-numbering.least // numbering.step, 0), numbering.most)


def _coarse(numbers: I32) -> int:
    """How many low bits the filters do without, so that most of what they are given has 16."""
    steps = np.abs(np.diff(numbers.astype(np.int64), axis=1))
    typical = int(steps.mean()) if steps.size else 0
    return min(max(0, (8 * typical).bit_length() - _COARSE_FROM_BITS), limits.SOUND_COARSE_BITS_MAX)


def _best_preset(numbers: I32, most: int, centre: int, coarse: int, effort: Effort) -> int:
    """The preset that makes an excerpt from the middle smallest."""
    from lithify.codecs.media.sound_model import encode_sound

    tried = _TRIED[effort]
    if len(tried) == 1:
        return tried[0]
    frames = numbers.shape[1]
    wanted = _EXCERPT_FRAMES[effort] // len(numbers)
    start = (frames - wanted) // 2 if frames > _EXCERPT_SHARE * wanted else 0
    excerpt = np.ascontiguousarray(numbers[:, start : start + wanted])
    streams = {preset: encode_sound(excerpt, preset, -centre, most - centre, coarse) for preset in tried}
    return min(tried, key=lambda preset: len(streams[preset] or excerpt.tobytes()))
