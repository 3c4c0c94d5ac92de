"""What the writer of a GIF's image data chose, as bytes: everything about them that the pixels do not tell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from lithify.codecs.array_types import U8
from lithify.codecs.media.fields import Fields, piece, varint
from lithify.codecs.media.gif_layout import Image, blocks_of, in_blocks, usual_blocks
from lithify.codecs.media.lzw import DEPTH_MAX, DEPTH_MIN, Choices, Unpacked, learn, pack, unpack
from lithify.errors import Corrupt, LimitExceeded

_KEPT, _TAKEN, _ENDED, _SHORTER, _BLOCKS, _BEHIND = 0x00, 0x01, 0x02, 0x04, 0x08, 0x10
"""Flags: its data are taken out; they end with a code that says so; phrases that are not the longest; blocks of other
lengths than usual; bits or bytes behind the last code."""
_BITS = 8


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the pixels of an image become its data."""

    choices: Choices
    behind: bytes
    """The last code's byte and what stands behind it, where there are other bits than zeros; else nothing."""
    blocks: list[int] | None
    """Lengths of the blocks; None: the usual ones."""


def recipe_of(data: bytes, image: Image, pixels_max: int) -> tuple[U8, Recipe] | None:
    """The pixels of an image and how they became its data; None: they would not come back."""
    pixels = image.width * image.height
    if not DEPTH_MIN <= image.depth <= DEPTH_MAX or not 0 < pixels <= pixels_max:
        return None
    packed, blocks = blocks_of(data, image)
    stream = unpack(packed, image.depth, pixels)
    if stream is None or len(stream.pixels) != pixels:
        return None
    found = _learnt(packed, stream, image.depth)
    if found is None:
        return None
    recipe = Recipe(*found, None if blocks == usual_blocks(len(packed)) else blocks)
    if write_data(stream.pixels, image.depth, recipe, len(packed) + len(blocks) + 1) != data[image.start : image.end]:
        return None
    return stream.pixels, recipe


def _learnt(packed: bytes, stream: Unpacked, depth: int) -> tuple[Choices, bytes] | None:
    learnt = learn(stream, depth)
    if learnt is None:
        return None
    choices, again, bits = learnt
    return choices, b"" if again == packed else packed[bits // _BITS :]


def write_data(pixels: U8, depth: int, recipe: Recipe, bytes_max: int) -> bytes:
    """The data of an image in its blocks. Raises Corrupt where the recipe is not for these pixels."""
    packed, bits = pack(pixels, depth, recipe.choices, bytes_max)
    if recipe.behind:
        packed = packed[: bits // _BITS] + recipe.behind
    lengths = usual_blocks(len(packed)) if recipe.blocks is None else recipe.blocks
    if sum(lengths) != len(packed):
        raise Corrupt(f"image data have {len(packed)} bytes, their blocks {sum(lengths)}")
    return in_blocks(packed, lengths)


def pack_recipe(recipe: Recipe | None) -> bytes:
    """A recipe as bytes; None: the data stay where they are."""
    if recipe is None:
        return bytes([_KEPT])
    choices = recipe.choices
    flags = _TAKEN | _ENDED * choices.ended | _SHORTER * bool(choices.shorter)
    flags |= _BLOCKS * (recipe.blocks is not None) | _BEHIND * bool(recipe.behind)
    parts = [bytes([flags]), _runs(choices.clears)]
    if choices.shorter:
        parts += [varint(len(choices.shorter) // 2), *map(varint, choices.shorter)]
    if recipe.behind:
        parts.append(piece(recipe.behind))
    if recipe.blocks is not None:
        parts.append(piece(bytes(recipe.blocks)))
    return b"".join(parts)


def read_recipe(fields: Fields, most: int) -> Recipe | None:
    """A recipe that was packed, for data of at most `most` bytes. Raises Truncated, Corrupt, LimitExceeded."""
    flags = fields.byte()
    if flags == _KEPT:
        return None
    if not flags & _TAKEN or flags >= _BEHIND << 1:
        raise Corrupt(f"a recipe has flags 0x{flags:02x}, which do not exist")
    clears = list(_run_lengths(fields, _BITS * most))
    shorter: list[int] = []
    if flags & _SHORTER:
        count = fields.number(min(most, fields.left), "the number of phrases that are not the longest")
        shorter = [fields.number(_BITS * most, "phrases, or the length of one") for _ in range(2 * count)]
        if 0 in shorter[1::2]:
            raise Corrupt("a phrase has no pixels")
    behind = fields.piece("what stands behind the last code") if flags & _BEHIND else b""
    blocks = list(fields.piece("the lengths of blocks")) if flags & _BLOCKS else None
    if blocks is not None and 0 in blocks:
        raise Corrupt("a block of no bytes stands before the end")
    return Recipe(Choices(clears, shorter, bool(flags & _ENDED)), behind, blocks)


def _runs(numbers: Sequence[int]) -> bytes:
    """Numbers that are mostly the same: how many runs there are, and of each the number and how often."""
    runs = [(number, len(list(same))) for number, same in groupby(numbers)]
    return varint(len(runs)) + b"".join(varint(number) + varint(times) for number, times in runs)


def _run_lengths(fields: Fields, most: int) -> Iterator[int]:
    left = most
    for _ in range(fields.number(fields.left, "the number of runs")):
        number, times = fields.number(most, "phrases before a clearing"), fields.number(most, "clearings")
        left -= times
        if left < 0:
            raise LimitExceeded(f"image data of {most // _BITS} bytes have more than {most} clearings")
        yield from [number] * times
