"""A slow decoder of one array, written from arrays/VALUES.md and nothing else: it shares no line with the codec.

Predicted blocks on the grids 1 to 4, without specials, patches, low bits and bases: ordinary Python integers and
lists; singles are doubles that are rounded after each operation, which gives the same. The coder of bits and its tables
are those of the reference decoder of text.
"""

import math
import struct
from dataclasses import dataclass, field

from tests.unit.codecs.text.reference import RECIPROCAL, SQUASH, STRETCH, Coder, within

TOP = (1 << 29) - 1
WEIGHT = 16384
"""What weights of mixers begin at."""


class Bytes:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def varint(self) -> int:
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def signed(self) -> int:
        value = self.varint()
        return value >> 1 if value % 2 == 0 else -((value + 1) >> 1)

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.at)


def level(v: int) -> int:
    if v < 4096:
        b = (v + 1).bit_length() - 1
        return 4 * b + (((v + 1) << 2 >> b) & 3)
    return level(v >> 12) + 48 if v < 1 << 24 else level(v >> 20) + 80


def single(x: float) -> float:
    found: float = struct.unpack("<f", struct.pack("<f", x))[0]
    return found


def summed(sixteen: list[float]) -> float:
    while len(sixteen) > 1:
        half = len(sixteen) // 2
        sixteen = [single(a + b) for a, b in zip(sixteen[:half], sixteen[half:], strict=True)]
    return sixteen[0]


def wrapped(a: int) -> int:
    """What is left of it in 32 bits with a sign."""
    return (a + (1 << 31)) % (1 << 32) - (1 << 31)


def towards_zero(a: int, b: int) -> int:
    return abs(a) // b if a >= 0 else -(abs(a) // b)


def token(m: int) -> int:
    if m < 4:
        return m
    b = m.bit_length() - 1
    return 2 * b + (m >> (b - 1) & 1)


# --- numbers near zero ------------------------------------------------------------------------------------


class Chance:
    def __init__(self) -> None:
        self.p, self.count = 1 << 21, 0

    def learn(self, bit: int) -> None:
        self.p += (((4194303 if bit else 0) - self.p) * RECIPROCAL[self.count]) >> 16
        self.count = min(self.count + 1, 255)


class Fine:
    """A chance of a context."""

    def __init__(self) -> None:
        self.p, self.count = 1 << 22, 0

    def learn(self, bit: int) -> None:
        self.p += towards_zero(2 * ((8388607 if bit else 0) - self.p), 2 * self.count + 3)
        self.count = min(self.count + 1, 255)


class Plain:
    """Bits from the lowest of each byte on; zeros behind the end."""

    def __init__(self, data: bytes) -> None:
        self.number = int.from_bytes(data, "little")

    def bits(self, count: int) -> int:
        found = self.number & ((1 << count) - 1)
        self.number >>= count
        return found


class Odds:
    """What a logistic distribution says."""

    def __init__(self, middle: int, narrow: int) -> None:
        self.middle, self.narrow, self.edge, self.side = middle, narrow, 0, 0

    def at(self, x: int) -> int:
        return (within(x, 1 << 24) * self.narrow) >> 20

    def turn(self, negative: int) -> None:
        self.side = self.middle if negative else -self.middle
        self.edge = self.at(8 + self.side)

    def of(self, slot: int, seen: int, expected: int, negative: int) -> int:
        m, old = self.at(self.middle), self.edge
        if slot >= 16 or (slot == 15 and expected > 1):
            return 0
        if slot == 15:
            return within(soft(m - self.at(8)) - soft(-self.at(8) - m), 2047)
        if slot >= 13:
            self.edge = self.at(16 * least(max(expected, 1)) - 8)
            return within(177 + soft(-(self.edge + (hung(m) >> 2))) - risen(2 * self.edge), 2047)
        if slot >= 9:
            self.edge = self.at(16 * least(seen) - 8)
            inner = risen(self.edge) - 4 * self.edge
            return within(inner + soft(old) + 4 * old - 177 - risen(old - self.edge), 2047)
        self.edge = self.at(16 * least(seen + 1) - 8 + self.side)
        return within(soft(old) - risen(self.edge - old), 2047)


def soft(x: int) -> int:
    return soft(-x) - 4 * x if x < 0 else round(256 * math.log(1 + math.exp(-min(x, 1023) / 64)))


def risen(x: int) -> int:
    return round(256 * math.log(math.exp(max(x, 0.5) / 64) - 1)) if x < 1024 else 4 * x


def hung(x: int) -> int:
    return round(256 * math.log(math.cosh(x / 64))) if abs(x) < 1024 else 4 * abs(x) - 177


@dataclass
class Numbers:
    coder: Coder
    plain: Plain
    chances: dict[int, Fine] = field(default_factory=dict)
    rows: dict[int, list[int]] = field(default_factory=dict)
    below: dict[int, Chance] = field(default_factory=dict)
    counts: list[int] = field(default_factory=list)
    rates: dict[int, int] = field(default_factory=dict)
    odds: Odds = field(default_factory=lambda: Odds(0, 0))

    def decision(self, contexts: list[int], sets: tuple[int, int], slot: int, counted: int | None, odds: int) -> int:
        table, first, d = 147456 * (slot // 16), 512 * (slot // 16), slot % 16
        found = [self.chances.setdefault(table + 16384 * c + 16 * v + d, Fine()) for c, v in enumerate(contexts)]
        inputs = [STRETCH[chance.p >> 11] for chance in found] + [256]
        inputs += [] if counted is None else [STRETCH[counted]]
        inputs.append(odds)
        places = [first + 256 * i + 16 * d + sets[i] for i in range(2)]
        rows = [self.rows.setdefault(place, [WEIGHT] * len(inputs)) for place in places]
        sums = [wrapped(sum(wrapped(a * b) >> 4 for a, b in zip(inputs, row, strict=True))) for row in rows]
        x = [within(one >> 12, 2815) for one in sums]
        bit = self.coder.bit(min(max(SQUASH[(x[0] + x[1]) >> 1], 32), 65504))
        for i, row in enumerate(rows):
            rate = self.rates.get(places[i], 524288)
            self.rates[places[i]] = rate - ((rate - 65536) >> 9)
            error = ((65536 * bit - SQUASH[x[i]]) * rate) >> 16
            for k, given in enumerate(inputs):
                row[k] = wrapped(row[k] + ((given * error + 32768) >> 16))
        for chance in found:
            chance.learn(bit)
        return bit

    def number(self, contexts: list[int], sets: tuple[int, int], expected: int, part: int, place: int) -> int:
        expected = min(expected, 62)

        negative, seen, steps, sides = 0, 0, 0, "above below"

        def ask(slot: int, side: int, x: int, y: int, z: int, sides: str) -> int:
            asked = [v + side * (c == 2) for c, v in enumerate(contexts)]
            counted = self.counted(place, x, y, z, sides) if self.counts else None
            if counted is not None and 9 <= slot < 13:
                counted = 4095 - counted
            return self.decision(asked, sets, slot, counted, self.odds.of(slot, seen, expected, negative))

        side = part + 8
        if expected <= 1:
            if not ask(14, side, 0, 1, 2, sides):
                return 0
            seen, up = 1, True
            negative = ask(15, side, 1, 1, 3, "sign")
            self.odds.turn(negative)
            side = min(16 - side, 15) if negative else side
            sides = "below" if negative else "above"
        else:
            up = bool(ask(13, side, least(expected - 1), least(expected), least(expected + 1), sides))
            seen = expected if up else expected - 1
        while (seen < 63) if up else (seen > 0):
            x = seen if up else seen - 1
            slot = min(steps, 8) if up else 9 + min(steps, 3)
            if not ask(slot, side, least(x), least(x + 1), least(x + 2), sides):
                break
            seen += 1 if up else -1
            steps += 1
        if expected > 1 and seen:
            negative = ask(15, side, least(seen), least(seen), least(seen + 1), "sign")
        size = self.size(seen)
        if self.counts and seen >= 4:
            size = 2 + seen % 2
            for i in range(seen // 2 - 2, -1, -1):
                x, y, z = (2 * size + k << i for k in range(3))
                size = 2 * size + ask(16 + min(i, 8), side, x, y, z, "below" if negative else "above")
        return -size if negative else size

    def size(self, seen: int) -> int:
        if seen < 4 or self.counts:
            return seen
        chance = self.below.setdefault(seen, Chance())
        bit = self.coder.bit(min(max(chance.p >> 6, 32), 65504))
        chance.learn(bit)
        rest = seen // 2 - 2
        return ((2 + seen % 2) * 2 + bit << rest) + self.plain.bits(rest)

    def among(self, a: int, b: int) -> tuple[int, int]:
        """How many values stood from place a to before b, and how many places these are."""
        some = self.counts[max(a, 0) : max(b, 0)]
        return sum(some), len(some)

    def counted(self, q: int, x: int, y: int, z: int, sides: str) -> int:
        n = m = n_room = m_room = 0
        if sides == "sign":
            (m, m_room), (n, n_room) = self.among(q - z + 1, q - y + 1), self.among(q + y, q + z)
        if "above" in sides:
            (n, n_room), (m, m_room) = self.among(q + x, q + y), self.among(q + y, q + z)
        if "below" in sides:
            for_n, for_m = self.among(q - y + 1, q - x + 1), self.among(q - z + 1, q - y + 1)
            n, n_room, m, m_room = n + for_n[0], n_room + for_n[1], m + for_m[0], m_room + for_m[1]
        if not (n_room and m_room):
            return 4095 if m_room else 0 if n_room else 2048
        d, e = (m * (m_room + n_room) + m_room) * n_room, (n * (m_room + n_room) + n_room) * m_room
        return min((d << 12) // (d + e), 4095)

    def common(self, place: int) -> int:
        """How common a value is beside those around it; then it is counted."""
        many, room = self.among(place - 8, place + 9)
        own = self.counts[place] * room
        self.counts[place] += 1
        return (own > many) + (own > 2 * many) + (own > 4 * many)


def least(t: int) -> int:
    return t if t < 4 else (2 + t % 2) << (t // 2 - 1)


# --- the integers -----------------------------------------------------------------------------------------


NEAR, FAR = (2, 1, 2, 2), (5, 2, 5, 4)
"""Rows above and below a frame, columns to the left and to the right."""


class Framed:
    """Frames with some rows and columns around them."""

    def __init__(self, origin: int = 0) -> None:
        self.values: dict[tuple[int, int, int], int] = {}
        self.origin = origin

    def __getitem__(self, place: tuple[int, int, int]) -> int:
        return self.values.get(place, self.origin)

    def __setitem__(self, place: tuple[int, int, int], value: int) -> None:
        self.values[place] = value


class Correction:
    """What is still wrong with a guess."""

    def __init__(self) -> None:
        self.weights = [0] * 16
        self.moments = [[0] * 16 for _ in range(16)]
        self.samples: list[list[int]] = []

    def of(self, told: list[int], shift: int) -> int:
        beside = [single(a) for a in [*usual(told, shift), 0]]
        found = summed([single(weight * a) for weight, a in zip(self.weights, beside, strict=True)])
        return (int(found / 4096) << shift) >> 9

    def keep(self, told: list[int], missed: int, shift: int) -> None:
        self.samples.append(usual([*told, missed], shift))
        if len(self.samples) == 32:
            self.learn()
            self.samples = []

    def learn(self) -> None:
        m = self.moments
        for i in range(16):
            for j in range(16):
                m[i][j] += sum(a[i] * a[j] for a in self.samples) - (m[i][j] >> 6)
        ridge = single((max(1, *(m[k][k] for k in range(15))) >> 7) + 16384)
        pulls = [single(single(one) * 65536) for one in m[15]]

        def less(i: int, weight: int) -> None:
            for j in range(16):
                pulls[j] = single(pulls[j] - single(single(m[i][j]) * weight))

        for i in range(15):
            less(i, self.weights[i])
        for i in range(15):
            own, before = single(m[i][i]), self.weights[i]
            room = single(single(own + single(own / 1024)) + ridge)
            pull = single(pulls[i] - single(ridge * before))
            step = int(min(max(single(pull * single(1 / room)), -(2.0**18)), 2.0**18))
            self.weights[i] = within(before + step, 1 << 18)
            less(i, self.weights[i] - before)


class Spread:
    """How far off a guess will be."""

    def __init__(self) -> None:
        self.shares = [1 / 16] * 16
        self.parts: list[float] = []
        self.expected = self.refined = 0.0

    def expect(self, parts: list[int]) -> None:
        self.parts = [single(part) for part in parts]
        found = summed([single(a * b) for a, b in zip(self.shares, self.parts, strict=True)])
        self.expected = self.refined = max(found, 1 / 16)

    def narrow(self, scale: int) -> int:
        wide = single(single(self.refined * single(scale)) * single(11.5 / 65536))
        return (1 << 30) // (int(wide) + 9)

    def learn(self, off: int) -> None:
        times = min(single(single(off) / self.expected), 4.0)
        more = single(single(single(times - 1) / 64) / self.expected)
        for i, (share, part) in enumerate(zip(self.shares, self.parts, strict=True)):
            moved = single(share * min(single(part * abs(more)), 0.25))
            self.shares[i] = min(max(single(share + (moved if more > 0 else -moved)), 1 / 256), 1.5)


class Network:
    """How wrong a guess is, and how far off it will be."""

    def __init__(self, data: Bytes) -> None:
        units = data.byte()
        p, q = 32 * (units % 4 + 1), 32 * (units // 4 + 1)
        sizes = [(68, p), (p + 1, q), (q + 1, 2)]
        weights = decode(data.take(data.varint()), (1, 1, sum(rows * columns for rows, columns in sizes)), "h", axes=1)
        self.layers: list[list[list[int]]] = []
        for rows, columns in sizes:
            rest = iter(weights)
            self.layers.append([[int(next(rest)) for _ in range(columns)] for _ in range(rows)])
            weights = list(rest)

    def refine(self, g: list[int], told: list[int], past: bool, where: list[int], spread: Spread) -> int:
        x = spread.expected
        most = min(int(x * 0.5) + 1, 1 << 26)
        unit, fine = single(512 / x), single(32 / x)
        inputs = [int(single(single(within(one, most)) * unit)) for one in g] + [0] * (46 - len(g))
        inputs += [32 if past else 0, 32, *(int(single(single(within(one, 16 * most)) * fine)) for one in told)]
        inputs += [8 * (level(int(x)) - 24), *where]
        units = [within(one, 256) for one in inputs]
        for layer, shift in zip(self.layers[:2], (4, 6), strict=True):
            heads = [128 * one for one in layer[-1]] if shift == 6 else [0] * len(layer[0])
            units = [min(max(one >> shift, 0), 4095) for one in summed_up(layer, heads, units)]
        move, wider = summed_up(self.layers[2], [128 * one for one in self.layers[2][-1]], units)
        moved = single(single(single(within(move, 131072)) * x) * (1 / 8192))
        t = within(wider >> 2, 6144)
        spread.refined = single(single(x * ((2048 + t % 2048) << ((t >> 11) + 3))) / 16384)
        return int(moved)


def signed_level(v: int) -> int:
    return 2 * level(abs(v)) * sign(v)


def summed_up(layer: list[list[int]], heads: list[int], units: list[int]) -> list[int]:
    return [head + sum(row[j] * one for row, one in zip(layer, units, strict=False)) for j, head in enumerate(heads)]


def usual(told: list[int], shift: int) -> list[int]:
    """Beside what is usual."""
    return [within((within(a, 1 << 25) << 5) >> shift, 80) for a in told]


def sign(a: int) -> int:
    return (a > 0) - (a < 0)


def ring_places() -> list[tuple[int, int]]:
    """Rows above and columns to the right."""
    some = [(up, right) for up in range(6) for right in range(-5, 6) if up or right < 0]
    known = [(0, -2), *((1, right) for right in range(-2, 3)), (2, 0), (2, 1)]
    found = [(up, right) for up, right in some if 5 <= up * up + right * right <= 25 and (up, right) not in known]
    return sorted(found, key=lambda place: (place[0] ** 2 + place[1] ** 2, -place[0], place[1]))


@dataclass
class Integers:
    shape: tuple[int, int, int]
    lags: tuple[int, int]
    far: bool
    origin: int
    ladder: list[int]
    first: int
    numbers: Numbers
    network: Network | None = None
    errors: Framed = field(default_factory=Framed)
    samples: list[list[int]] = field(default_factory=list)
    common: Framed = field(default_factory=Framed)
    correction: Correction = field(default_factory=Correction)
    spread: Spread = field(default_factory=Spread)
    means: Framed = field(default_factory=Framed)

    def __post_init__(self) -> None:
        self.work = Framed(self.ladder[self.origin] if self.ladder else self.origin)
        self.lanes = 48 if self.far else 32
        self.weights = [[0] * self.lanes for _ in range(3)]
        self.moments = [[[0] * self.lanes for _ in range(self.lanes)] for _ in range(3)]

    def decode(self) -> list[int]:
        frames, rows, columns = self.shape
        top, bottom, left, right = FAR if self.far else NEAR
        out = []
        above = [[0] * (columns + 4) for _ in range(9)]
        for f in range(frames):
            past = f >= self.lags[0]
            if self.far and f == self.lags[0]:
                self.forget()
            for y in range(rows):
                self.before_row(f, y, past)
                near: list[list[int]] = [[e[2], e[2], *[0] * columns, 0, 0] if f or y else list(e) for e in above]
                for x in range(columns):
                    if y == 0 and not past:
                        self.repeat((f, 0, x - 1), range(-top, 0), range(x, x + right + 1))
                    out.append(self.value(f, y, x, near, above))
                self.repeat((f, y, columns - 1), range(y, y + 1), range(columns, columns + right))
                for e in near:
                    e[columns + 2] = e[columns + 3] = e[columns + 1]
                above = near
            for x in range(-left, columns + right):
                self.repeat((f, rows - 1, x), range(rows, rows + bottom), range(x, x + 1))
            self.take_mean(f)
        return out

    def repeat(self, place: tuple[int, int, int], rows: range, columns: range) -> None:
        for grid in (self.work, self.errors):
            for y in rows:
                for x in columns:
                    grid[place[0], y, x] = grid[place]

    def forget(self) -> None:
        for weights, moments in zip(self.weights[:2], self.moments[:2], strict=True):
            weights[12:] = [0] * (self.lanes - 12)
            for i, row in enumerate(moments):
                row[12:] = [0] * (self.lanes - 12)
                if 12 <= i < self.lanes - 1:
                    row[:] = [0] * self.lanes

    def take_mean(self, f: int) -> None:
        top, bottom, left, right = FAR
        share = 65536 // min(f // self.lags[0] + 1, 16)
        for y in range(-top, self.shape[1] + bottom):
            for x in range(-left, self.shape[2] + right):
                place = f % self.lags[0], y, x
                self.means[place] += (((self.work[f, y, x] << 8) - self.means[place]) * share) >> 16

    def before_row(self, f: int, y: int, past: bool) -> None:
        for grid in (self.work, self.errors):
            top, _, left, right = FAR if self.far else NEAR
            for k in range(1, left + 1):
                if y > 0:
                    grid[f, y, -k] = grid[f, y - 1, 0]
                elif past:
                    grid[f, y, -k] = grid[f - self.lags[0], y, 0]
            if y == 0 and past:
                for x in range(-left, self.shape[2] + right):
                    for up in range(1, top + 1):
                        grid[f, -up, x] = grid[f - self.lags[0], 0, x]

    def value(self, f: int, y: int, x: int, near: list[list[int]], above: list[list[int]]) -> int:
        v, e = self.work, self.errors
        w, ww, n, nn = v[f, y, x - 1], v[f, y, x - 2], v[f, y - 1, x], v[f, y - 2, x]
        nw, nww, ne, nee = (v[f, y - 1, x + k] for k in (-1, -2, 1, 2))
        g = [n - nw, nw - w, ne - n, nee - ne, w - ww, n - nn, nw - nww, ne - v[f, y - 2, x + 1]]
        past = f >= self.lags[0]
        g += [e[f, y, x - 1] >> 2, e[f, y - 1, x] >> 2, e[f, y - 1, x + 1] >> 2, e[f, y - 1, x - 1] >> 2]
        c, cw, ec, es = v[f, y, x], w, e[f, y - 1, x + 1], 0
        if past:
            p = f - self.lags[0]
            c, cw, ce, cn, cs = v[p, y, x], v[p, y, x - 1], v[p, y, x + 1], v[p, y - 1, x], v[p, y + 1, x]
            cnw, cne, csw, cse = (v[p, y + j, x + k] for j in (-1, 1) for k in (-1, 1))
            ec, es = e[p, y, x], e[p, y + 1, x]
            g[11] = ec >> 2
            g += [c - cw, ce - c, cn - c, cs - c, cnw - cw, cne - ce, csw - cw, cse - ce, cw - w]
            if f >= self.lags[1]:
                q = f - self.lags[1]
                g += [v[q, y, x] - c, v[q, y, x - 1] - cw, v[q, y - 1, x] - cn]
                g += [v[q, y, x + 1] - ce, v[q, y + 1, x] - cs]
        g = self.farther(g, f, y, x, past) if self.far else g
        away = self.experts(g, w, n, nw, ne, *((c, cw, cn, cnw) if past else ()))
        offset, held = blended(away, near, above, x + 2)
        energy = self.energy(f, y, x, past, held)
        shift = max(level(energy) >> 2, 2)
        told = [*(one - offset for one in away[:3]), *self.errors_near(f, y, x, (ec, es))]
        blend = within(16 * w + offset, 16 * TOP)
        offset = within(offset + self.correction.of(told, shift), 1 << 30)
        before = within(16 * w + offset, 16 * TOP)
        lowest = self.expect(before, told, held)
        offset, energy = self.refined(g, told, past, self.where(before >> 4, y, x), offset, energy)
        guess = within(16 * w + offset, 16 * TOP)
        base, place, scale, part = self.middle(guess)
        self.numbers.odds = Odds(((guess - 16 * place) * scale) >> 16, self.spread.narrow(scale))
        le = level(usual := (energy * scale) >> 16)

        def sides(*three: tuple[int, int]) -> int:
            a, b, d = (side(*one) for one in three)
            return 7 * (25 * a + 5 * b + d) + min(le >> 4, 6)

        equal = [w == n, n == ne, w == nw, c == w, place == w, place == n, ww == w, nn == n]
        equal += [c == v[p, y, x + 1], c == v[p, y + 1, x]] if past else []
        same = sum(bit << k for k, bit in enumerate(equal))
        off = [one - offset for one in away]
        contexts = [
            sides((e[f, y - 1, x + 1], energy), (e[f, y - 1, x - 1], energy), (e[f, y, x - 2], energy)),
            sides((off[0], energy >> 1), (off[1], energy >> 1), (es, energy)),
            16 * min(le >> 1, 63),
            sides((e[f, y, x - 1], energy), (e[f, y - 1, x], energy), (ec, energy)),
            sides((off[2], energy), (off[3], energy), (off[4], energy)),
            64 * close(w - place, scale) + 8 * close(n - place, scale) + close(c - place, scale),
            64 * close(nw - place, scale) + 8 * close(ne - place, scale) + close(ww - place, scale),
            same,
            8 * min(level(abs(base)), 127) + min(le >> 3, 7),
        ]
        sets = min(le >> 2, 15), self.second_set(f, y, x, same)
        number = self.numbers.number(contexts, sets, token((11 * usual) >> 8), part, base - self.first)
        coded, value = self.coded(base + number)
        self.common[f, y, x] = self.numbers.common(coded - self.first) if self.numbers.counts else 0
        v[f, y, x], e[f, y, x] = value, within(16 * value - blend, 1 << 30)
        if len(self.samples) % 4 == 0:
            self.spread.learn(min(abs(16 * value - before), 1 << 29) + lowest)
        self.correction.keep(told, within(16 * value - blend, 1 << 29), shift)
        self.hold([*away, offset], within(16 * (value - w), 1 << 29), near, above, x + 2)
        self.keep([*g, value - w], shift)
        return coded

    def expect(self, guess: int, told: list[int], held: int) -> int:
        """Gives how far off a guess is taken to be at least."""
        lowest = (2 << 16) // self.middle(guess)[2]
        self.spread.expect([*map(abs, told), held // 9 + lowest])
        return lowest

    def where(self, v: int, y: int, x: int) -> list[int]:
        found = [512 * y // self.shape[1] - 256, (x * ((1 << 25) // self.shape[2]) >> 16) - 256]
        return [signed_level(v), signed_level(v - self.work.origin), *found]

    def refined(
        self, g: list[int], told: list[int], past: bool, where: list[int], offset: int, energy: int
    ) -> tuple[int, int]:
        if not self.network:
            return offset, energy
        offset = within(offset + self.network.refine(g, told, past, where, self.spread), 1 << 30)
        return offset, int(min(self.spread.refined, 1 << 29))

    def experts(self, g: list[int], w: int, n: int, nw: int, ne: int, *past: int) -> list[int]:
        found = [16 * (median(w, n, nw) - w)]
        if past:
            c, cw, cn, cnw = past
            found += [16 * (c + median(w - cw, n - cn, nw - cnw) - w), 16 * (c - w)]
        else:
            found += [8 * (n - w) + 4 * (ne - nw), 0]
        found += [16 * (n - w), 8 * (ne - w)]
        first, second, third = self.weighted(g)
        return [first, second, *(within(one, 1 << 29) for one in found), third]

    def hold(self, told: list[int], found: int, near: list[list[int]], above: list[list[int]], at: int) -> None:
        for k, one in enumerate(told):
            missed = min(abs(found - one), 1 << 27)
            near[k][at] = (above[k][at] + above[k][at + 1] + near[k][at - 1] + missed) >> 2

    def farther(self, g: list[int], f: int, y: int, x: int, past: bool) -> list[int]:
        v, e = self.work, self.errors

        def less(frame: int, up: int, right: int) -> int:
            sideways = abs(right) > abs(up)
            j, i = (up, right - sign(right)) if sideways else (up - sign(up), right)
            return v[frame, y - up, x + right] - v[frame, y - j, x + i]

        ring = [less(f, up, right) for up, right in ring_places()]
        if not past:
            return [*g, *ring]
        p = f - self.lags[0]
        beside = [(0, 0), (0, -1), (-1, 0), (0, 1), (1, 0)]
        number = f % self.lags[0]
        means = [(self.means[number, y + j, x + i] - (v[p, y + j, x + i] << 8)) >> 6 for j, i in beside]
        g = [*g, *[0] * (26 - len(g)), *(within(one, 1 << 30) for one in means), e[p, y, x + 1] >> 2, *ring[:7]]
        g += [less(p, up, right) for up, right in ((0, 2), (-2, 0), (0, -2), (2, 0))]
        return [*g, *(e[p, y + j, x + i] >> 2 for j, i in ((1, 0), (0, -1), (-1, 0)))]

    def errors_near(self, f: int, y: int, x: int, past: tuple[int, int]) -> list[int]:
        e = self.errors
        near = [e[f, y, x - 1], e[f, y - 1, x], past[0], e[f, y - 1, x + 1], e[f, y - 1, x - 1], past[1]]
        near += [e[f, y, x - 2], e[f, y - 2, x], e[f, y - 2, x + 1], e[f, y - 1, x - 2], e[f, y - 1, x + 2]]
        return [*near, e[f - self.lags[1], y, x] if f >= self.lags[1] else 0]

    def weighted(self, g: list[int]) -> list[int]:
        lanes = [single(a) for a in [*g, *[0] * (self.lanes - len(g))]]
        away = []
        for weights in self.weights:
            products = [single(weight * a) for weight, a in zip(weights, lanes, strict=True)]
            told = products[:16]
            for at in range(16, self.lanes, 16):
                told = [single(a + b) for a, b in zip(told, products[at : at + 16], strict=True)]
            away.append(int(min(max(summed(told) / 4096, -(2.0**29)), 2.0**29)))
        return away

    def second_set(self, f: int, y: int, x: int, same: int) -> int:
        return 4 * self.common[f, y, x - 1] + self.common[f, y - 1, x] if self.numbers.counts else same & 15

    def coded(self, number: int) -> tuple[int, int]:
        """What is decoded, and where it stands."""
        if not self.ladder:
            return within(number, TOP), within(number, TOP)
        rank = min(max(number, 0), len(self.ladder) - 1)
        return rank, self.ladder[rank]

    def middle(self, guess: int) -> tuple[int, int, int, int]:
        """Base, where it stands, the scale there, and part."""
        if not self.ladder:
            base = (guess + 8) >> 4
            return base, base, 65536, guess - 16 * base
        last = len(self.ladder) - 1
        base = next((r for r in range(last) if (self.ladder[r] + self.ladder[r + 1]) * 8 >= guess), last)
        below, above = max(base - 1, 0), min(base + 1, last)
        gap = 16 * (self.ladder[above] - self.ladder[below]) // max(above - below, 1)
        scale = 1048576 // max(gap, 1)
        place = self.ladder[base]
        return base, place, scale, min(max(((guess - 16 * place) * scale) >> 16, -8), 7)

    def energy(self, f: int, y: int, x: int, past: bool, held: int) -> int:
        def size(k: int, j: int, i: int) -> int:
            return abs(self.errors[k, y + j, x + i])

        s = 4 * (size(f, 0, -1) + size(f, -1, 0)) + 2 * (size(f, -1, 1) + size(f, -1, -1))
        s = t = (s + 2 * (size(f, 0, -2) + size(f, -2, 0))) >> 4
        if past:
            p = f - self.lags[0]
            t = (4 * size(p, 0, 0) + sum(size(p, j, i) for j, i in ((0, 1), (0, -1), (1, 0), (-1, 0)))) >> 3
        return (3 * s + 2 * t + 3 * (held // 9)) >> 3

    def keep(self, told: list[int], shift: int) -> None:
        sample = [within((within(a, 1 << 25) << 5) >> shift, 1023) for a in told]
        self.samples.append([*sample[:-1], *[0] * (self.lanes - len(sample)), sample[-1]])
        if len(self.samples) == 32:
            self.learn(len(told) - 1)
            self.samples = []

    def learn(self, regressors: int) -> None:
        target = self.lanes - 1
        for w, moments in enumerate(self.moments):
            n = 12 if w == 2 else regressors
            for i in [*range(n), target]:
                for j in range(self.lanes):
                    row = moments[i]
                    row[j] += sum(a[i] * a[j] for a in self.samples) - (row[j] >> (3, 6, 5)[w])
            ridge = (max(1, *(moments[i][i] for i in range(n))) >> 20) + 1
            weights = self.weights[w]
            pulls = [single(single(m) * 65536) for m in moments[target]]

            def less(i: int, weight: int, pulls: list[float] = pulls, moments: list[list[int]] = moments) -> None:
                for j in range(self.lanes):
                    pulls[j] = single(pulls[j] - single(single(moments[i][j]) * weight))

            for i in range(n):
                less(i, weights[i])
            for i in range(n):
                own = single(moments[i][i])
                room = single(single(own + own / 1024) + single(ridge))
                step = int(min(max(single(pulls[i] * single(1 / room)), -(2.0**20)), 2.0**20))
                before, weights[i] = weights[i], within(weights[i] + step, 1 << 19)
                less(i, weights[i] - before)


def side(a: int, usual: int) -> int:
    near = (usual >> 1) + 2
    return 4 if a > 4 * near else 3 if a > near else 0 if a < -4 * near else 1 if a < -near else 2


def close(a: int, scale: int) -> int:
    return min(max((a * scale + 32768) >> 16, -4), 3) + 4


def median(a: int, b: int, c: int) -> int:
    return max(min(a, b), min(max(a, b), a + b - c))


def blended(away: list[int], near: list[list[int]], above: list[list[int]], at: int) -> tuple[int, int]:
    """The offset, and its near error."""
    errors = [
        2 * here[at - 1] + 2 * up[at] + here[at - 2] + up[at - 1] + 2 * up[at + 1] + up[at + 2]
        for here, up in zip(near, above, strict=True)
    ]
    rungs = [struct.unpack("<I", struct.pack("<f", error + 1))[0] >> 21 for error in errors[:-1]]
    shares = [2.0 ** (min(rungs) - rung) for rung in rungs]
    empty = [0.0] * (16 - len(away))
    pulled = summed([single(share * single(one)) for share, one in zip(shares, away, strict=True)] + empty)
    return int(single(pulled / summed(shares + empty))), errors[-1]


# --- the payload ------------------------------------------------------------------------------------------


def decode(payload: bytes, shape: tuple[int, int, int], form: str, axes: int = 3) -> list[float | int]:
    """The values of an array of frames, in one block that is predicted and has neither specials, patches nor a base.

    form   of struct: "f" for floats, "h" for 16-bit integers
    axes   of the array, of which only the last may be longer than 1 if there are fewer than three
    """
    data = Bytes(payload)
    assert [data.varint() for _ in range(axes)] == [0, 1, 2][:axes]
    assert tuple(data.varint() for _ in shape) == shape
    assert data.byte() == 0
    grid = data.byte()
    network = Network(data) if grid & 128 else None
    grid &= 127
    if grid == 1:
        base, step, shift = struct.unpack("<Q", data.take(8))[0], data.varint(), data.varint()
        assert shift == 0
    elif grid == 2:
        assert data.varint() == 0
        double_step = struct.unpack("<d", data.take(8))[0]
        assert data.varint() == 0
        double_base = struct.unpack("<d", data.take(8))[0]
    elif grid == 4:
        count = data.varint()
        table = decode(data.take(data.varint()), (1, 1, count), form, axes=1)
    else:
        assert grid == 3
        first, step, digits = data.signed(), data.varint(), data.varint()
    data.varint()
    method = data.byte()
    assert method == 0x10
    manner = data.byte()
    lags = data.varint(), data.varint()
    assert [data.varint() for _ in range(4)] == [0, 0, 0, 0]
    ladder: list[int] = []
    if manner & 2:
        ladder = [round((one - table[0]) / (table[-1] - table[0]) * 65536) for one in table]
    origin = data.signed()
    least_counted, many = (data.signed(), data.varint()) if manner & 4 else (0, 0)
    plain = Plain(data.take(data.varint()))
    numbers = Numbers(Coder(data.rest()), plain, counts=[0] * many)
    refining = network if manner & 8 else None
    integers = Integers(shape, lags, bool(manner & 1), origin, ladder, least_counted, numbers, refining).decode()
    if grid == 4:
        return [table[k] for k in integers]
    if grid == 1:
        return [struct.unpack(f"<{form}", struct.pack("<Q", (k * step + base) % (1 << 64))[:2])[0] for k in integers]
    if grid == 2:
        return [_rounded(k * double_step + double_base, form) for k in integers]
    return [_rounded((float(k) * step + first) / 10.0**digits, form) for k in integers]


def _rounded(value: float, form: str) -> float:
    found: float = struct.unpack(f"<{form}", struct.pack(f"<{form}", value))[0]
    return found
