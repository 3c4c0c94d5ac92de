"""Text, bit by bit: what every context says is mixed, and the bit coded with the chance that comes out.

Context mixing after Mahoney (PAQ, lpaq), with a second memory: beside the history of bits that this text has shown in a
context stands a grade of what other texts taught about it (learnt.py). Both together choose an adaptive chance, so that
what was learnt elsewhere is believed as far as it proves true here, context by context.

Integer arithmetic only, one kernel for both directions: what the encoder predicted, the decoder predicts. FORMAT.md is
the format.

The kernel is compiled without checks of its indices, which make it three times slower. Every index is in bounds by how
it is made: masked, clamped, or counted up to where the data is; a stream holds nothing but bits. What is unsigned here
is so because numba asks of signed indices whether they count from the end. Tests interpret the kernel, where all is
checked.
"""

import numpy as np

from lithify import limits
from lithify.codecs.array_types import I32, I64, U8, U16, U32
from lithify.codecs.bit_coder import BYTES_PER_BIT_MAX, HIGH, LOW, POSITION, begin, code_bit, ended
from lithify.codecs.chances import COUNT_MAX, LIMIT, Chances, chances
from lithify.codecs.codec import Buffer
from lithify.codecs.kernel import bare, inlined, unsigned, wide
from lithify.codecs.signs import Told, nobody
from lithify.codecs.text.classes import TextClass
from lithify.codecs.text.contexts import CONTEXTS, PRIMED_CONTEXTS, byte_at, find_contexts, hash_two
from lithify.codecs.text.learnt import Learnt
from lithify.codecs.text.matches import EXPECTED, follow_match, trust
from lithify.codecs.text.model import (
    BYTE_ROWS,
    HIT_ROWS,
    HITS,
    INPUTS,
    MAP_BITS,
    MATCH_INPUT,
    MIXERS,
    NEURAL_INPUT,
    ONE_INPUT,
    PARTIAL_ROWS,
    POINTS,
    SLOT_BYTES,
    WEIGHT_MAX,
    Model,
    copied,
    new_model,
    size_of,
)
from lithify.codecs.text.network import Trained
from lithify.codecs.text.neural import ALONE, OPINIONS, Reader, learn, new_reader, read_on, say

_ONE = 256  # the input that is always 1
_RATE, _RATE_FIRST, _RATE_HALF = 12, 40, 1000  # the step of the weights falls from their sum to the first
_FINAL_RATE = 8
_COUNT_MASK = 1023
_BYTES_PER_BYTE_MAX = 8 * BYTES_PER_BIT_MAX + 4
_AT_ONCE, _READ_AT_ONCE = 64 * limits.KIB, 8 * limits.KIB  # between two signs of life, an eighth of a second or two
NOBODY_ASKS: U16 = np.zeros(0, np.uint16)


@inlined
def find_primed(primed: U8, h: int) -> int:
    """Where the primed slot of a hash begins; -1: there is none."""
    at = (h & (len(primed) // SLOT_BYTES - 1)) * SLOT_BYTES
    if primed[unsigned(at)] != h >> 24:
        at ^= SLOT_BYTES
        if primed[unsigned(at)] != h >> 24:
            at = wide(-1)
    return at


@inlined
def _find_slots(cells: U8, primed: U8, context: I64, slot: I64, primed_slot: I64, partial: int, is_primed: bool) -> int:
    """Look up half a byte in every context; tells in how many there was something, here and elsewhere."""
    hits = wide(0)
    mask = len(cells) // SLOT_BYTES - 1
    for i in range(CONTEXTS):
        h = hash_two(context[i], partial) if partial > 1 else context[i]
        check = h >> 24
        at = (h & mask) * SLOT_BYTES
        if cells[unsigned(at)] != check:
            other = at ^ SLOT_BYTES
            if cells[unsigned(other)] == check:
                at = other
            else:
                if cells[unsigned(other + 1)] < cells[unsigned(at + 1)]:
                    at = other
                for k in range(at, at + SLOT_BYTES):
                    cells[unsigned(k)] = 0
                cells[unsigned(at)] = check
        slot[i] = at
        hits += (PRIMED_CONTEXTS + 1) * (cells[unsigned(at + 1)] != 0)
        if i < PRIMED_CONTEXTS and is_primed:
            primed_slot[i] = find_primed(primed, h)
            hits += primed_slot[i] >= 0
    return hits


@inlined
def _within(x: int, most: int) -> int:
    return min(max(x, -most), most)


@inlined
def _dot(inputs: I32, weights: I32, row: int) -> int:
    """What one set of weights makes of the inputs: a stretched chance. 32 bits are enough, and make wider vectors."""
    out = np.int32(0)
    for i in range(INPUTS):
        product = np.int32(inputs[i] * weights[unsigned(row), i])
        out = np.int32(out + np.int32(product >> np.int32(8)))
    return wide(out) >> 8


@inlined
def _train(inputs: I32, weights: I32, row: int, step: int) -> None:
    narrow = np.int32(step)
    for i in range(INPUTS):
        change = np.int32(np.int32(np.int32(inputs[i] * narrow) + np.int32(2048)) >> np.int32(12))
        weight = np.int32(weights[unsigned(row), i] + change)
        weights[unsigned(row), i] = min(max(weight, np.int32(-WEIGHT_MAX)), np.int32(WEIGHT_MAX))


@inlined
def _refined(points: I32, at: int, beyond: int) -> int:
    """A chance in 1/65536, `beyond` steps of 128 from a point to the next."""
    return (wide(points[unsigned(at)]) * (128 - beyond) + wide(points[unsigned(at + 1)]) * beyond) >> 13


@inlined
def _settle(points: I32, at: int, bit: int) -> None:
    """The point of a refinement that was nearer learns what came of it."""
    points[unsigned(at)] += (((bit << 22) - bit) - points[unsigned(at)]) >> 6


@inlined
def _approach(maps: U32, at: int, bit: int, reciprocal: I32) -> None:
    """A chance moves by 1 / (n + 1.5) of its way to the bit the n-th time, later by the least such step."""
    both = wide(maps[unsigned(at)])
    n = both & _COUNT_MASK
    p = both >> 10
    p += ((((bit << 22) - bit) - p) * reciprocal[unsigned(n)]) >> 16
    if n < COUNT_MAX:
        n += 1
    maps[unsigned(at)] = p << 10 | n


@bare
def run(
    m: Model,
    t: Chances,
    data: U8,
    stream: U8,
    decoding: bool,
    text_class: int,
    is_primed: bool,
    start: int,
    taught: int,
    given: U16,
    reader: Reader | None,
    traced: U16 | None = None,
) -> int:
    """Encode `data` to `stream`, or decode `stream` to `data`.

    is_primed  whether what was learnt elsewhere is looked up
    start      where to go on: the model has seen what stands before, and the coder, unless it is all zeros, is in the
               middle of the stream
    taught     so much of `data` both sides know: it teaches, and is not coded
    given      takes the chance that each bit from `start` on was given, in 1/65536; empty: nobody asks
    reader     a network that reads along; without one, none of it is in the machine code
    traced     is given the chance of every bit

    Gives the bytes written; -1 if the stream has no room for them.
    """
    squash, stretch, follow, reciprocal = t.squash, t.stretch, t.follow, t.reciprocal
    maps, match_maps, primed_says, near, far = m.maps, m.match_maps, m.primed_says, m.near, m.far
    weights, final_weights, cells, primed = m.weights, m.final_weights, m.cells, m.primed
    context, slot, primed_slot, map_at = m.context, m.slot, m.primed_slot, m.map_at
    inputs, row, mixed, memory, match, coder = m.inputs, m.row, m.mixed, m.memory, m.match, m.coder
    match_table = m.match_table
    if coder[HIGH] == 0:  # else it goes on with the stream that it left off
        begin(coder, stream, decoding)
    inputs[ONE_INPUT] = _ONE
    far_mask = len(far) // POINTS - 1
    steps = wide(8 * start)
    asked = len(given) > 0
    for at in range(start, len(data)):
        if not decoding and coder[POSITION] + _BYTES_PER_BYTE_MAX > len(stream):
            return -1
        one = find_contexts(context, memory, data, at, text_class)
        far_hash = hash_two(one, byte_at(data, at - 2))
        follow_match(match, match_table, data, at)
        expected, bucket = match[EXPECTED], trust(match)
        if reader is not None:
            read_on(reader, data, at, memory, text_class)
        symbol = wide(data[at])
        partial, node, hits = wide(1), wide(1), wide(0)
        for depth in range(8):
            if depth & 3 == 0:
                hits = _find_slots(cells, primed, context, slot, primed_slot, partial, is_primed)
                hits += HITS * (depth >> 2)
                node = wide(1)
            # What each context says.
            for i in range(CONTEXTS):
                code = wide(0)
                if i < PRIMED_CONTEXTS:
                    if primed_slot[i] >= 0:
                        code = wide(primed[unsigned(primed_slot[i] + node)])
                    inputs[CONTEXTS + i] = primed_says[unsigned(i << 5 | code)]
                k = i << MAP_BITS | code << 8 | wide(cells[unsigned(slot[i] + node)])
                map_at[i] = k
                inputs[i] = stretch[unsigned(wide(maps[unsigned(k)]) >> 20)]
            matched = expected >> (8 - depth) == partial
            likely = (expected >> (7 - depth)) & 1
            if matched:
                inputs[MATCH_INPUT] = (2 * likely - 1) * stretch[unsigned(wide(match_maps[bucket]) >> 20)]
                row[0] = min(bucket + 1, HIT_ROWS - 1)
            else:
                inputs[MATCH_INPUT] = 0
                row[0] = 0
            if reader is not None:
                say(reader, partial)
                for i in range(OPINIONS):
                    inputs[NEURAL_INPUT + i] = reader.said[i]
            # Four mixers, and one that mixes them.
            row[1] = HIT_ROWS + hits
            row[2] = PARTIAL_ROWS + partial
            row[3] = BYTE_ROWS + one
            final = MIXERS * partial
            x = wide(0)
            for i in range(MIXERS):
                mixed[i] = _within(_dot(inputs, weights, row[i]), LIMIT)
                x += mixed[i] * final_weights[unsigned(final + i)]
            x = _within(x >> 16, LIMIT) + LIMIT
            p = wide(squash[unsigned(x)])
            # What came of such predictions before.
            point, beyond = (x + 1) >> 7, (x + 1) & 127
            far_at = ((far_hash ^ (partial * 0x9E35)) & far_mask) * POINTS + point
            near_at = partial * POINTS + point
            q = (2 * p + _refined(far, far_at, beyond) + _refined(near, near_at, beyond) + 2) >> 2
            q = min(max(q, 1), 65535)
            if traced is not None:
                traced[8 * at + depth] = q
            bit = (symbol >> (7 - depth)) & 1
            if at >= taught:
                bit = code_bit(coder, stream, q, decoding, bit)
            if asked:
                given[unsigned(8 * (at - start) + depth)] = q if bit else 65536 - q
            # Learn.
            step = _RATE + _RATE_FIRST * _RATE_HALF // (_RATE_HALF + steps)
            steps += 1
            error = ((bit << 16) - p) * _FINAL_RATE
            for i in range(MIXERS):
                moved = final_weights[unsigned(final + i)] + ((mixed[i] * error + (1 << 19)) >> 20)
                final_weights[unsigned(final + i)] = _within(moved, WEIGHT_MAX)
                _train(inputs, weights, row[i], (((bit << 16) - squash[unsigned(mixed[i] + LIMIT)]) * step) >> 8)
            if reader is not None:
                alone = wide(squash[unsigned(reader.said[ALONE] + LIMIT)])
                learn(reader, partial, (bit << 16) - p, (bit << 16) - alone)
            _settle(far, far_at + (beyond >> 6), bit)
            _settle(near, near_at + (beyond >> 6), bit)
            for i in range(CONTEXTS):
                _approach(maps, map_at[i], bit, reciprocal)
                k = slot[i] + node
                cells[unsigned(k)] = follow[unsigned(2 * wide(cells[unsigned(k)]) + bit)]
            if matched:
                _approach(match_maps, bucket, wide(likely == bit), reciprocal)
            partial = partial << 1 | bit
            node = node << 1 | bit
        if decoding:
            data[at] = partial & 255
    return wide(coder[POSITION])


# --- doors ------------------------------------------------------------------------------------------------


def encode_text(text: Buffer, learnt: Learnt, text_class: TextClass, told: Told = nobody) -> bytes | None:
    """The stream of a text; None if it would be longer than the text."""
    model = new_model(learnt.start_for(text_class), learnt.primed_for(text_class), size_of(len(text)))
    return _encode(model, np.frombuffer(text, np.uint8), text_class, 0, told=told)


def decode_text(stream: bytes, length: int, learnt: Learnt, text_class: TextClass, told: Told = nobody) -> bytes:
    """The `length` bytes of a text. Bytes that no encoder wrote give some text or other."""
    model = new_model(learnt.start_for(text_class), learnt.primed_for(text_class), size_of(length))
    return _decode(model, stream, np.zeros(length, np.uint8), text_class, 0, told=told).tobytes()


def weigh_text(text: Buffer, learnt: Learnt, text_class: TextClass, told: Told = nobody) -> U16:
    """The chance that each bit of a text is given when its turn comes, in 1/65536: eight for every byte, those that
    `encode_text` codes it with. `told` hears how many bytes are done, several times a second."""
    model = new_model(learnt.start_for(text_class), learnt.primed_for(text_class), size_of(len(text)))
    return _weigh(model, np.frombuffer(text, np.uint8).copy(), text_class, 0, told)


def encode_read(text: Buffer, trained: Trained, text_class: TextClass, told: Told = nobody) -> bytes | None:
    """The stream of a text that the network reads along with; None if it would be longer than the text."""
    model = new_model(trained.starts[text_class], trained.learnt.primed_for(text_class), size_of(len(text)))
    data = np.frombuffer(text, np.uint8)
    return _encode(model, data, text_class, 0, new_reader(trained.network), told=told)


def decode_read(stream: bytes, length: int, trained: Trained, text_class: TextClass, told: Told = nobody) -> bytes:
    """The `length` bytes of it. Bytes that no encoder wrote give some text or other."""
    model = new_model(trained.starts[text_class], trained.learnt.primed_for(text_class), size_of(length))
    reader = new_reader(trained.network)
    return _decode(model, stream, np.zeros(length, np.uint8), text_class, 0, reader, told=told).tobytes()


class Taught:
    """A text that both sides know, and what it teaches about those that go on behind it."""

    def __init__(self, text: bytes, learnt: Learnt, text_class: TextClass) -> None:
        self._text = np.frombuffer(text, np.uint8)
        self._learnt, self._class = learnt, text_class
        self._models: dict[int, Model] = {}

    def encode(self, text: Buffer) -> bytes | None:
        """The stream of a text that goes on; None if it would be longer than the text."""
        whole = np.concatenate((self._text, np.frombuffer(text, np.uint8)))
        return _encode(self._model(len(whole)), whole, self._class, len(self._text))

    def decode(self, stream: bytes, length: int) -> bytes:
        """The `length` bytes of it. Bytes that no encoder wrote give some text or other."""
        whole = np.concatenate((self._text, np.zeros(length, np.uint8)))
        _decode(self._model(len(whole)), stream, whole, self._class, len(self._text))
        return whole[len(self._text) :].tobytes()

    def weigh(self, text: Buffer) -> U16:
        """The chances of the bits of a text that goes on, those that `encode` codes it with; see `weigh_text`."""
        whole = np.concatenate((self._text, np.frombuffer(text, np.uint8)))
        return _weigh(self._model(len(whole)), whole, self._class, len(self._text))

    def _model(self, length: int) -> Model:
        """A model of the size that `length` bytes have, which has seen the text. Learning takes up to a quarter of a
        second: the model is kept, and every text gets a copy."""
        size = size_of(length)
        if size not in self._models:
            start, primed = self._learnt.start_for(self._class), self._learnt.primed_for(self._class)
            model = new_model(start, primed, size)
            _read(model, self._text.copy(), self._class, 0)
            self._models[size] = model
        return copied(self._models[size])


def _read(model: Model, data: U8, text_class: TextClass, start: int, given: U16 = NOBODY_ASKS) -> None:
    """Let a model see a text from `start` on, and code nothing."""
    stream = np.zeros(_BYTES_PER_BYTE_MAX, np.uint8)
    is_primed = text_class is not TextClass.OTHER
    run(model, chances(), data, stream, False, int(text_class), is_primed, start, len(data), given, None)


def _weigh(model: Model, data: U8, text_class: TextClass, start: int, told: Told = nobody) -> U16:
    given = np.zeros(8 * (len(data) - start), np.uint16)
    for at in range(start, len(data), _AT_ONCE):
        end = min(at + _AT_ONCE, len(data))
        _read(model, data[:end], text_class, at, given[8 * (at - start) : 8 * (end - start)])
        told(end - start)
    return given


def _code(
    model: Model,
    data: U8,
    stream: U8,
    decoding: bool,
    text_class: TextClass,
    *,
    start: int,
    reader: Reader | None,
    told: Told,
) -> int:
    """Encode or decode what stands from `start` on, in steps between which `told` hears how far it is."""
    is_primed, written = text_class is not TextClass.OTHER, 0
    model.coder[:] = 0
    at_once = _AT_ONCE if reader is None else _READ_AT_ONCE
    for at in range(start, len(data), at_once):
        end = min(at + at_once, len(data))
        written = run(
            model, chances(), data[:end], stream, decoding, int(text_class), is_primed, at, 0, NOBODY_ASKS, reader
        )
        if written < 0:
            break
        told(end - start)
    return written


def _encode(
    model: Model,
    data: U8,
    text_class: TextClass,
    start: int,
    reader: Reader | None = None,
    *,
    told: Told = nobody,
) -> bytes | None:
    stream = np.zeros(len(data) - start + _BYTES_PER_BYTE_MAX, np.uint8)
    written = _code(model, data.copy(), stream, False, text_class, start=start, reader=reader, told=told)
    if written < 0:
        return None
    return ended(stream[:written].tobytes(), int(model.coder[LOW]), int(model.coder[HIGH]))


def _decode(
    model: Model,
    stream: bytes,
    data: U8,
    text_class: TextClass,
    start: int,
    reader: Reader | None = None,
    *,
    told: Told = nobody,
) -> U8:
    coded = np.frombuffer(stream, np.uint8).copy()
    _code(model, data, coded, True, text_class, start=start, reader=reader, told=told)
    return data
