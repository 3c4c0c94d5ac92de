"""A decoder of sound written from lithify/codecs/media/FORMAT.md, in plain Python, sharing no code with the codec."""

import math
from collections import defaultdict

PRESETS = (
    (20, 16, 350, (256, 32, 16), (8, 6, 8)),
    (20, 8, 180, (256, 32, 16), (8, 6, 8)),
    (20, 32, 900, (256, 32, 16), (2, 2, 2)),
    (24, 64, 500, (32, 16, 8), (8, 6, 8)),
)
ONE22 = 1 << 22


def within(value: int, least: int, most: int) -> int:
    return min(max(value, least), most)


def sign(value: int) -> int:
    return (value > 0) - (value < 0)


def wrapped(value: int) -> int:
    """In 32 bits, signed."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def squash_table() -> dict[int, int]:
    root, term, k = 0, 1 << 64, 0
    while term:
        root, k = root + term, k + 1
        term //= 256 * k
    power, made = 1 << 64, {}
    for x in range(2816):
        made[x] = min((power << 16) // ((1 << 64) + power), 65_535)
        made[-x] = 65_536 - made[x] if x else made[x]
        power = power * root >> 64
    return made


SQUASH = squash_table()


def stretch_table() -> list[int]:
    made, x = [], -2815
    for p in range(4096):
        while x < 2815 and SQUASH[x] < 16 * p + 8:
            x += 1
        made.append(x)
    return made


STRETCH = stretch_table()


class Coder:
    def __init__(self, stream: bytes) -> None:
        self.stream, self.at, self.low, self.high, self.code = stream, 0, 0, (1 << 32) - 1, 0
        for _ in range(4):
            self.code = self.code << 8 | self.next()

    def next(self) -> int:
        self.at += 1
        return self.stream[self.at - 1] if self.at <= len(self.stream) else 0

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
            self.code = (self.code << 8) & 0xFFFFFFFF | self.next()
        return bit


class Cell:
    def __init__(self) -> None:
        self.chance, self.count = ONE22 // 2, 0

    def learn(self, bit: int) -> None:
        reciprocal = 131_072 // (2 * self.count + 3)
        self.chance += (ONE22 * bit - bit - self.chance) * reciprocal >> 16
        self.count = min(self.count + 1, 255)


def log(value: int) -> int:
    if value < 1:
        return 0
    place = value.bit_length() - 1
    return 4 * place + (4 * value >> place & 3) + 1


class Channel:
    def __init__(self, taps: tuple[int, ...]) -> None:
        self.samples: list[int] = []
        self.weights = [0] * 32
        self.filters = [[0] * n for n in taps]
        self.errors = [[0] * n for n in taps]
        self.moves = [[0] * n for n in taps]
        self.shares = [65_536] * 3
        self.means = [0, 0, 0]
        self.last = [0, 0]

    def sample(self, frame: int) -> int:
        return self.samples[frame] if 0 <= frame < len(self.samples) else 0


class Sound:
    def __init__(self, stream: bytes, channels: int, preset: int, least: int, most: int, coarse: int) -> None:
        own, self.every, self.fading, self.taps, self.steps = PRESETS[preset]
        self.own = own if channels == 2 else 32
        self.coder, self.least, self.most, self.coarse = Coder(stream), least, most, coarse
        self.channels = [Channel(self.taps) for _ in range(channels)]
        self.sums: dict[tuple[int, int, int, int], float] = {}
        self.cells: dict[tuple[int, int], Cell] = defaultdict(Cell)
        self.mixing: dict[int, list[int]] = defaultdict(lambda: [21_845] * 6)
        self.lows: dict[int, Cell] = defaultdict(Cell)

    def decode(self, frames: int) -> list[list[int]]:
        for t in range(frames):
            if t and (t % self.every == 0 or (t < 512 and t % 4 == 0)):
                for c in range(len(self.channels)):
                    self.solve(c, t)
            for c in range(len(self.channels)):
                self.one(c, t)
            self.sum(t)
        return [channel.samples for channel in self.channels]

    # --- the first stage

    def inputs(self, c: int) -> list[tuple[int, int]]:
        """Channel and lag of each."""
        lead = 1 if c == 0 else 0
        return [(c, i + 1) for i in range(self.own)] + [(1 - c, lead + j) for j in range(32 - self.own)]

    def sum(self, t: int) -> None:
        keep = 1.0 - 1.0 / float(self.fading)
        for a, one in enumerate(self.channels):
            for b, two in enumerate(self.channels):
                for k in range(40):
                    before = self.sums.get((a, b, t - 1, k), 0.0)
                    self.sums[a, b, t, k] = keep * before + float(one.sample(t)) * float(two.sample(t - k))

    def solve(self, c: int, t: int) -> None:
        inputs = self.inputs(c)
        matrix = [[0.0] * 32 for _ in range(32)]
        for i, (a, m) in enumerate(inputs):
            for j in range(i, 32):
                b, n = inputs[j]
                key = (a, b, t - 1 - m, n - m) if m <= n else (b, a, t - 1 - n, m - n)
                matrix[i][j] = self.sums.get(key, 0.0)
            matrix[i][i] = matrix[i][i] * 1.0000001 + 10.0
        y = [self.sums.get((c, a, t - 1, m), 0.0) for a, m in inputs]
        inverse = [0.0] * 32
        for k in range(32):
            if not matrix[k][k] > 0.001:
                return
            inverse[k] = 1.0 / matrix[k][k]
            for i in range(k + 1, 32):
                factor = matrix[k][i] * inverse[k]
                for j in range(i, 32):
                    matrix[i][j] = matrix[i][j] - factor * matrix[k][j]
                y[i] = y[i] - factor * y[k]
        found = [0.0] * 32
        for k in range(31, -1, -1):
            left = y[k]
            for i in range(k + 1, 32):
                left = left - matrix[k][i] * found[i]
            found[k] = left * inverse[k]
        self.channels[c].weights = [
            math.floor(min(max(w * 65_536.0, -2_147_483_000.0), 2_147_483_000.0) + 0.5) for w in found
        ]

    # --- one sample

    def one(self, c: int, t: int) -> None:
        channel = self.channels[c]
        total = sum(
            w * self.channels[a].sample(t - m) for w, (a, m) in zip(channel.weights, self.inputs(c), strict=True)
        )
        first = (32_768 + total) >> 16
        said = []
        for s in range(3):
            product = wrapped(sum(v * e for v, e in zip(channel.filters[s], channel.errors[s], strict=True)))
            said.append((product + 8192 >> 14) << self.coarse)
        whole = (first << 16) + sum(q * g for q, g in zip(said, channel.shares, strict=True))
        prediction = within(whole + 32_768 >> 16, self.least, self.most)
        error = self.error(c)
        sample = within(prediction + error, self.least, self.most)
        channel.samples.append(sample)
        self.learn(channel, error, sample - first, said)

    def learn(self, channel: Channel, error: int, off: int, said: list[int]) -> None:
        size = abs(error)
        for number, rate in enumerate((4, 2, 7)):
            channel.means[number] += (256 * size - channel.means[number]) >> rate
        channel.last = [size, channel.last[0]]
        mean = channel.means[2] >> 8
        for s in range(3):
            far, step = abs(off), self.steps[s]
            level = 2 * step if far > 3 * mean else step if 3 * far > mean else step >> 1 if far else 0
            given, move = within(off >> self.coarse, -32_767, 32_767), level if off > 0 else -level
            channel.shares[s] += 800 * sign(error) * sign(said[s])
            off -= said[s]
            if off:
                pairs = zip(channel.filters[s], channel.moves[s], strict=True)
                channel.filters[s] = [wrapped(v + sign(off) * d) for v, d in pairs]
            channel.errors[s] = [*channel.errors[s][1:], given]
            channel.moves[s] = [*channel.moves[s][1:], move]

    # --- how far it is off

    def error(self, c: int) -> int:
        channel = self.channels[c]
        a0, a1, a2 = channel.means
        k = (a0 + a2 >> 9).bit_length()
        quick, middling, slow = (within(log(a) - 4 * k, 0, 31) for a in (a0, a1, a2))
        one, two = (min(n >> k, 11) for n in channel.last)
        other = 0
        if len(self.channels) == 2:
            partner = self.channels[1 - c]
            other = within(log(256 * partner.last[0]) - log(partner.means[2]) + 16, 0, 31)
        scale = min(k, 23)
        contexts = (
            *(quick, 32 * slow + quick, 12 * one + two, 32 * other + slow),
            *(32 * middling + slow, 32 * scale + min(one + two, 31)),
        )
        high = 0
        while high < 40 and self.mixed(contexts, min(high, 23), scale):
            high += 1
        if high == 40:
            beyond = 0
            for _ in range(36):
                beyond = beyond << 1 | self.coder.bit(32_768)
            high += beyond
        low = 0
        for number in range(k):
            if number < 2:
                cell = self.lows[34 * min(high, 15) + (32 + low if number else quick)]
                bit = self.coder.bit(within(cell.chance >> 6, 16, 65_520))
                cell.learn(bit)
            else:
                bit = self.coder.bit(32_768)
            low = low << 1 | bit
        size = within(high << k | low, 0, 1 << 34)
        return -size if size and self.coder.bit(32_768) else size

    def mixed(self, contexts: tuple[int, ...], step: int, scale: int) -> int:
        cells = [self.cells[number, 24 * context + step] for number, context in enumerate(contexts)]
        inputs = [STRETCH[cell.chance >> 10] for cell in cells]
        weights = self.mixing[24 * step + scale]
        x = within(sum(t * w for t, w in zip(inputs, weights, strict=True)) >> 16, -2815, 2815)
        p = SQUASH[x]
        bit = self.coder.bit(within(p, 16, 65_520))
        for number, t in enumerate(inputs):
            weights[number] += (t * (65_536 * bit - p) + 8192) >> 14
            cells[number].learn(bit)
        return bit
