"""Text made to hurt, and payloads that lie about it.

Why: whoever sends text decides what a slow codec is given to do; whoever sends frames decides what a decoder is told,
whose inner loop runs without bounds checks.
"""

import random
import time
import tracemalloc

import pytest

from lithify import limits
from lithify.codecs.text.classes import TextClass
from lithify.codecs.text.codec import MIXED, PRIMED, READ, Text, TextParams
from lithify.codecs.text.proof import proved, proved_for, proved_network
from lithify.errors import BadBytes, LimitExceeded
from tests.hostile.mutants import changed_bytes
from tests.unit.codecs.text.corpus import EVERYTHING, PROSE

BYTES = limits.MIB // 4
SECONDS_PER_MIB = 2.1 * 4  # of processor time; four times what is promised, for a busy machine
NETWORK_SECONDS_PER_MIB = 40 * 4
MEMORY_BYTES = 160 * limits.MIB

ADVERSARIES = {
    "one byte": b"\xff" * BYTES,
    "noise": random.Random(1).randbytes(BYTES),
    "bits of noise": bytes(random.Random(2).choices(b"ab", k=BYTES)),
    "one long word": b"a1" * (BYTES // 2),
    "line ends": b"\n" * BYTES,
    "lines of all lengths": b"".join(b"x" * (n % 700) + b"\n" for n in range(BYTES // 350))[:BYTES],
    "matches that break": b"".join(b"%d it settles and turns to rock" % (n * n) for n in range(9000))[:BYTES],
    "no UTF-8": bytes(range(128, 256)) * (BYTES // 128),
}


@pytest.mark.parametrize("name", ADVERSARIES)
def test_no_text_costs_more_than_it_may(name: str) -> None:
    text = ADVERSARIES[name]
    Text().encode_group(b"what is compiled and loaded once is not counted")
    tracemalloc.start()
    started = time.process_time()
    payload = Text().encode_group(text)
    assert text == Text().decode(payload, shared=b"", length=len(text))
    seconds = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(payload) <= len(text) + 1
    assert seconds < 2 * SECONDS_PER_MIB * len(text) / limits.MIB
    assert peak < MEMORY_BYTES


def test_a_bomb_costs_no_more_than_the_longest_group() -> None:
    for head in (MIXED, PRIMED, READ):
        payload = bytes([head]) + proved().name + proved_network().name + b"\x01"
        with pytest.raises(LimitExceeded):
            Text().decode(payload, shared=b"", length=limits.CHUNK_BYTES_MAX)


@pytest.mark.parametrize("name", ["noise", "lines of all lengths", "no UTF-8"])
def test_a_network_takes_no_longer_for_texts_made_to_hurt_it(name: str) -> None:
    text = ADVERSARIES[name][: BYTES // 8]
    Text.warm()
    started = time.process_time()
    payload = Text(TextParams(effort="max")).encode_group(text)
    assert text == Text().decode(payload, shared=b"", length=len(text))
    seconds = time.process_time() - started

    assert len(payload) <= len(text) + 1
    assert seconds < 2 * NETWORK_SECONDS_PER_MIB * len(text) / limits.MIB


def test_a_primer_that_unpacks_to_much_is_refused() -> None:
    huge = b"LTHX\x01\x00" + (limits.CHUNK_BYTES_MAX).to_bytes(4, "little") + b"\x10\x1d" + bytes(500)
    with pytest.raises(LimitExceeded):
        Text(TextParams(primer="0" * 64)).primed(huge)


@pytest.mark.parametrize("effort", ["default", "max"])
def test_every_changed_byte_of_a_payload_gives_the_length_asked_for_or_is_refused(effort: str) -> None:
    text = PROSE[:120]
    payload = Text(TextParams(effort=effort)).encode_group(text)
    for at in range(len(payload)):
        for wrong in changed_bytes(payload, at):
            decoded_or_refused(wrong, len(text))
    for end in range(len(payload)):
        decoded_or_refused(payload[:end], len(text))


@pytest.mark.parametrize("text_class", TextClass)
def test_streams_of_noise_decode_to_something_of_every_length(text_class: TextClass) -> None:
    chance = random.Random(int(text_class))
    for length in (1, 2, 19, 20, 21, 400, 5000):
        stream = chance.randbytes(chance.randrange(length + 40))
        decoded_or_refused(bytes([MIXED + text_class]) + proved_for(text_class).name + stream, length)
        decoded_or_refused(bytes([READ + text_class]) + proved().name + proved_network().name + stream, length)


def test_a_right_payload_of_another_length_decodes_to_that_length() -> None:
    payload = Text().encode_group(EVERYTHING)
    for length in (1, len(EVERYTHING) - 1, len(EVERYTHING) + 1, 2 * len(EVERYTHING)):
        decoded_or_refused(payload, length)


def decoded_or_refused(payload: bytes, length: int) -> None:
    try:
        found = Text().decode(payload, shared=b"", length=length)
    except BadBytes:
        return
    assert length == len(found)
