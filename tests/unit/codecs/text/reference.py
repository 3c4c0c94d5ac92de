"""A slow decoder of mixed text, written from text/FORMAT.md and nothing else: it shares no line with the codec.

Ordinary Python integers and lists, but for the tables, which numpy holds.
"""

import lzma
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import zstandard

FIRST_CLASSES, LANGUAGES = range(5), range(5, 6)
LIMIT = 2815


@dataclass
class Start:
    map_chances: list[int]
    map_counts: list[int]
    match_chances: list[int]
    match_counts: list[int]
    says: list[int]
    weights: list[list[int]]
    final: list[int]
    near: list[int]


@dataclass
class Tables:
    digest: bytes
    slots: npt.NDArray[np.uint8]
    content: bytes
    """What the digest is of."""
    starts: list[Start]
    classes: range
    """Which they are of."""


# --- the tables -------------------------------------------------------------------------------------------


def read_tables(file: bytes, classes: range = FIRST_CLASSES) -> Tables:
    assert file[:5] == b"LTHT\x01"
    digest, log = file[5:37], file[37]
    sections, at = [], 54
    for length in struct.unpack_from("<4I", file, 38):
        sections.append(file[at : at + length])
        at += length
    used = np.flatnonzero(np.unpackbits(np.frombuffer(zstandard.decompress(sections[0]), np.uint8)))
    codes = zstandard.decompress(sections[2])
    slots = np.zeros((1 << log, 16), np.uint8)
    slots[used, 0] = np.frombuffer(sections[1], np.uint8)
    slots[used, 1] = np.frombuffer(codes[: len(used)], np.uint8)
    at = len(used)
    for node in range(2, 16):
        parents = slots[used, node >> 1]
        childless = (parents >= 1) & (parents <= 7) if node & 1 else (parents >= 8) & (parents <= 14)
        rows = used[(parents != 0) & ~childless]
        rows = rows[np.argsort(slots[rows, node >> 1], kind="stable")]
        slots[rows, node] = np.frombuffer(codes[at : at + len(rows)], np.uint8)
        at += len(rows)
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 26, "lc": 0, "lp": 1, "pb": 1}]
    starts = lzma.decompress(sections[3], lzma.FORMAT_RAW, filters=filters)
    return Tables(digest, slots, slots.tobytes() + starts, _read_starts(starts, len(classes)), classes)


def _read_starts(data: bytes, count: int) -> list[Start]:
    at, found = 0, []

    def take(kind: str, count: int) -> list[int]:
        nonlocal at
        numbers: list[int] = np.frombuffer(data, kind, count, at).tolist()
        at += count * np.dtype(kind).itemsize
        return numbers

    for _ in range(count):
        maps, counts = take("<u2", 90112), take("u1", 90112)
        matches, match_counts = take("<u2", 64), take("u1", 64)
        says, weights = take("<i2", 256), take("<i2", 792 * 24)
        final, near = take("<i2", 1024), take("<u2", 11520)
        found.append(
            Start(
                [64 * chance for chance in maps],
                counts,
                [64 * chance for chance in matches],
                match_counts,
                says,
                [[16 * weight for weight in weights[row * 24 : row * 24 + 24]] for row in range(792)],
                [16 * weight for weight in final],
                [64 * point for point in near],
            )
        )
    assert at == len(data)
    return found


# --- constants --------------------------------------------------------------------------------------------


def _squash() -> dict[int, int]:
    term, root, k = 1 << 64, 0, 0
    while term:
        root += term
        k += 1
        term //= 256 * k
    power, table = 1 << 64, {}
    for x in range(LIMIT + 1):
        table[x] = min((power << 16) // ((1 << 64) + power), 65535)
        power = power * root >> 64
    for x in range(1, LIMIT + 1):
        table[-x] = 65536 - table[x]
    return table


SQUASH = _squash()


def _stretch() -> list[int]:
    table, x = [], -LIMIT
    for p in range(4096):
        while x < LIMIT and SQUASH[x] < 16 * p + 8:
            x += 1
        table.append(x)
    return table


STRETCH = _stretch()
RECIPROCAL = [131072 // (2 * c + 3) for c in range(256)]


def _after(history: tuple[int, int, int], bit: int) -> tuple[int, int, int]:
    counts = list(history[:2])
    counts[bit] += 1
    counts[1 - bit] = {6: 5, 7: 6}.get(counts[1 - bit], min(counts[1 - bit], 7))
    while True:
        small, large = (1, 0) if counts[0] >= counts[1] else (0, 1)
        if counts[small] <= 5 and counts[large] <= (46, 40, 14, 8, 6, 5)[counts[small]]:
            break
        if counts[small] >= 2:
            counts[large] = (counts[large] * (counts[small] - 1) + counts[small] // 2) // counts[small]
            counts[small] -= 1
        else:
            counts[large] -= 1
    knows_last = counts[0] > 0 and counts[1] > 0 and sum(counts) <= 17
    return counts[0], counts[1], bit if knows_last else 0


def _follow() -> list[tuple[int, int]]:
    histories = [(0, 0, 0)]
    table: list[tuple[int, int]] = []
    for history in histories:
        row = []
        for bit in (0, 1):
            after = _after(history, bit)
            if after not in histories:
                histories.append(after)
            row.append(histories.index(after))
        table.append((row[0], row[1]))
    assert len(histories) == 253
    return table


FOLLOW = _follow()


def mixed_hash(a: int, b: int) -> int:
    x = (a * 0x2F0B4C47 + b * 0x3A8E2B63 + 0x3C6EF372) & 0xFFFFFFFF
    x ^= x >> 15
    x = (x * 0x2C1B3C6D) & 0xFFFFFFFF
    return x ^ (x >> 13)


def within(x: int, m: int) -> int:
    return min(max(x, -m), m)


# --- the decoder ------------------------------------------------------------------------------------------


class Coder:
    def __init__(self, stream: bytes) -> None:
        self.stream = stream + bytes(4)
        self.low, self.high, self.code, self.at = 0, 0xFFFFFFFF, int.from_bytes(self.stream[:4], "big"), 4

    def bit(self, p: int) -> int:
        middle = self.low + ((self.high - self.low) * p >> 16)
        bit = int(self.code <= middle)
        if bit:
            self.high = middle
        else:
            self.low = middle + 1
        while self.low >> 24 == self.high >> 24:
            self.low = (self.low << 8) & 0xFFFFFFFF
            self.high = (self.high << 8) & 0xFFFFFFFF | 255
            following = self.stream[self.at] if self.at < len(self.stream) else 0
            self.code = (self.code << 8) & 0xFFFFFFFF | following
            self.at += 1
        return bit


class Decoder:
    def __init__(self, tables: Tables, text_class: int, length: int) -> None:
        self.text_class, self.slots = text_class, tables.slots
        start = tables.starts[text_class - tables.classes.start]
        self.chances, self.counts = list(start.map_chances), list(start.map_counts)
        self.match_chances, self.match_counts = list(start.match_chances), list(start.match_counts)
        self.says, self.final, self.near = start.says, list(start.final), list(start.near)
        self.weights = [list(row) for row in start.weights]
        bits = min(max((12 * length).bit_length(), 12), 22)
        self.cells_log, self.far_log, self.match_log = bits, min(max(bits - 4, 10), 14), min(max(bits - 2, 10), 20)
        points = [64 * SQUASH[within(128 * j - 2816, LIMIT)] for j in range(45)]
        self.far = points * (1 << self.far_log)
        self.cells: dict[int, bytearray] = {}
        self.match_table: dict[int, int] = {}
        self.steps = 0
        self.out = bytearray()
        self.word = self.before = self.before2 = self.gap = self.line = self.line_above = 0
        self.pointer = self.length = self.misses = 0

    def byte(self, i: int) -> int:
        return self.out[i] if i >= 0 else 0

    def cell(self, slot: int) -> bytearray:
        return self.cells.setdefault(slot, bytearray(16))

    def remember(self) -> None:
        at, one = len(self.out), self.out[-1]
        if one >= 128 or one == 95 or chr(one).isalnum():
            self.word = mixed_hash(self.word, ord(chr(one).lower()) if one < 128 else one)
            self.gap = 0
            return
        if self.word:
            self.before2, self.before, self.word = self.before, self.word, 0
        if one != 13:
            self.gap = mixed_hash(self.gap, 32 if one == 10 and self.text_class in {0, 1, 5} else one)
        if one == 10:
            self.line_above, self.line = self.line, at

    def contexts(self) -> list[int]:
        at, h = len(self.out), mixed_hash
        if at:
            self.remember()
        one = self.byte(at - 1)
        w2 = one | self.byte(at - 2) << 8
        w3 = w2 | self.byte(at - 3) << 16
        w4 = w3 | self.byte(at - 4) << 24
        b5 = self.byte(at - 5)
        w56 = b5 | self.byte(at - 6) << 8
        place = self.line_above + at - self.line
        above = self.byte(place) if place < self.line else 10
        lines = h(h(11, above), one | min(at - self.line, 255) << 8)
        words = h(h(11, self.word), h(self.before, self.before2))
        return [
            h(16 + self.text_class, one),
            h(32 + self.text_class, w2),
            h(3, w3),
            h(4, w4),
            h(h(5, w4), b5),
            h(h(6, w4), w56),
            h(h(7, self.word), one),
            h(h(h(8, self.word), self.before), self.gap),
            h(h(h(9, self.word), self.before2), self.gap),
            h(10, w4 >> 8),
            words if self.text_class in {0, 1, 5} else lines,
        ]

    def match(self) -> tuple[int, int]:
        at = len(self.out)
        if self.pointer:
            same = self.out[self.pointer] == self.byte(at - 1)
            self.pointer += 1
            self.length = self.length + 1 if same else 0
            self.misses += not same
            if self.misses > 8:
                self.pointer = self.misses = 0
        for reach in (20, 6):
            if at < reach:
                continue
            h = reach
            for i in range(at - reach, at, 2):
                h = mixed_hash(h, self.out[i] << 8 | self.out[i + 1])
            h &= (1 << self.match_log) - 1
            candidate = self.match_table.get(h, 0)
            self.match_table[h] = at
            if 0 < candidate < at and self.length < 16:
                m = 0
                while m < min(48, candidate) and self.out[candidate - 1 - m] == self.out[at - 1 - m]:
                    m += 1
                if m >= reach and m > self.length:
                    self.pointer, self.length, self.misses = candidate, m, 0
        if self.misses:
            bucket = (32 if self.misses == 1 else 48) + min(self.length, 15)
        elif self.length < 16:
            bucket = self.length
        elif self.length < 32:
            bucket = 16 + ((self.length - 16) >> 2)
        else:
            bucket = 20 + min((self.length - 32) >> 5, 11)
        return (self.out[self.pointer] + 256 if self.pointer else 0), bucket

    def take_slots(self, hashes: list[int]) -> tuple[list[int], list[int], int]:
        slots, primed, hits = [], [], 0
        for i, h in enumerate(hashes):
            check, s = h >> 24, h & ((1 << self.cells_log) - 1)
            if self.cell(s)[0] != check:
                if self.cell(s ^ 1)[0] == check:
                    s ^= 1
                else:
                    s = s ^ 1 if self.cell(s ^ 1)[1] < self.cell(s)[1] else s
                    self.cell(s)[:] = bytes([check]) + bytes(15)
            slots.append(s)
            hits += 9 * (self.cell(s)[1] != 0)
            found = -1
            if i < 8 and self.text_class != 4:
                s = h & (len(self.slots) - 1)
                found = s if self.slots[s, 0] == check else s ^ 1 if self.slots[s ^ 1, 0] == check else -1
                hits += found >= 0
            primed.append(found)
        return slots, primed, hits

    def decode_byte(self, coder: Coder | None, told: int) -> None:
        """One byte from the coder, or one that is known."""
        contexts = self.contexts()
        at = len(self.out)
        one = self.byte(at - 1)
        far_hash = mixed_hash(one, self.byte(at - 2))
        expected, bucket = self.match()
        partial, node = 1, 1
        slots: list[int] = []
        primed: list[int] = []
        hits = 0
        for depth in range(8):
            if depth in (0, 4):
                slots, primed, hits = self.take_slots([mixed_hash(c, partial) if depth else c for c in contexts])
                node = 1
            inputs, maps = [0] * 24, []
            for i in range(11):
                code = int(self.slots[primed[i], node]) if primed[i] >= 0 else 0
                maps.append(8192 * i + 256 * code + self.cell(slots[i])[node])
                inputs[i] = STRETCH[self.chances[maps[i]] >> 10]
                if i < 8:
                    inputs[11 + i] = self.says[32 * i + code]
            matched, likely = expected >> (8 - depth) == partial, (expected >> (7 - depth)) & 1
            if matched:
                inputs[19] = STRETCH[self.match_chances[bucket] >> 10] * (1 if likely else -1)
            inputs[20] = 256
            inputs[21:23] = self.extra_inputs()
            rows = [
                min(bucket + 1, 63) if matched else 0,
                64 + hits + 108 * (depth >> 2),
                280 + partial,
                536 + one,
            ]
            said = []
            for row in rows:
                total = sum(given * weight >> 8 for given, weight in zip(inputs, self.weights[row], strict=True))
                said.append(within(total >> 8, LIMIT))
            final = range(4 * partial, 4 * partial + 4)
            x = within(sum(said[j] * self.final[k] for j, k in enumerate(final)) >> 16, LIMIT)
            p = SQUASH[x]
            point, beyond = (x + 2816) >> 7, (x + 2816) & 127
            far = 45 * ((far_hash ^ (partial * 0x9E35)) & ((1 << self.far_log) - 1)) + point
            near = 45 * partial + point
            refined = [
                (points[k] * (128 - beyond) + points[k + 1] * beyond) >> 13
                for points, k in ((self.far, far), (self.near, near))
            ]
            q = min(max((2 * p + sum(refined) + 2) >> 2, 1), 65535)
            bit = (told >> (7 - depth)) & 1 if coder is None else coder.bit(q)
            self.learn(bit, p, said, rows, final, inputs)
            for points, k in ((self.far, far + (beyond >> 6)), (self.near, near + (beyond >> 6))):
                points[k] += ((4194303 if bit else 0) - points[k]) >> 6
            for i in range(11):
                self.approach(self.chances, self.counts, maps[i], bit)
                cell = self.cell(slots[i])
                cell[node] = FOLLOW[cell[node]][bit]
            if matched:
                self.approach(self.match_chances, self.match_counts, bucket, int(bit == likely))
            partial, node = 2 * partial + bit, 2 * node + bit
        self.out.append(partial & 255)

    def extra_inputs(self) -> list[int]:
        """What a network says (reference_network.py); here there is none."""
        return [0, 0]

    def learn(self, bit: int, p: int, said: list[int], rows: list[int], final: range, inputs: list[int]) -> None:
        rate = 12 + 40000 // (1000 + self.steps)
        self.steps += 1
        target = 65536 if bit else 0
        for j, k in enumerate(final):
            self.final[k] = within(self.final[k] + ((said[j] * (target - p) * 8 + 524288) >> 20), 524288)
            e = ((target - SQUASH[said[j]]) * rate) >> 8
            row = self.weights[rows[j]]
            for i, given in enumerate(inputs):
                row[i] = within(row[i] + ((given * e + 2048) >> 12), 524288)

    @staticmethod
    def approach(chances: list[int], counts: list[int], k: int, bit: int) -> None:
        chances[k] += (((4194303 if bit else 0) - chances[k]) * RECIPROCAL[counts[k]]) >> 16
        counts[k] = min(counts[k] + 1, 255)


def decode(tables: Tables, payload: bytes, length: int, known: bytes = b"") -> bytes:
    """The group of a payload of method 0x10 or 0x20; `known` is the text of the primer."""
    assert payload[0] >> 4 == (2 if known else 1)
    assert payload[1:3] == tables.digest[:2]
    decoder = Decoder(tables, payload[0] & 15, len(known) + length)
    for byte in known:
        decoder.decode_byte(None, byte)
    coder = Coder(payload[3:])
    for _ in range(length):
        decoder.decode_byte(coder, 0)
    return bytes(decoder.out[len(known) :])
