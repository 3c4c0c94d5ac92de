"""A floor of quality: it is kept, hardly more than kept, and costs less than an even bound that keeps it."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lithify.codecs.arrays.bands import Depth
from lithify.codecs.arrays.base import Base
from lithify.codecs.arrays.block import SMOOTH, Coding, Tolerance, decode_block, encode_block
from lithify.codecs.arrays.grids import Affine
from lithify.codecs.arrays.values import Bound, Floor, decode_values, encode_values
from lithify.codecs.similarity import similarity
from lithify.errors import BadArgument, Corrupt
from tests.examples import examples
from tests.unit.codecs.arrays.fields import smooth, turbulent, with_holes

SHAPE = (9, 48, 52)
EXAMPLES = examples(60, "ARRAY_EXAMPLES")


def psnr(values: np.ndarray, again: np.ndarray) -> float:
    valid = np.isfinite(values)
    before, after = values[valid].astype(np.float64), again[valid].astype(np.float64)
    square = float(np.mean(np.square(after - before)))
    return 10 * math.log10((before.max() - before.min()) ** 2 / square) if square else math.inf


def round_trip(values: np.ndarray, floor: Floor, effort: Any = "default") -> tuple[int, np.ndarray]:
    payload = encode_values(values, bound=floor, effort=effort)
    return len(payload), decode_values(payload, values.shape, values.dtype)


@pytest.mark.parametrize("decibels", [35, 50, 70])
@pytest.mark.parametrize("field", [smooth, turbulent])
def test_the_noise_is_just_below_what_a_floor_allows(field: Any, decibels: float) -> None:
    values = field(SHAPE)
    _, again = round_trip(values, Floor("psnr", decibels))
    assert decibels <= psnr(values, again) < decibels + 1


@pytest.mark.parametrize("likeness", [0.9, 0.98, 0.9995])
def test_structures_stay_as_similar_as_a_floor_asks_for(likeness: float) -> None:
    values = turbulent(SHAPE)
    _, again = round_trip(values, Floor("ssim", likeness))
    frames = zip(values.astype(np.float64), again.astype(np.float64), strict=True)
    found = np.mean([similarity(one, other, 0, float(np.ptp(values))) for one, other in frames])
    assert likeness <= found < 1


def test_who_is_in_a_hurry_keeps_the_floor_too() -> None:
    values = turbulent(SHAPE)
    _, again = round_trip(values, Floor("psnr", 55), "fast")
    assert psnr(values, again) >= 55


def test_what_is_smooth_needs_less_than_under_an_even_bound() -> None:
    values = smooth((16, 96, 96))
    length, again = round_trip(values, Floor("psnr", 45))
    even = Bound("abs", float(np.ptp(values)) * math.sqrt(3) * 10 ** (-45 / 20))
    assert psnr(values, again) >= 45
    assert length < 0.7 * len(encode_values(values, bound=even, effort="default"))


def test_gaps_and_fills_come_back_bit_for_bit() -> None:
    values = with_holes(smooth(SHAPE))
    values[:, :5] = np.float32(-999)
    payload = encode_values(values, bound=Floor("psnr", 50), effort="default", fills=(-999.0,))
    again = decode_values(payload, values.shape, values.dtype)
    kept = ~np.isfinite(values) | (values == -999)
    assert values[kept].tobytes() == again[kept].tobytes()
    assert not (again[~kept] == -999).any()
    assert psnr(np.where(kept, np.nan, values), again) >= 50


@pytest.mark.parametrize(
    ("values", "floor"),
    [
        (np.full((20, 20), 1.5, np.float32), Floor("psnr", 40)),
        (np.full((20, 20), np.nan, np.float32), Floor("psnr", 40)),
        (np.arange(400, dtype=np.int32).reshape(20, 20), Floor("psnr", 40)),
        (np.linspace(0, 1, 36).reshape(6, 6), Floor("ssim", 0.5)),
        (np.linspace(0, 1, 400).reshape(20, 20), Floor("ssim", 1.0)),
        (np.array([[-1.7e308, 1.7e308] * 8] * 9), Floor("psnr", 40)),
    ],
    ids=["constant", "nothing", "integers", "too small to be similar", "alike", "a span beyond doubles"],
)
def test_where_quality_means_nothing_every_bit_comes_back(values: np.ndarray, floor: Floor) -> None:
    _, again = round_trip(values, floor)
    assert values.tobytes() == again.tobytes()


@given(
    hnp.arrays(st.sampled_from([np.float32, np.float64]), hnp.array_shapes(min_dims=1, max_dims=3, max_side=12)),
    st.floats(20, 120),
)
@example(np.array([2.07834491e154, 0.0]), 20.0)
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_floats_keep_any_floor(values: np.ndarray, decibels: float) -> None:
    _, again = round_trip(values, Floor("psnr", decibels))
    finite = np.isfinite(values)
    assert values[~finite].tobytes() == again[~finite].tobytes()
    with np.errstate(over="ignore"):
        if finite.any() and math.isfinite(float(np.ptp(values[finite].astype(np.float64)))):
            assert not np.ptp(values[finite]) or psnr(values, again) >= decibels - 1e-6


@pytest.mark.parametrize("floor", [("psnr", 0), ("psnr", math.inf), ("ssim", 1.5), ("vmaf", 90)])
def test_a_floor_that_means_nothing_is_refused(floor: Any) -> None:
    with pytest.raises(BadArgument):
        Floor(*floor)


def test_a_smooth_block_has_a_base_and_nothing_behind_it() -> None:
    values = smooth((1, 64, 64))
    grid = Affine(values.dtype, np.array([0.5]), np.array([280.0]))
    coding = Coding(values.dtype, grid, np.zeros(0, np.uint32), base=Base(Depth(0, 6), 256 * 64), alone=True)
    body = encode_block(values, range(1), coding, Tolerance(math.inf), "default")
    assert body is not None
    assert body[0] == SMOOTH
    assert np.abs(decode_block(body, values.shape, range(1), coding) - values).max() < 2
    without = bytes([SMOOTH, 1, 2, 0, 0, 0, 0])
    for wrong in (body + b"\1", without):
        with pytest.raises(Corrupt, match="smooth block"):
            decode_block(wrong, values.shape, range(1), coding)


def test_a_floor_below_all_that_can_be_lost_is_met_by_the_coarsest_there_is() -> None:
    values = smooth((4, 64, 64))
    values[:, 8:] = np.nan
    length, again = round_trip(values, Floor("ssim", 0.05))
    assert length < values.nbytes / 100
    assert np.isnan(again[:, 8:]).all()
