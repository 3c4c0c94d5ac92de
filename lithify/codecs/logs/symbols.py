"""The coder for columns of bytes: few binary decisions a byte, each predicted from its column, mixed and range coded.

A byte is spelled as a path in a Huffman tree made for the whole stream, so that what is frequent takes one or two
decisions; each decision is predicted in five contexts, and the predictions are mixed in the logistic domain (Mahoney,
PAQ). Integer arithmetic only.
"""

import heapq
from itertools import pairwise

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U32
from lithify.codecs.kernel import bare, inlined, unsigned, wide
from lithify.errors import Corrupt, Truncated

SEQUENCE = 0
"""The name of a segment whose bytes are one sequence, not a column."""
_INPUTS = 5
_SETS = 512
_WEIGHT = 1 << 16  # 1.0
_TABLE_BITS_MIN, _TABLE_BITS_MAX = 10, 20
_COUNT_MAX = 255  # after this many steps a prediction adapts by a 256th
_LENGTH_MAX = 32  # of a code: bounds what a hostile stream costs; a stream that needs more goes to another coder
_RATE = 24
_SHIFT = 16


def _squash_table() -> I32:
    """4096 / (1 + e^-x) for x in 1/256, from -2047 to 2047, interpolated between 33 literal points."""
    points = [
        1, 2, 3, 6, 10, 16, 27, 45, 73, 120, 194, 310, 488, 747, 1101, 1546, 2047, 2549, 2994, 3348, 3607, 3785, 3901,
        3975, 4022, 4050, 4068, 4079, 4085, 4089, 4092, 4093, 4094,
    ]  # fmt: skip
    out = np.zeros(4096, np.int32)
    for x in range(-2047, 2048):
        low = x & 127
        at = (x >> 7) + 16
        out[x + 2048] = (points[at] * (128 - low) + points[min(at + 1, 32)] * low + 64) >> 7
    out[0] = out[1]
    return out


def _stretch_table(squash: I32) -> I32:
    """The inverse: ln(p / (1 - p)) in 1/256 for p in 1/4096."""
    out = np.zeros(4096, np.int32)
    done = 0
    for x in range(-2047, 2048):
        for p in range(done, int(squash[x + 2048]) + 1):
            out[p] = x
        done = max(done, int(squash[x + 2048]) + 1)
    out[done:] = 2047
    return out


_SQUASH = _squash_table()
_STRETCH = _stretch_table(_SQUASH)
_RECIPROCAL = np.array([65536 * 2 // (2 * n + 3) for n in range(_COUNT_MAX + 1)], np.int32)


@inlined
def _mixed(a: int, b: int) -> int:
    key = (unsigned(a) + unsigned(0x9E3779B97F4A7C15)) * unsigned(0xBF58476D1CE4E5B9) ^ unsigned(b)
    key ^= key >> unsigned(31)
    key *= unsigned(0x94D049BB133111EB)
    return wide((key ^ (key >> unsigned(29))) & unsigned(0x7FFFFFFFFFFFFFFF))


@inlined
def _contexts(ctx: I64, segment: int, history: int, beside: int) -> None:
    """The contexts of a byte: its column, with the byte before, with two, with the byte beside it; two in any column.

    A stream of one column (segment 0) has the one, two, three, four and six bytes before.
    """
    one, two = history & 0xFF, history & 0xFFFF
    if segment == SEQUENCE:
        ctx[0] = _mixed(one, 0x100)
        ctx[1] = _mixed(two, 0x200)
        ctx[2] = _mixed(history & 0xFFFFFF, 0x300)
        ctx[3] = _mixed(history & 0xFFFFFFFF, 0x400)
        ctx[4] = _mixed(history & 0xFFFFFFFFFFFF, 0x600)
        return
    ctx[0] = _mixed(segment, 0x100)
    ctx[1] = _mixed(ctx[0], 0x1000 + one)
    ctx[2] = _mixed(ctx[0], 0x20000 + two)
    ctx[3] = _mixed(ctx[1], 0x3000 + beside)
    ctx[4] = _mixed(two, 0x500)


@inlined
def _predict(tables: U32, mask: int, ctx: I64, node: int, at: I64, inputs: I64, weights: I32, chosen: int) -> int:
    """The chance of a 1 in 1/4096, 1 to 4095."""
    dot = wide(0)
    for k in range(_INPUTS):
        at[k] = (ctx[k] + node * wide(0x9E3779B1)) & mask
        inputs[k] = _STRETCH[tables[k, at[k]] >> np.uint32(20)]
        dot += inputs[k] * weights[chosen, k]
    x = dot >> _SHIFT
    if x > 2047:
        x = wide(2047)
    elif x < -2047:
        x = wide(-2047)
    return wide(_SQUASH[x + 2048])


@inlined
def _learn(tables: U32, at: I64, inputs: I64, weights: I32, chosen: int, p: int, bit: int) -> None:
    error = ((bit << 12) - p) * _RATE
    target = wide(4194303) if bit else wide(0)
    for k in range(_INPUTS):
        weights[chosen, k] += np.int32((inputs[k] * error + 0x200) >> 16)
        entry = wide(tables[k, at[k]])
        chance, count = entry >> 10, entry & 1023
        chance += ((target - chance) * wide(_RECIPROCAL[count])) >> 16
        if count < _COUNT_MAX:
            count += 1
        tables[k, at[k]] = np.uint32((chance << 10) | count)


@bare
def _encode(
    data: U8,
    segment_at: I64,
    name: I64,
    beside: U8,
    child: I32,
    path: I64,
    path_length: U8,
    tables: U32,
    mask: int,
    weights: I32,
    out: U8,
    ctx: I64,
    at: I64,
    inputs: I64,
) -> int:
    low, high = wide(0), wide(0xFFFFFFFF)
    n = 0
    for s in range(len(segment_at) - 1):
        history = wide(0)
        chosen = name[s] & (_SETS - 1)
        for i in range(segment_at[s], segment_at[s + 1]):
            _contexts(ctx, name[s], history, wide(beside[i]))
            symbol = wide(data[i])
            node = wide(0)
            for k in range(wide(path_length[symbol]) - 1, -1, -1):
                bit = (path[symbol] >> k) & 1
                p = _predict(tables, mask, ctx, node, at, inputs, weights, chosen)
                middle = low + ((high - low) >> 12) * p + ((((high - low) & 0xFFF) * p) >> 12)
                if bit:
                    high = middle
                else:
                    low = middle + 1
                while (low ^ high) & 0xFF000000 == 0:
                    if n + 8 >= len(out):
                        return -1
                    out[n] = high >> 24
                    n += 1
                    low = (low << 8) & 0xFFFFFFFF
                    high = ((high << 8) & 0xFFFFFFFF) | 255
                _learn(tables, at, inputs, weights, chosen, p, bit)
                node = wide(child[node, bit])
            history = (history << 8 | symbol) & 0xFFFFFFFFFFFF
    for shift in (24, 16, 8, 0):
        out[n] = (high >> shift) & 255
        n += 1
    return n


@bare
def _decode(
    stream: U8,
    segment_at: I64,
    name: I64,
    beside_at: I64,
    child: I32,
    tables: U32,
    mask: int,
    weights: I32,
    out: U8,
    ctx: I64,
    at: I64,
    inputs: I64,
) -> int:
    low, high, code = wide(0), wide(0xFFFFFFFF), wide(0)
    n = 0
    for _ in range(4):
        code = code << 8 | (wide(stream[n]) if n < len(stream) else 0)
        n += 1
    for s in range(len(segment_at) - 1):
        history = wide(0)
        chosen = name[s] & (_SETS - 1)
        start = segment_at[s]
        for i in range(start, segment_at[s + 1]):
            beside = wide(0)
            if beside_at[s] >= 0:
                beside = wide(out[beside_at[s] + i - start])
            _contexts(ctx, name[s], history, beside)
            node = wide(0)
            while True:
                p = _predict(tables, mask, ctx, node, at, inputs, weights, chosen)
                middle = low + ((high - low) >> 12) * p + ((((high - low) & 0xFFF) * p) >> 12)
                if code <= middle:
                    bit = 1
                    high = middle
                else:
                    bit = 0
                    low = middle + 1
                while (low ^ high) & 0xFF000000 == 0:
                    low = (low << 8) & 0xFFFFFFFF
                    high = ((high << 8) & 0xFFFFFFFF) | 255
                    code = (code << 8) & 0xFFFFFFFF | (wide(stream[n]) if n < len(stream) else 0)
                    n += 1
                _learn(tables, at, inputs, weights, chosen, p, bit)
                node = wide(child[node, bit])
                if node < 0:
                    break
            symbol = -node - 1
            out[i] = symbol
            history = (history << 8 | symbol) & 0xFFFFFFFFFFFF
    return n


def _code_lengths(histogram: I64) -> list[int]:
    """Huffman's code lengths; one symbol alone has length 1."""
    heap: list[tuple[int, int, tuple[int, ...]]] = [
        (int(count), symbol, (symbol,)) for symbol, count in enumerate(histogram) if count
    ]
    lengths = [0] * 256
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
    heapq.heapify(heap)
    while len(heap) > 1:
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in first[2] + second[2]:
            lengths[symbol] += 1
        heapq.heappush(heap, (first[0] + second[0], min(first[1], second[1]), first[2] + second[2]))
    return lengths


def _tree(lengths: list[int]) -> tuple[I32, I64]:
    """Children of each inner node (-1 - symbol: a leaf) of the canonical code; each symbol's path. Raises Corrupt."""
    order = sorted((length, symbol) for symbol, length in enumerate(lengths) if length)
    path = np.zeros(256, np.int64)
    child = np.full((max(256, len(order)), 2), 0, np.int32)
    nodes, code, before = 1, 0, 0
    for length, symbol in order:
        code <<= length - before
        before = length
        if code >> length:
            raise Corrupt("a stream's code has more symbols than it has room for")
        path[symbol] = code
        node = 0
        for k in range(length - 1, 0, -1):
            bit = code >> k & 1
            if child[node, bit] == 0:
                if nodes == len(child):
                    raise Corrupt("a stream's code has a symbol at more than one place")
                child[node, bit] = nodes
                nodes += 1
            node = int(child[node, bit])
        child[node, code & 1] = -1 - symbol
        code += 1
    if len(order) == 1:
        if before != 1:  # else bits could lead round and round and give no byte
            raise Corrupt(f"the only symbol of a stream has a code of {before} bits")
        child[0, 1] = -1 - order[0][1]
    elif code != 1 << before:
        raise Corrupt("a stream's code does not use all of its room")
    return child, path


class Segments:
    """How a stream of bytes falls into columns.

    at         where each segment begins; one more entry at the end
    name       a number for what each is: segments of one name share their statistics
    beside_at  where the segment begins whose bytes stand beside this one's, row by row; -1: none. It comes earlier and
               is as long.
    width      segments that make one column: the bytes of its numbers, the highest first
    """

    def __init__(self, at: I64, name: I64, beside_at: I64, width: int = 1) -> None:
        self.at, self.name, self.beside_at, self.width = at, name, beside_at, width

    @classmethod
    def one(cls, length: int) -> "Segments":
        """A stream that is one column."""
        return cls(np.array([0, length], np.int64), np.full(1, SEQUENCE, np.int64), np.full(1, -1, np.int64))


def _memory(length: int) -> tuple[U32, int, I32]:
    bits = min(max(length.bit_length(), _TABLE_BITS_MIN), _TABLE_BITS_MAX)
    tables = np.full((_INPUTS, 1 << bits), 1 << 31, np.uint32)
    return tables, (1 << bits) - 1, np.full((_SETS, _INPUTS), _WEIGHT * 3 // 8, np.int32)


def _scratch() -> tuple[I64, I64, I64]:
    return np.zeros(_INPUTS, np.int64), np.zeros(_INPUTS, np.int64), np.zeros(_INPUTS, np.int64)


def encode_symbols(data: bytes, segments: Segments) -> bytes:
    """A stream of at least one byte, coded."""
    array = np.frombuffer(data, np.uint8)
    lengths = _code_lengths(np.bincount(array, minlength=256))
    if max(lengths) > _LENGTH_MAX:
        return data + b"\0"  # longer than the bytes themselves: whoever compares will take those
    child, path = _tree(lengths)
    beside = np.zeros(len(array), np.uint8)
    for (start, end), other in zip(pairwise(segments.at.tolist()), segments.beside_at.tolist(), strict=True):
        if other >= 0:
            beside[start:end] = array[other : other + end - start]
    out = np.empty(2 * len(array) + 1024, np.uint8)
    tables, mask, weights = _memory(len(array))
    written = _encode(
        array,
        segments.at,
        segments.name,
        beside,
        child,
        path,
        np.array(lengths, np.uint8),
        tables,
        mask,
        weights,
        out,
        *_scratch(),
    )
    if written < 0:
        return data + b"\0"  # longer than the bytes themselves: whoever compares will take those
    return _pack_lengths(lengths) + out[:written].tobytes()


def decode_symbols(stream: bytes, length: int, segments: Segments) -> bytes:
    """The `length` bytes of a stream. Raises Truncated or Corrupt."""
    lengths, at = _unpack_lengths(stream)
    child, _ = _tree(lengths)
    if int(segments.at[-1]) != length:
        raise Corrupt(f"a stream of {length} bytes should have {segments.at[-1]}")
    out = np.zeros(length, np.uint8)
    tables, mask, weights = _memory(length)
    coded = np.frombuffer(stream, np.uint8)[at:]
    try:
        _decode(coded, segments.at, segments.name, segments.beside_at, child, tables, mask, weights, out, *_scratch())
    except IndexError as error:
        raise Corrupt("a stream's symbols do not fit its columns") from error
    return out.tobytes()


def _pack_lengths(lengths: list[int]) -> bytes:
    """For each symbol that occurs: its code length, and how many before it do not occur; 0 ends the list."""
    out = bytearray()
    skipped = 0
    for length in lengths:
        if length:
            out += bytes((length, skipped))
            skipped = 0
        else:
            skipped += 1
    return bytes(out) + b"\0"


def _unpack_lengths(stream: bytes) -> tuple[list[int], int]:
    lengths = [0] * 256
    symbol, at = 0, 0
    while True:
        if at >= len(stream) or (stream[at] and at + 1 >= len(stream)):
            raise Truncated("the code of a stream ends early")
        if not stream[at]:
            break
        symbol += stream[at + 1]
        if symbol > 255 or stream[at] > _LENGTH_MAX:
            raise Corrupt(f"symbol {symbol} has a code of {stream[at]} bits")
        lengths[symbol] = stream[at]
        symbol += 1
        at += 2
    if not any(lengths):
        raise Corrupt("the code of a stream has no symbols")
    return lengths, at + 1
