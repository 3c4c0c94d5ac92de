"""GIF: the pixels of all images by a model that knows what stood there before, and how they were packed."""

from typing import ClassVar

import numpy as np

from lithify import limits
from lithify.codecs.array_types import U8
from lithify.codecs.codec import Effort, Estimate, Facts, Format
from lithify.codecs.inside import Inside
from lithify.codecs.media import general
from lithify.codecs.media.fields import Fields, piece, varint
from lithify.codecs.media.gif_canvas import Canvas
from lithify.codecs.media.gif_layout import SIGNATURES, Image, images
from lithify.codecs.media.whole_file import WholeFile
from lithify.codecs.reasons import give_reason
from lithify.errors import Corrupt, LimitExceeded

_OPENED = 0x10
"""First byte of a payload that is taken apart; below it stand the methods of `general`."""
_PIXELS_PER_BYTE = 2600
"""A code of 12 bits stands for 3838 pixels at most."""
_IMAGES_MAX = 65_536
_RATIO, _ENCODE_BYTES_PER_SECOND, _DECODE_BYTES_PER_SECOND = 1.5, 0.3e6, 0.3e6
_PEAK_BYTES = 256 * limits.MIB
_PEAK_BYTES_PER_BYTE = 40


class Gif(WholeFile):
    """A payload is one file (FORMAT.md)."""

    facts: ClassVar[Facts] = Facts(
        family="media",
        name="gif",
        format=Format(0x0508, 1, 0),
        kinds=frozenset({"image"}),
        seams="whole",
        bytes_max=limits.PART_BYTES,
        kernels=True,
        papers=(
            "CompuServe, Graphics Interchange Format 89a",
            "Welch 1984, A technique for high-performance data compression",
        ),
    )
    holds = "GIFs"

    @classmethod
    def warm(cls) -> None:
        """An image of a few pixels, there and back."""
        codec, data = cls(), smallest_gif()
        codec.decode(codec.encode_file(data), shared=b"", length=len(data))

    @classmethod
    def may_suit(cls, sample: bytes, length: int) -> bool:
        return sample.startswith(SIGNATURES)

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """Only by its head: what was packed by LZW says nothing in pieces."""
        if not sample.startswith(SIGNATURES):
            return None
        return Estimate(
            ratio=_RATIO,
            encode_bytes_per_second=_ENCODE_BYTES_PER_SECOND,
            decode_bytes_per_second=_DECODE_BYTES_PER_SECOND,
            peak_memory_bytes=_PEAK_BYTES + _PEAK_BYTES_PER_BYTE * length,
            confidence=0.5,
        )

    def encode_file(self, data: bytes) -> bytes:
        """The smallest payload of a file of at least one byte."""
        if not data.startswith(SIGNATURES):
            return general.pack(data, "fast")  # others are made for it
        packed = general.pack(data, self._effort)
        opened = _opened(data, self._effort)
        if opened is None:
            give_reason("none of its images can be packed again to the bit: the file is kept as any other")
            return packed
        return min(opened, packed, key=len)

    def decode_file(self, payload: bytes, length: int) -> bytes:
        return _restored(payload, length) if payload[0] == _OPENED else general.unpack(payload, length)

    def contents(self, payload: bytes, *, shared: bytes, length: int) -> list[Inside]:
        """What the pixels of all images take, what their recipes do, and the rest."""
        if payload[:1] != bytes([_OPENED]):
            return general.as_it_was(payload, length)
        return _inside(payload, length)


def _opened(data: bytes, effort: Effort) -> bytes | None:
    """The payload of a GIF whose image data can be made again; None: there are none."""
    from lithify.codecs.media.gif_recipe import pack_recipe, recipe_of
    from lithify.codecs.media.names_model import NamesCoder

    recipes: list[bytes] = []
    rest: list[bytes] = []
    taken: list[tuple[Image, U8]] = []
    at, left = 0, min(limits.IMAGE_SAMPLES_MAX, _PIXELS_PER_BYTE * len(data))
    for image in images(data):
        found = recipe_of(data, image, left) if len(recipes) < _IMAGES_MAX else None
        recipes.append(pack_recipe(found and found[1]))
        if found is not None:
            taken.append((image, found[0]))
            left -= len(found[0])
            rest.append(data[at : image.start])
            at = image.end
    if not taken or not Canvas.holds([image for image, _ in taken]):
        return None
    rest.append(data[at:])
    coder, canvas = NamesCoder(sum(len(pixels) for _, pixels in taken)), Canvas([image for image, _ in taken])
    for image, pixels in taken:
        picture = np.empty((image.height, image.width), np.uint8)
        picture[image.rows()] = pixels.reshape(picture.shape)
        coder.code(picture, canvas.before(image), image.depth)
        canvas.draw(image, picture)
    parts = (_sized(b"".join(part), effort) for part in (rest, recipes))
    return b"".join([bytes([_OPENED]), *parts, coder.written()])


def _sized(data: bytes, effort: Effort) -> bytes:
    return varint(len(data)) + piece(general.pack(data, effort))


def _restored(payload: bytes, length: int) -> bytes:
    from lithify.codecs.media.gif_recipe import Recipe, read_recipe, write_data
    from lithify.codecs.media.lzw import DEPTH_MAX, DEPTH_MIN
    from lithify.codecs.media.names_model import NamesCoder

    fields = Fields(payload[1:])
    rest = _unsized(fields, length, "the length of the rest")
    told = Fields(_unsized(fields, 4 * length + 64, "the length of recipes"))
    recipes: list[Recipe | None] = []
    while told.left:
        recipes.append(read_recipe(told, length))
    found = list(images(rest, iter([recipe is not None for recipe in recipes])))
    if len(found) != len(recipes):
        raise Corrupt(f"a GIF has {len(found)} images and recipes for {len(recipes)}")
    taken = [(image, recipe) for image, recipe in zip(found, recipes, strict=True) if recipe is not None]
    pixels = sum(image.width * image.height for image, _ in taken)
    shown = [image for image, _ in taken]
    if not all(DEPTH_MIN <= image.depth <= DEPTH_MAX for image in shown):
        raise Corrupt("an image has names of more bits than there are, or fewer")
    if pixels > min(limits.IMAGE_SAMPLES_MAX, _PIXELS_PER_BYTE * length) or not Canvas.holds(shown):
        raise LimitExceeded(f"a GIF of {length} bytes has {pixels} pixels")
    coder, canvas, parts, at, left = NamesCoder(pixels, fields.rest()), Canvas(shown), [], 0, length
    for image, recipe in taken:
        picture = np.empty((image.height, image.width), np.uint8)
        coder.code(picture, canvas.before(image), image.depth)
        canvas.draw(image, picture)
        parts.append(rest[at : image.start])
        left -= image.start - at
        parts.append(write_data(picture[image.rows()].reshape(-1), image.depth, recipe, left))
        left -= len(parts[-1])
        at = image.start
    data = b"".join([*parts, rest[at:]])
    if len(data) != length:
        raise Corrupt(f"a GIF has {len(data)} bytes, the chunk table says {length}")
    return data


def _inside(payload: bytes, length: int) -> list[Inside]:
    """Of the pixels, what they took in the file."""
    fields, told = Fields(payload[1:]), []
    for what, most in (("what stands around", length), ("corrections", 4 * length + 64)):
        size = fields.number(most, f"the length of {what}")
        packed = fields.piece(what)
        told.append(Inside(what, general.name_of(packed), size, len(packed)))
    around, corrections = told
    return [Inside("image data", "names", length - around.original_bytes, fields.left), corrections, around]


def _unsized(fields: Fields, most: int, what: str) -> bytes:
    size = fields.number(most, what)
    return general.unpack(fields.piece(what), size)


def smallest_gif() -> bytes:
    """Two by two pixels of four colours."""
    head = b"GIF89a" + bytes([2, 0, 2, 0, 0x81, 0, 0]) + bytes(range(12))
    return head + bytes([0x2C, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 3, 0x44, 0x34, 0x05, 0, 0x3B])
