"""Sound in files: every kind of sample, every head and tail, and every byte of the file again."""

import lzma
import random
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.codec import EFFORTS
from lithify.codecs.media.audio import Audio, AudioParams
from lithify.codecs.media.fields import Fields, piece, varint
from lithify.codecs.media.sound import decode_frames, encode_frames
from lithify.codecs.media.sound_files import WIDTHS, Kind, find_sound
from lithify.codecs.media.sound_guess import guess_sound
from lithify.codecs.media.sound_samples import choose_numbering, float_scale, to_bytes, to_numbers
from lithify.errors import BadBytes
from tests.examples import examples
from tests.suites.codec_suite import framed, unframed
from tests.unit.codecs.media.corpus import aiff, floats, sample_bytes, tone, wav

EXAMPLES = examples(60, "MEDIA_EXAMPLES")
SOUND = 0x10


def round_trip(data: bytes, effort: str = "default") -> bytes:
    payload = Audio(AudioParams(effort)).encode_group(data)
    assert data == Audio().decode(payload, shared=b"", length=len(data))
    return payload


# --- kinds of samples ---------------------------------------------------------------------------------


@settings(max_examples=4 * EXAMPLES, deadline=None)
@given(st.sampled_from(Kind), st.binary(max_size=240))
def test_samples_are_numbers_and_back(kind: Kind, data: bytes) -> None:
    whole = data[: len(data) // WIDTHS[kind] * WIDTHS[kind]]
    assert whole == to_bytes(to_numbers(whole, kind), kind)


@pytest.mark.parametrize("kind", [Kind.U8, Kind.S8, Kind.MU_LAW, Kind.A_LAW])
def test_octets_become_every_number_once(kind: Kind) -> None:
    assert list(range(-128, 128)) == sorted(to_numbers(bytes(range(256)), kind))


@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(st.sampled_from(Kind), st.integers(1, 5), st.binary(max_size=200), st.sampled_from(EFFORTS))
def test_any_frames_come_back(kind: Kind, channels: int, data: bytes, effort: str) -> None:
    frame = WIDTHS[kind] * channels
    whole = data[: len(data) // frame * frame]
    packed = encode_frames(whole, kind, channels, effort) if whole else None  # type: ignore[arg-type] # one of EFFORTS
    if packed is not None:
        assert whole == decode_frames(Fields(packed), len(whole))


def test_floats_that_were_integers_cost_what_integers_cost() -> None:
    frames = tone(2000, 1, 9000)
    as_floats = round_trip(wav(floats(frames, 2.0**-15), 1, 4, code=3))
    as_integers = round_trip(wav(sample_bytes(frames, 2), 1, 2))
    assert len(as_floats) < len(as_integers) + 20


@pytest.mark.parametrize(
    "values",
    [[0.0, -0.0, 1.0], [float("nan"), 0.5], [float("inf")], [1e-40, 2e-40], [3e38, -3e38], [0.1, 0.2, 0.3], [0.0]],
)
def test_floats_of_every_sort_come_back(values: list[float]) -> None:
    round_trip(wav(struct.pack(f"<{len(values)}f", *values) * 60, 1, 4, code=3))


def test_the_scale_of_floats_is_the_least_that_makes_integers() -> None:
    def of(*values: float) -> int | None:
        return float_scale(to_numbers(struct.pack(f"<{len(values)}f", *values), Kind.F32LE))

    assert 0 == of(3.0, -700.0)
    assert 3 == of(0.125, 5.0)
    assert 0 == of(0.0)
    assert of(1e-30, 1.0) is None
    assert of(float("nan")) is None


def test_values_with_gaps_are_numbered_without_them() -> None:
    frames = tone(3000, 1, 200)
    stretched = [[x * 5 + x // 3 for x in frame] for frame in frames]
    plain, gaps = (len(round_trip(wav(sample_bytes(each, 2), 1, 2))) for each in (frames, stretched))
    assert gaps < 1.2 * plain
    assert choose_numbering(np.array([[7, 7, 7]], np.int32)).most == 0
    assert choose_numbering(np.array([[0, 512, -256]], np.int32)).step == 256


# --- files --------------------------------------------------------------------------------------------

FRAMES = tone(900, 2, 9000)
DATA = sample_bytes(FRAMES, 2)
FILES = {
    "WAV": wav(DATA, 2, 2),
    "chunks before and behind": wav(DATA, 2, 2, head=b"fact\x04\0\0\0abcd", tail=b"LIST\x03\0\0\0abc\0junk"),
    "cut in the middle": wav(DATA, 2, 2)[:-777],
    "cut in a frame": wav(DATA, 2, 2)[:-3],
    "of no length": wav(DATA, 2, 2).replace(b"data" + struct.pack("<I", len(DATA)), b"data" + b"\xff" * 4),
    "24 bits": wav(sample_bytes(FRAMES, 3), 2, 3),
    "32 bits": wav(sample_bytes(FRAMES, 4), 2, 4),
    "three channels": wav(DATA, 3, 2),
    "A-law": wav(to_bytes(np.array(tone(4000, 1, 120), np.int32).ravel(), Kind.A_LAW), 1, 1, code=6),
    "RIFX": b"RIFX" + wav(DATA, 2, 2)[4:16]
    + struct.pack(">IHHIIHH", 16, 1, 2, 8000, 32000, 4, 16)
    + b"data" + struct.pack(">I", len(DATA)) + sample_bytes(FRAMES, 2, big=True),
    "AIFF": aiff(sample_bytes(FRAMES, 2, big=True), 2, 2),
    "AU": b".snd" + struct.pack(">IIIII", 28, len(DATA), 3, 8000, 2) + b"note" + sample_bytes(FRAMES, 2, big=True),
    "extensible": wav(DATA, 2, 2)
    .replace(struct.pack("<IHH", 16, 1, 2), struct.pack("<IHH", 40, 0xFFFE, 2))
    .replace(b"\x10\0data", bytes.fromhex("1000160010000300000001000000000010008000") + b"\0\xaa\0\x38\x9b\x71data"),
}  # fmt: skip


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("name", FILES)
def test_files_of_sound_come_back_and_are_smaller_than_xz_makes_them(name: str, effort: str) -> None:
    payload = round_trip(FILES[name], effort)
    assert SOUND == payload[0]
    assert len(payload) < len(lzma.compress(FILES[name], preset=9))


def test_a_file_that_is_only_a_head_comes_back() -> None:
    for data in (wav(b"", 2, 2), wav(DATA, 2, 2)[:30], b"RIFF", b"FORM\0\0\0\0AIFF", b".snd", b"RIFF1234WAVEfmt "):
        round_trip(data)


@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.integers(0, 80), st.integers(0, 255), st.integers(100, 400))
def test_files_with_changed_heads_come_back(name: str, at: int, value: int, end: int) -> None:
    data = bytearray(FILES[name][:end])
    data[at] = value
    find_sound(bytes(data))
    round_trip(bytes(data))


def test_noise_is_no_larger_than_stored() -> None:
    data = wav(random.Random(1).randbytes(40_000), 2, 2)
    assert len(round_trip(data)) <= len(data) + 1


def test_sound_without_a_head_is_guessed_whatever_byte_it_begins_at() -> None:
    frames = tone(20_000, 2, 12_000)
    for width in (2, 3):
        data = sample_bytes(frames, width)
        for cut in range(width):
            layout = guess_sound(data[cut:])
            assert layout is not None
            assert WIDTHS[layout.kind] == width
            assert (layout.start + cut) % width == 0
    assert len(round_trip(sample_bytes(frames, 2)[1:])) < 0.62 * 80_000
    assert guess_sound(random.Random(1).randbytes(100_000)) is None


def test_a_long_file_is_cut_between_frames_into_groups_that_decode_alone() -> None:
    data = FILES["chunks before and behind"]
    frame = framed(Audio(AudioParams(group_bytes=500)), data)
    assert data == unframed(frame)


def test_what_is_not_sound_has_no_estimate() -> None:
    for sample in (b"", b"fLaC" + bytes(500), b"ID3" + random.Random(2).randbytes(300_000), b"text " * 9):
        assert Audio.probe(sample, len(sample), "default") is None


# --- what is refused ----------------------------------------------------------------------------------


def _payload(*parts: bytes) -> bytes:
    return bytes([SOUND]) + b"\0\0" + piece(b"".join(parts))


PAIR = b"\0\1" + varint(200) + b"\0\0\0" + piece(b"stream")
WRONG = {
    "no kind": _payload(b"\x0c\1" + PAIR),
    "no channels": _payload(b"\2\0"),
    "too many channels": _payload(b"\2\x41" + PAIR * 33),
    "half a frame": _payload(b"\2\7" + PAIR * 4),
    "no step": _payload(b"\2\1\0\0\7\0\0\0" + piece(b"x")),
    "no table": _payload(b"\2\1\0\1\7\1\0\0\0" + piece(b"x")),
    "a table without end": _payload(b"\2\1\0\1" + varint(1 << 30) + b"\1" + bytes(100)),
    "no preset": _payload(b"\2\1\0\1\7\0\x09\0" + piece(b"x")),
    "too coarse": _payload(b"\2\1\0\1\7\0\0\x11" + piece(b"x")),
    "too wide": _payload(b"\2\1\0" + varint((1 << 32) - 1) + varint((1 << 32) - 1) + b"\0\0\0" + piece(b"x")),
    "more than its kind": _payload(b"\0\1" + varint(2 * 4000) + b"\1\0\0\xff"),
    "bytes behind": _payload(b"\2\1\0\1\0\0\xff", b"more"),
    "a scale of floats": _payload(b"\x08\1\x30" + PAIR),
    "more before than there is": bytes([SOUND]) + b"\x65\0" + piece(PAIR),
}


@pytest.mark.parametrize("name", WRONG)
def test_payloads_that_lie_are_refused(name: str) -> None:
    with pytest.raises(BadBytes):
        Audio().decode(WRONG[name], shared=b"", length=100)


def test_a_group_longer_than_groups_are_is_refused_before_anything_is_done() -> None:
    with pytest.raises(BadBytes, match="limit"):
        Audio().decode(_payload(b"\2\1" + PAIR), shared=b"", length=limits.CHUNK_BYTES_MAX)
