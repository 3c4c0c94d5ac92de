"""Pictures of few colours, as what these are and which of them each pixel has."""

import numpy as np

from lithify.codecs.array_types import I32, U8, U32
from lithify.codecs.kernel import once, unsigned, wide

COLOURS_MAX = 256
_SLOTS = 1024
_SPREAD, _SPREAD_BITS = 0x1E35A7BD, 22
_WORD = 0xFFFFFFFF


@once
def find_colours(pixels: U32, slots: I32, colours: U32, indices: U8) -> int:
    """The colours in the order in which they come first, and the index of each pixel; how many, or -1 if too many.

    slots  zeros; one more than the index of the colour that is there
    """
    found, last, index = wide(0), wide(-1), wide(0)
    for at in range(len(pixels)):
        pixel = wide(pixels[unsigned(at)])
        if pixel != last:
            slot = (pixel * _SPREAD & _WORD) >> _SPREAD_BITS
            while slots[unsigned(slot)] and wide(colours[unsigned(wide(slots[unsigned(slot)]) - 1)]) != pixel:
                slot = (slot + 1) & (_SLOTS - 1)
            if slots[unsigned(slot)] == 0:
                if found == COLOURS_MAX:
                    return -1
                colours[unsigned(found)] = pixel
                found += 1
                slots[unsigned(slot)] = found
            index, last = wide(slots[unsigned(slot)]) - 1, pixel
        indices[unsigned(at)] = index
    return found


def take_colours(picture: U8) -> tuple[U8, U8] | None:
    """The colours (colour, channel) and which each pixel (row, column) has; None if they are too many.

    They are sorted as numbers whose first channel is lowest.
    """
    height, width, channels = picture.shape
    four = np.zeros((height, width, 4), np.uint8)
    four[:, :, :channels] = picture
    colours, indices = np.zeros(COLOURS_MAX, np.uint32), np.zeros(height * width, np.uint8)
    count = find_colours(four.view("<u4").reshape(-1), np.zeros(_SLOTS, np.int32), colours, indices)
    if count < 0:
        return None
    order = np.argsort(colours[:count])
    ranks = np.empty(count, np.uint8)
    ranks[order] = np.arange(count)
    sorted_colours = colours[order].astype("<u4").view(np.uint8).reshape(-1, 4)[:, :channels]
    return sorted_colours, ranks[indices].reshape(height, width)
