"""What a GIF shows between its images: what the next one is compared with."""

from collections.abc import Sequence

import numpy as np

from lithify.codecs.array_types import U8
from lithify.codecs.media.gif_layout import CLEARED, TAKEN_BACK, Image

_NAMES = 256
_PLACES_BASE, _PLACES_PER_PIXEL = 1 << 16, 64


def _box(images: Sequence[Image]) -> tuple[int, int]:
    """Height and width of what holds all images."""
    heights, widths = (image.top + image.height for image in images), (image.left + image.width for image in images)
    return max(heights, default=0), max(widths, default=0)


class Canvas:
    """The names that are shown, in the palette of the last image."""

    def __init__(self, images: Sequence[Image]) -> None:
        self._shown: U8 = np.zeros(_box(images), np.uint8)
        self._palette = b""

    @staticmethod
    def holds(images: Sequence[Image]) -> bool:
        """Whether the images explain the canvas that they lie on, and each has pixels."""
        pixels = [image.width * image.height for image in images]
        height, width = _box(images)
        return all(pixels) and height * width <= _PLACES_BASE + _PLACES_PER_PIXEL * sum(pixels)

    def before(self, image: Image) -> U8:
        """What is shown where an image will be, in its palette."""
        if image.palette != self._palette:
            self._shown = _translation(self._palette, image.palette)[self._shown]
            self._palette = image.palette
        return self._at(image).copy()

    def draw(self, image: Image, picture: U8) -> None:
        """Show an image for its time, and then what comes behind it."""
        place = self._at(image)
        if image.disposal == CLEARED:
            place[:] = max(image.transparent, 0)
        elif image.disposal != TAKEN_BACK:
            np.copyto(place, picture, where=picture != image.transparent)

    def _at(self, image: Image) -> U8:
        return self._shown[image.top : image.top + image.height, image.left : image.left + image.width]


def _translation(old: bytes, new: bytes) -> U8:
    """For each name in the old palette the first whose colour in the new one is nearest; itself where one has none."""
    names = np.arange(_NAMES, dtype=np.uint8)
    before, after = (np.frombuffer(palette, np.uint8).reshape(-1, 3).astype(np.int64) for palette in (old, new))
    if len(before) and len(after):
        distances = ((before[:, np.newaxis] - after[np.newaxis]) ** 2).sum(axis=2)
        names[: len(before)] = np.argmin(distances, axis=1)
    return names
