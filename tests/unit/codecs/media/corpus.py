"""Small pictures and sounds, made here or written out, for tests of the media family."""

import base64
import math
import random
import struct

PHOTO = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAoHBwgHBgoICAgLCgoLDhgQDg0NDh0VFhEYIx8lJCIfIiEmKzcvJik0KSEiMEExNDk7Pj4+JS5ESU"
    "M8SDc9Pjv/2wBDAQoLCw4NDhwQEBw7KCIoOzs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozv/wAARCAAo"
    "ADADASIAAhEBAxEB/8QAGgABAQADAQEAAAAAAAAAAAAABQABAwQGB//EAB0QAAICAgMBAAAAAAAAAAAAAAABAxEEIQITMUH/xAAXAQEBAQEAAA"
    "AAAAAAAAAAAAAEBgUH/8QAHxEAAQMEAwEAAAAAAAAAAAAAAAEDBAIFISIREhQT/9oADAMBAAIRAxEAPwAXDlVIWhmTR5fDndIWhndItnnMlV79"
    "Rnt416Sm436Gdza9M8Z3foX6Ercp+R7HlVobw5lo8ljzO1sbwpnoBIcwYTc/Y+dYcLpC8MDo14cKpC0MCpaCPT8nRkganH0v6Z4wuxHpVGVCl8"
    "C+8lLlAypoxoXa0N4cLVenPjwqxvDhWgMifgw24Gx87w5loWhmVEQV+peTqKPV9Td38aJTIiC9lJO5PV8qduPOrQ3hTrWyIDIqXgw23q+x/9k="
)
"""48 × 40 pixels in colour, baseline, with halved chroma."""
THUMBNAIL = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCNl4"
    "x9lnN+gXz/wAALCAAOABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAABQb/xAAaEAACAgMAAAAAAAAAAAAAAAAABQECAyEx/9oACAEBAAA/AAV+"
    "PhTL8fAJfSNFMvpGj//Z"
)
"""16 × 14 pixels in grey."""
PROGRESSIVE = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYV"
    "pQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wgARCAAY"
    "ABgDASIAAhEBAxEB/8QAFwABAQEBAAAAAAAAAAAAAAAAAAQCA//EABcBAQEBAQAAAAAAAAAAAAAAAAQCAwX/2gAMAwEAAhADEAAAAZaIKOm+pw"
    "QOSgwRoQP/xAAXEAEBAQEAAAAAAAAAAAAAAAAAAQIR/9oACAEBAAEFAs1K6zUrrMSOP//EABsRAAEEAwAAAAAAAAAAAAAAAAABAhEhAxIT/9oA"
    "CAEDAQE/Ae1D81mqQPakn//EABgRAAMBAQAAAAAAAAAAAAAAAAABAhES/9oACAECAQE/AaZpVM6Z/8QAFBABAAAAAAAAAAAAAAAAAAAAMP/aAA"
    "gBAQAGPwIf/8QAFBABAAAAAAAAAAAAAAAAAAAAMP/aAAgBAQABPyEQAB//2gAMAwEAAgADAAAAEFAHvf/EABURAQEAAAAAAAAAAAAAAAAAABAB"
    "/9oACAEDAQE/EAsJv//EABYRAQEBAAAAAAAAAAAAAAAAABARIf/aAAgBAgEBPxDc3F//xAAXEAADAQAAAAAAAAAAAAAAAAAAAREx/9oACAEBAA"
    "E/EFRCIRNHxDYXNHRDYWf/2Q=="
)
"""24 × 24 pixels in colour, in several scans."""


# --- pictures that others wrote ---------------------------------------------------------------------------


def segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def camera_jpeg() -> bytes:
    """A photograph as cameras write it: a thumbnail in its Exif segment, a comment, and something behind its end."""
    exif = segment(0xE1, b"Exif\0\0II*\0" + b"made by a camera of no name " * 4 + THUMBNAIL + b"\0\0")
    return PHOTO[:2] + exif + segment(0xFE, b"a river, settling") + PHOTO[2:] + b"and a tail\n"


def two_jpegs() -> bytes:
    """One behind another, and things that only look like a JPEG."""
    return b"\xff\xd8\xff\xd9" + PROGRESSIVE + b"\xff\xd8\xff\xe0\0" + THUMBNAIL[:-2] + b"\xff\xd8\xff"


# --- sound ------------------------------------------------------------------------------------------------


def tone(frames: int, channels: int, loud: float, *, seed: int = 1) -> list[list[int]]:
    """Some voices and a little noise, all within `loud`."""
    chance = random.Random(seed)
    pitch = [0.01 + 0.02 * chance.random() for _ in range(3)]
    made = []
    for frame in range(frames):
        voices = sum(math.sin(frame * each) for each in pitch) / 3.5
        made.append([round(loud * (voices * (1 - 0.2 * c) + 0.01 * chance.gauss(0, 1)) * 0.9) for c in range(channels)])
    return made


def sample_bytes(frames: list[list[int]], width: int, *, big: bool = False) -> bytes:
    """Frames of signed samples."""
    order = "big" if big else "little"
    most = (1 << (8 * width - 1)) - 1
    return b"".join(
        max(-most, min(most, x)).to_bytes(width, order, signed=True)  # type: ignore[arg-type] # one of two
        for frame in frames
        for x in frame
    )


def floats(frames: list[list[int]], scale: float) -> bytes:
    """Frames of samples of 32 bits, scaled."""
    return b"".join(struct.pack("<f", x * scale) for frame in frames for x in frame)


def wav(data: bytes, channels: int, width: int, *, code: int = 1, tail: bytes = b"", head: bytes = b"") -> bytes:
    """A WAV of these samples, with chunks before and behind them."""
    form = struct.pack("<HHIIHH", code, channels, 8000, 8000 * channels * width, channels * width, 8 * width)
    body = (
        b"WAVE" + b"fmt " + struct.pack("<I", 16) + form + head + b"data" + struct.pack("<I", len(data)) + data + tail
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def aiff(data: bytes, channels: int, width: int) -> bytes:
    """An AIFF of these samples."""
    frames = len(data) // (channels * width)
    comm = struct.pack(">hIh", channels, frames, 8 * width) + bytes.fromhex("400bfa00000000000000")
    body = b"AIFF" + b"COMM" + struct.pack(">I", 18) + comm
    body += b"NAME" + struct.pack(">I", 3) + b"one\0" + b"SSND" + struct.pack(">III", len(data) + 8, 0, 0) + data
    return b"FORM" + struct.pack(">I", len(body)) + body
