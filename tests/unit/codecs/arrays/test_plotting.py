"""A picture of an array shows what was put in, what came back and what differs, whatever the numbers are."""

from struct import unpack
from typing import Any
from zlib import crc32, decompress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from lithify import limits
from lithify.codecs.arrays.labelled import label_source
from lithify.codecs.arrays.plotting import drawn as drawn_files
from lithify.codecs.canvas import Canvas, coloured, shortened, text_width
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.letters import letter
from lithify.errors import BadArgument
from tests.unit.codecs.arrays.files import Nc3Variable, Numbers, netcdf3, npy, smooth, zipped

CUBE = smooth((6, 40, 50), "f4")


def drawn(original: bytes, decoded: bytes, variable: str | None = None) -> bytes:
    before = label_source(MemorySource(original))
    same = decoded is original
    return drawn_files(before, before if same else label_source(MemorySource(decoded)), variable)


def pixels(png: bytes) -> Any:
    """The picture in a PNG file of ours, its checksums compared."""
    assert b"\x89PNG\r\n\x1a\n" == png[:8]
    at, parts = 8, {}
    while at < len(png):
        (length,), kind = unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        parts[kind] = png[at + 8 : at + 8 + length]
        assert unpack(">I", png[at + 8 + length : at + 12 + length]) == (crc32(kind + parts[kind]),)
        at += 12 + length
    width, height = unpack(">II", parts[b"IHDR"][:8])
    rows = np.frombuffer(decompress(parts[b"IDAT"]), np.uint8).reshape(height, 1 + 3 * width)
    return np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8).reshape(height, width, 3)


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written on pictures."""
    found: list[str] = []
    write = Canvas.text

    def watched(canvas: Canvas, x: int, y: int, text: str, **terms: Any) -> None:
        found.append(text)
        write(canvas, x, y, text, **terms)

    monkeypatch.setattr(Canvas, "text", watched)
    return found


def named(first: Numbers, second: Numbers) -> bytes:
    packed = {"scale_factor": 0.5, "add_offset": 10.0, "_FillValue": np.int16(-1), "units": "K"}
    return netcdf3(
        [
            Nc3Variable("lat", ["lat"], np.arange(40.0)),
            Nc3Variable("first", ["level", "lat", "lon"], first, {"long_name": "what is first"}),
            Nc3Variable("second", ["level", "lat", "lon"], second, packed),
        ]
    )


def test_what_differs_most_is_drawn_and_told(texts: list[str]) -> None:
    other = CUBE.copy()
    other[4, 7, 9] += 0.25
    before, after = (zipped({"a.npy": npy(CUBE), "b.npy": npy(values)}) for values in (CUBE, other))
    picture = pixels(drawn(before, after))
    assert (800, 1120, 3) == picture.shape
    assert "b, float32" == texts[0]
    assert "b_0=4 of 6, b_1 (40) by b_2 (50)" in texts[1]
    assert texts[2].startswith("largest error 0.25, ")
    assert texts[2].endswith("1 of 12000 differ")
    assert {"original", "what came back", "error: what came back less the original"} <= {*texts}
    assert {"spectrum of the error", "0.25", "0", "-0.25"} <= {*texts}


def test_what_came_back_bit_for_bit_is_said_to_be_the_same(texts: list[str]) -> None:
    drawn(npy(CUBE), npy(CUBE))
    assert "all 12000 values came back bit for bit: nothing differs" == texts[2]
    assert {"error: none", "spectrum: of the original only"} <= {*texts}


def test_packed_numbers_are_drawn_as_what_they_stand_for_and_fills_not_at_all(texts: list[str]) -> None:
    pytest.importorskip("netCDF4")
    stored = np.tile(np.arange(50, dtype="i2"), (6, 40, 1))
    stored[0, 0, :7] = -1
    other = stored + np.int16(2) * (stored >= 0)
    drawn(named(CUBE, stored), named(CUBE, other), "second")
    assert "second [K], int16" == texts[0]
    assert texts[1].endswith("values 10 to 34.5")
    assert texts[2].startswith("largest error 1, 0.0408 of the range, ")
    texts.clear()
    drawn(named(CUBE, stored), named(CUBE, stored))
    assert "first: what is first, float32" == texts[0]


def test_one_axis_is_drawn_as_curves(texts: list[str]) -> None:
    drawn(npy(CUBE[0, 0]), npy(CUBE[0, 0] * 2))
    assert {"step", "49", "cycles per step; power in dB"} <= {*texts}


def test_what_cannot_be_drawn_is_told_with_what_can() -> None:
    both = zipped({"a.npy": npy(CUBE), "b.npy": npy(CUBE)})
    with pytest.raises(BadArgument, match="no array 'c' can be drawn; there are: a, b"):
        drawn(both, both, "c")
    for one, other in ((b"text", b"text"), (npy(CUBE), npy(CUBE[1:])), (npy(CUBE), b"")):
        with pytest.raises(BadArgument, match="no array of numbers"):
            drawn(one, other)


ANY_ARRAY = of_numpy.arrays(
    st.sampled_from(["f4", "f8", "f2", "i2", "u1", "i8", "u8"]),
    of_numpy.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=30).filter(lambda shape: np.prod(shape) >= 64),
    elements=None,
)


@settings(deadline=None, max_examples=40)
@given(one=ANY_ARRAY, change=st.sampled_from(["none", "one", "all", "missing"]))
def test_any_numbers_can_be_drawn(one: Numbers, change: str) -> None:
    other = one.copy()
    flat = other.reshape(-1)
    if change == "one":
        flat[len(flat) // 2] = 1
    elif change == "all":
        flat[:] = 3
    elif change == "missing" and one.dtype.kind == "f":
        flat[: len(flat) // 2] = np.nan
    assert (800, 1120, 3) == pixels(drawn(npy(one), npy(other))).shape


def test_long_frames_are_pooled_so_that_no_error_is_lost() -> None:
    one = np.zeros((1000, 1500), "f4")
    other = one.copy()
    other[777, 1234] = -1.0
    found = pixels(drawn(npy(one), npy(other)))
    blue = (found == (24, 60, 140)).all(axis=2)[470:, :421]
    assert 1 <= blue.sum() <= 4


def test_long_arrays_are_read_a_little_at_a_time_and_the_worst_frame_is_found(
    texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = CUBE.copy()
    other[4, 7, 9] += 0.25
    drawn(npy(CUBE), npy(other))
    whole = list(texts)
    texts.clear()
    monkeypatch.setattr(limits, "SLICE_BLOCK_BYTES", CUBE[0].nbytes)
    drawn(npy(CUBE), npy(other))
    assert whole == texts
    assert "values_0=4 of 6" in texts[1]
    monkeypatch.setattr("lithify.codecs.arrays.plotting._FRAME_MAX", 700)
    texts.clear()
    drawn(npy(CUBE), npy(other))
    assert "one of 2 along each" in texts[1]


# --- the canvas -------------------------------------------------------------------------------------------


def test_letters_are_all_different_and_others_are_question_marks() -> None:
    known = {letter(chr(code)).tobytes() for code in range(32, 127)}
    assert 95 == len(known)
    for strange in ("ü", "\n", "", "no"):
        assert np.array_equal(letter("?"), letter(strange))


def test_whatever_lies_outside_of_the_canvas_is_cut() -> None:
    canvas = Canvas(20, 10)
    canvas.box(-5, -5, 8, 8, (1, 2, 3))
    canvas.text(-7, 4, "cut at both ends")
    canvas.line([(-9, -9), (30, 30)], (0, 0, 0))
    canvas.frame(15, 5, 50, 50)
    assert (1, 2, 3) == tuple(canvas.pixels[0, 1])
    assert np.array_equal(canvas.pixels, pixels(canvas.png()))


def test_colours_go_from_the_first_to_the_last_and_nothing_is_pale() -> None:
    found = coloured(np.array([0.0, 0.5, 2.0, np.nan]), ((0, 0, 0), (100, 200, 0)))
    assert [[0, 0, 0], [50, 100, 0], [100, 200, 0], [216, 216, 216]] == found.tolist()
    assert "long t.." == shortened("long text that does not fit", text_width("long tex"))
