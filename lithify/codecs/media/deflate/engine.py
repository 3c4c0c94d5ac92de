"""Deflate streams opened so that they can be closed again: the plain bytes, and a recipe for the very same stream.

Whoever wrote a stream chose its tokens and tables by some method. We know several such methods, find the one that comes
nearest, and keep where the stream departs from it (FORMAT.md). A recipe was always tried before it is given out.
"""

import zlib
from dataclasses import dataclass

import numpy as np

from lithify import limits
from lithify.codecs.array_types import I32, I64, U8
from lithify.codecs.bit_coder import CODE, HIGH, LOW, POSITION, ended
from lithify.codecs.codec import Buffer
from lithify.codecs.media.deflate import tables, tokens
from lithify.codecs.media.deflate.corrections import new_chances
from lithify.codecs.media.deflate.inflate import (
    BLOCK_COUNT,
    BLOCK_FIELDS,
    BLOCK_FINAL,
    Stream,
    inflate,
    measure,
    read_only,
)
from lithify.codecs.media.deflate.plans import new_plans
from lithify.codecs.media.deflate.presets import PLANNED, PRESETS, TRIED, config_of, zlib_window
from lithify.codecs.media.deflate.recipe import USUAL, Recipe, Shape, pack_recipe, unpack_recipe
from lithify.errors import Corrupt, LimitExceeded

_ROUNDS = ((1000, 50), (8000, 5), (40_000, 1))
"""So many tokens at first, and how much longer corrections may be, in percent, for a method to be looked at again: a
stream that begins with noise says little about how its end was made."""
_TOKENS_PER_CORRECTION = 400  # with a hint, so few corrections mean that no other method needs to be tried
_WINDOWS_SURE = 8  # so many times its bytes, all with shorter distances, mean a smaller window
_NEAR_BYTES = 6  # two methods whose corrections differ by less are compared again, on more tokens
_SLACK_BYTES = 8192
_BLOCK_BYTES_MAX = 512  # its table, its end, and what surrounds a stored one
_COSTLY = 8  # corrections beyond an eighth of the plain bytes are not worth opening a stream
_WORK_BASE, _WORK_PER_BYTE = 1 << 20, 2048
"""Places that may be looked at: far above what zlib's highest level does on anything but bytes made to be slow."""


@dataclass(frozen=True, slots=True)
class OpenedStream:
    """A deflate stream as what it says and how that was said."""

    plain: bytes
    end: int
    """The byte behind the stream, in the data it was found in."""
    recipe: bytes
    method: int
    """Which known way of writing came nearest: a hint for the next stream of the same writer."""


@dataclass(slots=True)
class _Attempt:
    """Corrections under one method, so far."""

    method: int
    shape: Shape
    coder: I64
    stream: U8

    @property
    def size(self) -> int:
        return int(self.coder[POSITION])


def open_stream(
    data: Buffer, offset: int = 0, *, plain_max: int = limits.OPENED_BYTES_MAX, hint: int | None = None
) -> OpenedStream | None:
    """The deflate stream that begins at `offset`, opened; None if there is none, or it is not worth opening.

    plain_max  plain bytes that it may have
    hint       the method of an earlier stream that is probably by the same writer
    """
    measured = measure(data, offset, plain_max=plain_max)
    if not measured.whole or not measured.plain:
        return None
    stream = inflate(data, measured)
    attempt = _nearest(stream, hint)
    if attempt is None:
        return None
    corrections = _with_tables(stream, attempt)
    if corrections is None:
        return None
    plain = stream.plain.tobytes()
    recipe = pack_recipe(Recipe(len(stream.blocks), attempt.method, attempt.shape, stream.padding, corrections))
    try:
        again = rebuild(plain, recipe)
    except (Corrupt, LimitExceeded):
        return None
    if again != bytes(data[offset : stream.end]):
        return None
    return OpenedStream(plain, stream.end, recipe, attempt.method)


def rebuild(plain: Buffer, recipe: bytes, *, length_max: int = limits.PART_BYTES) -> bytes:
    """The deflate stream. Raises Corrupt, Truncated, UnknownFormat or LimitExceeded if the recipe is not for `plain`.

    length_max  bytes that the stream may have
    """
    told = unpack_recipe(recipe)
    if len(plain) > limits.OPENED_BYTES_MAX or told.blocks > min(limits.OPENED_BLOCKS_MAX, 1 + length_max):
        raise LimitExceeded(f"a recipe for {len(plain)} plain bytes in {told.blocks} blocks is beyond the limits")
    source = read_only(plain)
    kept = np.zeros(len(source), np.int32)
    blocks = np.zeros((told.blocks, BLOCK_FIELDS), np.int64)
    stream = np.frombuffer(bytearray(told.corrections), np.uint8)
    coder = np.array([0, 0xFFFFFFFF, int.from_bytes(told.corrections[:4].ljust(4, b"\0"), "big"), 4], np.int64)
    status, state = _walk(source, kept, blocks, told.method, told.shape, coder, stream, None)
    if status != tokens.WHOLE or state[tokens.STATE_BLOCKS] != told.blocks:
        raise Corrupt(f"a recipe does not fit its {len(plain)} plain bytes ({_REASONS[status]})")
    out = np.empty(_length_max(len(source), told.blocks, length_max), np.uint8)
    writer = np.zeros(3, np.int64)
    scratch, narrow = tables.new_table_scratch()
    status = tables.code_tables(
        source, kept, blocks, np.zeros(0, np.int32), coder, stream, _table_chances(), scratch, narrow, out, writer, True
    )
    if status != tokens.WHOLE:
        raise Corrupt(f"a recipe tells tables that a deflate stream cannot have, or more than {len(out)} bytes")
    buffer, bits, at = (int(number) for number in writer)
    last = bytes([buffer | told.padding << bits & 255]) if bits else b""
    if at + len(last) > length_max:
        raise LimitExceeded(f"a recipe makes a deflate stream of more than {length_max} bytes")
    return out[:at].tobytes() + last


def _length_max(plain_length: int, blocks: int, length_max: int) -> int:
    """The most bytes that so many plain ones can become: of 15 bits a literal, of 48 a match of three."""
    return min(length_max, 2 * plain_length + _BLOCK_BYTES_MAX * blocks)


_WARMING = b"what settles in the river settles in the sea, and all that settles turns to rock" * 3
_REASONS = {
    tokens.WHOLE: "other blocks",
    tokens.WRONG: "a token cannot be",
    tokens.SLOW: "it takes too long",
    tokens.FULL: "more blocks than it says",
    tokens.COSTLY: "it is too long",
}


def _walk(
    plain: U8, kept: I32, blocks: I64, method: int, shape: Shape, coder: I64, stream: U8, tokens_max: int | None
) -> tuple[int, I64]:
    """Code tokens: the first `tokens_max`, or (None) decode all."""
    heads, places = tokens.new_chains()
    weights, plans = new_plans()
    state = np.zeros(tokens.STATE_FIELDS, np.int64)
    chances = new_chances(tokens.CHANCES, tokens.EVEN_FROM)
    work_max = _WORK_BASE + _WORK_PER_BYTE * len(plain)
    config = config_of(PRESETS[method], hash_bits=shape.hash_bits, window=zlib_window(shape.window_bits))
    decoding = tokens_max is None
    status = tokens.code_tokens(
        plain, kept, blocks, config, heads, places, weights, plans, coder, stream, chances, state,
        tokens_max or 0, work_max, decoding,
    )  # fmt: skip
    return int(status), state


def _table_chances() -> I32:
    return new_chances(tables.CHANCES, tables.EVEN_FROM)


def _attempt(stream: Stream, method: int, shape: Shape, tokens_max: int, bytes_max: int) -> _Attempt | None:
    """The corrections of the first tokens under one method; None if they are longer than `bytes_max`."""
    coder = np.array([0, 0xFFFFFFFF, 0, 0], np.int64)
    out = np.zeros(bytes_max + _SLACK_BYTES, np.uint8)
    status, _ = _walk(stream.plain, stream.tokens, stream.blocks, method, shape, coder, out, tokens_max)
    if status != tokens.WHOLE or coder[POSITION] > bytes_max:
        return None
    return _Attempt(method, shape, coder, out)


def _nearest(stream: Stream, hint: int | None) -> _Attempt | None:
    """The method with the shortest corrections: all on a few tokens, those that remain on more, the last on all."""
    shapes = _shapes_of(stream)
    everything = max(len(stream.tokens), len(stream.plain)) + 1
    if hint is not None:
        found = _attempt(stream, hint, shapes[0], everything, _understood(len(stream.tokens)))
        if found is not None:
            return found
    most = len(stream.plain) // _COSTLY + 64
    tried = [(method, shape) for method in TRIED for shape in (shapes if PRESETS[method].hash_bits else (USUAL,))]
    for count, near in (*_ROUNDS, (everything, 0)):
        attempts: list[_Attempt] = []
        least = most
        for method, shape in tried:
            if PRESETS[method].how == PLANNED and least <= _understood(count):
                continue  # planning is slow, and somebody who does not plan wrote this
            attempt = _attempt(stream, method, shape, count, min(_within(least, near), most))
            if attempt is not None:
                attempts.append(attempt)
                least = min(least, attempt.size)
        if not attempts:
            return None
        if count >= len(stream.plain):
            return min(attempts, key=lambda attempt: attempt.size)
        near_ones = [attempt for attempt in attempts if attempt.size <= _within(least, near)]
        tried = [(attempt.method, attempt.shape) for attempt in near_ones]
    raise AssertionError("the last round returns")


def _understood(count: int) -> int:
    """How long the corrections of so many tokens are at most when the method is the right one."""
    return 16 + count // _TOKENS_PER_CORRECTION


def _within(least: int, near: int) -> int:
    """How long corrections may be to be compared again with the least: some bytes longer, or `near` percent."""
    return least + _NEAR_BYTES + least * near // 100


def _shapes_of(stream: Stream) -> tuple[Shape, ...]:
    """The memory that a zlib may have had: its blocks end when their tokens fill it, and its window is its reach."""
    hash_bits = {USUAL.hash_bits}
    for memory in range(1, 10):
        if stream.blocks[0, BLOCK_COUNT] == (1 << memory + 6) - 1 and not stream.blocks[0, BLOCK_FINAL]:
            hash_bits.add(memory + 7)
    farthest = int(np.max(stream.tokens & 0xFFFF, initial=0))
    window_bits = USUAL.window_bits
    if len(stream.plain) > _WINDOWS_SURE * farthest:
        window_bits = next((bits for bits in range(9, 15) if farthest <= zlib_window(bits)), window_bits)
    return tuple(Shape(bits, window_bits) for bits in sorted(hash_bits, key=lambda bits: bits == USUAL.hash_bits))


def _with_tables(stream: Stream, attempt: _Attempt) -> bytes | None:
    """The corrections of the tokens, and behind them those of the tables."""
    coder = attempt.coder
    room = len(stream.blocks) * 512 + _SLACK_BYTES
    out = np.concatenate([attempt.stream[: attempt.size], np.zeros(room, np.uint8)])
    scratch, narrow = tables.new_table_scratch()
    status = tables.code_tables(
        stream.plain, stream.tokens, stream.blocks, stream.tables, coder, out, _table_chances(), scratch, narrow,
        np.zeros(0, np.uint8), np.zeros(3, np.int64), False,
    )  # fmt: skip
    if status != tokens.WHOLE:
        return None
    coder[CODE] = 0
    return ended(out[: coder[POSITION]].tobytes(), int(coder[LOW]), int(coder[HIGH]))


def warm() -> None:
    """Run every kernel once for each set of types that it is given."""
    opened = open_stream(zlib.compress(_WARMING), 2)
    assert opened is not None
    assert rebuild(opened.plain, opened.recipe) == zlib.compress(_WARMING)[2:-4]
