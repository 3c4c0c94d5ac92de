"""An array that is cut into chunks of one shape, each somewhere in the file: HDF5's and Zarr's way."""

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from lithify.codecs.arrays.containers.variable import Fill, Variable, bytes_at, of_dtype
from lithify.codecs.arrays.extents import Extent

CHUNKS_MAX = 1 << 18


def of_chunks(
    name: str,
    dtype: np.dtype[np.generic],
    shape: Sequence[int],
    chunk: Sequence[int],
    offsets: Mapping[tuple[int, ...], int],
    *,
    fills: tuple[Fill, ...] = (),
    data: bool = False,
) -> list[Variable]:
    """The whole array when every chunk is there; otherwise those that are, as frames behind one another.

    offsets  where in the file a chunk begins, for each place in the grid of chunks
    """
    if not offsets or not chunk:
        return []
    grid = tuple(-(-side // step) for side, step in zip(shape, chunk, strict=True))
    sides: tuple[int, ...] | None = tuple(shape)
    one = bytes_at(tuple(chunk), dtype.itemsize, 0)
    places = sorted(offsets)
    if len(places) == prod(grid):
        extent = Extent(one.element, one.tile, one.strides, grid, tuple(offsets[place] for place in places))
    else:
        sides = None
        tile, strides = (1, *one.tile), (prod(chunk) * dtype.itemsize, *one.strides)
        counts = (len(places), *(1 for _ in chunk))
        extent = Extent(one.element, tile, strides, counts, tuple(offsets[place] for place in places))
    return of_dtype(dtype, Variable(name, extent, fills, data, sides))
