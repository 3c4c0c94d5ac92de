"""media/FORMAT.md is held to the code: by a decoder of sound written from it, by its example, by its numbers."""

import hashlib
import re

import numpy as np
import pytest

from lithify import limits
from lithify.codecs.media.audio import Audio
from lithify.codecs.media.shades_model import LEVELS
from lithify.codecs.media.sound_model import PRESETS, decode_sound, encode_sound
from tests.house import ROOT
from tests.unit.codecs.media import reference
from tests.unit.codecs.media.corpus import tone, wav

DOCUMENT = (ROOT / "lithify/codecs/media/FORMAT.md").read_text("utf-8")
ROCK = wav(bytes(128 + x for x in (0, 3, 5, 6, 6, 5, 3, 0, -3, -5, -6, -6, -5, -3) * 4), 1, 1)


@pytest.mark.parametrize("preset", range(len(PRESETS)))
@pytest.mark.parametrize("channels", [1, 2])
def test_the_reference_decodes_what_the_codec_wrote(preset: int, channels: int) -> None:
    sound = np.array(tone(70, channels, 12_000), np.int32).T.copy()
    sound[:, 30:34] = 32_767
    stream = encode_sound(sound, preset, -32_768, 32_767, preset % 2)
    assert stream is not None

    found = reference.Sound(stream, channels, preset, -32_768, 32_767, preset % 2).decode(70)
    assert sound.tolist() == found


def test_the_reference_agrees_on_bytes_that_no_encoder_wrote() -> None:
    for number in range(4):
        stream = hashlib.sha512(bytes([number])).digest()
        expected = reference.Sound(stream, 1 + number % 2, 0, -(1 << 31), (1 << 31) - 1, 3 * number).decode(24)
        found = decode_sound(stream, 1 + number % 2, 24, 0, -(1 << 31), (1 << 31) - 1, 3 * number)
        assert expected == found.tolist()


def test_the_example_decodes_to_what_it_says() -> None:
    block = re.search(r"```hex\n(.*?)```", DOCUMENT, re.DOTALL)
    assert block is not None
    payload = bytes.fromhex("".join(re.findall(r"^([0-9a-f ]+?)(?: {4,}.*)?$", block[1], re.MULTILINE)))

    assert ROCK == Audio().decode(payload, shared=b"", length=len(ROCK))
    assert ROCK.hex(" ") in DOCUMENT.replace("\n", " ")


def test_the_numbers_of_the_document_are_those_of_the_code() -> None:
    for number in (limits.SOUND_GROUP_BYTES_MAX, limits.IMAGE_PLAIN_BYTES_MAX):
        assert f"{number:,}" in DOCUMENT
    for number, preset in enumerate(PRESETS):
        own, every, fading, *rest = preset
        taps, steps = ", ".join(map(str, rest[:3])), ", ".join(map(str, rest[3:]))
        assert f"| {number} | {own} | {every} | {fading} | {taps} | {steps} |" in DOCUMENT
    assert limits.IMAGE_SAMPLES_MAX == 1 << 27
    assert f"LEVELS: {', '.join(map(str, LEVELS))}." in DOCUMENT
