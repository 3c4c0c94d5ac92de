"""PNGs: every depth, colour type and filter, whoever deflated them, and every byte of the file again."""

import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.media import general
from lithify.codecs.media.fields import piece, varint
from lithify.codecs.media.png import PngCodec
from lithify.codecs.media.png_chunks import Header, put_png_together, take_png_apart
from lithify.codecs.media.png_layout import passes, row_bytes
from lithify.codecs.media.png_rows import to_picture, to_plain
from lithify.codecs.media.whole_file import EffortParams
from lithify.errors import BadBytes
from tests.examples import examples
from tests.unit.codecs.media import corpus
from tests.unit.codecs.media.corpus import PNGS, palette, png, png_chunk

EXAMPLES = examples(60, "MEDIA_EXAMPLES")
OPENED = 0x10
KINDS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8), (4, 8), (4, 16)]
KINDS += [(6, 8), (6, 16)]
"""Colour types and depths: all there are."""


def round_trip(data: bytes, effort: str = "default") -> bytes:
    payload = PngCodec(EffortParams(effort)).encode_file(data)
    assert data == PngCodec().decode(payload, shared=b"", length=len(data))
    return payload


def rows_of(header: Header, seed: int) -> bytes:
    """Rows of noise and flat stretches, each with some filter."""
    chance = random.Random(seed)
    out = bytearray()
    for one in passes(header):
        size = row_bytes(header, one.width)
        spare = 8 * size - one.width * header.channels * header.depth
        for _ in range(one.height):
            # Bits behind the end of a row are zero before they are filtered, so such rows are not filtered.
            out.append(chance.randrange(5) if not spare else 0)
            row = bytearray(chance.choice([chance.randbytes(size), bytes([chance.randrange(256)]) * size]))
            row[-1] &= 0xFF << spare & 0xFF
            out += row
    return bytes(out)


# --- files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("effort", ["fast", "default", "max"])
@pytest.mark.parametrize("number", range(len(PNGS)))
def test_files_become_smaller_and_come_back(number: int, effort: str) -> None:
    payload = round_trip(PNGS[number], effort)
    assert OPENED == payload[0]
    assert len(payload) < (1 if effort == "fast" else 0.9) * len(PNGS[number])


@settings(max_examples=3 * EXAMPLES, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.tuples(st.integers(1, 18), st.integers(1, 18)),
    st.booleans(),
    st.integers(0, 9),
    st.sampled_from([1, 7, 300]),
    st.integers(0, 1000),
)
def test_every_sort_of_png_comes_back(
    kind: tuple[int, int], size: tuple[int, int], interlaced: bool, level: int, cut: int, seed: int
) -> None:
    (colour, depth), (width, height) = kind, size
    header = Header(width, height, depth, colour, interlaced)
    before = palette(min(1 << depth, 200), opaque=bool(seed & 1)) if colour == 3 else b""
    rows = rows_of(header, seed)
    data = png(width, height, depth, colour, rows, interlaced=interlaced, before=before, level=level, cut=cut)
    found = to_picture(rows, header)

    assert found is not None
    assert rows == to_plain(*found, header).tobytes()
    round_trip(data, "fast")


def test_a_drawing_of_some_size_is_much_smaller_than_its_png() -> None:
    rows = b"".join(b"\0" + bytes(c for x in range(200) for c in (x // 25 * 30, y // 20 * 25, 90)) for y in range(160))
    data = png(200, 160, 8, 2, rows)
    payload = round_trip(data)
    assert OPENED == payload[0]
    assert len(payload) < 0.7 * len(data)


@pytest.mark.parametrize("strategy", [zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED])
def test_other_ways_of_deflating_come_back(strategy: int) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 15, 9, strategy)
    rows = rows_of(Header(60, 50, 8, 2, False), 5)
    image = packer.compress(rows) + packer.flush()
    usual = zlib.compress(rows, 6)
    data = png(60, 50, 8, 2, rows).replace(png_chunk(b"IDAT", usual), png_chunk(b"IDAT", image))
    assert image in data
    round_trip(data)


def test_a_file_with_something_behind_its_stream_and_a_wrong_sum_comes_back() -> None:
    rows = rows_of(Header(30, 30, 8, 0, False), 5)
    image = zlib.compress(rows)
    for changed in (image + b"more", image[:-4] + b"\1\2\3\4", image[:-1], image[:-4], b"\x08\x1d" + image[2:], b""):
        data = png(30, 30, 8, 0, rows).replace(png_chunk(b"IDAT", image), png_chunk(b"IDAT", changed))
        round_trip(data)


def test_an_animated_png_is_left_to_the_general_codecs() -> None:
    data = PNGS[0].replace(b"\0\0\0\x0aIDAT", b"")
    animated = data[:33] + png_chunk(b"acTL", struct.pack(">II", 2, 0)) + data[33:]
    assert take_png_apart(animated) is None
    assert OPENED != round_trip(animated)[0]


def test_bits_behind_the_end_of_a_row_are_kept() -> None:
    rows = b"".join(b"\0" + bytes([y * 37 % 256, 0xFF]) for y in range(40))
    round_trip(png(9, 40, 1, 0, rows))


def test_every_beginning_of_a_file_comes_back() -> None:
    for data in PNGS:
        for end in range(1, len(data), 29):
            round_trip(data[:end], "fast")


def test_files_with_changed_bytes_come_back() -> None:
    chance = random.Random(2)
    for _ in range(3 * EXAMPLES):
        data = bytearray(chance.choice(PNGS))
        at = chance.randrange(8, len(data))
        data[at] ^= 1 << chance.randrange(8)
        round_trip(mended(bytes(data)), "fast")


def mended(data: bytes) -> bytes:
    """The same with right checksums, so that damage is seen by what lies behind them."""
    out, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + size > len(data):
            break
        out += png_chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + size])
        at += 12 + size
    return bytes(out) + data[at:]


@pytest.mark.parametrize("size", [(0, 5), (1 << 31, 1 << 31), (60_000, 60_000), (1, 1 << 24), (3, 17)])
def test_a_header_that_says_another_size_does_no_harm(size: tuple[int, int]) -> None:
    rows = rows_of(Header(16, 16, 8, 0, False), 1)
    data = png(16, 16, 8, 0, rows)
    assert put_png_together(take_png_apart(data) or pytest.fail("it is a PNG")) == data
    wrong = mended(data[:16] + struct.pack(">II", *size) + data[24:])
    round_trip(wrong)


# --- what is refused ----------------------------------------------------------------------------------

IHDR = b"IHDR" + piece(struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
HUGE = b"IHDR" + piece(struct.pack(">IIBBBBB", 60_000, 60_000, 16, 6, 0, 0, 0))


def payload(flags: int, rest: bytes, *more: bytes) -> bytes:
    """A payload of a PNG; `rest` is what its writer says of the file."""
    whole = b"\x78\x9c" + piece(b"") + rest
    return bytes([OPENED, flags]) + varint(len(whole)) + piece(general.pack(whole, "fast")) + b"".join(more)


ENDS = b"\1\0\x20\x20\1IEND\0"
WRONG = {
    "no flags": payload(0x40, b"\1" + IHDR + ENDS),
    "colours without pixels": payload(2, b"\1" + IHDR + ENDS),
    "no recipe": payload(1, b"\1" + IHDR + ENDS),
    "pixels without end": payload(1, b"\1" + HUGE + ENDS, piece(b"\0"), piece(b"\0"), b"\1\xff\x0a"),
    "no header": payload(1, b"\0" + ENDS, piece(b"\0"), piece(b"\0"), b"\1\xff\x0a"),
    "colours of no palette": payload(3, b"\1" + IHDR + ENDS, piece(b"\0"), piece(b"\0" + bytes(8)), b"\1\xff\x0a"),
    "a filter that is none": payload(
        1, b"\1" + IHDR + ENDS, piece(b"\0"), piece(b"\0" + b"\7" * 8), b"\0\0" + bytes(64)
    ),
    "a recipe that is none": payload(
        1, b"\1" + IHDR + ENDS, piece(b"\x1f"), piece(b"\0" + bytes(8)), b"\0\0" + bytes(64)
    ),
    "plain bytes without end": payload(0, b"\1" + IHDR + ENDS, piece(b"\0"), varint(1 << 50)),
    "no cuts": payload(1, b"\1" + IHDR + b"\0\0", piece(b"\0")),
    "cuts beyond the file": payload(1, b"\1" + IHDR + b"\x7f\0\x7f\x7f", piece(b"\0")),
    "chunks without end": payload(1, varint(1 << 50)),
}


@pytest.mark.parametrize("name", WRONG)
def test_payloads_that_lie_are_refused(name: str) -> None:
    with pytest.raises(BadBytes):
        PngCodec().decode(WRONG[name], shared=b"", length=150)


def test_what_is_no_png_has_no_estimate() -> None:
    assert PngCodec.probe(corpus.PHOTO, 500, "default") is None
    assert PngCodec.facts.too_long(limits.PART_BYTES + 1)
    assert PngCodec.probe(PNGS[0], len(PNGS[0]), "default") is not None
