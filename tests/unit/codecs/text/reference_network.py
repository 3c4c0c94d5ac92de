"""The network of text/FORMAT.md in 64-bit integers of numpy, written from that page: slow, and in no doubt."""

import math
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import zstandard

from tests.unit.codecs.text.reference import SQUASH, Coder, Decoder, Start, Tables, mixed_hash, within

Numbers = npt.NDArray[np.int64]


@dataclass
class Network:
    digest: bytes
    content: bytes
    """What the digest is of."""
    width: int
    hidden: int
    layers: int
    logs: tuple[int, ...]
    arrays: dict[str, Numbers]
    starts: bytes


def read_network(file: bytes) -> Network:
    assert file[:5] == b"LTHN\x01"
    lengths = struct.unpack_from("<3I", file, 37)
    width, hidden, layers, hashes, bytes_, classes, *logs = struct.unpack_from("<2H9B", file, 49)
    at, sections = 62, []
    for length in lengths:
        sections.append(zstandard.decompress(file[at : at + length]))
        at += length
    rows, inputs = layers * width, 5 * hashes + bytes_ + classes
    small = {
        "hashes": (sum(1 << log for log in logs), hashes),
        "bytes": (256, bytes_),
        "classes": (5, classes),
        "in": (width, inputs),
        "gates": (3 * rows, width),
        "out": (rows, width),
        "up": (layers * hidden, width),
        "down": (rows, hidden),
        "head": (512, width),
    }
    large = {
        **{f"scale {name}": small[name][0] for name in ("in", "gates", "out", "up", "down")},
        "bias gates": 3 * rows,
        **{f"narrow {name}": rows for name in ("gates", "out", "up")},
        "narrow down": layers * hidden,
        "narrow head": width,
        "scale head": 512,
        "bias head": 512,
        "sigmoids": 1025,
    }
    arrays, at = {}, 0
    for name, shape in small.items():
        count = shape[0] * shape[1]
        arrays[name] = np.frombuffer(sections[0], "i1", count, at).astype(np.int64).reshape(shape)
        at += count
    at = 0
    for name, count in large.items():
        arrays[name] = np.frombuffer(sections[1], "<i4", count, at).astype(np.int64)
        at += 4 * count
    content = file[49:62] + b"".join(sections)
    return Network(file[5:37], content, width, hidden, layers, tuple(logs), arrays, sections[2])


def starts_with(tables: Tables, network: Network) -> Tables:
    """The tables, with the starts of the network in place of their own."""
    starts, at = [], 0
    for start in tables.starts:
        weights = np.frombuffer(network.starts, "<i2", 792 * 24, at).astype(np.int64) * 16
        final = np.frombuffer(network.starts, "<i2", 1024, at + 2 * 792 * 24).astype(np.int64) * 16
        near = np.frombuffer(network.starts, "<u2", 11520, at + 2 * 792 * 24 + 2048).astype(np.int64) * 64
        at += 2 * (792 * 24 + 1024 + 11520)
        starts.append(
            Start(
                start.map_chances,
                start.map_counts,
                start.match_chances,
                start.match_counts,
                start.says,
                weights.reshape(792, 24).tolist(),
                final.tolist(),
                near.tolist(),
            )
        )
    return Tables(tables.digest, tables.slots, tables.content, starts, tables.classes)


def narrow(numbers: Numbers, factors: Numbers, shift: int) -> Numbers:
    found: Numbers = np.clip((numbers * factors + (1 << (shift - 1))) >> shift, -127, 127)
    return found


class Reader(Decoder):
    """A decoder with a network reading along."""

    def __init__(self, tables: Tables, network: Network, text_class: int, length: int) -> None:
        super().__init__(starts_with(tables, network), text_class, length)
        self.network, self.arrays = network, network.arrays
        self.states = np.zeros((network.layers, network.width), np.int64)
        self.known = np.zeros(network.width, np.int64)
        head = (self.arrays["head"] * self.arrays["scale head"][:, None]) >> 8
        self.head = np.clip(head, -8388607, 8388607)
        self.partial = 1
        self.opinions = (0, 0)

    def scaled(self, name: str, sums: Numbers, rows: slice) -> Numbers:
        return (sums * self.arrays[f"scale {name}"][rows] + (1 << 23)) >> 24

    def times(self, name: str, given: Numbers, layer: int = 0) -> tuple[Numbers, slice]:
        matrix = self.arrays[name]
        count = len(matrix) // (self.network.layers if name != "in" else 1)
        rows = slice(layer * count, (layer + 1) * count)
        return matrix[rows] @ given, rows

    def normalised(self, name: str, residual: Numbers, layer: int = 0) -> Numbers:
        mean = (sum(int(r) ** 2 for r in residual) // len(residual) + 1) * 4096
        factor = (1 << 38) // math.isqrt(mean)
        factors = self.arrays[f"narrow {name}"].reshape(-1, len(residual))[layer]
        return narrow((residual * factor) >> 20, factors, 20)

    def sigmoid(self, numbers: Numbers) -> Numbers:
        found: Numbers = self.arrays["sigmoids"][512 + np.clip(numbers, -512, 512)]
        return found

    def inputs(self) -> Numbers:
        at, h = len(self.out), mixed_hash
        four = sum(self.byte(at - 1 - k) << 8 * k for k in range(4))
        one = four & 255
        hashes = (
            h(50, four & 0xFFFF),
            h(51, four & 0xFFFFFF),
            h(55, four),
            h(h(53, self.word), 0 if self.word else one),
            h(54, self.before),
        )
        rows, first = [], 0
        for log, hashed in zip(self.network.logs, hashes, strict=True):
            rows.append(self.arrays["hashes"][first + (hashed & ((1 << log) - 1))])
            first += 1 << log
        return np.concatenate([*rows, self.arrays["bytes"][one], self.arrays["classes"][self.text_class]])

    def contexts(self) -> list[int]:
        """Those of the mixer; the network reads when they are up to date."""
        found = super().contexts()
        self.read()
        self.partial = 1
        return found

    def read(self) -> None:
        width = self.network.width
        residual = self.scaled("in", *self.times("in", self.inputs()))
        for layer in range(self.network.layers):
            sums, rows = self.times("gates", self.normalised("gates", residual, layer), layer)
            share, new, show = self.scaled("gates", sums, rows).reshape(3, width)
            share_bias, _, show_bias = self.arrays["bias gates"][rows].reshape(3, width)
            state = self.states[layer]
            state += (self.sigmoid(share + share_bias) * (new * 64 - state) + 32768) >> 16
            shown = (state * self.sigmoid(show + show_bias)) >> 16
            given = narrow(shown, self.arrays["narrow out"].reshape(-1, width)[layer], 24)
            residual = residual + self.scaled("out", *self.times("out", given, layer))
            sums, rows = self.times("up", self.normalised("up", residual, layer), layer)
            positive = np.maximum(self.scaled("up", sums, rows), 0)
            given = narrow(positive**2 >> 10, self.arrays["narrow down"][rows], 20)
            residual = residual + self.scaled("down", *self.times("down", given, layer))
        self.known = self.normalised("head", residual)

    def extra_inputs(self) -> list[int]:
        rows = self.partial, 256 + self.partial
        sums = [int(((self.head[row] * self.known) >> 8).sum()) >> 8 for row in rows]
        said = [within(total + int(self.arrays["bias head"][row]), 2815) for total, row in zip(sums, rows, strict=True)]
        self.opinions = said[0], said[1]
        return said

    def learn(self, bit: int, p: int, said: list[int], rows: list[int], final: range, inputs: list[int]) -> None:
        super().learn(bit, p, said, rows, final, inputs)
        target = 65536 if bit else 0
        for row, chance in ((self.partial, p), (256 + self.partial, SQUASH[self.opinions[1]])):
            step = ((target - chance) * 60) >> 8
            self.head[row] = np.clip(self.head[row] + ((self.known * step + 256) >> 9), -8388607, 8388607)
        self.partial = 2 * self.partial + bit


def decode_read(tables: Tables, network: Network, payload: bytes, length: int) -> bytes:
    """The group of a payload of method 0x30."""
    assert payload[0] >> 4 == 3
    assert payload[1:5] == tables.digest[:2] + network.digest[:2]
    decoder, coder = Reader(tables, network, payload[0] & 15, length), Coder(payload[5:])
    for _ in range(length):
        decoder.decode_byte(coder, 0)
    return bytes(decoder.out)
