"""Files are cut at frames, records, messages and chunks, and come back whatever their headers say."""

import random
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.arrays import parts, pieces
from lithify.codecs.arrays.codec import Arrays, ArraysParams
from lithify.codecs.arrays.extents import Element, Extent, contiguous, one_tile
from lithify.codecs.arrays.parts import Placed
from lithify.codecs.arrays.payload import ARRAYS, INFLATED, open_payload
from lithify.codecs.arrays.pieces import Piece, pieces_of, structure_of
from lithify.codecs.arrays.reading import SourceBytes
from lithify.codecs.codec import Buffer, Source
from lithify.codecs.in_memory import MemorySource
from tests.examples import examples
from tests.unit.codecs.arrays.files import Nc3Variable, grib1, grib2, netcdf3, npy, smooth, tiff, zipped
from tests.unit.codecs.arrays.test_containers import FILES, climate, damaged, hdf5

CUBE = smooth((24, 20, 30), "f4")
FRAME_BYTES = 20 * 30 * 4


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pieces of a few frames."""
    with monkeypatch.context() as patch:
        shorten(patch, 4 * FRAME_BYTES)
        yield


def shorten(patch: pytest.MonkeyPatch, length: int) -> None:
    """Pieces of about so many bytes."""
    patch.setattr(pieces, "PIECE_BYTES", length)
    patch.setattr(pieces, "LONG_PIECE_BYTES", 2 * length)
    patch.setattr(pieces, "PIECE_BYTES_MAX", 4 * length)
    patch.setattr(pieces, "BOUNDED_BYTES_MIN", length // 8)
    patch.setattr(pieces, "FRAMES", 2)
    patch.setattr(parts, "PART_BYTES_MIN", 64)


class Kept:
    """A sink that keeps payloads, and compares what they decode to."""

    def __init__(self, original: bytes) -> None:
        self.payloads: list[tuple[bytes, int]] = []
        self._original, self._at = original, 0

    def share(self, data: bytes) -> None:
        raise AssertionError("arrays share nothing")

    def chunk(self, payload: Buffer, decoded: Buffer) -> None:
        end = self._at + len(decoded)
        assert self._original[self._at : end] == decoded
        assert decoded == Arrays().decode(bytes(payload), shared=b"", length=len(decoded))
        self._at = end
        self.payloads.append((bytes(payload), len(decoded)))

    def is_whole(self) -> bool:
        return self._at == len(self._original)


def cut_and_kept(data: bytes) -> list[tuple[bytes, int]]:
    """The payloads of the pieces of a file, each of which decodes to its part of it."""
    kept = Kept(data)
    Arrays(ArraysParams(effort="fast")).encode(MemorySource(data), kept)
    assert kept.is_whole()
    return kept.payloads


def shapes(payloads: list[tuple[bytes, int]]) -> list[list[tuple[int, ...]]]:
    """Of the arrays in each."""
    return [[extent.shape for extent in open_payload(*one).extents] for one in payloads]


@pytest.mark.usefixtures("short")
def test_an_array_is_cut_between_frames_into_pieces_of_about_equal_length() -> None:
    found = shapes(cut_and_kept(npy(CUBE)))
    assert [[(4, 20, 30)]] * 6 == found


@pytest.mark.usefixtures("short")
def test_records_are_cut_between_records_and_each_piece_has_all_variables() -> None:
    variables = [Nc3Variable(name, ["time", "y", "x"], smooth((24, 20, 30), "f4", n)) for n, name in enumerate("ab")]
    found = shapes(cut_and_kept(netcdf3(variables)))
    assert len(found) > 4
    assert all(len(one) == 2 and one[0] == one[1] for one in found)
    assert 24 == sum(one[0][0] for one in found)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("make", [grib1, grib2])
def test_messages_are_not_cut(make: Any) -> None:
    frames = smooth((24, 20, 30), "u2") // 3
    found = shapes(cut_and_kept(make(frames, 12)))
    assert len(found) > 2
    assert 24 == sum(shape[0] for one in found for shape in one)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("filters", [{}, {"compression": "gzip", "shuffle": True}])
def test_chunks_of_hdf5_are_not_cut_and_are_opened_piece_by_piece(filters: Any) -> None:
    data = hdf5(lambda file: file.create_dataset("cube", data=CUBE, chunks=(2, 20, 30), **filters))
    payloads = cut_and_kept(data)
    assert 24 == sum(shape[0] for one in shapes(payloads) for shape in one)
    kinds = [payload[0] for payload, length in payloads if length > FRAME_BYTES]
    assert {INFLATED if filters else ARRAYS} == set(kinds)


@pytest.mark.usefixtures("short")
def test_a_long_frame_is_cut_between_rows_and_arrays_end_where_pieces_do() -> None:
    wide = smooth((90, 100), "f8")
    assert 90 == sum(shape[0] for one in shapes(cut_and_kept(npy(wide))) for shape in one)
    several = [Nc3Variable(f"v{n}", ["y", "x"], smooth((45, 50), "f4", n)) for n in range(6)]
    assert [(45, 50)] * 6 == [shape for one in shapes(cut_and_kept(netcdf3(several))) for shape in one]


FORMS = {
    "npz": lambda cube: zipped({"a.npy": npy(cube), "b.npy": npy(cube.astype("f8"))}),
    "deflated npz": lambda cube: zipped({"a.npy": npy(cube), "b.npy": npy(cube[:3])}, compressed=True),
    "fortran": lambda cube: npy(cube, fortran=True),
    "tiff in strips": lambda cube: tiff(list(cube), rows=7),
    "tiff in tiles": lambda cube: tiff(list(cube), tile=16),
    "records": lambda cube: netcdf3(
        [Nc3Variable(kind, ["time", "y", "x"], cube.astype(kind)) for kind in ("f4", "i2", "f8")]
    ),
}  # fmt: skip


@example(name="records", length=300, frames=1, rows=5, columns=7)  # a stride longer than the piece
@given(
    st.sampled_from(sorted(FORMS)), st.integers(300, 20_000), st.integers(1, 30), st.integers(1, 30), st.integers(1, 40)
)
@settings(max_examples=examples(60), deadline=None)
def test_any_container_cut_anyhow_comes_back(name: str, length: int, frames: int, rows: int, columns: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch, length)
        cut_and_kept(FORMS[name](smooth((frames, rows, columns), "f4")))


@pytest.mark.parametrize("name", FILES)
def test_damaged_containers_that_are_cut_come_back(name: str) -> None:
    chance = random.Random(name)
    with pytest.MonkeyPatch.context() as patch:
        for _ in range(12):
            shorten(patch, chance.choice((300, 2000, 9000)))
            cut_and_kept(damaged(FILES[name], chance) or b"x")


def test_variables_over_one_another_or_beyond_the_file_cost_nothing_but_their_coding() -> None:
    one, two = smooth((40, 50), "f4"), smooth((40, 50), "f4", 1)
    data = netcdf3([Nc3Variable("one", ["y", "x"], one), Nc3Variable("two", ["y", "x"], two)])
    places = [variable.extent.offsets[0] for variable in structure_of(data).variables]
    at = data.index(places[1].to_bytes(4, "big"))
    for place in (places[0], places[0] + 2, len(data) - 8000, len(data) - 10, 2**31 - 1):
        cut_and_kept(data[:at] + place.to_bytes(4, "big") + data[at + 4 :])


# --- boxes --------------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(1, 4), max_size=3),
    st.lists(st.integers(1, 4), min_size=3, max_size=3),
    st.integers(0, 3),
    st.randoms(use_true_random=False),
    st.integers(0, 700),
    st.integers(0, 700),
)
@settings(max_examples=examples(200), deadline=None)
def test_boxes_hold_each_element_that_lies_between_once_and_where_it_lies(
    tile: list[int], grid: list[int], gap: int, chance: random.Random, one: int, other: int
) -> None:
    element = Element("u2")
    strides = tuple(step + gap * (2 if axis == 0 else 0) for axis, step in enumerate(contiguous(tile, 2)))
    cells = grid[: len(tile)]
    count = int(np.prod(cells))
    size = one_tile(element, tile, 0, strides).reach
    offsets = [number * (size + gap) for number in range(count)]
    if chance.random() < 0.5:
        chance.shuffle(offsets)
    extent = Extent(element, tuple(tile), strides, tuple(cells), tuple(offsets))
    start, stop = sorted((one, other))
    where = np.zeros(extent.shape, np.int64)
    for offset, place in zip(offsets, np.ndindex(*cells), strict=True):
        for index in np.ndindex(*tile):
            whole = tuple(p * side + i for p, side, i in zip(place, tile, index, strict=True))
            where[whole] = offset + sum(i * stride for i, stride in zip(index, strides, strict=True))
    seen = np.zeros(extent.shape, np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "PART_BYTES_MIN", 0)
        found = Placed(extent).within(start, stop, lambda at: at - start)
    for part in found:
        box = tuple(slice(axis.start, axis.stop) for axis in part.box)
        seen[box] += 1
        inner = part.extent.checked(1 << 20)
        assert inner.shape == seen[box].shape
        at = inner.gather(np.arange(1 << 10, dtype="<u2").tobytes() * 2)
        assert np.array_equal((where[box] - start) // 2 % 1024, at) or (start % 2 or gap % 2)
    assert np.array_equal((where >= start) & (where + 2 <= stop), seen == 1)
    assert seen.max(initial=0) <= 1


# --- long files ---------------------------------------------------------------------------------------


class Endless:
    """A long NumPy file that is made where it is read."""

    def __init__(self, frames: int) -> None:
        self._frame = smooth((256, 1024), "f4").tobytes()
        head = npy(np.zeros((0, 256, 1024), "f4")).replace(b"(0, 256, 1024)", f"({frames}, 256, 1024)".encode())
        self._head = head[:120].rstrip(b" \n") + b" " * (127 - len(head[:120].rstrip(b" \n"))) + b"\n"
        self.length = len(self._head) + frames * len(self._frame)

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.length)
        out = [self._head[offset:end]] if offset < len(self._head) else []
        at = max(offset, len(self._head))
        while at < end:
            inner = (at - len(self._head)) % len(self._frame)
            out.append(self._frame[inner : inner + end - at])
            at += len(out[-1])
        return b"".join(out)


def test_a_long_file_is_cut_by_its_header_alone() -> None:
    source: Source = Endless(2_000)
    structure = structure_of(SourceBytes(source))
    found = pieces_of(structure)
    assert [(2_000, 256, 1024)] == [variable.shape for variable in structure.variables]
    assert (0, source.length) == (found[0].start, found[-1].stop)
    assert all(one.stop == two.start for one, two in pairwise(found))
    assert {16} == {round((one.stop - one.start) / limits.MIB) for one in found}
    (number, part), *others = structure.parts(Piece(*found[7]), None)
    assert not others
    assert (0, 16) == (number, len(part.box[0]))


def test_memory_is_that_of_a_few_pieces_whatever_the_length() -> None:
    class Nothing:
        def share(self, data: bytes) -> None: ...

        def chunk(self, payload: Buffer, decoded: Buffer) -> None: ...

    with pytest.MonkeyPatch.context() as patch:
        shorten(patch, 2 * limits.MIB)
        Arrays(ArraysParams(effort="fast")).encode(Endless(4), Nothing())
        tracemalloc.start()
        Arrays(ArraysParams(effort="fast")).encode(Endless(80), Nothing())
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 2 * limits.MIB * 24


@pytest.mark.usefixtures("short")
def test_a_loosened_part_of_a_range_is_that_of_the_whole_array() -> None:
    steps = np.linspace(0, 100, 24, dtype="f4")[:, None, None]
    data = npy((CUBE + steps).astype("f4"))
    kept: list[tuple[bytes, bytes]] = []

    class Sink:
        def share(self, data: bytes) -> None: ...

        def chunk(self, payload: Buffer, decoded: Buffer) -> None:
            kept.append((bytes(payload), bytes(decoded)))

    Arrays(ArraysParams(effort="fast", contract="bounded:rel=0.01")).encode(MemorySource(data), Sink())
    decoded = b"".join(one for _, one in kept)
    exact, found = (np.frombuffer(one[128:], "f4") for one in (data, decoded))
    assert len(kept) > 3
    assert 0.5 < np.abs(exact - found).max() <= 0.01 * (exact.max() - exact.min())


def test_climate_files_are_one_piece_if_they_are_short() -> None:
    assert [Piece(0, len(climate()))] == pieces_of(structure_of(climate()))
    assert [] == pieces_of(structure_of(b""))
