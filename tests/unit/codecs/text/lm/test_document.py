"""FORMAT.md is held to the code: by its numbers, and by a decoder written from it for what plain.py does not do."""

import re
from typing import Any

import numpy as np
import pytest

from lithify import limits
from lithify.codecs.text.lm import coding, shape
from lithify.codecs.text.lm.codec import TOLD_NATIVELY
from lithify.codecs.text.lm.plain import PlainEngine
from lithify.codecs.text.lm.stream import STREAMS_MAX, encode_text
from tests.golden.lm_frames import TOKENS, model_bytes
from tests.house import ROOT
from tests.unit.codecs.text.corpus import CODE, PROSE
from tests.unit.codecs.text.lm.folders import small_model

DOCUMENT = (ROOT / "lithify/codecs/text/lm/FORMAT.md").read_text("utf-8")
ORDERS, ESCAPE = (1, 2, 3, 4, 6, 10), 256


@pytest.mark.parametrize(
    "said",
    [
        f"`length` of it is at most {limits.LM_GROUP_BYTES_MAX:,}",
        f"1 to {STREAMS_MAX}",
        "Orders are " + ", ".join(map(str, coding.ORDERS[:-1])) + f" and {coding.ORDERS[-1]}",
        f"orders × {1 << coding.TABLE_BITS:,}",
        f"orders × {coding.TRUST_MAX + 1} × {coding.NEARS}",
        f"× {coding.BOOST_RATE:,} >> 24",
        f"grows by {coding.BIAS_RATE:,}",
        f"up to {coding.TRUST_MAX} ",
        f"{shape.HEAD_BYTES} bytes in all",
        f"0x{TOLD_NATIVELY:x} told by a native model",
        f"multiple of {shape.ALIGNED_BYTES}",
    ],
)
def test_its_numbers_are_those_of_the_code(said: str) -> None:
    assert said in re.sub(r"\s+", " ", DOCUMENT)


def test_its_limits_are_the_limits() -> None:
    assert limits.LM_STREAMS_BYTES_MAX == 1 << 30
    for name, _, most in shape._LIMITS[:1] + shape._LIMITS[1:3]:
        assert f"{name} {most:,}" in DOCUMENT or f"{name} {most}" in DOCUMENT


@pytest.mark.parametrize("streams", [1, 2, 5])
def test_a_decoder_written_from_it_reads_what_the_codec_wrote(streams: int) -> None:
    model = small_model()
    text = PROSE[:150] + b"\xff\xc3" + CODE[:80]
    stream = encode_text(text, model, streams=streams)
    assert text == decoded(stream, model)


def test_it_reads_bytes_that_no_token_has() -> None:
    from lithify.codecs.text.lm.model import read_model
    from lithify.codecs.text.lm.stream import decode_text, encode_symbols

    model = read_model(memoryview(model_bytes()))
    symbols = np.array([5, len(TOKENS) + 255, 128, len(TOKENS) + 128, 128, 128], np.int32)
    stream = encode_symbols(symbols, model, streams=1)
    expected = b"\x05\xff the\x80 the the"
    assert expected == decoded(stream, model) == decode_text(stream, len(expected), model)


# --- the decoder ----------------------------------------------------------------------------------------


def decoded(stream: bytes, model: Any) -> bytes:
    """What a stream tells, as FORMAT.md has it."""
    count, rows, coded = stream[0], stream[1], stream[2:]
    if count >= 128:
        count, rows, coded = stream[0] & 127 | stream[1] << 7, stream[2], stream[3:]
    columns = -(-count // rows)
    told: list[list[int]] = [[] for _ in range(rows)]
    readers = [PlainEngine(model, 1) for _ in range(rows)]
    coder, taught = Coder(coded), Taught(model.shape.vocabulary)
    for column in range(columns):
        for row in range(rows):
            if row * columns + column < count:
                logarithms = read_next(readers[row], told[row], model)
                told[row].append(taught.symbol(logarithms, told[row], coder))
    size = len(model.tokens)
    return b"".join(model.tokens[one] if one < size else bytes([one - size]) for line in told for one in line)


def read_next(reader: PlainEngine, told: list[int], model: Any) -> list[int]:
    """What the model says behind the symbols of a row."""
    context, begin, size = model.shape.context, model.shape.begin, model.shape.vocabulary
    tokens = [one if one < size else begin for one in told]
    if reader.position == context:
        reader.begin()
        at = len(told)
        for token in [begin, *tokens[at - context // 2 : at - 1]]:
            reader.read(np.array([[token]]), telling=False)
    found = reader.read(np.array([[tokens[-1] if tokens else begin]]))
    assert found is not None
    line: list[int] = found[0, 0].tolist()
    return line


def raised(less: int) -> int:
    powers = np.rint(2.0 ** (24 - ((less >> 4) & 4095) / 4096))
    return int(powers) >> (less >> 16) if less >> 16 <= 24 else 0


class Coder:
    """The range coder, with numbers of any length."""

    def __init__(self, coded: bytes) -> None:
        self.range, self.code = 2**64 - 1, int.from_bytes(coded[:8].ljust(8, b"\0"), "big")
        self.rest = list(coded[8:])

    def place(self) -> int:
        return min(self.code // (self.range >> 24), 2**24 - 1)

    def take(self, start: int, share: int) -> None:
        r = self.range >> 24
        self.code, self.range = self.code - r * start, r * share
        while self.range < 2**56:
            self.range <<= 8
            self.code = self.code << 8 | (self.rest.pop(0) if self.rest else 0)


class Taught:
    """What the text teaches."""

    def __init__(self, vocabulary: int) -> None:
        self.size = vocabulary
        self.bias = [0] * vocabulary
        self.guesses: dict[tuple[int, int], int] = {}
        self.trust: dict[tuple[int, int], int] = {}
        self.boosts: dict[tuple[int, int, int], int] = {}

    def symbol(self, line: list[int], told: list[int], coder: Coder) -> int:
        line = [one + more for one, more in zip(line, self.bias, strict=True)]
        most = max(line)
        used = []
        for number, order in enumerate(ORDERS):
            if order > len(told):
                continue
            slot = number, hashed(order, told)
            guess = self.guesses.get(slot)
            near = 0
            if guess is not None:
                near = next((n for n in range(5) if most - line[guess] <= 2 ** (15 + n)), 5)
            used.append((slot, guess, near))
        for slot, guess, near in used:
            if guess is not None:
                line[guess] += self.boosts.get((slot[0], self.trust.get(slot, 0), near), 0)
        shares = self.shares(line)
        found = self.take(shares, coder)
        self.learn(used, shares, found)
        return found

    def shares(self, line: list[int]) -> list[int]:
        most = max(line)
        given = [raised(most - one) for one in line]
        part = ((2**24 - ESCAPE - self.size) << 38) // sum(given)
        shares = [(one * part >> 38) + 1 for one in given]
        shares[line.index(most)] += 2**24 - ESCAPE - sum(shares)
        return shares

    def take(self, shares: list[int], coder: Coder) -> int:
        place, start = coder.place(), 0
        if place >= 2**24 - ESCAPE:
            coder.take(2**24 - ESCAPE, ESCAPE)
            byte = coder.place() >> 16
            coder.take(byte << 16, 1 << 16)
            return self.size + byte
        for token, share in enumerate(shares):
            if place < start + share:
                coder.take(start, share)
                return token
            start += share
        raise AssertionError("shares are all there is")

    def learn(self, used: list[Any], shares: list[int], found: int) -> None:
        for slot, guess, near in used:
            trust = self.trust.get(slot, 0)
            if guess is not None:
                key = slot[0], trust, near
                change = ((2**24 if guess == found else 0) - shares[guess]) * 35_000 >> 24
                self.boosts[key] = max(-(2**24), min(2**24, self.boosts.get(key, 0) + change))
            if guess is not None and guess == found:
                self.trust[slot] = min(trust + 1, 15)
            elif trust > 1:
                self.trust[slot] = trust >> 1
            else:
                self.trust[slot] = 0
                self.guesses.pop(slot, None)
                if found < self.size:
                    self.guesses[slot] = found
        for token, share in enumerate(shares):
            self.bias[token] = max(self.bias[token] - (share * 24_000 >> 24), -(2**24))
        if found < self.size:
            self.bias[found] = min(self.bias[found] + 24_000, 2**24)


def hashed(order: int, told: list[int]) -> int:
    h = order
    for symbol in told[-1 : -order - 1 : -1]:
        h = (h + symbol + 1) * 0x9E3779B97F4A7C15 % 2**64
        h ^= h >> 29
    return h >> 48
