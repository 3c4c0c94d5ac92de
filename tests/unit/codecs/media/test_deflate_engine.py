"""Deflate streams, opened and closed again."""

import random
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.media.deflate.engine import OpenedStream, open_stream, rebuild
from lithify.codecs.media.deflate.presets import PRESETS, TRIED
from lithify.errors import BadBytes, LimitExceeded, UnknownFormat
from tests.examples import examples
from tests.unit.codecs.media.streams import PLAIN, Bits, deflated, paired, paragraphs, rows

STRATEGIES = {"default": 0, "filtered": 1, "huffman": 2, "rle": 3, "fixed": 4}


def opened(stream: bytes, offset: int = 0) -> OpenedStream:
    found = open_stream(stream, offset)
    assert found is not None
    assert stream[offset : found.end] == rebuild(found.plain, found.recipe)
    return found


# --- what is known ------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", range(1, 10))
@pytest.mark.parametrize("kind", ["prose", "rows", "two bits of noise"])
def test_what_zlib_wrote_costs_next_to_nothing(level: int, kind: str) -> None:
    plain = PLAIN[kind]
    found = opened(deflated(plain, level))

    assert plain == found.plain
    assert len(found.recipe) < 16 + len(plain) // 5000


@pytest.mark.parametrize("memory", range(1, 10))
def test_every_memory_level_of_zlib_is_told_by_its_blocks(memory: int) -> None:
    plain = paragraphs(150)
    found = opened(deflated(plain, 6, memory=memory))

    assert len(found.recipe) < len(plain) // 500


@pytest.mark.parametrize("window", range(9, 16))
def test_every_window_of_zlib_is_told_by_its_reach(window: int) -> None:
    plain = paragraphs(400)
    found = opened(deflated(plain, 6, window=window))

    assert len(found.recipe) < 24 + len(plain) // 500


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_every_strategy_of_zlib_is_known(strategy: int) -> None:
    plain = PLAIN["rows"]

    assert len(opened(deflated(plain, 6, strategy=strategy)).recipe) < 40


def test_what_is_flushed_in_between_comes_back() -> None:
    for mode in (zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_PARTIAL_FLUSH):
        deflater = zlib.compressobj(6, zlib.DEFLATED, -15)
        stream = b"".join(deflater.compress(line) + deflater.flush(mode) for line in paragraphs(30).splitlines())
        found = opened(stream + deflater.flush())
        assert len(found.recipe) < len(found.plain) // 50


def test_a_hint_spares_the_search_and_changes_nothing() -> None:
    stream = deflated(PLAIN["prose"], 9)
    first = open_stream(stream)
    assert first is not None

    assert first == open_stream(stream, hint=first.method)
    for hint in range(len(PRESETS)):
        found = open_stream(stream, hint=hint)
        assert found is not None
        assert stream == rebuild(found.plain, found.recipe)


@pytest.mark.parametrize("level", range(1, 13))
def test_what_libdeflate_wrote_costs_little(level: int) -> None:
    imagecodecs = pytest.importorskip("imagecodecs", reason="the extra `media` brings libdeflate")
    plain = paragraphs(700) + rows(200)
    found = opened(bytes(imagecodecs.deflate_encode(plain, level=level, raw=True)))

    assert len(found.recipe) < 0.02 * len(plain)


def test_what_zopfli_wrote_costs_little() -> None:
    imagecodecs = pytest.importorskip("imagecodecs", reason="the extra `media` brings zopfli")
    plain = paragraphs(250)
    found = opened(bytes(imagecodecs.zopfli_encode(plain)), 2)

    assert len(found.recipe) < 0.02 * len(plain)


@pytest.mark.parametrize("bits", [13, 15])
def test_what_finds_matches_as_isal_does_costs_nearly_nothing(bits: int) -> None:
    plain = paragraphs(120) + rows(60)
    found = opened(paired(plain, bits))

    assert found.method == {13: 29, 15: 30}[bits]
    assert len(found.recipe) < 8


def test_every_method_is_tried() -> None:
    assert sorted(TRIED) == list(range(len(PRESETS)))


# --- any bytes ----------------------------------------------------------------------------------------


@settings(max_examples=examples(120), deadline=None)
@given(
    st.one_of(
        st.binary(min_size=1, max_size=3000),
        st.lists(st.sampled_from([b"rock", b"sand", b" ", b"\n", b"settles"]), min_size=1, max_size=900).map(b"".join),
        st.builds(
            lambda seed, n: bytes(random.Random(seed).choices(b"ab\0", k=n)), st.integers(), st.integers(1, 5000)
        ),
    ),
    st.integers(0, 9),
    st.integers(9, 15),
    st.integers(1, 9),
    st.sampled_from(sorted(STRATEGIES.values())),
)
def test_whatever_zlib_makes_of_whatever_comes_back(
    plain: bytes, level: int, window: int, memory: int, strategy: int
) -> None:
    stream = deflated(plain, level, window=window, memory=memory, strategy=strategy)
    found = open_stream(b"before" + stream + b"behind", 6)

    if found is not None:
        assert plain == found.plain
        assert 6 + len(stream) == found.end
        assert stream == rebuild(found.plain, found.recipe)


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_every_kind_of_bytes_is_opened(kind: str, level: int) -> None:
    assert PLAIN[kind] == opened(deflated(PLAIN[kind], level)).plain


# --- streams that no usual encoder writes -------------------------------------------------------------


def _greedy_for_nothing(bits: Bits) -> None:
    for symbol in (*b"abcabcabcabc", 256):
        bits.fixed(symbol)


def _one_byte_again(bits: Bits) -> None:
    bits.fixed(ord("a"))
    bits.fixed(285)  # 258 bytes
    bits.code(0, 5)  # from one byte back
    bits.fixed(256)


def _a_far_match_of_three(bits: Bits) -> None:
    for symbol in (*b"abcdefgh" * 4, 257):
        bits.fixed(symbol)
    bits.code(8, 5)  # 17 to 24
    bits.put(7, 3)
    bits.fixed(256)


UNUSUAL: dict[str, Callable[[Bits], None]] = {
    "literals instead of matches": _greedy_for_nothing,
    "a run": _one_byte_again,
    "a match from farther than needed": _a_far_match_of_three,
}


@pytest.mark.parametrize("name", UNUSUAL)
@pytest.mark.parametrize("padding", [0, 0x7F])
def test_tokens_that_nobody_would_choose_come_back(name: str, padding: int) -> None:
    bits = Bits()
    bits.put(1, 1)
    bits.put(1, 2)
    UNUSUAL[name](bits)
    bits.pad(padding)
    found = opened(bits.data)

    assert zlib.decompress(bits.data, -15) == found.plain


def test_blocks_of_nothing_come_back() -> None:
    bits = Bits()
    for final in (0, 0, 0, 1):
        bits.put(final, 1)
        bits.put(1, 2)
        for symbol in b"rock" if final == 0 else b"":
            bits.fixed(symbol)
        bits.fixed(256)

    assert b"rockrockrock" == opened(bits.data).plain


def test_a_length_that_is_told_the_long_way_is_left_alone() -> None:
    bits = Bits()
    bits.put(1, 1)
    bits.put(1, 2)
    bits.fixed(ord("a"))
    bits.fixed(284)  # 227 bytes and up to 31 more: 258 has a symbol of its own
    bits.put(31, 5)
    bits.code(0, 5)
    bits.fixed(256)

    assert len(zlib.decompress(bits.data, -15)) == 259
    assert open_stream(bits.data) is None


# --- what is no stream --------------------------------------------------------------------------------


def test_noise_is_no_stream_or_comes_back() -> None:
    for seed in range(400):
        noise = random.Random(seed).randbytes(200)
        found = open_stream(noise)
        if found is not None:
            assert noise[: found.end] == rebuild(found.plain, found.recipe)


def test_a_stream_that_is_cut_is_none() -> None:
    stream = deflated(paragraphs(8))
    for cut in range(len(stream)):
        assert open_stream(stream[:cut]) is None


def test_a_stream_with_a_changed_byte_is_none_or_comes_back() -> None:
    stream = deflated(paragraphs(3))
    for at in range(len(stream)):
        changed = stream[:at] + bytes([stream[at] ^ 0x24]) + stream[at + 1 :]
        found = open_stream(changed)
        if found is not None:
            assert changed[: found.end] == rebuild(found.plain, found.recipe)


def test_more_plain_bytes_than_allowed_are_none() -> None:
    stream = deflated(bytes(5000))

    assert open_stream(stream, plain_max=4999) is None
    assert open_stream(stream, plain_max=5000) is not None


# --- recipes that lie ---------------------------------------------------------------------------------


def test_a_recipe_that_is_cut_or_changed_is_refused_or_makes_another_stream() -> None:
    plain = paragraphs(6) + rows(4)
    found = opened(deflated(plain, 7, memory=2))
    recipe = found.recipe
    wrong = [recipe[:cut] for cut in range(len(recipe))]
    wrong += [
        recipe[:at] + bytes([recipe[at] ^ flip]) + recipe[at + 1 :] for at in range(len(recipe)) for flip in (1, 255)
    ]
    wrong += [b"", b"\xff" * 30, bytes(30)]
    for data in wrong:
        try:
            stream = rebuild(plain, data)
        except BadBytes:
            continue
        assert plain == zlib.decompressobj(-15).decompress(stream) or not data


def test_a_recipe_for_other_plain_bytes_is_refused_or_makes_a_stream_of_them() -> None:
    found = opened(deflated(paragraphs(6)))
    for plain in (b"", b"x", bytes(5000), paragraphs(6, seed=9), found.plain[:-1], found.plain + b"."):
        try:
            rebuild(plain, found.recipe)
        except BadBytes:
            continue


def test_a_recipe_of_an_unknown_method_says_so() -> None:
    with pytest.raises(UnknownFormat, match="method 31"):
        rebuild(b"rock", b"\x1f")


def test_a_recipe_of_too_many_blocks_or_bytes_is_refused() -> None:
    found = opened(deflated(paragraphs(6)))
    with pytest.raises(LimitExceeded):
        rebuild(b"rock", b"\x25\xff\xff\xff\xff\x7f")
    with pytest.raises(BadBytes):
        rebuild(found.plain, found.recipe, length_max=found.end - 1)
    assert found.end == len(rebuild(found.plain, found.recipe, length_max=found.end))


def test_the_limits_leave_room_for_an_honest_archive() -> None:
    assert limits.OPENED_BYTES_MAX >= 4 * limits.PART_BYTES
