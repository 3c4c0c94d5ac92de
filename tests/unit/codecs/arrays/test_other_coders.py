"""At effort `max` AV1 and JPEG XL may keep a block: they win where they are smaller, and what they say is proved."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.arrays import films, floors, pictures
from lithify.codecs.arrays.block import FILMED, PICTURED, Coding, Tolerance, decode_block, encode_block
from lithify.codecs.arrays.checks import read_head
from lithify.codecs.arrays.films import Film, can_be_filmed, decode_film, encode_film
from lithify.codecs.arrays.grids import Affine, Native
from lithify.codecs.arrays.pictures import decode_pictures, encode_pictures
from lithify.codecs.arrays.values import Bound, Floor, decode_values, encode_values
from lithify.codecs.reasons import reasons_given
from lithify.errors import BadBytes, Corrupt, MissingExtra, Truncated
from tests.examples import examples
from tests.unit.codecs.arrays.fields import blocky, scenes
from tests.unit.codecs.arrays.test_floors import psnr

pytest.importorskip("av")
pytest.importorskip("imagecodecs")
ALL = np.ones((3, 9, 11), np.bool_)
NUMBERS = (np.arange(3 * 9 * 11, dtype=np.int32).reshape(3, 9, 11) * 7919) % 3001 - 1500


def test_frames_that_repeat_become_a_film_above_a_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    values = scenes()
    values[0, 0, :5] = np.nan
    filmed = encode_values(values, bound=Floor("psnr", 36), effort="max")
    again = decode_values(filmed, values.shape, values.dtype)
    assert psnr(values, again) >= 36
    assert np.array_equal(np.isnan(values), np.isnan(again))
    monkeypatch.setattr(floors, "can_be_filmed", lambda shape: False)
    without = encode_values(values, bound=Floor("psnr", 36), effort="max")
    assert len(filmed) < 0.6 * len(without)


def test_a_block_that_is_a_film_has_its_specials_and_patches() -> None:
    values = scenes(4)
    values[1, :3, :7] = np.nan
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    grid = Affine(values.dtype, np.array([(high - low) / films.MOST]), np.array([low]))
    specials = np.array([values[1, 0, 0].view(np.uint32)], np.uint32)
    coding = Coding(values.dtype, grid, specials, film=Film(120))
    packed = encode_block(values, range(4), coding, Tolerance(np.inf), "max")
    assert packed is not None
    assert packed[0] == FILMED
    again = decode_block(packed, values.shape, range(4), coding, upto=1)
    assert np.array_equal(np.isnan(values), np.isnan(again))
    assert psnr(values, again) > 20
    with pytest.raises(BadBytes):
        decode_block(packed[:-3], values.shape, range(4), coding)


@given(st.integers(1, 5), st.integers(1, 90), st.integers(1, 90), st.integers(4, 252), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_films_of_any_size_say_what_they_said(frames: int, rows: int, columns: int, coarse: int, seed: int) -> None:
    numbers = np.random.default_rng(seed).integers(0, 1024, (frames, rows, columns)).astype(np.int32)
    stream = encode_film(numbers, coarse)
    assert stream is not None
    again = decode_film(stream, numbers.shape)
    assert again.shape == numbers.shape
    assert np.array_equal(again, decode_film(stream, numbers.shape))
    assert 0 <= again.min()
    assert again.max() <= films.MOST


def test_whoever_encodes_a_film_waits_in_turn_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, the encoder would make this process a real-time one, and all that it forks."""
    before, seen = os.sched_getscheduler(0), set[int]()
    real = films._write

    def looked(*told: Any) -> None:
        seen.update(os.sched_getscheduler(int(thread.name)) for thread in Path("/proc/self/task").iterdir())
        real(*told)

    monkeypatch.setattr(films, "_write", looked)
    assert encode_film(np.zeros((4, 64, 64), np.int32), 30)
    assert seen == {before}
    assert before == os.sched_getscheduler(0)


def test_a_film_that_says_something_else_is_refused() -> None:
    stream = encode_film(np.abs(NUMBERS) % 1024, 40)
    assert stream is not None
    for shape in ((2, 9, 11), (4, 9, 11), (3, 90, 11), (3, 9, 110)):
        with pytest.raises((Corrupt, Truncated)):
            decode_film(stream, shape)
    with pytest.raises(Corrupt, match="other numbers than when it was made"):
        decode_film(bytes([stream[0] ^ 1]) + stream[1:], (3, 9, 11))
    chance = np.random.default_rng(1)
    for _ in range(40):
        wrong = bytearray(stream)
        wrong[int(chance.integers(4, len(wrong)))] ^= int(chance.integers(1, 256))
        try:
            decode_film(bytes(wrong), (3, 9, 11))
        except BadBytes:
            continue


@given(st.integers(-(1 << 28), 1 << 28), st.integers(0, (1 << 16) - 1), st.integers(0, 9))
@settings(max_examples=examples(60), deadline=None)
def test_pictures_give_every_number_back(least: int, span: int, seed: int) -> None:
    numbers = (least + np.random.default_rng(seed).integers(0, span + 1, (2, 7, 9))).astype(np.int32)
    stream = encode_pictures(numbers, np.ones(numbers.shape, np.bool_))
    assert stream is not None
    assert np.array_equal(numbers, decode_pictures(stream, (2, 7, 9)))


def test_what_is_no_picture_is_none() -> None:
    assert encode_pictures(NUMBERS * 100, ALL) is None
    assert encode_pictures(NUMBERS, ~ALL) is None


def test_pictures_that_are_others_are_refused() -> None:
    stream = encode_pictures(NUMBERS, ALL)
    assert stream is not None
    for wrong in (stream[:-1], stream + b"\0", stream[:9], b""):
        with pytest.raises((Corrupt, Truncated)):
            decode_pictures(wrong, (3, 9, 11))
    with pytest.raises(Corrupt, match=r"a picture of \(9, 11\)"):
        decode_pictures(stream, (3, 11, 9))


def test_a_block_of_pictures_decodes_to_the_same_numbers() -> None:
    values = NUMBERS.astype(np.int16)
    coding = Coding(values.dtype, Native(values.dtype, -1500, 1, 0), np.zeros(0, np.uint16), pictured=True)
    packed = encode_block(values, range(3), coding, Tolerance(), "max")
    assert packed is not None
    assert packed[0] == PICTURED
    assert np.array_equal(values, decode_block(packed, values.shape, range(3), coding, upto=1))


@pytest.mark.parametrize("bound", [None, Bound("rel", 0.01)])
def test_who_looks_at_all_of_them_never_gets_more(bound: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    values = scenes(6).round(1)
    found = encode_values(values, bound=bound, effort="max")
    again = decode_values(found, values.shape, values.dtype)
    assert np.abs(values - again).max() <= (0.01 * np.ptp(values) if bound else 0)
    monkeypatch.setattr(pictures, "can_be_pictured", lambda: False)
    assert len(found) <= len(encode_values(values, bound=bound, effort="max"))


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "can_be_pictured", lambda: False)
    with pytest.raises(MissingExtra, match=r"lithify\[arrays\]"):
        decode_pictures(b"\0", (1, 2, 2))


def test_no_library_is_missed_that_would_be_of_no_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with reasons_given() as reasons:
        assert encode_pictures(NUMBERS * 100, ALL) is None
        assert encode_pictures(NUMBERS, ~ALL) is None
        assert not can_be_filmed((3, 64, 10_000))
    assert reasons == []
    with reasons_given() as reasons:
        assert encode_pictures(NUMBERS, ALL) is None
        assert not can_be_filmed((3, 64, 64))
    assert [reason.partition(":")[0] for reason in reasons] == ["JPEG XL was not tried", "AV1 was not tried"]


def test_what_pictures_are_better_at_becomes_pictures() -> None:
    payload = encode_values(blocky(), bound=None, effort="max")
    head = read_head(payload, blocky().shape, blocky().dtype)
    assert payload[head.bounds[0]] == PICTURED
    assert np.array_equal(blocky(), decode_values(payload, blocky().shape, blocky().dtype))
