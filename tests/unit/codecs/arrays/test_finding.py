"""Grids under floats: found where there are some, also in what was scaled, and no wider than a bound allows."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.arrays.covering import covering
from lithify.codecs.arrays.finding import find_grids, tighter_grids
from lithify.codecs.arrays.grids import Affine, Ranks, read_grid
from lithify.codecs.arrays.lines import line_through
from lithify.codecs.arrays.values import Bound, decode_values, encode_values
from lithify.codecs.arrays.wire import Reader
from lithify.errors import Corrupt
from tests.examples import examples
from tests.unit.codecs.arrays.fields import packed, smooth

SHAPE = (3, 60, 70)


def grids_of(values: np.ndarray) -> list[Any]:
    return find_grids(values, np.isfinite(values), "default", inner=False)


def unpacked(scale: float, offset: float) -> np.ndarray:
    """As libraries scale what was packed as 16 bits."""
    counts = np.rint((smooth(SHAPE).astype(np.float64) - 280) * 40)
    found: np.ndarray = (counts * scale + offset).astype(np.float32)
    return found


@pytest.mark.parametrize(
    ("scale", "offset"), [(0.00998, 273.15371), (float(np.float32(0.01)), 0.0), (1.7250275, 59000.0)]
)
def test_what_was_scaled_lies_on_the_line_it_was_scaled_by(scale: float, offset: float) -> None:
    values = unpacked(scale, offset)
    grid = grids_of(values)[0]
    assert isinstance(grid, Affine)
    assert grid.line[0] == pytest.approx(scale, rel=1e-6)
    frames = range(SHAPE[0])
    assert grid.join(grid.split(values, frames).integers, None, frames).tobytes() == values.tobytes()


@given(st.lists(st.integers(0, 5000), min_size=2, max_size=60, unique=True), st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
@settings(max_examples=examples(200), deadline=None)
def test_a_line_is_found_that_gives_every_number_back(places: list[int], step: float, base: float) -> None:
    counts = np.sort(np.array(places)).astype(np.float64)
    numbers = (counts * step + base).astype(np.float32)
    rounding = float(np.spacing(np.abs(numbers)).max())
    if step < 8 * rounding:
        return
    slope = (float(numbers[-1]) - float(numbers[0])) / (counts[-1] - counts[0])
    found = line_through(numbers, counts - counts[0], slope)
    again = (counts - counts[0]) * found[0] + found[1]
    assert np.abs(again - numbers.astype(np.float64)).max() <= 0.501 * rounding


@given(st.lists(st.integers(0, 4000), min_size=1, max_size=60, unique=True), st.floats(0.4, 900))
@settings(max_examples=examples(200), deadline=None)
def test_few_values_stand_for_many_and_none_further_than_the_error(places: list[int], error: float) -> None:
    table = np.sort(np.array(places)).astype(np.float32)
    few = covering(table, error)
    if few is None:
        return
    nearest = np.abs(table[:, None].astype(np.float64) - few[None].astype(np.float64)).min(axis=1)
    assert nearest.max() <= error + np.spacing(np.float32(4000))
    assert len(few) <= len(table)


def test_values_on_few_places_are_kept_by_a_table_of_some_of_them() -> None:
    chance = np.random.default_rng(3)
    table = np.cumsum(chance.integers(1, 40, 400)).astype(np.float32)
    values = table[np.clip(np.rint(200 + (smooth((4, 80, 90)) - 280) * 9), 0, 399).astype(int)]
    error = 3.0
    grids = list(tighter_grids(values, np.ones(values.shape, bool), error, "default"))
    assert [type(grid) for grid in grids] == [Ranks]
    payload = encode_values(values, bound=Bound("abs", error), effort="default")
    again = decode_values(payload, values.shape, values.dtype)
    assert np.abs(values - again).max() <= error
    assert len(np.unique(again)) < len(np.unique(values))


def test_a_bound_finer_than_rounding_leaves_no_room_for_a_table() -> None:
    values = np.repeat(np.array([1e6, 1e6 + 1, 1e6 + 2, 1e6 + 7], np.float32), 80).reshape(1, 16, 20)
    assert [] == list(tighter_grids(values, np.ones(values.shape, bool), 1e-3, "default"))
    assert covering(values[0, 0], 0.0) is None


def test_frames_packed_by_themselves_skip_points_within_a_bound() -> None:
    values = packed((6, 60, 70))
    error = 1.2 / 64
    framed = [
        grid
        for grid in tighter_grids(values, np.ones(values.shape, bool), error, "default")
        if isinstance(grid, Affine)
    ]
    assert [float(grid.steps[0]) for grid in framed] == [3 / 64]
    exact = len(encode_values(values, bound=None, effort="default"))
    payload = encode_values(values, bound=Bound("abs", error), effort="default")
    assert np.abs(values.astype(np.float64) - decode_values(payload, values.shape, values.dtype)).max() <= error
    assert len(payload) < exact


def test_a_grid_inside_a_grid_has_one_line() -> None:
    framed = Affine(np.dtype(np.float32), np.array([1.0]), np.array([1.0, 2.5]))
    head = bytes([Affine.code]) + framed.pack()
    assert isinstance(read_grid(Reader(head[1:]), head[0], np.dtype(np.float32), 2, inner=False), Affine)
    with pytest.raises(Corrupt):
        read_grid(Reader(head[1:]), head[0], np.dtype(np.float32), 2, inner=True)
