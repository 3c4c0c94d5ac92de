"""Guesses are corrected, and the odds of numbers told: they come back, the same everywhere."""

import hashlib
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.arrays import model, predict
from lithify.codecs.arrays.bands import Depth
from lithify.codecs.arrays.block import (
    LOOKING_FAR,
    PREDICTED,
    Coding,
    Tolerance,
    decode_block,
    encode_block,
)
from lithify.codecs.arrays.coefficients import decode_coefficients, encode_coefficients
from lithify.codecs.arrays.grids import Native, Ranks
from lithify.codecs.arrays.plan import read_header
from lithify.codecs.arrays.predict import UNCOUNTED, VALUE_MAX, decode_integers, encode_integers
from lithify.codecs.arrays.reach import FAR, NEAR, Reach
from lithify.codecs.arrays.spread import odds
from lithify.codecs.arrays.values import encode_inner, encode_values
from lithify.codecs.arrays.wire import Reader, varint, zigzag
from lithify.errors import BadBytes, Corrupt, LimitExceeded
from tests.elsewhere import INTERPRETED, PLAIN_PROCESSOR, printed
from tests.unit.codecs.arrays import reference
from tests.unit.codecs.arrays.fields import smooth, waves
from tests.unit.codecs.text.reference import Coder


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
    for reach, counted in ((NEAR, UNCOUNTED), (FAR, range(-7000, 7000))):
        for times in (3, 300):
            values, mask = whole(shape, times), np.zeros(shape, np.uint8)
            stream = encode_integers(values, mask, (1, 2), reach, 0, None, counted)
            assert stream is not None
            assert np.array_equal(values, decode_integers(stream, mask, (1, 2), reach, 0, None, counted))
            found.update(stream)
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
    streams = [encode_integers(values, mask, lags, reach) for reach in (NEAR, FAR)]
    assert None not in streams
    return [len(stream or b"") for stream in streams]


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
    lengths = []
    for origin in (0, first):
        stream = encode_integers(values, mask, origin=origin)
        assert stream is not None
        again = decode_integers(stream, mask, origin=origin)
        assert np.array_equal(np.where(mask, 0, values), np.where(mask, 0, again))
        lengths.append(len(stream))
    assert lengths[1] < 0.9 * lengths[0]
    land = np.where(mask, -1, values)
    coding = Coding(land.dtype, Native(land.dtype, 0, 1, 0), np.full(1, -1, np.int64).astype(np.int32).view(np.uint32))
    body = encode_block(land, range(2), coding, Tolerance(), "default")
    assert body is not None
    assert len(body) < 0.95 * lengths[0]
    assert np.array_equal(land, decode_block(body, (2, 60, 70), range(2), coding))


def test_what_looks_far_and_where_a_block_begins_are_told_and_checked() -> None:
    values = np.rint(300 * waves((3, 48, 54), 6)).astype(np.int32)
    payload = encode_values(values, bound=None, effort="default")
    _, coding = read_header(reader := Reader(payload), values.shape, values.dtype)
    reader.varint(1 << 40)
    body = reader.rest()
    assert body[0] == PREDICTED
    assert body[1] == LOOKING_FAR
    with pytest.raises(Corrupt, match="manner 0x11"):
        decode_block(body[:1] + bytes([17]) + body[2:], values.shape, range(3), coding)
    tall = (1 << 18, 1, 1)
    with pytest.raises(LimitExceeded, match="look far"):
        decode_block(body[:2] + b"\1\2" + bytes(5) + b"\0", tall, range(1 << 18), coding)


def test_short_fields_without_long_waves_look_near() -> None:
    payload = encode_values(whole((3, 9, 11), 40), bound=None, effort="default")
    read_header(reader := Reader(payload), (3, 9, 11), np.dtype(np.int32))
    reader.varint(1 << 40)
    assert reader.byte() == PREDICTED
    assert not reader.byte() & LOOKING_FAR


@pytest.mark.parametrize("rank", [-1, 31, 1 << 28])
def test_a_block_that_begins_at_a_rank_which_does_not_exist_is_refused(rank: int) -> None:
    table = (np.arange(31, dtype=np.float32) - 9) ** 3
    values = table[np.arange(60).reshape(2, 5, 6) % 31]
    coding = Coding(table.dtype, Ranks(table.dtype, table, encode_inner(table)), np.zeros(0, np.uint32), laddered=True)
    body = encode_block(values, range(2), coding, Tolerance(), "default")
    assert body is not None
    assert body[8] == 0
    assert np.array_equal(values, decode_block(body, (2, 5, 6), range(2), coding))
    with pytest.raises(Corrupt, match="begins at rank"):
        decode_block(body[:8] + varint(zigzag(rank)) + body[9:], (2, 5, 6), range(2), coding)


def test_corrections_that_were_taught_to_be_too_large_do_not_wrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held of them was below 0 then, and looked for what lies in front of a table."""

    def taught(*shape: int, **options: Any) -> model.Model:
        found = model.new_model(*shape, **options)
        found.told_weights[: model.TELLING] = 1 << 18
        return found

    monkeypatch.setattr(predict, "new_model", taught)
    rising, noise = np.linspace(-1, 1, 24).reshape(1, 3, 8), np.random.default_rng(1).choice([-1, 1], (1, 3, 8))
    values = np.rint(np.concatenate([rising, noise], 1) * VALUE_MAX).astype(np.int32)
    stream = encode_integers(values, np.zeros(values.shape, np.uint8))
    assert stream is not None
    data = reference.Bytes(stream)
    plain = reference.Plain(data.take(data.varint()))
    numbers = reference.Numbers(Coder(data.rest()), plain)
    found = reference.Integers(values.shape, (1, 2), False, 0, [], 0, numbers)
    found.correction.weights = [1 << 18] * 15 + [0]
    assert values.reshape(-1).tolist() == found.decode()


@pytest.mark.parametrize("most", [3, VALUE_MAX])
def test_coefficients_of_any_size_come_back_and_are_the_same_when_interpreted(most: int) -> None:
    program = f"from tests.unit.codecs.arrays.test_predict import *; print(coefficients({most}))"
    assert coefficients(most) == printed(program, INTERPRETED)


def coefficients(most: int) -> str:
    """A digest of the stream of some, which come back."""
    values = np.random.default_rng(3).integers(-most, most, (2, 9, 9), endpoint=True).astype(np.int32)
    stream = encode_coefficients(values, Depth(1, 1))
    assert stream is not None
    assert np.array_equal(values, decode_coefficients(stream, (2, 9, 9), Depth(1, 1)))
    return hashlib.sha256(stream).hexdigest()
