"""What the cells of the coder of JPEG coefficients begin with: what pictures taught them, in a file beside this one."""

import lzma
from functools import cache
from pathlib import Path

import numpy as np

from lithify.codecs.array_types import I32

TAUGHT = Path(__file__).parent / "jpeg_taught.bin"
UNIT_BITS = 16
"""Of a cell: the file has its upper bits, as signed bytes."""


@cache
def taught(cells: int) -> I32:
    """So many cells; read once."""
    known = np.frombuffer(lzma.decompress(TAUGHT.read_bytes()), np.int8)
    assert len(known) == cells, f"{TAUGHT.name} has {len(known)} cells, not {cells}"
    return known.astype(np.int32) << UNIT_BITS


def packed(cells: I32) -> bytes:
    """A file of cells."""
    nearest = (cells + (1 << (UNIT_BITS - 1))) >> UNIT_BITS
    return lzma.compress(np.clip(nearest, -128, 127).astype(np.int8).tobytes(), preset=9 | lzma.PRESET_EXTREME)
