"""Networks refine guesses: taught by an array, written in front of it, the same everywhere, and only where they pay."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs import vectors
from lithify.codecs.arrays import network, teaching
from lithify.codecs.arrays.block import LADDERED, LOOKING_FAR, REFINED, Coding, Tolerance, decode_block, encode_block
from lithify.codecs.arrays.bound import Bound
from lithify.codecs.arrays.contents import methods_of
from lithify.codecs.arrays.cube import Cube, stack
from lithify.codecs.arrays.extents import Element, one_tile
from lithify.codecs.arrays.grids import Native, Ranks
from lithify.codecs.arrays.network import LESSON, WEIGHT_MAX, Network, read_network
from lithify.codecs.arrays.plan import WITH_NETWORK, Plan, make_plan, pack_header, read_header
from lithify.codecs.arrays.predict import UNCOUNTED, VALUE_MAX, decode_integers, encode_integers
from lithify.codecs.arrays.reach import FAR
from lithify.codecs.arrays.training import Pupil, bits_taken, read_lessons, teach
from lithify.codecs.arrays.values import decode_inner, decode_part, decode_values, encode_inner, encode_values
from lithify.codecs.arrays.wire import Reader, varint
from lithify.errors import BadBytes, Corrupt
from tests.elsewhere import INTERPRETED, PLAIN_PROCESSOR, printed
from tests.unit.codecs.arrays.fields import some_network, waves

NO_SPECIALS = np.zeros(0, np.uint32)


def folded(shape: tuple[int, int, int]) -> np.ndarray:
    """Frames of which each is made of the one before by a rule that no straight line follows, and some noise."""
    chance = np.random.default_rng(9)
    frames = [waves((1, *shape[1:]), 9)[0]]
    for _ in range(shape[0] - 1):
        around = (frames[-1] + np.roll(frames[-1], 1, 0) + np.roll(frames[-1], 1, 1)) / 3
        frames.append(1 - np.abs(1.9 * around) + chance.normal(0, 0.01, shape[1:]))
    return np.asarray(np.rint(400 * np.array(frames)), np.int32)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_integers_come_back_whatever_a_network_was_taught(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)))
    most = data.draw(st.sampled_from([1, 30, 5000, VALUE_MAX]))
    seed = data.draw(st.integers(0, 1000))
    chance = np.random.default_rng(seed)
    values = chance.integers(-most, most, shape, endpoint=True).astype(np.int32)
    mask = (chance.random(shape) < data.draw(st.sampled_from([0, 0.2, 0.9]))).astype(np.uint8)
    lags = data.draw(st.sampled_from([(1, 2), (2, 3), (9, 9)]))
    units = data.draw(st.sampled_from([(32, 32), (96, 64), (128, 128)]))
    table = some_network(units, data.draw(st.sampled_from([0, 9, 60, WEIGHT_MAX])), seed).table
    stream = encode_integers(values, mask, lags, FAR, network=table)
    if stream is not None:
        again = decode_integers(stream, mask, lags, FAR, network=table)
        assert np.where(mask, 0, values).tobytes() == np.where(mask, 0, again).tobytes()


@settings(max_examples=40, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([9, WEIGHT_MAX]),
    st.sampled_from([(3, 9, 8), (1, 1, 90), (90, 1, 1), (2, 40, 1)]),
    st.booleans(),
    st.booleans(),
)
def test_streams_that_lie_to_a_network_give_integers_or_are_refused(
    stream: bytes, most: int, shape: tuple[int, int, int], is_masked: bool, is_counted: bool
) -> None:
    table = some_network((128, 128), most).table
    mask = (np.arange(np.prod(shape)).reshape(shape) % 3 == int(is_masked)).astype(np.uint8) * is_masked
    counted = range(-9, 900) if is_counted else UNCOUNTED
    try:
        found = decode_integers(stream, mask, reach=FAR, counted=counted, network=table)
    except BadBytes:
        return
    assert int(np.abs(found).max()) <= VALUE_MAX


def digest(shape: tuple[int, int, int]) -> str:
    """Of the streams of what two networks refine."""
    found = hashlib.sha256()
    values, mask = folded(shape), np.zeros(shape, np.uint8)
    for units, most in (((32, 64), 30), ((64, 32), WEIGHT_MAX)):
        table = some_network(units, most).table
        stream = encode_integers(values, mask, (1, 2), FAR, network=table)
        assert stream is not None
        assert np.array_equal(values, decode_integers(stream, mask, (1, 2), FAR, network=table))
        found.update(stream)
    return found.hexdigest()


@pytest.mark.parametrize(("shape", "where"), [((3, 7, 9), INTERPRETED), ((5, 30, 40), PLAIN_PROCESSOR)])
def test_what_a_network_refines_is_the_same_when_interpreted_and_on_a_plain_processor(
    shape: tuple[int, int, int], where: dict[str, str]
) -> None:
    program = f"from tests.unit.codecs.arrays.test_network import *; print(digest({shape!r}))"
    assert digest(shape) == printed(program, where)


def network_in(payload: bytes, values: np.ndarray) -> Network | None:
    return read_header(Reader(payload), values.shape, values.dtype)[1].network


def test_frames_that_follow_a_rule_are_smaller_by_a_network_that_learns_it() -> None:
    values = folded((20, 64, 64))
    plain, refined = (encode_values(values, bound=None, effort=effort) for effort in ("default", "max"))
    assert network_in(plain, values) is None
    assert network_in(refined, values) is not None
    assert len(refined) < 0.97 * len(plain)
    assert np.array_equal(values, decode_values(refined, values.shape, values.dtype))
    assert np.array_equal(values[4:6, 9], decode_part(refined, values.shape, values.dtype, (slice(4, 6), 9)))
    extent = one_tile(Element("i4"), values.shape, 0)
    assert methods_of(refined, extent) == "predicted, refined"


def test_a_network_keeps_a_bound_and_holes() -> None:
    noise = np.random.default_rng(1).normal(0, 0.05, (20, 64, 64))
    values = (folded((20, 64, 64)) / 7 + noise).astype(np.float32)
    values[:, :9, :9] = np.nan
    values[3, 20, 20] = np.inf
    refined = encode_values(values, bound=Bound("abs", 0.1), effort="max")
    assert network_in(refined, values) is not None
    again = decode_values(refined, values.shape, values.dtype)
    finite = np.isfinite(values)
    assert np.abs(again[finite].astype(np.float64) - values[finite]).max() <= 0.1
    assert values[~finite].tobytes() == again[~finite].tobytes()


def test_noise_has_no_network() -> None:
    values = np.random.default_rng(4).integers(0, 3000, (6, 100, 100)).astype(np.int32)
    payload = encode_values(values, bound=None, effort="max")
    assert network_in(payload, values) is None
    assert len(payload) <= len(encode_values(values, bound=None, effort="default"))


def test_ranks_are_refined_too() -> None:
    table = (np.arange(200, dtype=np.float32) - 9) ** 3
    values = table[np.abs(folded((4, 40, 50))) % 200]
    grid = Ranks(table.dtype, table, encode_inner(table))
    coding = Coding(values.dtype, grid, NO_SPECIALS, reach=FAR, laddered=True, network=some_network())
    body = encode_block(values, range(4), coding, Tolerance(), "default")
    assert body is not None
    assert body[1] == LOOKING_FAR | LADDERED | REFINED
    assert np.array_equal(values, decode_block(body, values.shape, range(4), coding))


def lessons() -> np.ndarray:
    values = folded((6, 40, 50))
    table = np.zeros(values.size * LESSON, np.int32)
    assert encode_integers(values, np.zeros(values.shape, np.uint8), (1, 2), FAR, lessons=table) is not None
    return table.reshape(-1, LESSON)


def test_lessons_say_what_was_missed_and_what_was_seen() -> None:
    every = read_lessons(lessons())
    assert every.seen.shape == (12_000, 68)
    assert every.seen.min() >= -256
    assert every.seen.max() == 256
    assert 0.5 < np.abs(every.missed).mean() / every.expected.mean() < 2
    assert set(every.apart) == {16}


@pytest.mark.parametrize("room", [1, 7, 100, 11_999])
def test_no_more_lessons_are_kept_than_there_is_room_for_and_none_of_what_is_masked(room: int) -> None:
    values, mask = folded((6, 40, 50)), np.zeros((6, 40, 50), np.uint8)
    mask[:, ::3] = 1
    table = np.zeros((room + 1) * LESSON, np.int32)
    assert encode_integers(values, mask, (1, 2), FAR, lessons=table[:-LESSON]) is not None
    assert not table[-LESSON:].any()
    kept = np.count_nonzero(table.reshape(-1, LESSON).any(axis=1))
    assert kept <= room
    assert room < 100 or 0.4 * room < kept < 0.7 * room


def test_lessons_of_the_largest_integers_expect_errors_above_nothing() -> None:
    values = np.random.default_rng(2).integers(-VALUE_MAX, VALUE_MAX, (2, 30, 30)).astype(np.int32)
    table = np.zeros(values.size * LESSON, np.int32)
    assert encode_integers(values, np.zeros(values.shape, np.uint8), (1, 2), FAR, lessons=table) is not None
    assert read_lessons(table.reshape(-1, LESSON)).expected.min() >= 0
    assert teach(table, (32, 32), values.size) is not None


def test_nothing_is_taught_by_nothing() -> None:
    assert teach(np.zeros(5 * LESSON, np.int32), (32, 32), 100) is None


def test_slopes_are_those_of_the_bits() -> None:
    some = read_lessons(lessons()[6000:8000])
    pupil = Pupil((32, 32), np.random.default_rng(1))
    slopes = pupil.slopes(some)
    steepest = np.argsort(-np.abs(slopes))[:12]
    for at in steepest:
        before = float(pupil.weights[at])
        bits = []
        for step in (0.01, -0.01):
            pupil.weights[at] = before + step
            bits.append(float(bits_taken(pupil.outputs(some), some).mean(dtype=np.float64)))
        pupil.weights[at] = before
        assert (bits[0] - bits[1]) / 0.02 == pytest.approx(float(slopes[at]), rel=0.2)


def test_what_is_taught_is_taught_again_the_same() -> None:
    one, other = (teach(lessons().reshape(-1), (32, 32), 12_000) for _ in range(2))
    assert one is not None
    assert other is not None
    assert one.pack() == other.pack()


def test_a_network_has_as_many_units_in_a_row_as_vectors_have_lanes() -> None:
    assert network.LANES == vectors.LANES


def test_networks_are_packed_and_read_again() -> None:
    for units in ((32, 32), (64, 128), (128, 32)):
        network = some_network(units, WEIGHT_MAX)
        again = read_network(Reader(network.pack()))
        assert np.array_equal(network.table, again.table)
        assert (again.first.shape[1], again.second.shape[1]) == units


def test_networks_that_cannot_be_are_refused() -> None:
    packed = some_network().pack()
    with pytest.raises(Corrupt, match="0x10 units"):
        read_network(Reader(b"\x10" + packed[1:]))
    large = some_network()
    large.last[3, 1] = WEIGHT_MAX + 1
    with pytest.raises(Corrupt, match="weight of 2048"):
        read_network(Reader(large.pack()))
    for length in range(0, len(packed), 97):
        with pytest.raises(BadBytes):
            read_network(Reader(packed[:length]))


def test_a_network_where_none_can_be_is_refused() -> None:
    values = folded((3, 20, 20))
    coding = Coding(values.dtype, Native(values.dtype, 0, 1, 0), NO_SPECIALS, reach=FAR, network=some_network())
    body = encode_block(values, range(3), coding, Tolerance(), "default")
    assert body is not None
    assert body[1] == LOOKING_FAR | REFINED
    head = pack_header(stack(values.shape), coding)
    assert np.array_equal(values, decode_values(head + varint(len(body)) + body, values.shape, values.dtype))
    with pytest.raises(Corrupt, match="without one or looking near"):
        decode_block(body, values.shape, range(3), replace(coding, network=None))
    with pytest.raises(Corrupt, match="without one or looking near"):
        decode_block(body[:1] + bytes([REFINED]) + body[2:], values.shape, range(3), coding)
    flat = np.arange(90, dtype=np.int32)
    inner = pack_header(stack(flat.shape), replace(coding, dtype=flat.dtype))
    with pytest.raises(Corrupt, match="inside another"):
        decode_inner(inner + b"\1\0", 90, flat.dtype)
    place = head.index(bytes([WITH_NETWORK | 1]))
    with pytest.raises(Corrupt, match="without a grid"):
        decode_values(head[:place] + bytes([WITH_NETWORK]) + head[place + 1 :] + b"\1\0", values.shape, values.dtype)


def glyphs() -> np.ndarray:
    """Pictures of few shades that JPEG XL makes smaller than any guess does."""
    y, x = np.mgrid[:192, :192]
    return np.array([(x ^ y) & 0xF0 for _ in range(3)], np.uint8)


def test_no_network_is_written_where_other_coders_keep_the_blocks() -> None:
    values = glyphs()
    dense = encode_values(values, bound=None, effort="max")
    assert network_in(dense, values) is None
    assert len(dense) <= len(encode_values(values, bound=None, effort="default"))


def test_a_network_that_no_block_turned_out_to_need_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    values = glyphs()
    monkeypatch.setattr(teaching, "with_network", _with_any_network)
    payload = encode_values(values, bound=None, effort="max")
    assert network_in(payload, values) is None
    assert values.tobytes() == decode_values(payload, values.shape, values.dtype).tobytes()


def _with_any_network(plan: Plan, _stacked: np.ndarray, _cube: Cube) -> Plan:
    return replace(plan, coding=replace(plan.coding, reach=FAR, network=some_network()))


def test_what_lies_in_all_corners_of_an_array_is_looked_at() -> None:
    values = np.zeros((32, 500, 500), np.int32)
    cube = stack(values.shape)
    plan = make_plan(values, cube, None, "fast", (), inner=False)
    drawn = teaching.Tried(plan, values, cube).blocks
    assert len(drawn) == 4
    assert len({(block.rows.start, block.columns.start) for block in drawn}) > 1
