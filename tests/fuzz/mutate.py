"""Damage that looks like the real thing: flipped bits, wrong lengths, bytes lost, doubled, or from elsewhere."""

import random
from collections.abc import Callable, Sequence

_ODD_NUMBERS = (
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    1 << 40,
    (1 << 64) - 1,
)
_CHANGES_MAX = 6
_BYTES_MAX = 1 << 20

Change = Callable[[bytearray, random.Random], None]


def mutated(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """One of the seeds, changed a few times."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, _CHANGES_MAX)):
        if chance.random() < 0.05:
            _splice(data, chance.choice(seeds), chance)
        else:
            chance.choice(_CHANGES)(data, chance)
    return bytes(data[:_BYTES_MAX])


def _splice(data: bytearray, other: bytes, chance: random.Random) -> None:
    """Go on as another seed does."""
    data[_place(data, chance) :] = other[_place(other, chance) :]


def _flip_a_bit(data: bytearray, chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _set_a_byte(data: bytearray, chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, chance.randrange(256)))


def _count_one_off(data: bytearray, chance: random.Random) -> None:
    if data:
        place = chance.randrange(len(data))
        data[place] = (data[place] + chance.choice((-1, 1))) % 256


def _set_a_number(data: bytearray, chance: random.Random) -> None:
    width = chance.choice((2, 4, 8))
    place = _place(data, chance)
    number = chance.choice(_ODD_NUMBERS) % (1 << 8 * width)
    data[place : place + width] = number.to_bytes(width, "little")


def _grow_a_varint(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance)
    data[place:place] = bytes([chance.choice((0x80, 0xFF))] * chance.randint(1, 10))


def _cut_the_end(data: bytearray, chance: random.Random) -> None:
    del data[_place(data, chance) :]


def _lose_some(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance)
    del data[place : place + chance.choice((1, 2, 8, 64, 1024))]


def _double_some(data: bytearray, chance: random.Random) -> None:
    place, length = _place(data, chance), chance.choice((1, 4, 32, 512))
    data[place:place] = data[place : place + length] * chance.randint(1, 4)


def _add_noise(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance)
    data[place:place] = chance.randbytes(chance.choice((1, 3, 16, 200)))


def _place(data: bytes | bytearray, chance: random.Random) -> int:
    """Anywhere; but formats keep their interesting parts near both ends."""
    near = chance.randrange(3)
    reach = min(len(data), 80)
    if near == 0:
        return chance.randint(0, reach)
    return chance.randint(len(data) - reach, len(data)) if near == 1 else chance.randint(0, len(data))


_CHANGES: tuple[Change, ...] = (
    _flip_a_bit,
    _flip_a_bit,
    _set_a_byte,
    _count_one_off,
    _set_a_number,
    _grow_a_varint,
    _cut_the_end,
    _lose_some,
    _double_some,
    _add_noise,
)
