"""The numeric coder: what goes in comes back, bit for bit or within the bound, whole or in part."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lithify.codecs.arrays import block
from lithify.codecs.arrays import values as doors
from lithify.codecs.arrays.block import Coding, Tolerance, encode_block
from lithify.codecs.arrays.cube import cube_count, stack
from lithify.codecs.arrays.grids import Affine, Ranks
from lithify.codecs.arrays.plan import pack_header, read_header
from lithify.codecs.arrays.predict import encode_integers
from lithify.codecs.arrays.values import Bound, decode_part, decode_values, encode_inner, encode_values
from lithify.codecs.arrays.wire import Reader, varint
from lithify.errors import BadArgument, BadBytes, Corrupt, LimitExceeded, Truncated
from tests.examples import examples
from tests.unit.codecs.arrays.fields import FIELDS, decimals, packed, smooth, waves, with_holes

DTYPES = ["?", "i1", "u1", "i2", ">u2", "i4", "u4", "i8", "u8", "f2", "f4", ">f4", "f8", "c8", "c16", "M8[s]"]
SHAPE = (9, 34, 41)
EXAMPLES = examples(150, "ARRAY_EXAMPLES")


def round_trip(values: np.ndarray, bound: Bound | None = None, effort: Any = "default", fills: Any = ()) -> np.ndarray:
    payload = encode_values(values, bound=bound, effort=effort, fills=fills)
    return decode_values(payload, values.shape, values.dtype)


def native(values: np.ndarray) -> bytes:
    return values.astype(values.dtype.newbyteorder("="), copy=False).tobytes()


@st.composite
def any_arrays(draw: st.DrawFn) -> np.ndarray:
    """Any bits, in any shape."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=6))
    count = int(np.prod(shape))
    few = draw(st.booleans())
    pool = draw(st.binary(min_size=dtype.itemsize, max_size=dtype.itemsize * (3 if few else 40)))
    chance = random.Random(draw(st.integers(0, 99)))
    whole = len(pool) // dtype.itemsize
    pieces = [pool[i * dtype.itemsize :][: dtype.itemsize] for i in (chance.randrange(whole) for _ in range(count))]
    raw = b"".join(pieces)
    if dtype.kind == "b":
        raw = bytes(byte & 1 for byte in raw)
    return np.frombuffer(raw, dtype).reshape(shape)


# --- exact --------------------------------------------------------------------------------------------


@given(any_arrays(), st.sampled_from(["fast", "default", "max"]))
@example(np.array(2.6584563e36, ">f4"), "fast")
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_array_comes_back_bit_for_bit(values: np.ndarray, effort: str) -> None:
    decoded = round_trip(values, effort=effort)
    assert (values.shape, values.dtype.newbyteorder("=")) == (decoded.shape, decoded.dtype)
    assert native(values) == decoded.tobytes()


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_comes_back_bit_for_bit_and_smaller(name: str) -> None:
    values = FIELDS[name](SHAPE)
    payload = encode_values(values, bound=None, effort="default")
    assert len(payload) < 0.9 * values.nbytes
    assert values.tobytes() == decode_values(payload, values.shape, values.dtype).tobytes()


def test_every_bit_of_nan_and_the_sign_of_zero_come_back() -> None:
    bits = np.array(
        [0x7FC00000, 0x7FC00001, 0xFFC12345, 0x7F800001, 0x80000000, 0, 0x7F800000, 0xFF800000, 1], np.uint32
    )
    values = np.resize(bits, 4000).view(np.float32)
    assert values.tobytes() == round_trip(values).tobytes()


def test_more_special_values_than_there_are_classes_come_back() -> None:
    values = smooth((4, 30, 30))
    values.reshape(-1).view(np.uint32)[::50] = 0x7FC00000 + np.arange(72)
    assert values.tobytes() == round_trip(values).tobytes()


@pytest.mark.parametrize("make", [decimals, packed, FIELDS["scaled"], FIELDS["few"]])
def test_floats_that_were_integers_take_far_less_than_their_bits(make: Any) -> None:
    values = make((12, 60, 70))
    noise = smooth((12, 60, 70))
    assert len(encode_values(values, bound=None, effort="default")) < 0.7 * len(
        encode_values(noise, bound=None, effort="default")
    )


def uneven(shape: tuple[int, ...]) -> np.ndarray:
    """Few different values, the further from zero the further apart."""
    table = (np.arange(-60, 61) ** 3 / 700).astype(np.float32)
    where = (smooth(shape).reshape(1, -1) - 280) * 9
    found: np.ndarray = table[np.abs(table[:, None] - where).argmin(axis=0)].reshape(shape)
    return found


def test_values_that_stand_unevenly_are_predicted_by_where_they_stand() -> None:
    values = uneven((6, 60, 70))
    payload = encode_values(values, bound=None, effort="default")
    assert values.tobytes() == decode_values(payload, values.shape, values.dtype).tobytes()
    cube, coding = read_header(reader := Reader(payload), values.shape, values.dtype)
    ranks = encode_integers(
        np.searchsorted(np.unique(values), values).astype(np.int32), np.zeros(values.shape, np.uint8)
    )
    reader.varint(1 << 40)
    assert cube_count(cube) == 1
    assert reader.byte() == block.PREDICTED
    assert reader.byte() & block.LADDERED
    assert isinstance(coding.grid, Ranks)
    assert ranks is not None
    assert reader.left < 0.97 * len(ranks)


def test_a_ladder_whose_places_fall_is_refused() -> None:
    values = uneven((6, 60, 70))
    few = np.unique(values)
    grid = Ranks(few.dtype, np.roll(few, 1), encode_inner(np.roll(few, 1)))
    rising = Ranks(few.dtype, few, encode_inner(few))
    none = np.zeros(0, np.uint32)
    body = encode_block(values, range(6), Coding(few.dtype, rising, none, laddered=True), Tolerance(), "default")
    assert body is not None
    payload = pack_header(stack(values.shape), Coding(few.dtype, grid, none)) + varint(len(body)) + body
    with pytest.raises(Corrupt):
        decode_values(payload, values.shape, values.dtype)


@pytest.mark.parametrize("effort", ["fast", "default"])
def test_a_block_in_which_nothing_was_measured_comes_back(effort: Any) -> None:
    values = np.full((3, 5, 6), np.nan, np.float32)
    grid = Affine(values.dtype, np.ones(1), np.zeros(1))
    coding = Coding(values.dtype, grid, values.reshape(-1)[:1].view(np.uint32))
    body = encode_block(values, range(3), coding, Tolerance(), effort)
    assert body is not None
    assert values.tobytes() == block.decode_block(body, values.shape, range(3), coding).tobytes()


def test_an_array_of_which_the_first_half_was_not_measured_comes_back() -> None:
    values = np.rint(smooth((3, 300, 1400)))
    values[:, :, :700] = np.nan
    assert len(stack(values.shape).blocks()) > 1
    assert values.tobytes() == round_trip(values).tobytes()


def test_holes_that_never_move_cost_next_to_nothing() -> None:
    whole = decimals((20, 40, 50))
    still = whole.copy()
    still[:, :, 17:] = np.nan
    cut = np.ascontiguousarray(whole[:, :, :17])
    extra = len(encode_values(still, bound=None, effort="default")) - len(
        encode_values(cut, bound=None, effort="default")
    )
    assert extra < 0.05 * cut.nbytes / 4


def test_values_without_order_are_kept_as_bytes_with_little_on_top() -> None:
    values = np.frombuffer(random.Random(1).randbytes(80_000), np.uint16).reshape(100, 400)
    assert len(encode_values(values, bound=None, effort="default")) <= values.nbytes + 40


def test_the_same_array_gives_the_same_payload_whatever_its_strides_and_byte_order() -> None:
    values = smooth((5, 20, 30))
    payload = encode_values(values, bound=None, effort="default")
    assert payload == encode_values(np.asfortranarray(values), bound=None, effort="default")
    assert payload == encode_values(values.astype(">f4"), bound=None, effort="default")


# --- bounded ------------------------------------------------------------------------------------------


def assert_within(values: np.ndarray, decoded: np.ndarray, bound: Bound) -> None:
    finite = np.isfinite(values)
    assert values[~finite].tobytes() == decoded[~finite].tobytes()
    wide, again = values[finite].astype(np.float64), decoded[finite].astype(np.float64)
    error = np.abs(wide - again)
    if bound.kind == "pwrel":
        assert (error <= bound.value * np.abs(wide)).all()
        assert np.array_equal(np.signbit(wide), np.signbit(again))
    else:
        scale = 1.0 if bound.kind == "abs" else float(wide.max()) - float(wide.min())
        assert (error <= bound.value * scale).all()


@given(
    hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64]),
        hnp.array_shapes(min_dims=1, max_dims=4, max_side=9),
        elements=st.one_of(
            st.floats(-100, 100, width=16), st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf, 60000.0, 6e-8])
        ),
    ),
    st.sampled_from(["abs", "rel", "pwrel"]),
    st.sampled_from([1e-6, 1e-4, 1e-2, 0.3, 1.0]),
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_no_value_leaves_its_bound(values: np.ndarray, kind: Any, part: float) -> None:
    bound = Bound(kind, part)
    decoded = round_trip(values, bound)
    if np.isfinite(values).any():
        assert_within(values, decoded, bound)


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in ("complex",) and "int" not in name])
@pytest.mark.parametrize("bound", [Bound("rel", 1e-2), Bound("rel", 1e-4), Bound("pwrel", 1e-3), Bound("abs", 1e-7)])
def test_a_field_comes_back_within_its_bound(name: str, bound: Bound) -> None:
    values = FIELDS[name](SHAPE)
    assert_within(values, round_trip(values, bound), bound)


def test_the_looser_the_bound_the_smaller_the_payload() -> None:
    values = with_holes(smooth((16, 50, 60)))
    sizes = [len(encode_values(values, bound=None, effort="default"))]
    sizes += [len(encode_values(values, bound=Bound("rel", 10.0**-n), effort="default")) for n in (5, 4, 3, 2, 1)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-2] < values.nbytes / 60


def test_a_fill_is_exact_and_no_part_of_the_range() -> None:
    values = with_holes(smooth((6, 30, 30)), hole=1e20)
    bound = Bound("rel", 1e-2)
    decoded = round_trip(values, bound, fills=[np.float32(1e20)])
    filled = values == np.float32(1e20)
    assert np.array_equal(filled, decoded == np.float32(1e20))
    assert_within(values[~filled], decoded[~filled], bound)


def test_integers_are_exact_whatever_the_bound() -> None:
    values = FIELDS["int16"](SHAPE)
    assert values.tobytes() == round_trip(values, Bound("abs", 1000.0)).tobytes()


def test_a_bound_wider_than_a_lattice_skips_its_points() -> None:
    values = decimals((10, 40, 40))
    exact = len(encode_values(values, bound=None, effort="default"))
    bound = Bound("abs", 0.014)
    assert len(encode_values(values, bound=bound, effort="default")) < 0.8 * exact
    assert_within(values, round_trip(values, bound), bound)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_bound_that_means_nothing_is_refused(value: float) -> None:
    with pytest.raises(BadArgument):
        Bound("abs", value)


def test_values_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(BadArgument, match="no numbers"):
        encode_values(np.array(["rock"]), bound=None, effort="fast")


# --- parts --------------------------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=examples(60), deadline=None)
def test_a_part_is_what_slicing_the_whole_gives(data: st.DataObject) -> None:
    shape = data.draw(st.sampled_from([(70, 6, 5), (3, 4, 5, 6), (40,), (8, 9), (2, 1, 7, 1)]))
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) / 7
    payload = encode_values(values, bound=None, effort="fast")
    part = data.draw(hnp.basic_indices(shape, allow_ellipsis=False, allow_newaxis=False))
    slices = part if isinstance(part, tuple) else (part,)
    expected = values[slices]
    assert expected.tobytes() == decode_part(payload, shape, values.dtype, slices).tobytes()


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("bound", [None, Bound("rel", 0.05), Bound("pwrel", 0.01)])
def test_the_first_frames_of_a_block_are_those_of_the_whole(name: str, bound: Bound | None) -> None:
    values = FIELDS[name](SHAPE)
    for effort in ("fast", "default"):
        payload = encode_values(values, bound=bound, effort=effort)
        whole = decode_values(payload, values.shape, values.dtype)
        for frames in (1, 2, len(values) - 1):
            part = decode_part(payload, values.shape, values.dtype, (slice(0, frames),))
            assert native(whole[:frames]) == native(part)


@pytest.mark.parametrize(
    ("shape", "part"), [((700, 40, 40), (600, slice(0, 10))), ((1, 1030, 20), (0, slice(700, 710)))]
)
def test_a_part_decodes_only_the_blocks_that_it_touches(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], part: Any
) -> None:
    array = np.arange(np.prod(shape), dtype=np.int32).reshape(shape) // 50
    payload = encode_values(array, bound=None, effort="fast")
    decoded: list[range] = []
    real = block.decode_block

    def spied(body: bytes, of_shape: tuple[int, int, int], frames: range, *others: Any) -> np.ndarray:
        decoded.append(frames)
        return real(body, of_shape, frames, *others)

    monkeypatch.setattr(doors, "decode_block", spied)
    assert np.array_equal(array[part], decode_part(payload, array.shape, array.dtype, part))
    assert len(decoded) == 1
    assert np.array_equal(array, decode_values(payload, array.shape, array.dtype))
    assert len(decoded) == 1 + 3


# --- what is refused ----------------------------------------------------------------------------------


def payloads() -> dict[str, tuple[bytes, tuple[int, ...], np.dtype]]:
    found = {}
    for name, make in FIELDS.items():
        values = make((3, 9, 11))
        found[name] = (encode_values(values, bound=None, effort="default"), values.shape, values.dtype)
    values = with_holes(smooth((10, 24, 24)))
    found["base"] = (encode_values(values, bound=Bound("rel", 0.02), effort="default"), values.shape, values.dtype)
    values = uneven((6, 24, 26))
    found["ladder"] = (encode_values(values, bound=None, effort="default"), values.shape, values.dtype)
    values = np.rint(300 * waves((3, 48, 54), 6)).astype(np.int16)
    found["far"] = (encode_values(values, bound=None, effort="default"), values.shape, values.dtype)
    return found


@pytest.fixture(scope="module")
def every_payload() -> dict[str, tuple[bytes, tuple[int, ...], np.dtype]]:
    return payloads()


@pytest.mark.parametrize("name", [*FIELDS, "base", "ladder", "far"])
def test_a_payload_cut_anywhere_is_refused(every_payload: dict[str, Any], name: str) -> None:
    payload, shape, dtype = every_payload[name]
    for cut in random.Random(name).sample(range(len(payload)), min(150, len(payload))):
        with pytest.raises((Truncated, Corrupt)):
            decode_values(payload[:cut], shape, dtype)


@pytest.mark.parametrize("name", [*FIELDS, "base", "ladder", "far"])
def test_a_payload_that_was_changed_gives_numbers_of_its_shape_or_one_of_four_errors(
    every_payload: dict[str, Any], name: str
) -> None:
    payload, shape, dtype = every_payload[name]
    chance = random.Random(name)
    for _ in range(250):
        changed = bytearray(payload)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(min(len(changed), 80)) if chance.random() < 0.6 else chance.randrange(len(changed))
            changed[at] = chance.randrange(256)
        try:
            decoded = decode_values(bytes(changed), shape, dtype)
        except BadBytes:
            continue
        assert (shape, dtype) == (decoded.shape, decoded.dtype)


@given(st.binary(max_size=60))
@settings(max_examples=examples(200), deadline=None)
def test_bytes_of_anybody_give_numbers_or_one_of_four_errors(payload: bytes) -> None:
    for shape, dtype in (((2, 3, 4), "f4"), ((7,), "i8"), ((), "c8")):
        try:
            decode_values(payload, shape, np.dtype(dtype))
        except BadBytes:
            continue


def test_an_empty_array_has_no_payload_and_no_other_is_taken() -> None:
    assert encode_values(np.zeros((3, 0), np.float32), bound=None, effort="default") == b""
    with pytest.raises(Corrupt):
        decode_values(b"\0", (3, 0), np.dtype(np.float32))


def test_too_many_axes_are_refused() -> None:
    with pytest.raises(LimitExceeded):
        decode_values(b"\0", (1,) * 40, np.dtype(np.float32))


def test_the_largest_numbers_there_are_come_back_without_a_warning() -> None:
    values = np.array([1.0, np.finfo(np.float64).max, 0.0])
    payload = encode_values(values, bound=None, effort="default")
    assert values.tobytes() == decode_values(payload, values.shape, values.dtype).tobytes()


def test_a_bound_finer_than_the_values_were_rounded_to_costs_no_more_than_none() -> None:
    """Scaled by a step that no float of 32 bits has, so that no even grid is found, and few values are different."""
    numbers = np.rint(smooth((12, 90, 100)).astype(np.float64) * 40)
    values = (np.exp(numbers / 400) * 0.731).astype(np.float32)
    exact = encode_values(values, bound=None, effort="default")
    bounded = encode_values(values, bound=Bound("rel", 1e-6), effort="default")
    assert len(bounded) <= 1.02 * len(exact)
