"""The encoders that are known by how they look for matches: what the predictor needs to do as they do."""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I64

GREEDY, LAZY = 0, 1
CONFIG_HOW, CONFIG_GOOD, CONFIG_LAZY, CONFIG_NICE, CONFIG_CHAIN, CONFIG_FAR, CONFIG_SHORT = range(7)
CONFIG_HASH_BITS, CONFIG_WINDOW, CONFIG_ZERO = range(7, 10)
CONFIG_FIELDS = 10


class Preset(NamedTuple):
    """One way of looking for matches (FORMAT.md)."""

    how: int
    good: int
    """From a match of this length on, a longer one behind it is looked for in a quarter of the places."""
    lazy: int
    """Lazy: up to which length a match is given up for a longer one behind it. Greedy: up to which length the places
    inside a match are remembered."""
    nice: int
    """A match of this length is not improved upon."""
    chain: int
    """Places looked at."""
    far: int = 4096
    """A match of three bytes is not taken from farther."""
    short: int = 2
    """Matches up to this length are not taken."""
    hash_bits: int = 15
    """0: three equal bytes are found by a hash without collisions."""
    window_bits: int = 15
    zero: int = 0
    """Whether a match with the very first byte is found."""


ZLIB = (
    Preset(GREEDY, 4, 4, 8, 4, far=32768),
    Preset(GREEDY, 4, 5, 16, 8, far=32768),
    Preset(GREEDY, 4, 6, 32, 32, far=32768),
    Preset(LAZY, 4, 4, 16, 16),
    Preset(LAZY, 8, 16, 32, 32),
    Preset(LAZY, 8, 16, 128, 128),
    Preset(LAZY, 8, 32, 128, 256),
    Preset(LAZY, 32, 128, 258, 1024),
    Preset(LAZY, 32, 258, 258, 4096),
)
"""zlib's levels from 1 to 9."""
EXACT = Preset(LAZY, 32, 258, 258, 4096, far=32768, hash_bits=0, window_bits=16, zero=1)
PRESETS = (*ZLIB, EXACT)
"""By their number in a recipe; the order never changes, new ones are added behind."""
TRIED = (5, 8, 0, 4, 7, 6, 3, 1, 2, 9)
"""In which order they are tried: the most frequent first."""


def config_of(preset: Preset) -> I64:
    """What the kernel reads."""
    config = np.zeros(CONFIG_FIELDS, np.int64)
    config[:] = preset
    config[CONFIG_WINDOW] = min((1 << preset.window_bits) - 262, 32768)
    return config
