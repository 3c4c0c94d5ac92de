"""Guesses are corrected, and the odds of numbers told: they come back, the same everywhere."""

import hashlib
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.arrays.predict import UNCOUNTED, VALUE_MAX, decode_integers, encode_integers
from lithify.codecs.arrays.reach import FAR, NEAR, Reach
from lithify.codecs.arrays.spread import odds
from lithify.errors import BadBytes
from tests.elsewhere import INTERPRETED, PLAIN_PROCESSOR, printed
from tests.unit.codecs.arrays.fields import smooth, waves


def whole(shape: tuple[int, int, int], times: float) -> np.ndarray:
    found: np.ndarray = np.rint((smooth(shape) - 280).astype(np.float64) * times).astype(np.int32)
    return found


def test_no_entry_of_the_tables_is_so_near_a_half_that_a_logarithm_could_round_it_otherwise() -> None:
    with localcontext(prec=40):
        for at in range(1024):
            x = Decimal(max(at, 0.5)) / 64
            exact = 256 * (1 + (-Decimal(at) / 64).exp()).ln(), 256 * (x.exp() - 1).ln()
            cosh = ((Decimal(at) / 64).exp() + (-Decimal(at) / 64).exp()) / 2
            for found, one in zip(odds()[at::1024].tolist(), (*exact, 256 * cosh.ln()), strict=True):
                assert abs(one - found) < Decimal("0.499999")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_integers_come_back(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)))
    most = data.draw(st.sampled_from([1, 30, 5000, VALUE_MAX]))
    chance = np.random.default_rng(data.draw(st.integers(0, 1000)))
    values = chance.integers(-most, most, shape, endpoint=True).astype(np.int32)
    mask = (chance.random(shape) < data.draw(st.sampled_from([0, 0.2, 0.9]))).astype(np.uint8)
    lags = data.draw(st.sampled_from([(1, 2), (2, 3), (9, 9)]))
    reach = data.draw(st.sampled_from([NEAR, FAR]))
    origin = data.draw(st.integers(-most, most))
    stream = encode_integers(values, mask, lags, reach, origin)
    if stream is not None:
        again = decode_integers(stream, mask, lags, reach, origin)
        assert np.where(mask, 0, values).tobytes() == np.where(mask, 0, again).tobytes()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([NEAR, FAR]))
def test_streams_that_lie_give_integers_or_are_refused(stream: bytes, reach: Reach) -> None:
    try:
        found = decode_integers(stream, np.zeros((3, 9, 8), np.uint8), reach=reach)
    except BadBytes:
        return
    assert int(np.abs(found).max()) <= VALUE_MAX


def digest(shape: tuple[int, int, int]) -> str:
    """Of the streams of two fields."""
    found = hashlib.sha256()
    for reach, counted in ((NEAR, UNCOUNTED), (FAR, range(-3000, 3000))):
        for times in (3, 300):
            values = whole(shape, times)
            found.update(encode_integers(values, np.zeros(shape, np.uint8), (1, 2), reach, 0, None, counted) or b"")
    return found.hexdigest()


@pytest.mark.parametrize(("shape", "where"), [((3, 9, 11), INTERPRETED), ((5, 30, 40), PLAIN_PROCESSOR)])
def test_streams_are_the_same_when_interpreted_and_on_a_plain_processor(
    shape: tuple[int, int, int], where: dict[str, str]
) -> None:
    program = f"from tests.unit.codecs.arrays.test_predict import *; print(digest({shape!r}))"
    assert digest(shape) == printed(program, where)


def lengths(values: np.ndarray, lags: tuple[int, int]) -> list[int]:
    """Of what looks near, and of what looks far."""
    mask = np.zeros(values.shape, np.uint8)
    return [len(encode_integers(values, mask, lags, reach) or b"") for reach in (NEAR, FAR)]


def test_fields_whose_waves_are_long_are_smaller_when_guesses_look_far() -> None:
    near, far = lengths(np.rint(300 * waves((2, 150, 160), 6)).astype(np.int32), (9, 9))
    assert far < 0.95 * near


def test_frames_around_a_mean_are_smaller_when_guesses_look_far() -> None:
    chance = np.random.default_rng(5)
    means = chance.normal(0, 100, (1, 50, 60))
    near, far = lengths(np.rint(means + chance.normal(0, 10, (30, 50, 60))).astype(np.int32), (1, 2))
    assert far < 0.99 * near


def test_land_in_front_of_the_sea_costs_less_where_the_block_begins_at_the_sea() -> None:
    values = np.rint(30 * waves((2, 60, 70), 20)).astype(np.int32) + 4000
    mask = (waves((1, 60, 70), 30) > 0).astype(np.uint8).repeat(2, axis=0)
    mask[:, :3] = 1
    first = int(values.reshape(-1)[mask.argmin()])
    streams = [encode_integers(values, mask, origin=origin) or b"" for origin in (0, first)]
    assert len(streams[1]) < 0.9 * len(streams[0])
    for stream, origin in zip(streams, (0, first), strict=True):
        again = decode_integers(stream, mask, origin=origin)
        assert np.array_equal(np.where(mask, 0, values), np.where(mask, 0, again))
