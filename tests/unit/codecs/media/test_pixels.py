"""Pictures that are not compressed: found in files of every format, kept by every coder, and every byte again."""

import random
import struct
import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.codec import EFFORTS, Effort
from lithify.codecs.media import pictures
from lithify.codecs.media.fields import piece, varint
from lithify.codecs.media.packbits import close_strips, open_strips
from lithify.codecs.media.pictures import (
    AS_BYTES,
    DRAWN,
    FEW_COLOURS,
    FILTERED,
    JXL,
    NAMES,
    SHADES,
    WEBP,
    WEBP_GREEN,
    Picture,
    Shape,
    coders_of_names,
    decode_picture,
    encode_picture,
    shape_of,
)
from lithify.codecs.media.pixel_files import find_packed_strips, find_pixels
from lithify.codecs.media.pixels import Pixels
from lithify.codecs.media.video_guess import guess_planes
from lithify.codecs.media.whole_file import EffortParams
from lithify.codecs.reasons import reasons_given
from lithify.errors import BadBytes, Corrupt, LimitExceeded
from tests.examples import examples
from tests.unit.codecs.arrays.files import smooth, tiff
from tests.unit.codecs.media import corpus
from tests.unit.codecs.media.corpus import row_bytes, slope

EXAMPLES = examples(60, "MEDIA_EXAMPLES")
PICTURES = 0x10
CODERS = {AS_BYTES, JXL, WEBP, WEBP_GREEN, FILTERED, SHADES, NAMES, DRAWN}
OURS = {SHADES, NAMES, DRAWN}


def round_trip(data: bytes, effort: str = "default") -> bytes:
    payload = Pixels(EffortParams(effort)).encode_file(data)
    assert data == Pixels().decode(payload, shared=b"", length=len(data))
    return payload


def picture(height: int, width: int, channels: int, octets: int, seed: int = 1) -> Picture:
    rows = slope(height, width, channels, (1 << 8 * octets) - 1, seed=seed)
    return as_picture(np.array(rows).ravel().astype(f"u{octets}").tobytes(), Shape(height, width, channels, octets))


def as_picture(data: bytes, shape: Shape) -> Picture:
    return decode_picture(AS_BYTES, b"\0" + data, shape)


# --- coders -------------------------------------------------------------------------------------------


@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 4), st.sampled_from([1, 2]), st.data())
def test_any_picture_comes_back_from_every_coder_that_takes_it(
    height: int, width: int, channels: int, octets: int, data: st.DataObject
) -> None:
    noise = data.draw(st.binary(min_size=0, max_size=40)) or b"\0"
    shape = Shape(height, width, channels, octets)
    flat = (noise * (shape.length // len(noise) + 1))[: shape.length]
    one = as_picture(flat, shape)
    coder = data.draw(st.sampled_from(sorted(CODERS)))

    assert np.array_equal(one, decode_picture(*encode_picture(one, "fast", (coder,)), shape))


@pytest.mark.parametrize("coder", sorted(CODERS - {WEBP}))
def test_each_coder_makes_a_slope_smaller(coder: int) -> None:
    one = picture(40, 50, 1, 1)
    used, packed = encode_picture(one, "default", (coder,))
    assert coder == used
    assert len(packed) < 0.95 * one.size


def test_photographs_are_kept_as_shades_and_drawings_as_such() -> None:
    drawn: Picture = np.repeat(np.repeat(np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5, 30, 0), 30, 1)
    assert SHADES == encode_picture(picture(90, 90, 3, 1), "default")[0]
    assert JXL == encode_picture(picture(90, 90, 3, 2), "default")[0]
    assert DRAWN == encode_picture(drawn, "default")[0]
    chance = np.random.default_rng(1)
    glyphs = chance.integers(0, 250, (40, 8, 5, 3)).astype(np.uint8)
    page: Picture = np.full((120, 200, 3), 250, np.uint8)
    for number, glyph in enumerate(chance.integers(0, 40, 150)):
        y, x = divmod(number, 25)
        page[20 * y + 3 : 20 * y + 11, 8 * x + 1 : 8 * x + 6] = glyphs[glyph]
    coder, packed = encode_picture(page, "default")
    assert DRAWN == coder
    assert len(packed) < len(encode_picture(page, "default", (WEBP,))[1])


def test_few_colours_are_told_once() -> None:
    chance = np.random.default_rng(2)
    colours = chance.integers(0, 256, (60, 3)).astype(np.uint8)
    drawn: Picture = np.kron(colours[chance.integers(0, 60, (24, 24))], np.ones((5, 9, 1), np.uint8))
    assert FEW_COLOURS == encode_picture(drawn, "default")[0]
    many: Picture = np.arange(300 * 3, dtype=np.uint16).reshape(10, 30, 3).astype(np.uint8)
    many[:, :, 0] = np.arange(300).reshape(10, 30) // 256
    assert AS_BYTES == encode_picture(many, "default", (FEW_COLOURS,))[0]


def test_a_library_that_gives_back_other_pixels_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    one = picture(90, 90, 1, 1)
    monkeypatch.setitem(pictures._DECODERS, JXL, lambda packed, shape: one + 1)
    coder, packed = encode_picture(one, "default", (JXL,))
    assert AS_BYTES == coder
    assert np.array_equal(one, decode_picture(coder, packed, shape_of(one)))


def test_names_in_no_order_are_kept_by_the_model_of_names() -> None:
    chance = np.random.default_rng(1)
    tiles = chance.integers(0, 200, (12, 12)).astype(np.uint8)
    names: Picture = np.kron(tiles, np.ones((9, 7), np.uint8))[:, :, np.newaxis]
    for effort in EFFORTS[1:]:
        assert NAMES == encode_picture(names, effort, coders_of_names(names, effort))[0]


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("octets", [1, 2])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_any_picture_has_a_coder_at_every_effort(channels: int, octets: int, effort: Effort) -> None:
    for one in (picture(70, 80, channels, octets), picture(3, 1, channels, octets), picture(1, 1, channels, octets)):
        still = np.zeros_like(one)
        for shown in (one, still):
            assert np.array_equal(shown, decode_picture(*encode_picture(shown, effort), shape_of(shown)))


@pytest.mark.parametrize("coder", sorted(OURS))
def test_any_bytes_are_some_picture_of_ours_or_refused(coder: int) -> None:
    chance = random.Random(coder)
    for length in (1, 12, 30, 200):
        try:
            found = decode_picture(coder, chance.randbytes(length), Shape(9, 9, 1, 1))
        except BadBytes:
            continue
        assert (9, 9, 1) == found.shape


@pytest.mark.parametrize("coder", [*sorted(CODERS - OURS), 9])
def test_streams_of_noise_are_no_pictures(coder: int) -> None:
    chance = random.Random(coder)
    for length in (0, 1, 12, 30, 200):
        with pytest.raises(BadBytes):
            decode_picture(coder, chance.randbytes(length), Shape(9, 9, 1, 1))


def test_a_picture_of_another_size_is_refused_before_it_is_decoded() -> None:
    for coder in (JXL, WEBP_GREEN, FILTERED):
        _, packed = encode_picture(picture(20, 20, 1, 1), "fast", (coder,))
        for shape in (Shape(20, 21, 1, 1), Shape(20, 20, 3, 1), Shape(20, 20, 1, 2), Shape(2000, 2, 1, 1)):
            with pytest.raises(BadBytes):
                decode_picture(coder, packed, shape)
    with pytest.raises(LimitExceeded):
        decode_picture(JXL, b"", Shape(1 << 20, 1 << 20, 1, 1))
    with pytest.raises(Corrupt):
        decode_picture(JXL, b"", Shape(0, 5, 1, 1))


# --- files --------------------------------------------------------------------------------------------

GREY = row_bytes(slope(40, 30, 1, 255))
FILES = {
    "BMP": (corpus.bmp(), 1),
    "TIFF, big-endian, signed": (corpus.tiff(24, 20), 2),
    "TIFF, little-endian": (corpus.tiff(40, 30, big=False, signed=False), 2),
    "DICOM of 16 bits": (corpus.dicom(), 1),
    "DICOM of 8 bits": (corpus.dicom(bits=8), 1),
    "Y4M": (corpus.y4m(), 2),
    "PGM": (b"P5\n#by hand\n30 40\n255\n" + GREY + b"behind", 1),
    "PPM of 16 bits": (b"P6 9 8 65535\n" + row_bytes(slope(8, 9, 3, 60_000), 2, big=True), 1),
}


@pytest.mark.parametrize("name", FILES)
def test_the_pictures_of_a_file_are_found_and_the_file_comes_back(name: str) -> None:
    data, count = FILES[name]
    regions = find_pixels(data)

    assert count <= len(regions)
    assert sum(region.height * region.width for region in regions) >= 64
    round_trip(data)
    round_trip(data, "max")


def test_a_picture_of_some_size_is_smaller_than_the_general_codecs_make_it() -> None:
    data = b"P5 120 90 255\n" + row_bytes(slope(90, 120, 1, 255))
    payload = round_trip(data)
    assert PICTURES == payload[0]
    assert len(payload) < 0.9 * len(Pixels().encode_file(b"P4" + data[2:]))


def test_frames_of_a_dicom_file_are_found_behind_sequences_that_have_pixels_too() -> None:
    (region,) = find_pixels(corpus.dicom(11, 9, 3))
    assert (33, 9, 1, 2, True) == (region.height, region.width, region.channels, region.octets, region.signed)


def test_every_beginning_of_a_file_comes_back() -> None:
    for data, _ in FILES.values():
        for end in range(1, len(data), 37):
            round_trip(data[:end], "fast")


@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.integers(0, 600), st.integers(0, 255))
def test_files_with_changed_bytes_come_back(name: str, at: int, value: int) -> None:
    data = bytearray(FILES[name][0])
    data[at % len(data)] = value
    round_trip(bytes(data), "fast")


ABSURD = {
    "PGM": b"P5 9999999 9999999 255\n" + GREY,
    "of no width": b"P5 0 40 255\n" + GREY,
    "BMP": corpus.bmp()[:18] + struct.pack("<ii", 1 << 30, -(1 << 31)) + corpus.bmp()[26:],
    "TIFF that goes round": b"II*\0\x08\0\0\0" + b"\0\0" + b"\x08\0\0\0",
    "Y4M": b"YUV4MPEG2 W9999999 H9999999\nFRAME\n" + GREY,
    "Y4M of nothing": b"YUV4MPEG2 W0 H0\n" + b"FRAME\n" * 50,
    "DICOM": corpus.dicom().replace(b"US\2\0\x0b\0", b"US\2\0\xff\xff"),
}


@pytest.mark.parametrize("name", ABSURD)
def test_files_that_announce_what_they_do_not_have_have_no_pictures(name: str) -> None:
    assert find_pixels(ABSURD[name]) == []
    round_trip(ABSURD[name])


def raw_video(width: int, height: int, frames: int) -> bytes:
    planes = ((height, width), (height // 2, width // 2), (height // 2, width // 2))
    return b"".join(
        row_bytes(slope(rows, columns, 1, 255, seed=9 * frame + number))
        for frame in range(frames)
        for number, (rows, columns) in enumerate(planes)
    )


def test_the_size_of_raw_video_is_guessed() -> None:
    data = raw_video(176, 144, 2)
    assert [(144, 176), (72, 88), (72, 88)] == guess_planes(data, len(data))
    assert [(144, 176), (72, 88), (72, 88)] * 2 == [(one.height, one.width) for one in find_pixels(data)]
    assert PICTURES == round_trip(data, "fast")[0]


def test_what_is_no_raw_video_is_not_taken_for_it() -> None:
    noise = random.Random(1).randbytes(300_000)
    for data in (b"", noise, bytes(300_000), b"a line of text\n" * 20_000, raw_video(176, 144, 1)[1:], GREY):
        assert guess_planes(data, len(data)) == []


PACKED = 0x11


def test_a_tiff_in_runs_is_opened_and_closed_as_its_writer_did() -> None:
    data = corpus.packed_tiff()
    strips = find_packed_strips(data)
    assert [6, 6, 6, 6] == [form.height for form, _ in strips]
    payload = round_trip(data, "max")
    assert PACKED == payload[0]
    for end in range(1, len(data), 17):
        round_trip(data[:end], "fast")
    chance = random.Random(5)
    for _ in range(2 * EXAMPLES):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] = chance.randrange(256)
        round_trip(bytes(changed), "fast")


def test_a_tiff_whose_strips_stay_closed_says_so() -> None:
    data = tiff([smooth((60, 50), "u2")], predictor=1)
    other = data.replace(struct.pack("<HHIH", 259, 3, 1, 8), struct.pack("<HHIH", 259, 3, 1, 50_000))
    with reasons_given() as reasons:
        round_trip(other, "fast")
    assert reasons == ["TIFF: pages in Zstandard are not opened (1 of them)"]


@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(st.binary(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=4))
def test_any_runs_are_opened_and_closed(data: bytes, strips: list[tuple[int, int]]) -> None:
    inside = sorted((start, size) for start, size in strips if start + size <= len(data))
    opened = open_strips(data, inside)
    assert opened is None or data == close_strips(opened.data, opened.script)


@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=40))
def test_scripts_that_nobody_wrote_close_something_or_are_refused(opened: bytes, script: bytes) -> None:
    with suppress(BadBytes):
        assert len(close_strips(opened, script)) <= len(opened) + len(script)


# --- what is refused ----------------------------------------------------------------------------------

SIZES = varint(0) + varint(8) + varint(8) + varint(0)
WRONG = {
    "no form": b"\x01\x80\0" + SIZES + piece(b"\0" + bytes(64)),
    "no channels": b"\x01\0\0" + SIZES + piece(b"\0" + bytes(64)),
    "five channels": b"\x01\5\0" + SIZES + piece(b"\0" + bytes(320)),
    "blue of grey": b"\x01\x41\0" + SIZES + piece(b"\0" + bytes(64)),
    "no coder": b"\x01\1\x07" + SIZES + piece(b"\0" + bytes(64)),
    "no height": b"\x01\1\0" + varint(0) + varint(0) + varint(8) + varint(0) + piece(b"\0"),
    "more than the file": b"\x01\1\0"
    + varint(0)
    + varint(100)
    + varint(100)
    + varint(0)
    + piece(b"\0" + bytes(10_000)),
    "too large": b"\x01\1\1" + varint(0) + varint(1 << 40) + varint(1) + varint(0) + piece(b""),
    "padding without end": b"\x01\1\0" + varint(0) + varint(8) + varint(8) + varint(90) + piece(b"\0" + bytes(64)),
    "no rest": b"\x01\1\0" + SIZES + piece(b"\0" + bytes(64)),
    "too many": varint(1 << 40),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize(
    "head", [bytes([PICTURES]), bytes([PACKED]) + varint(100) + varint(1) + piece(b"\0\0") + bytes([PICTURES])]
)
def test_payloads_that_lie_are_refused(name: str, head: bytes) -> None:
    with pytest.raises(BadBytes):
        Pixels().decode(head + WRONG[name], shared=b"", length=100)


def test_what_has_no_pictures_has_no_estimate() -> None:
    for sample in (b"", b"\x89PNG\r\n\x1a\n" + bytes(900), b"P5 and no more", b"BM" + bytes(9)):
        assert Pixels.probe(sample, len(sample), "default") is None
    assert Pixels.facts.too_long(limits.PART_BYTES + 1)
    assert Pixels.probe(FILES["PGM"][0], len(FILES["PGM"][0]), "default") is not None


def test_a_picture_longer_than_the_sample_of_it_is_seen_without_kernels() -> None:
    data = b"P5 120 90 255\n" + row_bytes(slope(90, 120, 1, 255))
    assert Pixels.may_suit(data[:2000], len(data))
    assert not Pixels.may_suit(data[:2000], 2000)


def test_a_wide_drawing_costs_no_more_for_each_pixel_than_a_narrow_one() -> None:
    drawn: Picture = np.zeros((8, 1 << 18, 1), np.uint8)
    drawn[1::2, ::4] = 200
    started = time.process_time()
    packed = pictures._encode_drawn(drawn, "default")
    assert np.array_equal(drawn, decode_picture(DRAWN, packed, shape_of(drawn)))
    assert time.process_time() - started < 10  # minutes, if each pixel looks through the row above


def test_what_is_too_wide_to_be_drawn_is_kept_otherwise_and_refused() -> None:
    drawn: Picture = np.zeros((1, (1 << 18) + 1, 1), np.uint8)
    coder, packed = encode_picture(drawn, "default")
    assert coder not in {DRAWN, FEW_COLOURS}
    assert np.array_equal(drawn, decode_picture(coder, packed, shape_of(drawn)))
    with pytest.raises(Corrupt):
        decode_picture(DRAWN, packed, shape_of(drawn))
