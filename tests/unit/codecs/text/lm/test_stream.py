"""Texts come back from their streams, whatever they are; and streams that lie are refused."""

import random
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.text.lm.plain import PlainEngine
from lithify.codecs.text.lm.shape import Shape
from lithify.codecs.text.lm.stream import STREAMS_MAX, decode_text, encode_text, streams_for, streams_max
from lithify.errors import BadBytes, Corrupt, LimitExceeded, Truncated
from tests.examples import examples
from tests.unit.codecs.text.corpus import TEXTS
from tests.unit.codecs.text.lm.folders import small_model

EXAMPLES = examples(60, "TEXT_EXAMPLES")
NOISE = random.Random(1).randbytes(300)


def back(text: bytes, streams: int | None = None) -> bytes:
    model = small_model()
    return decode_text(encode_text(text, model, streams=streams), len(text), model)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("streams", [1, 3, 64])
def test_texts_come_back(text: bytes, streams: int) -> None:
    assert text == back(text, streams)


@pytest.mark.parametrize(
    "text",
    [
        b"x",
        b"\0",
        b"\xff",
        b"\xc3",
        b"caf\xe9 au lait",
        NOISE,
        bytes(range(256)),
        "<|begin|> Größe 中文".encode(),
        b"it" * 200,
    ],
    ids=repr,
)
def test_bytes_that_are_no_text_come_back(text: bytes) -> None:
    assert text == back(text)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.binary(min_size=1, max_size=80)
    | st.text(min_size=1, max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_bytes_come_back(text: bytes) -> None:
    assert text == back(text)


def test_a_text_longer_than_the_model_remembers_comes_back() -> None:
    text = TEXTS["prose"] * 2
    assert text == back(text, 1)
    assert len(text) > 10 * small_model().shape.context


def test_the_slowest_reader_writes_and_reads_the_same_stream() -> None:
    model, text = small_model(), TEXTS["prose"][:200]
    stream = encode_text(text, model, streams=2)
    assert stream == encode_text(text, model, streams=2, reader=PlainEngine(model, 2))
    assert text == decode_text(stream, len(text), model, reader=PlainEngine(model, 2))


def test_what_repeats_is_told_in_little() -> None:
    model = small_model()
    once, often = (len(encode_text(TEXTS["prose"] * count, model, streams=1)) for count in (1, 4))
    assert often < 2.4 * once


def test_bytes_without_a_token_cost_three_bytes_at_most_and_a_stream_two_more() -> None:
    model = small_model()
    without = replace(model, tokens=tuple(token if token < b"\x80" else b"" for token in model.tokens))
    noise = bytes(range(128, 256)) * 2
    stream = encode_text(noise, without)
    assert noise == decode_text(stream, len(noise), without)
    assert len(stream) <= 3 * len(noise) + 5


@given(st.integers(1, 10_000_000))
def test_streams_are_few_while_a_text_is_short(count: int) -> None:
    assert 1 <= streams_for(count, small_model().shape) <= min(STREAMS_MAX, max(1, count // 1000))


def test_streams_are_few_where_each_takes_much_memory() -> None:
    large = Shape(30, 576, 9, 3, 64, 1536, 49_152, 2048, 0, 42_950, 15, 1, 0, 8)
    assert streams_for(10_000_000, large) == streams_max(large) == 15
    huge = replace(large, context=4096, layers=100, heads=64, key_heads=64)
    assert streams_for(10_000_000, huge) == 1


# --- what is refused ----------------------------------------------------------------------------------


def test_a_stream_of_other_counts_is_refused() -> None:
    model = small_model()
    for stream, error in (
        (b"", Truncated),
        (b"\x80", Truncated),
        (b"\x80\x00\x01", Corrupt),
        (b"\xff\xff\xff\xff\xff\x01", Corrupt),
        (b"\x00\x01", Corrupt),
        (b"\x05\x01", Corrupt),
        (b"\x04\x00", LimitExceeded),
        (b"\x04\x41", LimitExceeded),
        (b"\x04\x03", Corrupt),
    ):
        with pytest.raises(error):
            decode_text(stream, 4, model)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=40), st.integers(1, 60))
def test_any_stream_gives_its_length_or_is_refused(stream: bytes, length: int) -> None:
    with suppress(BadBytes):
        assert length == len(decode_text(stream, length, small_model()))


def test_cut_and_changed_streams_are_refused_or_harmless() -> None:
    model, text = small_model(), TEXTS["prose"][:80]
    stream = encode_text(text, model)
    wrong = [stream[:cut] for cut in range(len(stream))]
    wrong += [stream[:at] + bytes([stream[at] ^ 0x5A]) + stream[at + 1 :] for at in range(len(stream))]
    for data in wrong:
        try:
            assert len(text) == len(decode_text(data, len(text), model))
        except BadBytes:
            continue


def test_a_stream_is_the_same_wherever_its_parts_are_told() -> None:
    """With more streams than are told at once, and with fewer."""
    model, text = small_model(), TEXTS["code"] * 3
    assert {encode_text(text, model, streams=5) for _ in range(2)} == {encode_text(text, model, streams=5)}
    assert len({encode_text(text, model, streams=count) for count in (1, 2, 5)}) == 3
