"""Moving pictures for tests: a slope that drifts under a disc, in files of several formats."""

import struct
from typing import cast

import numpy as np

from lithify.codecs.array_types import U8
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.media.video_frames import find_video
from lithify.codecs.media.video_payload import Frames


def drift(frames: int, height: int, width: int, *, most: int = 255, seed: int = 1) -> U8:
    """Brightness, an array (frame, row, column) of values up to `most`: uint8 or uint16."""
    noise = np.random.default_rng(seed).integers(0, max(2, most // 24), (height, width + 2 * frames))
    rows, columns = np.mgrid[:height, : width + 2 * frames]
    ground = (rows * 3 + columns * 2) * most // (3 * height + 2 * (width + 2 * frames)) + noise
    kind = np.uint8 if most < 256 else np.uint16
    moved = [ground[:, 2 * number : 2 * number + width] for number in range(frames)]
    return cast("U8", np.minimum(np.stack(moved), most).astype(kind))


def y4m(
    frames: int = 5, height: int = 36, width: int = 44, chroma: str = "420", *, bits: int = 8, line: bytes = b"FRAME\n"
) -> bytes:
    """A Y4M file."""
    across, down = {"420": (2, 2), "422": (2, 1), "444": (1, 1), "411": (4, 1), "mono": (0, 0)}[chroma]
    suffix = f"p{bits}" if bits > 8 and chroma != "mono" else str(bits) * (bits > 8)
    most = (1 << bits) - 1
    planes = [drift(frames, height, width, most=most)]
    if across:
        planes += [drift(frames, -(-height // down), -(-width // across), most=most, seed=seed) for seed in (2, 3)]
    head = f"YUV4MPEG2 W{width} H{height} F25:1 Ip C{chroma}{suffix}\n".encode()
    return head + b"".join(line + b"".join(plane[number].tobytes() for plane in planes) for number in range(frames))


def avi(
    frames: int = 4, height: int = 18, width: int = 22, *, code: bytes = b"", bits: int = 24, rows: U8 | None = None
) -> bytes:
    """An AVI that keeps its frames as they are, with something else between them: bitmaps, or `code` says what."""
    row = -(-width * bits // 32) * 4 if not code else width * bits // 8
    pictures = drift(frames, height, row) if rows is None else rows
    bitmap = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, bits, code or bytes(4), 0, 0, 0, 0, 0)
    sound = _list(b"strl", _chunk(b"strh", b"auds" + bytes(52)) + _chunk(b"strf", bytes(18)))
    video = _list(b"strl", _chunk(b"strh", b"vids" + bytes(52)) + _chunk(b"strf", bitmap))
    header = _list(b"hdrl", _chunk(b"avih", bytes(56)) + sound + video)
    chunks = [
        _chunk(b"00wb", bytes(range(7 + number))) + _chunk(b"01db", one.tobytes())
        for number, one in enumerate(pictures)
    ]
    body = header + _list(b"movi", b"".join(chunks)) + _chunk(b"idx1", bytes(16 * frames))
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"AVI " + body


def v210_avi(frames: int = 4, height: int = 18, width: int = 44) -> bytes:
    """An AVI of words that hold three samples of 10 bits; rows are filled up to 48 pixels, 128 bytes."""
    samples = drift(frames, height, 96, most=1023).astype(np.uint32).reshape(-1, 3)
    words = samples[:, 0] | samples[:, 1] << 10 | samples[:, 2] << 20
    return avi(frames, height, width, code=b"v210", rows=words.astype("<u4").view(np.uint8).reshape(frames, -1))


def p010_avi(frames: int = 4, height: int = 16, width: int = 24) -> bytes:
    """An AVI of samples of two bytes whose lowest six bits are 0, the colours in turn."""
    samples = drift(frames, height * 3 // 2, width, most=1023).astype("<u2") << 6
    return avi(frames, height, width, code=b"P010", rows=samples.reshape(frames, -1).view(np.uint8))


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _list(name: bytes, data: bytes) -> bytes:
    return _chunk(b"LIST", name + data)


def stretch_of(data: bytes) -> Frames:
    """The frames of a short file as one stretch."""
    video = find_video(MemorySource(data))
    assert video is not None
    return Frames(video.layout, tuple(video.starts))
