"""A recipe as bytes: what stands before the corrections."""

from dataclasses import dataclass

from lithify.codecs.media.deflate.presets import PRESETS
from lithify.codecs.media.varints import take_varint, varint
from lithify.errors import Truncated, UnknownFormat

_PADDED = 0x80


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a deflate stream is made from its plain bytes."""

    length: int
    """Bytes of the stream."""
    blocks: int
    method: int
    """Index of the preset."""
    padding: int
    """The bits behind the last one."""
    corrections: bytes


def pack_recipe(recipe: Recipe) -> bytes:
    """The recipe as bytes."""
    method = bytes([recipe.method | _PADDED, recipe.padding]) if recipe.padding else bytes([recipe.method])
    return method + varint(recipe.length) + varint(recipe.blocks - 1) + recipe.corrections


def unpack_recipe(data: bytes) -> Recipe:
    """The recipe that was packed. Raises Truncated, Corrupt, or UnknownFormat if its method is not known."""
    if len(data) < 1 + bool(data and data[0] & _PADDED):
        raise Truncated(f"a recipe of {len(data)} bytes ends before its method")
    method, padding, at = data[0] & ~_PADDED, 0, 1
    if data[0] & _PADDED:
        padding, at = data[1], 2
    if method >= len(PRESETS):
        raise UnknownFormat(f"a recipe names method {method}; this release knows {len(PRESETS)}")
    length, at = take_varint(data, at)
    blocks, at = take_varint(data, at)
    return Recipe(length, blocks + 1, method, padding, data[at:])
