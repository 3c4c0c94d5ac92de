"""A decoder of the layout, written from arrays/FORMAT.md, a value at a time; arrays by the house's coder of numbers."""

import struct
from collections.abc import Iterator
from itertools import product
from math import prod

import numpy as np
from xxhash import xxh3_64_intdigest

from lithify.codecs.arrays.values import decode_values
from lithify.codecs.raw.brotli import Brotli
from lithify.codecs.raw.ppmd import Ppmd
from lithify.codecs.raw.xz import Xz
from lithify.codecs.raw.zstd import Zstd

TYPES = "BHIQbhiqefdfff"
NAMES = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "f4", "f4", "f4")


class Bytes:
    """Bytes, from the first to the last."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def take(self, count: int) -> bytes:
        found, self.data = self.data[:count], self.data[count:]
        return found

    def varint(self) -> int:
        byte = self.take(1)[0]
        return byte if byte < 128 else byte - 128 + 128 * self.varint()

    def zigzag(self) -> int:
        number = self.varint()
        return number // 2 if number % 2 == 0 else -(number + 1) // 2

    def piece(self) -> bytes:
        method, length = self.take(1)[0], self.varint()
        return general(method, self.take(self.varint()), length)


def general(method: int, data: bytes, length: int) -> bytes:
    return data if not method else (Zstd, Brotli, Xz, Ppmd)[method - 1]().decode(data, shared=b"", length=length)


def decoded(payload: bytes, length: int) -> bytes:
    """An original without deflated streams."""
    if payload[0] < 0x10:
        return general(payload[0], payload[1:], length)
    rest = Bytes(payload[1:])
    length_of_head, check = rest.varint(), rest.take(4)
    assert xxh3_64_intdigest(rest.data[:length_of_head]) & 0xFFFFFFFF == int.from_bytes(check, "little")
    table, skeleton, checks = Bytes(rest.piece()), rest.piece(), Bytes(rest.piece())
    arrays = [Array(table) for _ in range(table.varint())]
    out: list[int | None] = [0] * length
    for array in arrays:
        for at in array.own_bytes():
            out[at] = None
    kept = iter(skeleton)
    whole = bytearray(0 if byte is None else next(kept) for byte in out)
    for array in arrays:
        stored = rest.take(array.payload_bytes)
        blocks = checks.varint()
        before = checks.varint() if blocks else len(stored)
        assert xxh3_64_intdigest(stored[:before]) & 0xFFFFFFFF == int.from_bytes(checks.take(4), "little")
        checks.take(4 * blocks)
        array.write(stored, whole)
    return bytes(whole)


class Array:
    """One entry of the table."""

    def __init__(self, table: Bytes) -> None:
        head = table.take(1)[0]
        self.type, self.order = head & 15, ">" if head & 0x10 else "<"
        self.bits = table.varint() if head & 0x20 else 0
        self.back = table.varint() if self.type > 10 else 0
        rank = table.varint()
        self.tile = [table.varint() for _ in range(rank)]
        size = struct.calcsize(TYPES[self.type])
        strides = [size * prod(self.tile[axis + 1 :]) for axis in range(rank)]
        self.strides = [table.varint() for _ in range(rank)] if head & 0x40 else strides
        self.grid = [table.varint() for _ in range(rank)] if head & 0x80 else [1] * rank
        at, distance = table.varint(), 0
        self.begins = [at]
        for _ in range(prod(self.grid) - 1):
            distance += table.zigzag()
            at += distance
            self.begins.append(at)
        self.payload_bytes = table.varint()

    def own_bytes(self) -> Iterator[int]:
        for begin in self.begins:
            if self.bits:
                yield from range(begin, begin + -(-prod(self.tile) * self.bits // 8))
            else:
                for index in product(*map(range, self.tile)):
                    at = begin + sum(i * stride for i, stride in zip(index, self.strides, strict=True))
                    yield from range(at, at + struct.calcsize(TYPES[self.type]))

    def write(self, payload: bytes, out: bytearray) -> None:
        shape = tuple(side * count for side, count in zip(self.tile, self.grid, strict=True))
        values = decode_values(payload, shape, np.dtype(NAMES[self.type]))
        for begin, place in zip(self.begins, product(*map(range, self.grid)), strict=True):
            numbers = ""
            for index in product(*map(range, self.tile)):
                where = tuple(p * side + i for p, side, i in zip(place, self.tile, index, strict=True))
                if self.bits:
                    numbers += f"{self.number(values[where], out, begin):0{self.bits}b}"
                else:
                    at = begin + sum(i * stride for i, stride in zip(index, self.strides, strict=True))
                    raw = np.asarray(values[where]).astype(self.order + NAMES[self.type]).tobytes()
                    out[at : at + len(raw)] = raw
            if numbers:
                count = -(-len(numbers) // 8)
                out[begin : begin + count] = int(numbers.ljust(8 * count, "0"), 2).to_bytes(count, "big")

    def number(self, value: float, out: bytearray, begin: int) -> int:
        if self.type < 11:
            return int(value)
        scale = bytes(out[begin - self.back :][:6])
        if self.type == 11:
            exponent, sign, fraction = struct.unpack(">H", scale[:2])[0], scale[2], int.from_bytes(scale[3:], "big")
            reference = (-1) ** (sign >> 7) * fraction / 2**24 * 16.0 ** ((sign & 127) - 64)
        else:
            reference, exponent = struct.unpack(">fH", scale)
        exponent = -(exponent & 0x7FFF) if exponent & 0x8000 else exponent
        if self.type == 13 and np.isnan(value):
            return (1 << self.bits) - (2 if np.float32(value).view("u4") == 0x7FC00001 else 1)
        nearest: int = round((float(value) - reference) * 2.0**-exponent)
        return min(max(nearest, 0), (1 << self.bits) - (3 if self.type == 13 else 1))
