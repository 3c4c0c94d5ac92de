"""JPEGs as their coefficients: every bit of every scan again, whoever wrote it; and what lies is refused."""

import hashlib
import io
import lzma
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lithify.codecs.array_types import I16
from lithify.codecs.media import jpeg_taught
from lithify.codecs.media.fields import Fields, piece, varint
from lithify.codecs.media.jpeg import Jpeg
from lithify.codecs.media.jpeg_blocks import decode_blocks, encode_blocks
from lithify.codecs.media.jpeg_coders import LEPTON, encode_jpeg
from lithify.codecs.media.jpeg_header import Component, HuffmanTable, Picture, Recipe, Scan, ScanPart, read_header
from lithify.codecs.media.jpeg_known import known_strings, lengthened, shortened
from lithify.codecs.media.jpeg_recoded import Recoded, recode, restore, smallest_jpeg
from lithify.codecs.media.jpeg_scans import read_data, write_data
from lithify.codecs.media.jpeg_taught import TAUGHT
from lithify.codecs.media.jpeg_teach import teach
from lithify.codecs.media.whole_file import EffortParams
from lithify.errors import BadBytes, Corrupt, LimitExceeded
from tests.elsewhere import INTERPRETED, printed
from tests.examples import examples
from tests.unit.codecs.media.corpus import PHOTO, PROGRESSIVE, THUMBNAIL

EXAMPLES = examples(40, "MEDIA_EXAMPLES")


def picture(height: int = 61, width: int = 83, *, mode: str = "RGB", seed: int = 1) -> Image.Image:
    """Slopes, an edge, and noise, the same in every run."""
    chance = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    planes = [60 + 90 * np.sin(x / (9 + 3 * c)) * np.cos(y / 13) + 60 * (x > y) for c in range(len(mode))]
    noisy = np.stack(planes, 2) + chance.normal(0, 6, (height, width, len(mode)))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)[:, :, 0 if mode == "L" else slice(None)], mode)


def written(image: Image.Image, **words: Any) -> bytes:
    """The picture as libjpeg writes it."""
    out = io.BytesIO()
    image.save(out, "JPEG", **words)
    return out.getvalue()


def restored(made: Recoded, length: int) -> bytes:
    head = Fields(made.head)
    jpeg = restore(made.stream, head, length)
    head.end()
    return jpeg


def round_trip(jpeg: bytes) -> Recoded:
    made = recode(jpeg)
    assert made is not None
    assert jpeg == restored(made, len(jpeg))
    return made


def scan_at(jpeg: bytes) -> int:
    """Where the data of its first scan begins."""
    start = jpeg.index(b"\xff\xda")
    return start + 2 + int.from_bytes(jpeg[start + 2 : start + 4], "big")


# --- whole JPEGs --------------------------------------------------------------------------------------

WAYS: dict[str, dict[str, Any]] = {
    "4:4:4": {"subsampling": 0, "quality": 90},
    "4:2:2": {"subsampling": 1},
    "4:2:0": {"subsampling": 2, "quality": 50},
    "nearly nothing": {"quality": 1},
    "nearly all": {"quality": 100, "subsampling": 0},
    "tables of its own": {"optimize": True},
    "restarts": {"restart_marker_blocks": 3},
    "restarts by row": {"restart_marker_rows": 1, "subsampling": 0},
    "progressive": {"progressive": True},
    "progressive, fine": {"progressive": True, "quality": 97, "subsampling": 0},
    "progressive, restarts": {"progressive": True, "restart_marker_blocks": 5},
}


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("way", WAYS)
def test_what_libjpeg_writes_comes_back_and_is_smaller(way: str, mode: str) -> None:
    words = WAYS[way] if mode != "L" else {name: word for name, word in WAYS[way].items() if name != "subsampling"}
    jpeg = written(picture(mode=mode), **words)
    made = round_trip(jpeg)
    assert len(made.stream) + len(made.head) < len(jpeg)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (9, 7), (16, 17), (1, 300), (200, 3)])
@pytest.mark.parametrize("progressive", [False, True])
def test_pictures_of_any_size_come_back(size: tuple[int, int], progressive: bool) -> None:
    round_trip(written(picture(*size), progressive=progressive))


@pytest.mark.parametrize("jpeg", [PHOTO, THUMBNAIL, PROGRESSIVE, smallest_jpeg()])
def test_small_ones_come_back(jpeg: bytes) -> None:
    round_trip(jpeg)


def test_a_photograph_becomes_smaller_than_by_lepton() -> None:
    jpeg = written(picture(400, 500), quality=85)
    other = encode_jpeg(jpeg, (LEPTON,))
    made = round_trip(jpeg)
    assert other is not None
    assert len(made.stream) + len(made.head) < 0.99 * len(other[1])


def test_a_scan_of_every_component_by_itself_comes_back() -> None:
    """Blocks that only fill up a unit are in none of them."""
    jpeg = written(picture(24, 40), subsampling=2, progressive=True)
    first = jpeg.index(b"\xff\xda")
    assert jpeg[first + 4] == 3, "all components share the first scan"
    assert jpeg.count(b"\xff\xda\0\x08\x01") > 3, "others have one each"
    round_trip(jpeg)


# --- what is odd about scans --------------------------------------------------------------------------


def test_either_bit_may_fill_up_the_last_byte_but_not_both() -> None:
    jpeg = smallest_jpeg()
    for byte, bit in ((0x3F, 1), (0x00, 0)):
        made = recode(jpeg.replace(b"\x3f\xff\xd9", bytes([byte]) + b"\xff\xd9"))
        assert made is not None
        assert made.head[-1] == bit
    assert recode(jpeg.replace(b"\x3f\xff\xd9", b"\x15\xff\xd9")) is None


def test_bytes_behind_a_scan_are_kept() -> None:
    made = round_trip(PHOTO[:-2] + b"a tail \xff\x00 and more" + PHOTO[-2:])
    assert b"a tail \xff and more" in made.head


def test_a_jpeg_without_an_end_comes_back() -> None:
    round_trip(PHOTO[:-2])


def test_a_scan_that_ends_early_is_left_to_others() -> None:
    assert recode(PHOTO[:-40]) is None


def test_restarts_in_another_order_are_left_to_others() -> None:
    jpeg = written(picture(), restart_marker_blocks=3)
    round_trip(jpeg)
    assert recode(jpeg.replace(b"\xff\xd1", b"\xff\xd2", 1)) is None
    assert recode(jpeg.replace(b"\xff\xd1", b"", 1)) is None


def test_zeros_that_nobody_had_to_write_are_left_to_others() -> None:
    """EOB may be told by a run of zeros up to the end."""
    table = bytes([0x10, 0, 2, *bytes(14), 0x00, 0xF0])
    jpeg = smallest_jpeg()
    start = jpeg.index(b"\xff\xc4\0\x14\x10")
    changed = jpeg[:start] + b"\xff\xc4" + (2 + len(table)).to_bytes(2, "big") + table + jpeg[start + 22 :]
    plain = changed.replace(b"\x3f\xff\xd9", b"\x1f\xff\xd9")  # DC 0, EOB 00
    assert recode(plain) is not None
    assert recode(changed.replace(b"\x3f\xff\xd9", b"\x2a\xbf\xff\xd9")) is None


@settings(max_examples=3 * EXAMPLES, deadline=None)
@given(st.sampled_from([PHOTO, THUMBNAIL, PROGRESSIVE, smallest_jpeg()]), st.data())
def test_a_jpeg_with_changed_bytes_comes_back_or_is_left_to_others(jpeg: bytes, data: st.DataObject) -> None:
    changed = bytearray(jpeg)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(2, len(jpeg) - 1))] = data.draw(st.integers(0, 255))
    made = recode(bytes(changed))
    if made is not None:
        assert bytes(changed) == restored(made, len(changed))


def test_files_of_every_effort_come_back() -> None:
    jpeg = written(picture(), quality=70)
    lengths = []
    for effort in ("fast", "default", "max"):
        codec = Jpeg(EffortParams(effort))
        payload = codec.encode_file(jpeg)
        assert jpeg == codec.decode(payload, shared=b"", length=len(jpeg))
        lengths.append(len(payload))
    assert lengths[2] <= lengths[1] < lengths[0]


# --- coefficients ---------------------------------------------------------------------------------------


_STEPS = st.sampled_from([0, 1, 255, 65_534])


def laid_out(shapes: list[tuple[int, int]], steps: list[int]) -> Picture:
    """A picture of components of these rows and columns of blocks."""
    components = tuple(Component(n, 1, 1, 0, columns, rows, columns, rows) for n, (rows, columns) in enumerate(shapes))
    tables = tuple(tuple(1 + (step * (place + 1)) % 65_535 for place in range(64)) for step in steps)
    return Picture(False, components, tables, (), 1, 1)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=4),
    st.integers(0, 65_535),
    st.sampled_from([1, 3, 40, 1000, 16_383]),
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
)
def test_coefficients_of_any_size_come_back(
    shapes: list[tuple[int, int]], step: int, most: int, share: float, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    made = laid_out(shapes, [step + n for n in range(len(shapes))])
    coefficients = chance.integers(-most, most + 1, 64 * made.blocks).astype(np.int16)
    coefficients[chance.random(len(coefficients)) > share] = 0
    stream = encode_blocks(made, coefficients, 1 << 20)
    assert stream is not None
    assert coefficients.tolist() == decode_blocks(made, stream).tolist()


def test_a_stream_that_would_be_longer_than_asked_for_is_not_made() -> None:
    made = laid_out([(9, 9)], [1])
    coefficients = np.random.default_rng(1).integers(-999, 999, 64 * made.blocks).astype(np.int16)
    assert encode_blocks(made, coefficients, 1000) is None


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=99) | st.builds(lambda a, b: piece(a) + b, *[st.binary(max_size=99)] * 2), _STEPS)
def test_any_bytes_are_some_coefficients_or_too_few(stream: bytes, step: int) -> None:
    made = laid_out([(2, 3), (1, 2), (2, 2)], [step, 1, step])
    with suppress(BadBytes):
        assert 64 * made.blocks == len(decode_blocks(made, stream))


def test_a_few_bytes_do_not_ask_for_work_without_end() -> None:
    """Two million blocks would take minutes."""
    for stream in (piece(b""), piece(b"") + bytes(9), piece(bytes(99))):
        with pytest.raises(Corrupt, match="behind"):
            decode_blocks(laid_out([(1448, 1448)], [1]), stream)


def test_bits_that_are_cut_off_are_missed() -> None:
    made = laid_out([(9, 9)], [1])
    coefficients = np.random.default_rng(1).integers(-999, 999, 64 * made.blocks).astype(np.int16)
    stream = encode_blocks(made, coefficients, 1 << 20)
    assert stream is not None
    fields = Fields(stream)
    loose, coded = fields.piece("loose bits"), fields.rest()
    with pytest.raises(Corrupt, match="behind"):
        decode_blocks(made, piece(loose[: len(loose) // 2]) + coded)


_DC_TABLE = HuffmanTable(bytes([0, 0, 0, 0, 15, *bytes(11)]), bytes(range(15)))
_AC_SYMBOLS = bytes(symbol for symbol in range(256) if symbol & 15 < 15)
_AC_TABLE = HuffmanTable(bytes([*bytes(7), 0, len(_AC_SYMBOLS), *bytes(7)]), _AC_SYMBOLS)
_RESTARTS = st.sampled_from([0, 1, 2, 5])


def progressive_scans(low: int, restart: int) -> list[Scan]:
    """All bits above `low` first, then bit after bit."""
    part = (ScanPart(0, _DC_TABLE, _AC_TABLE),)
    scans = [Scan(part, 0, 0, 0, low, restart, 0), Scan(part, 1, 63, 0, low, restart, 0)]
    for bit in range(low - 1, -1, -1):
        scans += [Scan(part, 0, 0, bit + 1, bit, restart, 0), Scan(part, 1, 63, bit + 1, bit, restart, 0)]
    return scans


@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(st.integers(0, 4), _RESTARTS, st.sampled_from([0.003, 0.05, 0.4, 1.0]), st.integers(0, 2**32 - 1), st.booleans())
def test_scans_are_read_as_they_were_written(low: int, restart: int, share: float, seed: int, ones: bool) -> None:
    """Long runs of zeros, of blocks without anything new, and of bits that correct what is known."""
    chance = np.random.default_rng(seed)
    made = laid_out([(6, 7)], [1])
    made = made._replace(progressive=low < 4)
    coefficients: I16 = chance.integers(-200, 201, 64 * made.blocks).astype(np.int16)
    coefficients[chance.random(len(coefficients)) > share] = 0
    scans = progressive_scans(low, restart)
    if not made.progressive:
        scans = [Scan((ScanPart(0, _DC_TABLE, _AC_TABLE),), 0, 63, 0, 0, restart, 0)]
    read = np.zeros_like(coefficients)
    for scan in scans:
        data = write_data(made, scan, Recipe(int(ones), b"\xff."), coefficients, 1 << 20)
        recipe = read_data(made, scan, data, read)
        assert recipe is not None
        assert recipe.tail == b"\xff."
    assert coefficients.tolist() == read.tolist()


def test_the_format_names_what_cells_begin_with() -> None:
    digest = hashlib.sha256(lzma.decompress(TAUGHT.read_bytes())).hexdigest()
    assert digest in TAUGHT.with_name("FORMAT.md").read_text()


def test_cells_that_a_photograph_taught_code_it_in_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = round_trip(PHOTO)
    cells = teach([PHOTO] * 4, random.Random(1))
    monkeypatch.setattr(jpeg_taught, "TAUGHT", tmp_path / "taught.bin")
    (tmp_path / "taught.bin").write_bytes(jpeg_taught.packed(cells))
    jpeg_taught.taught.cache_clear()
    try:
        assert len(round_trip(PHOTO).stream) < 0.9 * len(before.stream)
    finally:
        jpeg_taught.taught.cache_clear()


_DIGEST = """
import hashlib
from tests.unit.codecs.media.test_jpeg_recoded import digest
print(digest())
"""


def digest() -> str:
    """Of a stream, and of the JPEG that comes back."""
    made = recode(PHOTO)
    assert made is not None
    return hashlib.sha256(made.stream + restored(made, len(PHOTO))).hexdigest()


def test_streams_are_the_same_when_the_kernels_are_interpreted() -> None:
    assert digest() == printed(_DIGEST, INTERPRETED)


# --- segments -------------------------------------------------------------------------------------------


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(st.sampled_from([known_strings()[n] for n in (0, 1, 2, 3, 4, 53, 103, 104, 203)]) | st.binary(max_size=9))
)
def test_known_strings_are_told_by_their_numbers(pieces: list[bytes]) -> None:
    segments = b"".join(pieces)
    fields = Fields(shortened(segments))
    assert segments == lengthened(fields, len(segments))
    fields.end()


def test_known_strings_are_those_that_libjpeg_writes() -> None:
    jpeg = written(picture(), quality=60)
    segments = jpeg[: scan_at(jpeg)]
    assert len(shortened(segments)) < len(segments) - 500


def test_segments_that_are_longer_than_their_jpeg_are_refused() -> None:
    bomb = varint(1000) + (piece(b"") + varint(2)) * 1000 + piece(b"")
    with pytest.raises(LimitExceeded):
        lengthened(Fields(bomb), 5000)


FRAME = b"\xff\xc0\0\x0b\x08\0\x08\0\x08\x01\x01\x11\0"
SCAN = b"\xff\xda\0\x08\x01\x01\0\0\x3f\0"
LIES = {
    "no SOI": b"\xff\xd9" + FRAME + SCAN,
    "no frame": b"\xff\xd8" + SCAN,
    "no scan": b"\xff\xd8" + FRAME,
    "two frames": b"\xff\xd8" + FRAME + FRAME + SCAN,
    "no marker": b"\xff\xd8" + FRAME + b"\0\0" + SCAN,
    "a segment cut": b"\xff\xd8" + FRAME + SCAN[:-1],
    "arithmetic coding": b"\xff\xd8" + FRAME.replace(b"\xff\xc0", b"\xff\xc9") + SCAN,
    "12 bits": b"\xff\xd8" + FRAME.replace(b"\x0b\x08", b"\x0b\x0c") + SCAN,
    "no height": b"\xff\xd8" + FRAME.replace(b"\x08\0\x08\0", b"\x08\0\0\0") + SCAN,
    "no such component": b"\xff\xd8" + FRAME + SCAN.replace(b"\x08\x01\x01", b"\x08\x01\x02"),
    "more components than there are": b"\xff\xd8" + FRAME + b"\xff\xda\0\x0a\x02\x01\0\x01\0\0\x3f\0",
    "half a sequence": b"\xff\xd8" + FRAME + SCAN.replace(b"\x3f", b"\x20"),
    "more codes than fit": b"\xff\xd8\xff\xc4\0\x16\0\x03" + bytes(15) + b"\0\1\2" + FRAME + SCAN,
    "a table cut": b"\xff\xd8\xff\xc4\0\x14\0\x03" + bytes(15) + b"\0" + FRAME + SCAN,
    "steps cut": b"\xff\xd8\xff\xdb\0\x13\0" + bytes(16) + FRAME + SCAN,
    "scans without end": b"\xff\xd8" + FRAME + 300 * SCAN,
    "an area without end": b"\xff\xd8" + FRAME.replace(b"\0\x08\0\x08", b"\xff\xff\xff\xff") + SCAN,
}


@pytest.mark.parametrize("name", LIES)
def test_segments_that_lie_are_refused(name: str) -> None:
    with pytest.raises((Corrupt, LimitExceeded)):
        read_header(LIES[name], 4000)


def test_every_cut_and_changed_byte_of_what_was_made_is_refused_or_harmless() -> None:
    made, chance = round_trip(PHOTO), random.Random(2)
    heads = [made.head[:cut] for cut in range(0, len(made.head), 3)]
    for _ in range(2 * EXAMPLES):
        at = chance.randrange(len(made.head))
        heads.append(made.head[:at] + chance.randbytes(1) + made.head[at + 1 :])
    for head in heads:
        try:
            assert len(PHOTO) == len(restore(made.stream, Fields(head), len(PHOTO)))
        except BadBytes:
            continue
