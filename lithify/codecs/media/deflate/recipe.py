"""A recipe as bytes: what stands before the corrections."""

from dataclasses import dataclass

from lithify.codecs.media.deflate.presets import PRESETS
from lithify.codecs.varints import take_varint, varint
from lithify.errors import Corrupt, Truncated, UnknownFormat

_PADDED, _SHAPED, _BLOCKS, _METHOD = 0x80, 0x40, 0x20, 0x1F
_HASH_BITS_MIN, _WINDOW_BITS_MIN = 8, 8


@dataclass(frozen=True, slots=True)
class Shape:
    """What the memory of a zlib was like; both are 15 by default."""

    hash_bits: int = 15
    """8 to 16."""
    window_bits: int = 15
    """9 to 15."""


USUAL = Shape()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a deflate stream is made from its plain bytes."""

    blocks: int
    method: int
    """Index of the preset."""
    shape: Shape
    padding: int
    """The bits behind the last one."""
    corrections: bytes


def pack_recipe(recipe: Recipe) -> bytes:
    """The recipe as bytes."""
    head = bytearray([recipe.method])
    if recipe.padding:
        head[0] |= _PADDED
        head.append(recipe.padding)
    if recipe.shape != USUAL:
        head[0] |= _SHAPED
        head.append((recipe.shape.hash_bits - _HASH_BITS_MIN) << 4 | recipe.shape.window_bits - _WINDOW_BITS_MIN)
    if recipe.blocks > 1:
        head[0] |= _BLOCKS
        head += varint(recipe.blocks)
    return bytes(head) + recipe.corrections


def unpack_recipe(data: bytes) -> Recipe:
    """The recipe that was packed. Raises Truncated, Corrupt, or UnknownFormat if its method is not known."""
    flags = data[0] if data else 0
    padded, shaped = bool(flags & _PADDED), bool(flags & _SHAPED)
    at = 1 + padded + shaped
    if len(data) < at:
        raise Truncated(f"a recipe of {len(data)} bytes ends in its head")
    if flags & _METHOD >= len(PRESETS):
        raise UnknownFormat(f"a recipe names method {flags & _METHOD}; this release knows {len(PRESETS)}")
    shape = _shape(data[1 + padded]) if shaped else USUAL
    blocks, at = take_varint(data, at) if flags & _BLOCKS else (1, at)
    return Recipe(blocks, flags & _METHOD, shape, data[1] if padded else 0, data[at:])


def _shape(byte: int) -> Shape:
    hash_bits, window_bits = (byte >> 4) + _HASH_BITS_MIN, (byte & 15) + _WINDOW_BITS_MIN
    if hash_bits > 16 or not 9 <= window_bits <= 15:
        raise Corrupt(f"a recipe names a hash of {hash_bits} bits, a window of 2^{window_bits}: zlib has no such")
    return Shape(hash_bits, window_bits)
