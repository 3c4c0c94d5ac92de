"""Deflate streams opened so that they can be closed again: the plain bytes, and a recipe for the very same stream.

Whoever wrote a stream chose its tokens and tables by some method. We know several such methods, find the one that comes
nearest, and keep where the stream departs from it (FORMAT.md). Tokens are told by one kernel that walks alike in both
directions; what it does not go through, tables and bits, is written again and compared before a recipe is given out.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lithify import limits
from lithify.codecs.array_types import I32, I64, U8, U32
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
from lithify.codecs.media.deflate.words import words_of
from lithify.errors import Corrupt, LimitExceeded

_ROUNDS = ((1000, 50), (8000, 5), (40_000, 1), (120_000, 0))
"""So many tokens at first, and how much longer corrections may be, in percent, for a method to be looked at again: a
stream that begins with noise says little about how its end was made."""
_TOKENS_PER_DOUBT = 12  # with more corrections than that, what was tried on the beginning only is tried on the whole
_VERSATILE, _VERSATILE_AND_FAST, _FAST_BYTES = (3, 8, 21, 23), (3, 21), 1 << 20
_TOKENS_PER_CORRECTION = 400  # with a hint, so few corrections mean that no other method needs to be tried
_WINDOWS_SURE = 8  # so many times its bytes, all with shorter distances, mean a smaller window
_NEAR_BYTES = 6  # two methods whose corrections differ by less are compared again, on more tokens
_SLACK_BYTES = 8192
_BLOCK_BYTES_MAX = 512  # its table, its end, and what surrounds a stored one
_COSTLY = 8  # corrections beyond an eighth of the plain bytes are not worth opening a stream
_WORK_BASE, _WORK_PER_BYTE = 1 << 20, 2048
_WORK_RESERVE = 8
"""Places that may be looked at: far above what zlib's highest level does on anything but bytes made to be slow. A
writer leaves an eighth to readers, who look for what it knows."""


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
    complete: bool

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
    begun = _Begun(attempt.size, int(attempt.coder[LOW]), int(attempt.coder[HIGH]))
    corrections = _with_tables(stream, attempt)
    if corrections is None or _written_again(stream, corrections, begun) != bytes(data[offset : stream.end]):
        return None
    recipe = pack_recipe(Recipe(len(stream.blocks), attempt.method, attempt.shape, stream.padding, corrections))
    return OpenedStream(stream.plain.tobytes(), stream.end, recipe, attempt.method)


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
    coder = _reading(told.corrections, _AT_FIRST)
    status, state = _walk(source, words_of(source), kept, blocks, told.method, told.shape, coder, stream, None)
    if status != tokens.WHOLE or state[tokens.STATE_BLOCKS] != told.blocks:
        raise Corrupt(f"a recipe does not fit its {len(plain)} plain bytes ({_REASONS[status]})")
    room = _length_max(len(source), told.blocks, length_max)
    written = _written(source, kept, blocks, coder, stream, told.padding, room)
    if written is None:
        raise Corrupt(f"a recipe tells tables that a deflate stream cannot have, or more than {room} bytes")
    if len(written) > length_max:
        raise LimitExceeded(f"a recipe makes a deflate stream of more than {length_max} bytes")
    return written


@dataclass(frozen=True, slots=True)
class _Begun:
    """Where a stream of corrections has come to: so many bytes are written, and the interval of the rest."""

    position: int
    low: int
    high: int


_AT_FIRST = _Begun(0, 0, 0xFFFFFFFF)
_CODE_BYTES = 4


def _reading(corrections: bytes, begun: _Begun) -> I64:
    """A coder that reads on from there."""
    code = corrections[begun.position : begun.position + _CODE_BYTES].ljust(_CODE_BYTES, b"\0")
    return np.array([begun.low, begun.high, int.from_bytes(code, "big"), begun.position + _CODE_BYTES], np.int64)


def _written(source: U8, kept: I32, blocks: I64, coder: I64, stream: U8, padding: int, room: int) -> bytes | None:
    """Blocks and tokens as a deflate stream, by the tables that are told behind them; None: there is no such stream."""
    out = np.empty(room, np.uint8)
    writer = np.zeros(3, np.int64)
    scratch, narrow = tables.new_table_scratch()
    status = tables.code_tables(
        source, kept, blocks, np.zeros(0, np.int32), coder, stream, _table_chances(), scratch, narrow, out, writer, True
    )
    if status != tokens.WHOLE:
        return None
    buffer, bits, at = (int(number) for number in writer)
    return out[:at].tobytes() + (bytes([buffer | padding << bits & 255]) if bits else b"")


def _written_again(stream: Stream, corrections: bytes, begun: _Begun) -> bytes | None:
    """What a reader of the corrections writes that knows the tokens, which end at `begun`."""
    told = np.frombuffer(bytearray(corrections), np.uint8)
    room = _length_max(len(stream.plain), len(stream.blocks), limits.PART_BYTES)
    coder = _reading(corrections, begun)
    return _written(stream.plain, stream.tokens, stream.blocks, coder, told, stream.padding, room)


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
    plain: U8,
    words: U32,
    kept: I32,
    blocks: I64,
    method: int,
    shape: Shape,
    coder: I64,
    stream: U8,
    tokens_max: int | None,
) -> tuple[int, I64]:
    """Code tokens: the first `tokens_max`, or (None) decode all."""
    heads, places = tokens.new_chains()
    weights, plans = new_plans()
    state = np.zeros(tokens.STATE_FIELDS, np.int64)
    chances = new_chances(tokens.CHANCES, tokens.EVEN_FROM)
    decoding = tokens_max is None
    work_max = _WORK_BASE + _WORK_PER_BYTE * len(plain)
    if not decoding:
        work_max -= work_max // _WORK_RESERVE
    config = config_of(PRESETS[method], hash_bits=shape.hash_bits, window=zlib_window(shape.window_bits))
    status = tokens.code_tokens(
        plain, words, kept, blocks, config, heads, places, weights, plans, coder, stream, chances, state,
        tokens_max or 0, work_max, decoding,
    )  # fmt: skip
    return int(status), state


def _table_chances() -> I32:
    return new_chances(tables.CHANCES, tables.EVEN_FROM)


def _attempt(stream: Stream, method: int, shape: Shape, tokens_max: int, bytes_max: int) -> _Attempt | None:
    """The corrections of the first tokens under one method; None if they are longer than `bytes_max`."""
    coder = np.array([0, 0xFFFFFFFF, 0, 0], np.int64)
    out = np.zeros(bytes_max + tokens.MARGIN, np.uint8)  # given up as soon as it is longer
    status, state = _walk(
        stream.plain, stream.words, stream.tokens, stream.blocks, method, shape, coder, out, tokens_max
    )
    if status != tokens.WHOLE or coder[POSITION] > bytes_max:
        return None
    return _Attempt(method, shape, coder, out, bool(state[tokens.STATE_BLOCKS] == len(stream.blocks)))


def _nearest(stream: Stream, hint: int | None) -> _Attempt | None:
    """The method with the shortest corrections: all on a few tokens, those that remain on more, the last on all."""
    shapes = _shapes_of(stream)
    everything = max(len(stream.tokens), len(stream.plain)) + 1
    if hint is not None:
        found = _attempt(stream, hint, shapes[0], everything, _understood(len(stream.tokens)))
        if found is not None:
            return found
    most = len(stream.plain) // _COSTLY + 64
    rivals = [(method, shape) for method in TRIED for shape in (shapes if PRESETS[method].is_zlib else (USUAL,))]
    attempts: list[_Attempt] = []
    for count, near in (*_ROUNDS, (everything, 0)):
        attempts = _race(stream, rivals, count, near, most)
        if all(attempt.complete for attempt in attempts):
            break
        attempts.sort(key=lambda attempt: attempt.size)  # the sooner the best is known, the sooner others are given up
        rivals = [(attempt.method, attempt.shape) for attempt in attempts]
        if len(rivals) == 1:
            attempts = _race(stream, rivals, everything, 0, most)
            break
    best = min(attempts, key=lambda attempt: attempt.size, default=None)
    if best is None or best.size > len(stream.tokens) // _TOKENS_PER_DOUBT:
        # How it begins may say little about the rest: those are tried that bear most with what they do not expect.
        versatile = _VERSATILE if len(stream.plain) <= _FAST_BYTES else _VERSATILE_AND_FAST
        others = [(method, USUAL) for method in versatile if best is None or method != best.method]
        attempts += _race(stream, others, everything, 0, most if best is None else best.size)
    return min(attempts, key=lambda attempt: attempt.size, default=None)


def _race(stream: Stream, rivals: Sequence[tuple[int, Shape]], count: int, near: int, most: int) -> list[_Attempt]:
    """The shortest corrections of so many tokens, and those that are not much longer."""
    attempts: list[_Attempt] = []
    least = most
    for method, shape in rivals:
        if PRESETS[method].how == PLANNED and least <= _understood(count):
            continue  # planning is slow, and somebody who does not plan wrote this
        if count > _ROUNDS[-1][0] and least <= _understood(len(stream.tokens)):
            break  # of two that fit so far either will do
        attempt = _attempt(stream, method, shape, count, min(_within(least, near), most))
        if attempt is not None:
            attempts.append(attempt)
            least = min(least, attempt.size)
    return [attempt for attempt in attempts if attempt.size <= _within(least, near)]


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
