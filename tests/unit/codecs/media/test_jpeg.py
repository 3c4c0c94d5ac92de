"""JPEGs: pictures found wherever they lie in a file, and every byte of the file again."""

import random

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.media import general, jpeg_coders
from lithify.codecs.media.fields import piece, varint
from lithify.codecs.media.jpeg import Jpeg, take_apart
from lithify.codecs.media.jpeg_coders import JXL, LEPTON, RECODED, decode_jpeg, encode_jpeg, frame_samples
from lithify.codecs.media.jpeg_scan import find_jpegs, put_together
from lithify.codecs.media.jxl_size import jxl_size
from lithify.codecs.media.whole_file import EffortParams
from lithify.errors import BadBytes, Corrupt, LimitExceeded, Truncated
from tests.examples import examples
from tests.unit.codecs.media.corpus import PHOTO, PROGRESSIVE, THUMBNAIL, camera_jpeg, segment, slope, two_jpegs

EXAMPLES = examples(60, "MEDIA_EXAMPLES")
APART = 0x10


def round_trip(data: bytes) -> bytes:
    payload = Jpeg().encode_file(data)
    assert data == Jpeg().decode(payload, shared=b"", length=len(data))
    return payload


def bare(jpeg: bytes) -> bytes:
    """A JPEG without the segments that say nothing about the picture."""
    return find_jpegs(jpeg).streams[1]


# --- finding ------------------------------------------------------------------------------------------


def test_a_thumbnail_inside_a_photograph_is_a_picture_of_its_own() -> None:
    found = find_jpegs(camera_jpeg())

    assert [bare(PHOTO), bare(THUMBNAIL)] == found.streams[1:]
    assert b"a river, settling" in found.streams[0]
    assert found.streams[0].endswith(b"and a tail\n")


def test_pictures_behind_one_another_are_found_and_what_only_begins_like_one_is_not() -> None:
    assert bare(PROGRESSIVE) in find_jpegs(two_jpegs()).streams[1:]
    assert find_jpegs(b"\xff\xd8\xff\xd9" * 30).streams[1:] == []
    assert camera_jpeg() + PHOTO == put_together(*find_jpegs(camera_jpeg() + PHOTO))


@settings(max_examples=4 * EXAMPLES, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                b"\xff",
                b"\xd8",
                b"\xff\xd8\xff",
                b"\xff\xd9",
                b"\xff\xda\0\2",
                b"\0",
                PHOTO,
                PHOTO[:200],
                THUMBNAIL,
                segment(0xE1, THUMBNAIL),
                segment(0xC0, b"\x08\0\1\0\1\1\1\x11\0"),
                b"\xff\xe1\xff\xff",
            ]
        )
        | st.binary(max_size=5),
        max_size=12,
    ),
    st.booleans(),
)
def test_a_file_taken_apart_is_the_file_again(pieces: list[bytes], strip: bool) -> None:
    data = b"".join(pieces)
    assert data == put_together(*find_jpegs(data, strip=strip))


def test_bytes_that_look_like_jpegs_without_end_take_no_time_without_end() -> None:
    data = (b"\xff\xd8\xff\xda\0\2" + b"\xff\0" * 20) * 20_000
    assert data == put_together(*find_jpegs(data))


# --- coding -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [PHOTO, PROGRESSIVE, camera_jpeg(), two_jpegs(), PHOTO + PROGRESSIVE + THUMBNAIL])
def test_files_of_jpegs_become_smaller(data: bytes) -> None:
    assert len(round_trip(data)) < 0.9 * len(data)
    apart = take_apart(find_jpegs(data), (LEPTON, JXL), "default")
    assert apart is not None
    assert APART == apart[0]
    assert len(apart) < 0.9 * len(data)
    assert data == Jpeg().decode(apart, shared=b"", length=len(data))


def test_a_photograph_of_some_size_is_taken_apart() -> None:
    pixels = np.array(slope(120, 160, 3, 255), np.uint8).reshape(120, 160, 3)
    data = bytes(imagecodecs.jpeg_encode(pixels, level=80))
    payload = round_trip(data)
    assert APART == payload[0]
    assert len(payload) < 0.85 * len(data)


def test_a_drawing_that_repeats_is_kept_by_whoever_makes_it_smallest() -> None:
    rows, columns = np.mgrid[:400, :800]
    squares = ((rows // 40 + columns // 64) % 2 * 200).astype(np.uint8)
    data = bytes(imagecodecs.jpeg_encode(squares, level=92))
    apart = take_apart(find_jpegs(data), (RECODED,), "default")
    assert apart is not None
    assert len(round_trip(data)) == len(general.pack(data, "default")) < len(apart)


@pytest.mark.parametrize("coder", [LEPTON, JXL])
def test_each_coder_gives_back_what_it_was_given(coder: int) -> None:
    found = encode_jpeg(PROGRESSIVE, (coder,))
    assert found is not None
    assert PROGRESSIVE == decode_jpeg(*found, len(PROGRESSIVE))


@pytest.mark.parametrize("effort", ["fast", "default", "max"])
def test_every_beginning_of_a_file_comes_back(effort: str) -> None:
    whole = camera_jpeg()
    for end in range(1, len(whole), 41):
        codec = Jpeg(EffortParams(effort))
        assert whole[:end] == codec.decode(codec.encode_file(whole[:end]), shared=b"", length=end)


def test_files_with_changed_bytes_come_back() -> None:
    chance = random.Random(3)
    for _ in range(EXAMPLES):
        data = bytearray(camera_jpeg())
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        round_trip(bytes(data))


def test_a_coder_that_gives_back_other_bytes_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jpeg_coders._DECODERS, LEPTON, lambda packed: PHOTO[:-1] + b"\0")
    monkeypatch.setitem(jpeg_coders._DECODERS, JXL, lambda packed: PHOTO[1:])
    assert encode_jpeg(PHOTO, (LEPTON, JXL)) is None
    assert take_apart(find_jpegs(PHOTO), (LEPTON, JXL), "default") is None


# --- what is refused ----------------------------------------------------------------------------------


def test_a_picture_without_end_is_not_decoded() -> None:
    huge = PHOTO.replace(b"\0\x28\0\x30", b"\xff\xff\xff\xff")
    assert 3 * 65_535**2 == frame_samples(huge)
    assert encode_jpeg(huge, (LEPTON, JXL)) is None
    round_trip(huge)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (40, 56), (256, 256), (37, 500), (3000, 9)])
def test_the_size_of_a_jpeg_xl_is_read_from_its_head(size: tuple[int, int]) -> None:
    height, width = size
    packed = bytes(imagecodecs.jpegxl_encode(np.zeros(size, np.uint8), lossless=True, numthreads=1))
    assert (width, height) == jxl_size(packed)
    for end in range(2):
        with pytest.raises(BadBytes):
            jxl_size(packed[:end])


def test_a_jpeg_xl_that_announces_too_much_is_not_decoded() -> None:
    bits = 0 | 3 << 1 | ((1 << 30) - 1) << 3 | 1 << 33
    stream = b"\xff\x0a" + bits.to_bytes(6, "little") + bytes(20)
    assert (1 << 30, 1 << 30) == jxl_size(stream)
    with pytest.raises(LimitExceeded):
        decode_jpeg(JXL, stream, 1000)


PAYLOADS = {
    "no coder": b"\x01\x09\x10" + piece(b"x"),
    "no Lepton": b"\x01\x01\x10" + piece(b"not Lepton at all, and long enough"),
    "Lepton of nothing": b"\x01\x01\x10" + piece(b"\xcf\x84" + bytes(40)),
    "no JPEG XL": b"\x01\x02\x10" + piece(b"x" * 50),
    "runs of no stream": b"\0" + varint(4) + b"\0" + b"\x01\x01\x01x",
    "runs that want more": b"\0" + varint(4) + b"\0" + b"\x01\0\x02x",
    "runs that leave some": b"\0" + varint(5) + b"\0" + b"\x01\0\x01xy",
    "ends in its streams": b"\x02\x01\x10",
    "ends in its rest": b"\0" + varint(400) + b"\0" + b"\x01\0\x01x",
    "too many": varint(10**9),
}


@pytest.mark.parametrize("name", PAYLOADS)
def test_payloads_that_lie_are_refused(name: str) -> None:
    with pytest.raises((Corrupt, Truncated, LimitExceeded)):
        Jpeg().decode(bytes([APART]) + PAYLOADS[name], shared=b"", length=16)
