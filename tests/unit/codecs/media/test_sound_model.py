"""The model of sound: what goes in comes out, on every machine, and bytes that nobody wrote do no harm."""

import hashlib
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.array_types import I32
from lithify.codecs.media.sound_model import PRESETS, decode_sound, encode_sound
from tests.elsewhere import INTERPRETED, PLAIN_PROCESSOR, printed
from tests.examples import examples
from tests.unit.codecs.media.corpus import tone

EXAMPLES = examples(60, "MEDIA_EXAMPLES")
"""More make it a campaign; each takes some milliseconds."""
LEAST, MOST = -(1 << 31), (1 << 31) - 1


def samples(frames: int, channels: int, loud: float = 12_000) -> I32:
    return np.array(tone(frames, channels, loud), np.int32).reshape(frames, channels).T.copy()


def round_trip(sound: I32, preset: int = 0, coarse: int = 0) -> bytes:
    least, most = int(sound.min()), int(sound.max())
    stream = encode_sound(sound, preset, least, most, coarse)
    assert stream is not None
    assert np.array_equal(sound, decode_sound(stream, len(sound), sound.shape[1], preset, least, most, coarse))
    return stream


@pytest.mark.parametrize("preset", range(len(PRESETS)))
@pytest.mark.parametrize("channels", [1, 2])
def test_sound_comes_back_and_becomes_smaller(preset: int, channels: int) -> None:
    sound = samples(3000, channels)
    assert len(round_trip(sound, preset)) < 0.62 * 2 * sound.size


def test_two_channels_that_are_alike_cost_little_more_than_one() -> None:
    one = samples(3000, 1)
    both = np.concatenate([one, one])
    assert len(round_trip(both)) < 1.1 * len(round_trip(one))


def test_silence_costs_nearly_nothing() -> None:
    sound = np.zeros((2, 20_000), np.int32)
    sound[0, 9000] = 1
    assert len(round_trip(sound)) < 60


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(st.tuples(st.integers(LEAST, MOST) | st.integers(-9, 9), st.integers(1, 30)), min_size=1, max_size=30),
    st.sampled_from(range(len(PRESETS))),
    st.sampled_from([0, 3, 16]),
    st.booleans(),
)
def test_any_samples_come_back(runs: list[tuple[int, int]], preset: int, coarse: int, paired: bool) -> None:
    values = [value for value, count in runs for _ in range(count)]
    sound = np.array([values, values[::-1]] if paired else [values], np.int64).astype(np.int32)
    stream = encode_sound(sound, preset, LEAST, MOST, coarse)
    if stream is not None:
        assert np.array_equal(sound, decode_sound(stream, len(sound), sound.shape[1], preset, LEAST, MOST, coarse))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=300), st.integers(1, 2), st.integers(LEAST, 0), st.integers(0, MOST), st.integers(0, 16))
def test_bytes_that_no_encoder_wrote_give_samples_within_their_range(
    stream: bytes, channels: int, least: int, most: int, coarse: int
) -> None:
    found = decode_sound(stream, channels, 120, 0, least, most, coarse)
    assert (channels, 120) == found.shape
    assert least <= found.min() <= found.max() <= most


def test_noise_of_all_bits_is_refused_or_comes_back() -> None:
    chance = random.Random(1)
    sound = np.frombuffer(chance.randbytes(8000), np.int32).reshape(1, -1)
    stream = encode_sound(sound, 0, LEAST, MOST, 16)
    assert stream is None or np.array_equal(sound, decode_sound(stream, len(sound), sound.shape[1], 0, LEAST, MOST, 16))


# --- the same everywhere ------------------------------------------------------------------------------

_SCRIPT = """
import hashlib
from lithify.codecs.media.sound_model import PRESETS
from tests.unit.codecs.media.test_sound_model import streams_digest
print(streams_digest())
"""


def streams_digest() -> str:
    """Of the streams of short sounds under every preset."""
    digest = hashlib.sha256()
    for preset in range(len(PRESETS)):
        for channels in (1, 2):
            digest.update(round_trip(samples(90, channels), preset))
    return digest.hexdigest()


def test_streams_are_the_same_with_other_instructions_and_when_the_kernel_is_interpreted() -> None:
    """Other instructions round doubles alike, or decoders would part from encoders."""
    found = {printed(_SCRIPT, PLAIN_PROCESSOR), printed(_SCRIPT, INTERPRETED)}
    assert {streams_digest()} == found
