"""The encoders that are known by how they look for matches: what the predictor needs to do as they do."""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I64

GREEDY, LAZY, PLANNED, PAIRED = range(4)
CONFIG_HOW, CONFIG_GOOD, CONFIG_LAZY, CONFIG_NICE, CONFIG_CHAIN = range(5)
CONFIG_FAR, CONFIG_SHORT, CONFIG_HASH_BYTES, CONFIG_HASH_BITS, CONFIG_WINDOW, CONFIG_ZERO, CONFIG_INSIDE = range(5, 12)
_ZLIB_MARGIN = 262  # zlib never looks at the last bytes of its window: a longest match and some must fit behind


class Preset(NamedTuple):
    """One way of looking for matches (FORMAT.md)."""

    how: int
    good: int
    """From a match of this length on, a longer one behind it is looked for in a quarter of the places."""
    lazy: int
    """Lazy: up to which length a match is given up for a longer one behind it. Greedy: up to which length all places
    inside a match are remembered."""
    nice: int
    """A match of this length is not improved upon."""
    chain: int
    """Places looked at."""
    far: int = 32768
    """A match of three bytes is not taken from farther."""
    short: int = 2
    """Matches up to this length are not taken."""
    hash_bytes: int = 3
    """How many equal bytes a place is found by."""
    hash_bits: int = 0
    """Of zlib's hash of three bytes, or of ISA-L's of four, whose collisions count as places looked at; 0: another
    place never counts."""
    window: int = 32768
    """The longest distance."""
    zero: int = 1
    """Whether a match with the very first byte is found."""
    inside: int = 1
    """Places that are remembered of a match that is longer than `lazy`, from its first on; not by lazy ones."""

    @property
    def is_zlib(self) -> bool:
        """Whether its memory may have another shape."""
        return bool(self.hash_bits) and self.how != PAIRED


def _zlib(how: int, good: int, lazy: int, nice: int, chain: int, short: int = 2) -> Preset:
    far = 32768 if how == GREEDY else 4096
    return Preset(how, good, lazy, nice, chain, far, short, hash_bits=15, window=32768 - _ZLIB_MARGIN, zero=0)


_SLOW = ((4, 4, 16, 16), (8, 16, 32, 32), (8, 16, 128, 128), (8, 32, 128, 256), (32, 128, 258, 1024),
         (32, 258, 258, 4096))  # fmt: skip
_FAST = ((4, 4, 8, 4), (4, 5, 16, 8), (4, 6, 32, 32))

PRESETS = (
    *(_zlib(GREEDY, *level) for level in _FAST),
    *(_zlib(LAZY, *level) for level in _SLOW),
    *(_zlib(LAZY, *level, short=5) for level in _SLOW),
    Preset(GREEDY, 4, 258, 258, 1, window=1),
    Preset(GREEDY, 4, 0, 258, 0),
    Preset(GREEDY, 4, 0, 258, 1, hash_bytes=4),
    *(Preset(GREEDY, *level, hash_bytes=4) for level in _FAST),
    Preset(LAZY, 8, 32, 128, 128, hash_bytes=4),
    Preset(LAZY, 32, 258, 258, 1024, hash_bytes=4),
    Preset(LAZY, 258, 258, 258, 1024),
    Preset(PLANNED, 0, 0, 258, 512),
    Preset(GREEDY, 4, 258, 32, 2, hash_bytes=4),
    Preset(GREEDY, 4, 258, 10, 6, hash_bytes=4),
    Preset(GREEDY, 4, 258, 14, 12, hash_bytes=4),
    Preset(GREEDY, 4, 258, 30, 16, hash_bytes=4),
    Preset(PAIRED, 4, 0, 258, 1, hash_bytes=4, hash_bits=13, window=32767, inside=4),
    Preset(PAIRED, 4, 0, 258, 1, hash_bytes=4, hash_bits=15, window=32767, inside=4),
)
"""By their number in a recipe: zlib's levels from 1 to 9; those from 4 on with its strategy for filtered data; runs
only; no matches; zlib-ng's level 1; fast levels of later zlibs, which find four equal bytes; two lazy ones of that
kind; one that looks at everything; one that plans ahead; libdeflate's levels from 1 to 4; ISA-L's levels 0 and 1, and
2. The order never changes; new ones are added behind."""
ZLIB_6 = 5
TRIED = (
    *(ZLIB_6, 8, 0, 4, 7, 6, 3, 1, 2, 23, 11, 14, 22, 21, 17, 18, 19, 20, 9, 10, 12, 13),
    *(15, 16, 25, 26, 27, 28, 29, 30, 24),
)
"""In which order they are tried: the most frequent first."""


def config_of(preset: Preset, *, hash_bits: int, window: int) -> I64:
    """What the kernel reads. `hash_bits` and `window` take the place of what zlib has by default, if it is one."""
    config = np.array(preset, np.int64)
    if preset.is_zlib:
        config[CONFIG_HASH_BITS], config[CONFIG_WINDOW] = hash_bits, window
    return config


def zlib_window(bits: int) -> int:
    """The longest distance that zlib finds in a window of 2^bits bytes."""
    return int((1 << bits) - _ZLIB_MARGIN)
