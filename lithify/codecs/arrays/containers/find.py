"""Which container a file is, and which arrays it holds."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, cast

import numpy as np

from lithify.codecs.array_types import Bools
from lithify.codecs.arrays.containers.variable import Variable, merged
from lithify.codecs.arrays.extents import ARRAYS_MAX, TILES_MAX
from lithify.codecs.arrays.inflated import Inflated, Place
from lithify.errors import BadBytes

# (offset, bytes, module): modules are loaded when a file asks for them.
_SIGNATURES = (
    (0, b"\x93NUMPY", "npy"),
    (0, b"CDF\x01", "netcdf3"),
    (0, b"CDF\x02", "netcdf3"),
    (0, b"CDF\x05", "netcdf3"),
    (0, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (0, b"GRIB", "grib"),
    (0, b"SIMPLE  =", "fits"),
    (344, b"n+1\0", "nifti"),
    (4, b"n+2\0\r\n\x1a\n", "nifti"),
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (0, b"II+\0", "tiff"),
    (0, b"MM\0+", "tiff"),
    (0, b"PK\x03\x04", "zip"),
)
_BYTES_MIN = 64
"""A shorter array costs more by its place in the layout than it wins."""


def container_of(head: bytes) -> str | None:
    """The name of the container that a file beginning with `head` should be."""
    return next((name for at, magic, name in _SIGNATURES if head.startswith(magic, at)), None)


def streams_in(data: bytes) -> list[Place]:
    """Where a whole file has zlib streams of numbers. Never raises."""
    name = container_of(data)
    streams = None if name is None else getattr(_module(name), "streams", None)
    try:
        return [] if streams is None else cast("list[Place]", streams(data))
    except BadBytes:
        return []


def arrays_in(
    data: bytes, length: int | None = None, *, inflated: Inflated | None = None, plain: bytes = b""
) -> list[Variable]:
    """The arrays of a file, none of which shares a byte with another; empty if it is no container. Never raises.

    data      the whole file, or the begin of one
    length    of the whole file; None: `data` is all of it
    inflated  its streams, if they were opened: the arrays are then those of the plain file, `plain`
    """
    length = len(data) if length is None else length
    name = container_of(data)
    if name is None:
        return []
    try:
        found = _module(name).find(data, length, **({} if inflated is None else {"inflated": inflated, "plain": plain}))
    except BadBytes:
        return []
    length = length if inflated is None else inflated.plain_length
    sound = merged([one for one in found if _is_sound(one, length)])
    return _apart([one for one in sound if one.extent.stored_bytes >= _BYTES_MIN], length)


def _module(name: str) -> Any:
    return import_module(f"{__package__}.{name}")


def _is_sound(variable: Variable, length: int) -> bool:
    try:
        variable.extent.checked(length)
    except BadBytes:
        return False
    return True


def _apart(variables: Sequence[Variable], length: int) -> list[Variable]:
    """Those whose bytes none before them has, as many as a payload may have."""
    mask: Bools = np.ones(length, np.bool_)
    found: list[Variable] = []
    tiles = TILES_MAX
    for variable in variables:
        if len(found) < ARRAYS_MAX and len(variable.extent.offsets) <= tiles and variable.extent.claim(mask):
            found.append(variable)
            tiles -= len(variable.extent.offsets)
    return found
