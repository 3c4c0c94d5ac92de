"""The densest coder for the streams of a block, for effort `max`: every bit predicted in several contexts, and mixed.

Context mixing after Mahoney (PAQ, lpaq): a context's bit history is looked up, its chance learnt, all chances mixed in
the logistic domain by weights that learn, refined by what came of such predictions before, and coded by an arithmetic
coder. The contexts are those of log streams: texts by shape and separators, records by their column and what stands
beside them. Streams are small, so that chances elsewhere learnt begin here with good guesses.

Integer arithmetic only, one kernel for both directions: what the encoder predicted, the decoder predicts. MIXING.md is
the format.

The kernel is compiled without checks of its indices: with them it was measured 3 to 5 times slower (0.2 instead of 1.0
MB/s). Every index is in bounds by how it is made: masked, clamped, or counted up to where the data is; streams hold
nothing but bits; what a caller says of records is checked before. Tests interpret the kernel, where all is checked.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, cast

import numpy as np
from numba import njit

from lithify.codecs.array_types import I32, I64, U8
from lithify.codecs.bit_coder import HIGH, LOW, POSITION, begin, code_bit, ended
from lithify.codecs.chances import COUNT_MAX, LIMIT, Chances, chances
from lithify.codecs.histories import LAST_BIT_KNOWN, History, histories
from lithify.codecs.kernel import kernel
from lithify.errors import Corrupt

WIDTH_MAX = 8

wide = cast("Callable[[Any], int]", np.int64)
"""Bytes and 32-bit numbers become 64 bits wide, signed, before they are reckoned with: nothing wraps or is a float."""

_hot = njit(nogil=True, forceinline=True)

_TEXT_CONTEXTS, _RECORD_CONTEXTS = 9, 7
# After n equal bits another comes with a chance of 1 / (2 + steepness * n); measured per context on streams of 8 logs.
_TEXT_STEEPNESS = (3, 4, 8, 13, 24, 13, 18, 15, 10)
_RECORD_STEEPNESS = (7, 15, 3, 7, 7, 8, 10)

_MIXERS = 3
_INPUTS = 24  # at most two of each context, two of the match, one that is always 1; a multiple of eight is vectorised
_FINAL_SETS = 256
_KIND_SETS = 129 * 16
_MATCH_SETS = 64
_PARTIAL_SETS = 256
_WEIGHT_SETS = _MATCH_SETS + _KIND_SETS + _PARTIAL_SETS
_WEIGHT_ONE = 1 << 16
_WEIGHT_MAX = 1 << 19
_WEIGHT_FIRST = 11000  # of a context's stretched chance
_WEIGHT_MATCH_FIRST = 20000
_RATE, _RATE_FIRST, _RATE_HALF = 18, 300, 64  # the step of the weights falls from their sum to the first
_FINAL_RATE = 8
_COUNT_FIRST = 16  # how much a first guess is worth

_REFINE_STEP = 128
_REFINE_POINTS = 45
_REFINE_BITS_MIN, _REFINE_BITS_MAX = 10, 14

_SLOT_BITS_MIN, _SLOT_BITS_MAX = 6, 18
_MATCH_BITS_MAX = 18
_MATCH_BUCKETS = 64
_MATCH_LONG = 3
_MATCH_VERIFIED = 48
_MATCH_ENOUGH = 16  # bytes; longer matches are not doubted
_MISSES_MAX = 8
_LINE_END = 10
_LEARNT_BYTES_MIN = 1 << 14  # as if so many records were known, at least, where others go on behind them


# --- tables -------------------------------------------------------------------------------------------


def _first_chance(history: History, steepness: int) -> int:
    """The chance of a one after a history, in 1/65536, before anything is learnt."""
    zeros, ones, last = history
    if not ones:
        return 65536 // (2 + steepness * zeros)
    if not zeros:
        return 65536 - 65536 // (2 + steepness * ones)
    recent = int(zeros + ones <= LAST_BIT_KNOWN)
    return 65536 * (2 * ones + 1 + 2 * last) // (2 * (zeros + ones) + 2 + 2 * recent)


@cache
def _first_chances(is_text: bool) -> I32:
    rows = []
    for steepness in _TEXT_STEEPNESS if is_text else _RECORD_STEEPNESS:
        row = [_first_chance(history, steepness) << 6 for history in histories()[0]]
        rows.append(row + [1 << 21] * (256 - len(row)))
    return np.array(rows, np.int32).reshape(-1)


@cache
def _first_match_chances() -> I32:
    """By bucket: that the byte which followed last time follows again, bit by bit."""
    return np.array([(65536 - 65536 // (n + 2) if n else 32768) << 6 for n in range(_MATCH_BUCKETS)], np.int32)


# --- the model ----------------------------------------------------------------------------------------


class Model(NamedTuple):
    """Everything a stream has taught so far, and what is at work for the bit at hand."""

    cells: U8
    """Histories: per context a hash table of slots, each a check byte and the 15 nodes of half a byte."""
    chances: I32
    """Per context and history, in 1/2^22."""
    counts: U8
    weights: I32
    final_weights: I32
    far_points: I32
    near_points: I32
    """Per set, chances in 1/2^22 at points of the stretched chance."""
    match_table: I32
    match_chances: I32
    match_counts: U8
    context: I64
    slot: I64
    chance_at: I64
    """Per context: its hash, where the slot of this half byte begins, where its chance lies."""
    inputs: I32
    row: I64
    mixed: I64
    """Per mixer: which of its sets of weights it takes, and what it says."""
    memory: I64
    match: I64
    coder: I64


# What the arrays of single numbers hold.
_WORD, _WORD_BEFORE, _SEPARATORS, _SHAPE = range(4)  # memory of text
_ONE, _TWO, _THREE, _HEAD, _BESIDE, _BESIDE_TWO = range(6)  # memory of records
_POINTER, _LENGTH, _MISSES, _EXPECTED = range(4)  # match


def _slot_bits(length: int) -> int:
    return min(max((2 * length - 1).bit_length(), _SLOT_BITS_MIN), _SLOT_BITS_MAX)


def _model(length: int, width: int) -> Model:
    is_text = width == 0
    contexts = _TEXT_CONTEXTS if is_text else _RECORD_CONTEXTS
    bits = _slot_bits(length)
    weights = np.zeros((_WEIGHT_SETS, _INPUTS), np.int32)
    weights[:, 0 : 2 * contexts : 2] = _WEIGHT_FIRST
    weights[:, 2 * contexts] = _WEIGHT_MATCH_FIRST
    refine_bits = min(max(bits + 2, _REFINE_BITS_MIN), _REFINE_BITS_MAX)
    squash = chances().squash
    points = squash[np.clip(np.arange(_REFINE_POINTS) * _REFINE_STEP - 1, 0, 2 * LIMIT)] << 6
    return Model(
        cells=np.zeros(contexts << (bits + 4), np.uint8),
        chances=_first_chances(is_text).copy(),
        counts=np.full(contexts * 256, _COUNT_FIRST, np.uint8),
        weights=weights,
        final_weights=np.full(_FINAL_SETS * _MIXERS, _WEIGHT_ONE // _MIXERS, np.int32),
        far_points=np.tile(points, 1 << refine_bits).astype(np.int32),
        near_points=np.tile(points, max(width, 1) << 8).astype(np.int32),
        match_table=np.zeros(1 << min(bits + 1, _MATCH_BITS_MAX), np.int32),
        match_chances=_first_match_chances().copy(),
        match_counts=np.zeros(_MATCH_BUCKETS, np.uint8),
        context=np.zeros(contexts, np.int64),
        slot=np.zeros(contexts, np.int64),
        chance_at=np.zeros(contexts, np.int64),
        inputs=np.zeros(_INPUTS, np.int32),
        row=np.zeros(_MIXERS, np.int64),
        mixed=np.zeros(_MIXERS, np.int64),
        memory=np.zeros(8, np.int64),
        match=np.zeros(4, np.int64),
        coder=np.zeros(4, np.int64),
    )


# --- contexts -----------------------------------------------------------------------------------------


@_hot
def _hash(a: int, b: int) -> int:
    """32 bits of two numbers below 2^32."""
    x = (a * 0x2F0B4C47 + b * 0x3A8E2B63 + 0x3C6EF372) & 0xFFFFFFFF
    x ^= x >> 15
    x = (x * 0x2C1B3C6D) & 0xFFFFFFFF
    return x ^ (x >> 13)


@_hot
def _kind(byte: int) -> int:
    """Digits are one kind, so are small and capital letters and all above ASCII; anything else is its own."""
    if 48 <= byte <= 57:
        return 48
    if 65 <= byte <= 90:
        return 65
    if 97 <= byte <= 122:
        return 97
    return min(byte, 128)


@_hot
def _byte(data: U8, at: int) -> int:
    return wide(data[at]) if at >= 0 else wide(0)


@_hot
def _text_contexts(context: I64, memory: I64, data: U8, at: int) -> int:
    """The contexts of the byte at `at`; gives the kind of the byte before."""
    one = _byte(data, at - 1) if at else wide(_LINE_END)
    kind = _kind(one)
    if at:
        if kind in (48, 65, 97, 128):
            memory[_WORD] = _hash(memory[_WORD], one)
        else:
            if memory[_WORD]:
                memory[_WORD_BEFORE] = memory[_WORD]
            memory[_WORD] = 0
            memory[_SEPARATORS] = 0 if one == _LINE_END else _hash(memory[_SEPARATORS], one)
        if memory[_SHAPE] & 255 != kind:
            memory[_SHAPE] = (memory[_SHAPE] << 8 | kind) & 0xFFFFFFFF
    two = one | _byte(data, at - 2) << 8
    three = two | _byte(data, at - 3) << 16
    four = three | _byte(data, at - 4) << 24
    context[0] = _hash(1, 0)
    context[1] = _hash(2, one)
    context[2] = _hash(3, two)
    context[3] = _hash(4, three)
    context[4] = _hash(_hash(5, four), _byte(data, at - 5) | _byte(data, at - 6) << 8)
    context[5] = _hash(_hash(6, memory[_WORD]), one)
    context[6] = _hash(_hash(7, memory[_WORD]), memory[_WORD_BEFORE])
    context[7] = _hash(_hash(8, memory[_SEPARATORS]), memory[_WORD])
    context[8] = _hash(9, memory[_SHAPE])
    return kind


@_hot
def _record_hash(data: U8, start: int, width: int) -> int:
    h = wide(1)
    for i in range(start, start + width):
        h = _hash(h, wide(data[i]))
    return h


@_hot
def _record_contexts(
    context: I64, memory: I64, data: U8, at: int, width: int, place: int, side: int, beside: I32
) -> None:
    """The contexts of the byte at `at`, the `place`-th of its record; `side` is 0, or 1 + what the caller knows."""
    if place:
        memory[_HEAD] = _hash(memory[_HEAD], wide(data[at - 1]) + 1)
    else:
        memory[_HEAD] = 0
        memory[_THREE] = memory[_TWO]
        memory[_TWO] = memory[_ONE]
        memory[_ONE] = _record_hash(data, at - width, width) if at else 0
        memory[_BESIDE] = memory[_BESIDE_TWO] = 0
        other = wide(beside[at // width]) if len(beside) else wide(-1)
        if other >= 0:
            memory[_BESIDE] = _record_hash(data, other * width, width)
            other = wide(beside[other])
            if other >= 0:
                memory[_BESIDE_TWO] = _record_hash(data, other * width, width)
    head = _hash(memory[_HEAD], place)
    above = _byte(data, at - width) << 8 | _byte(data, at - 2 * width)
    context[0] = _hash(_hash(head, 1), memory[_ONE])
    context[1] = _hash(_hash(head, 2), _hash(_hash(memory[_ONE], memory[_TWO]), memory[_THREE]))
    context[2] = _hash(_hash(head, 3), side)
    context[3] = _hash(_hash(head, 4), _hash(memory[_ONE], side))
    context[4] = _hash(_hash(head, 5), memory[_TWO])
    context[5] = _hash(_hash(place, 6), above)
    context[6] = _hash(_hash(head, 7), _hash(memory[_BESIDE], memory[_BESIDE_TWO]))


@_hot
def _common(data: U8, earlier: int, at: int) -> int:
    """How many bytes before two places are the same, as far as it matters."""
    length = 0
    while length < min(earlier, _MATCH_VERIFIED) and data[earlier - 1 - length] == data[at - 1 - length]:
        length += 1
    return length


@_hot
def _follow_match(match: I64, table: I32, data: U8, at: int, least: int, starts_here: bool) -> None:
    """Expect what followed the last time that the bytes before were seen, three times `least` or else `least` of them.

    After a surprise it is followed further, for what differs is often short; it is trusted less, and soon given up.
    """
    pointer = match[_POINTER]
    if pointer:
        match[_POINTER] = pointer + 1
        if data[pointer] == data[at - 1]:
            match[_LENGTH] += 1
        else:
            match[_LENGTH] = 0
            match[_MISSES] += 1
            if match[_MISSES] > _MISSES_MAX:
                match[_POINTER] = match[_MISSES] = 0
    if starts_here:
        for reach in (_MATCH_LONG * least, least):
            if at < reach:
                continue
            h = wide(reach)
            for i in range(at - reach, at):
                h = _hash(h, wide(data[i]))
            h &= len(table) - 1
            candidate = wide(table[h])
            table[h] = at
            if not 0 < candidate < at or match[_LENGTH] >= _MATCH_ENOUGH:
                continue
            length = _common(data, candidate, at)
            if length >= reach and length > match[_LENGTH]:
                match[_POINTER], match[_LENGTH], match[_MISSES] = candidate, length, 0
    match[_EXPECTED] = wide(data[match[_POINTER]]) + 256 if match[_POINTER] else 0


@_hot
def _trust(match: I64) -> int:
    """Matches of one bucket share what is learnt of them: by length; after one surprise; after several."""
    length = wide(match[_LENGTH])
    if match[_MISSES]:
        return (32 if match[_MISSES] == 1 else 48) + min(length, 15)
    if length < 16:
        return length
    if length < 32:
        return 16 + ((length - 16) >> 2)
    return 20 + min((length - 32) >> 5, 11)


@_hot
def _find_slots(cells: U8, context: I64, slot: I64, partial: int) -> int:
    """Look up half a byte's histories in every context; gives in how many contexts there were some."""
    found = 0
    size = len(cells) // len(context)
    mask = (size >> 4) - 1
    for i in range(len(context)):
        h = _hash(context[i], partial) if partial > 1 else context[i]
        check = h >> 24
        at = i * size + ((h & mask) << 4)
        if cells[at] != check:
            other = i * size + (((h & mask) ^ 1) << 4)
            if cells[other] == check:
                at = other
            else:
                if cells[other + 1] < cells[at + 1]:
                    at = other
                for k in range(at, at + 16):
                    cells[k] = 0
                cells[at] = check
        slot[i] = at
        found += cells[at + 1] != 0
    return found


# --- one bit ------------------------------------------------------------------------------------------


@_hot
def _within(x: int, most: int) -> int:
    return min(max(x, -most), most)


@_hot
def _dot(inputs: I32, weights: I32, row: int) -> int:
    """What one set of weights makes of the inputs: a stretched chance."""
    out = wide(0)
    for i in range(len(inputs)):
        out += wide(np.int32(inputs[i] * weights[row, i]) >> 8)
    return out >> 8


@_hot
def _train(inputs: I32, weights: I32, row: int, step: int) -> None:
    for i in range(len(inputs)):
        weight = weights[row, i] + ((inputs[i] * step + 2048) >> 12)
        weights[row, i] = _within(weight, _WEIGHT_MAX)


@_hot
def _put_inputs(inputs: I32, i: int, chance: int, sign: int, stretch: I32) -> None:
    """What a chance in 1/2^22 says to the mixers: how sure it is, twice, as surprises weigh differently."""
    p = chance >> 6
    inputs[i] = sign * stretch[p >> 4]
    inputs[i + 1] = sign * ((p - 32768) >> 5)


@_hot
def _refined(points: I32, at: int, beyond: int) -> int:
    """A chance in 1/65536, `beyond` steps of 128 from a point to the next."""
    return (wide(points[at]) * (_REFINE_STEP - beyond) + wide(points[at + 1]) * beyond) >> 13


@_hot
def _approach(chances: I32, counts: U8, at: int, target: int, reciprocal: I32) -> None:
    """A chance moves by 1 / (n + 1.5) of its way to the target the n-th time, later by the least such step."""
    n = wide(counts[at])
    p = wide(chances[at])
    chances[at] = p + (((target - p) * reciprocal[n]) >> 16)
    if n < COUNT_MAX:
        counts[at] = n + 1


@kernel
def _run(
    m: Model,
    t: Chances,
    data: U8,
    stream: U8,
    decoding: bool,
    width: int,
    side: U8,
    beside: I32,
    start: int,
    taught: int,
) -> int:
    """Encode `data` to `stream`, or decode `stream` to `data`; `width` 0 is text.

    start   where to go on: the model has seen what stands before
    taught  so much of `data` both sides know: it teaches, and is not coded

    Gives the bytes written; -1 if the stream has no room for them.
    """
    squash, stretch, follow, reciprocal = t.squash, t.stretch, t.follow, t.reciprocal
    cells, chances, counts, inputs, weights = m.cells, m.chances, m.counts, m.inputs, m.weights
    context, slot, chance_at = m.context, m.slot, m.chance_at
    row, mixed, final_weights = m.row, m.mixed, m.final_weights
    far_points, near_points = m.far_points, m.near_points
    memory, match, coder = m.memory, m.match, m.coder
    match_table, match_chances, match_counts = m.match_table, m.match_chances, m.match_counts
    begin(coder, stream, decoding)
    contexts = len(context)
    inputs[2 * contexts + 2] = 256
    least = 5 if width < 2 else 6 if width < 4 else 2 * width
    far_mask = len(far_points) // _REFINE_POINTS - 1
    steps = wide(8 * start)
    for at in range(start, len(data)):
        place = at % width if width else 0
        one = _byte(data, at - 1)
        if width:
            known = 1 + wide(side[at // width]) if len(side) else wide(0)
            _record_contexts(context, memory, data, at, width, place, known, beside)
            kind, far_hash = one, _hash(one, place)
        else:
            kind = _text_contexts(context, memory, data, at)
            far_hash = _hash(one, _byte(data, at - 2))
        _follow_match(match, match_table, data, at, least, place == 0)
        expected, bucket = match[_EXPECTED], _trust(match)
        symbol = wide(data[at])
        partial, node, hits = wide(1), wide(1), wide(0)
        for depth in range(8):
            if depth & 3 == 0:
                hits = _find_slots(cells, context, slot, partial)
                node = wide(1)
            # What each context says, and what would follow the last time.
            for i in range(contexts):
                k = (i << 8) + wide(cells[slot[i] + node])
                chance_at[i] = k
                _put_inputs(inputs, 2 * i, wide(chances[k]), 1, stretch)
            matched = expected >> (8 - depth) == partial
            likely = (expected >> (7 - depth)) & 1
            if matched:
                _put_inputs(inputs, 2 * contexts, wide(match_chances[bucket]), 2 * likely - 1, stretch)
                row[0] = 1 + bucket if bucket < 32 else 33 + ((bucket - 32) >> 2)
            else:
                inputs[2 * contexts] = inputs[2 * contexts + 1] = 0
                row[0] = 0
            # Three mixers, and one that mixes them.
            if width:
                row[1] = _MATCH_SETS + kind
                row[2] = _MATCH_SETS + _KIND_SETS + hits * 8 + depth
                final = _MIXERS * depth
            else:
                row[1] = _MATCH_SETS + 16 * kind + hits
                row[2] = _MATCH_SETS + _KIND_SETS + partial
                final = _MIXERS * partial
            x = wide(0)
            for i in range(_MIXERS):
                mixed[i] = _within(_dot(inputs, weights, row[i]), LIMIT)
                x += mixed[i] * final_weights[final + i]
            x = _within(x >> 16, LIMIT) + LIMIT
            p = wide(squash[x])
            # What came of such predictions before.
            point, beyond = (x + 1) >> 7, (x + 1) & 127
            far = ((far_hash ^ (partial * 0x9E35)) & far_mask) * _REFINE_POINTS + point
            near = (place << 8 | partial) * _REFINE_POINTS + point
            q = (2 * p + _refined(far_points, far, beyond) + _refined(near_points, near, beyond) + 2) >> 2
            if not decoding and at >= taught and coder[POSITION] + 8 > len(stream):
                return -1
            bit = (symbol >> (7 - depth)) & 1
            if at >= taught:
                bit = code_bit(coder, stream, min(max(q, 1), 65535), decoding, bit)
            # Learn.
            target, all_of_it = bit << 16, (bit << 22) - bit
            step = _RATE + _RATE_FIRST * _RATE_HALF // (_RATE_HALF + steps)
            steps += 1
            for i in range(_MIXERS):
                error = (target - p) * _FINAL_RATE
                moved = final_weights[final + i] + ((mixed[i] * error + (1 << 19)) >> 20)
                final_weights[final + i] = _within(moved, _WEIGHT_MAX)
                error = (target - squash[mixed[i] + LIMIT]) * step
                _train(inputs, weights, row[i], error >> 8)
            far += beyond >> 6
            far_points[far] += (all_of_it - far_points[far]) >> 6
            near += beyond >> 6
            near_points[near] += (all_of_it - near_points[near]) >> 6
            for i in range(contexts):
                _approach(chances, counts, chance_at[i], all_of_it, reciprocal)
                k = slot[i] + node
                cells[k] = follow[2 * wide(cells[k]) + bit]
            if matched:
                right = ((1 << 22) - 1) * (likely == bit)
                _approach(match_chances, match_counts, bucket, right, reciprocal)
            partial = partial << 1 | bit
            node = node << 1 | bit
        if decoding:
            data[at] = partial & 255
    return wide(coder[POSITION])


# --- doors --------------------------------------------------------------------------------------------

_NO_SIDE = np.zeros(0, np.uint8)
_NO_BESIDE = np.zeros(0, np.int32)


def encode_text(data: U8) -> bytes:
    """The stream of a text: strings, each ended by a line end, or any bytes."""
    return _encode(data, 0, _NO_SIDE, _NO_BESIDE)


def decode_text(stream: bytes, length: int) -> U8:
    """The `length` bytes of a text. Bytes that no encoder wrote give some text or other."""
    return _decode(stream, length, 0, _NO_SIDE, _NO_BESIDE)


class Learnt:
    """A text that both sides know, and what it teaches about the texts that go on behind it."""

    def __init__(self, text: bytes) -> None:
        self._text = np.frombuffer(text, np.uint8)
        self._models: dict[int, Model] = {}

    def encode(self, data: U8) -> bytes:
        """The stream of a text that goes on."""
        whole = np.concatenate((self._text, data))
        stream = np.zeros(2 * len(data) + 1024, np.uint8)
        model = self._model(len(whole))
        written = _run(model, chances(), whole, stream, False, 0, _NO_SIDE, _NO_BESIDE, len(self._text), 0)
        assert written >= 0, "a text never takes twice its length"
        return ended(stream[:written].tobytes(), int(model.coder[LOW]), int(model.coder[HIGH]))

    def decode(self, stream: bytes, length: int) -> U8:
        """The `length` bytes of it. Bytes that no encoder wrote give some text or other."""
        whole = np.concatenate((self._text, np.zeros(length, np.uint8)))
        coded = np.frombuffer(stream, np.uint8).copy()
        _run(self._model(len(whole)), chances(), whole, coded, True, 0, _NO_SIDE, _NO_BESIDE, len(self._text), 0)
        return whole[len(self._text) :]

    def _model(self, length: int) -> Model:
        """A model of the size that `length` bytes have, which has seen the text. Learning takes a tenth of a second:
        the model is kept, and every text gets a copy."""
        bits = _slot_bits(length)
        if bits not in self._models:
            model, seen = _model(length, 0), len(self._text)
            nothing = np.zeros(8, np.uint8)
            _run(model, chances(), self._text.copy(), nothing, False, 0, _NO_SIDE, _NO_BESIDE, 0, seen)
            self._models[bits] = model
        copies = {name: array.copy() for name, array in self._models[bits]._asdict().items()}
        return self._models[bits]._replace(**copies)


class LearntRecords:
    """Records that both sides know, and what they teach about those that go on behind them."""

    def __init__(self, known: U8, width: int, side: U8, beside: I32 | None) -> None:
        """As for `encode_records`. Raises Corrupt where the shapes do not fit."""
        wrong = _misfit(len(known), width, side, beside)
        if wrong:
            raise Corrupt(wrong)
        self._known, self._width, self._side = known.astype(np.uint8), width, side.astype(np.uint8)
        self._beside = np.full(len(side), -1, np.int32) if beside is None else beside.astype(np.int32)
        self._learnt: Model | None = None

    def encode(self, data: U8, side: U8, beside: I32 | None) -> bytes:
        """The stream of records that go on; their neighbours are counted from the first of them."""
        wrong = _misfit(len(data), self._width, side, beside)
        if wrong:
            raise ValueError(wrong)
        stream = np.zeros(2 * len(data) + 1024, np.uint8)
        model, written = self._run(data.astype(np.uint8), stream, False, side, beside)
        assert written >= 0, "records never take twice their length"
        return ended(stream[:written].tobytes(), int(model.coder[LOW]), int(model.coder[HIGH]))

    def decode(self, stream: bytes, length: int, side: U8, beside: I32 | None) -> U8:
        """The `length` bytes of them. Raises Corrupt where sides and neighbours do not fit."""
        wrong = _misfit(length, self._width, side, beside)
        if wrong:
            raise Corrupt(wrong)
        data = np.zeros(length, np.uint8)
        self._run(data, np.frombuffer(stream, np.uint8).copy(), True, side, beside)
        return data

    def _run(self, data: U8, stream: U8, decoding: bool, side: U8, beside: I32 | None) -> tuple[Model, int]:
        seen, rows = len(self._known), len(self._side)
        whole = np.concatenate((self._known, data))
        sides = np.concatenate((self._side, side.astype(np.uint8)))
        mine = np.full(len(side), -1, np.int32) if beside is None else beside.astype(np.int32)
        mine = np.where(mine < 0, -1, mine + rows).astype(np.int32)
        neighbours = np.concatenate((self._beside, mine))
        model = self._model()
        written = _run(model, chances(), whole, stream, decoding, self._width, sides, neighbours, seen, 0)
        data[:] = whole[seen:]
        return model, written

    def _model(self) -> Model:
        """A copy of what the known records teach; of twice their size, for what follows finds most of its contexts."""
        if self._learnt is None:
            model, seen = _model(max(2 * len(self._known), _LEARNT_BYTES_MIN), self._width), len(self._known)
            nothing = np.zeros(8, np.uint8)
            _run(model, chances(), self._known, nothing, False, self._width, self._side, self._beside, 0, seen)
            self._learnt = model
        return self._learnt._replace(**{name: array.copy() for name, array in self._learnt._asdict().items()})


def encode_records(data: U8, width: int, side: U8 | None, beside: I32 | None = None) -> bytes:
    """The stream of records of `width` bytes, the most significant first.

    side    a byte per record that says what it is like, such as the number of its column
    beside  for each record an earlier one that it may depend on, such as its left neighbour in the row; -1: none

    Raises ValueError where they do not fit the data.
    """
    wrong = _misfit(len(data), width, side, beside)
    if wrong:
        raise ValueError(wrong)
    return _encode(data, width, _NO_SIDE if side is None else side, _NO_BESIDE if beside is None else beside)


def decode_records(stream: bytes, length: int, width: int, side: U8 | None, beside: I32 | None = None) -> U8:
    """The `length` bytes of records, given what the encoder was given. Raises Corrupt where that does not fit."""
    wrong = _misfit(length, width, side, beside)
    if wrong:
        raise Corrupt(wrong)
    return _decode(stream, length, width, _NO_SIDE if side is None else side, _NO_BESIDE if beside is None else beside)


def _misfit(length: int, width: int, side: U8 | None, beside: I32 | None) -> str:
    """What is wrong with the shape of a stream of records, if anything is."""
    if not 1 <= width <= WIDTH_MAX or length % width:
        return f"{length} bytes are no records of {width} bytes"
    rows = length // width
    if side is not None and len(side) != rows:
        return f"{len(side)} bytes stand for {rows} records"
    if beside is not None and len(beside) != rows:
        return f"{len(beside)} neighbours stand for {rows} records"
    if beside is not None and (beside >= np.arange(rows)).any():
        return "a record stands beside one that comes later"
    return ""


def _encode(data: U8, width: int, side: U8, beside: I32) -> bytes:
    room = len(data) + len(data) // 8 + 64
    plain, plain_side, plain_beside = data.astype(np.uint8), side.astype(np.uint8), beside.astype(np.int32)
    while True:
        stream = np.zeros(room, np.uint8)
        model = _model(len(data), width)
        written = _run(model, chances(), plain, stream, False, width, plain_side, plain_beside, 0, 0)
        if written >= 0:
            return ended(stream[:written].tobytes(), int(model.coder[LOW]), int(model.coder[HIGH]))
        room *= 4


def _decode(stream: bytes, length: int, width: int, side: U8, beside: I32) -> U8:
    data = np.zeros(length, np.uint8)
    coded = np.frombuffer(stream, np.uint8).copy()
    plain_side, plain_beside = side.astype(np.uint8), beside.astype(np.int32)
    _run(_model(length, width), chances(), data, coded, True, width, plain_side, plain_beside, 0, 0)
    return data
