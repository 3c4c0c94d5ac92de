"""Which container a file is, and which arrays it holds."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, cast

import numpy as np

from lithify.codecs.array_types import Bools
from lithify.codecs.arrays.containers.description import Description
from lithify.codecs.arrays.containers.variable import Variable, merged
from lithify.codecs.arrays.extents import ARRAYS_MAX, TILES_MAX
from lithify.codecs.arrays.inflated import Inflated, Place
from lithify.codecs.arrays.reading import Bytes
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
HEAD_BYTES = 512
"""In which every signature lies."""
BYTES_MIN = 64
"""A shorter array costs more by its place in the layout than it wins."""


def container_of(head: bytes) -> str | None:
    """The name of the container that a file beginning with `head` should be."""
    return next((name for at, magic, name in _SIGNATURES if head.startswith(magic, at)), None)


def streams_in(data: Bytes) -> list[Place]:
    """Where a whole file has zlib streams of numbers. Never raises."""
    name = container_of(data[:HEAD_BYTES])
    streams = None if name is None else getattr(_module(name), "streams", None)
    try:
        return [] if streams is None else cast("list[Place]", streams(data))
    except BadBytes:
        return []


def left_in(data: Bytes) -> list[str]:
    """Which values a whole file holds that cannot be reached, and why, in sentences. Never raises."""
    name = container_of(data[:HEAD_BYTES])
    left = None if name is None else getattr(_module(name), "left_in", None)
    try:
        return [] if left is None else cast("list[str]", left(data))
    except BadBytes as error:
        return [error.message]


def described(data: Bytes) -> Description | None:
    """What the container says of its variables; None if it says nothing. Never raises."""
    name = container_of(data[:HEAD_BYTES])
    describe = None if name is None else getattr(_module(name), "describe", None)
    try:
        return None if describe is None else cast("Description", describe(data))
    except BadBytes:
        return None


def variables_in(
    data: Bytes, length: int | None = None, *, inflated: Inflated | None = None, plain: Bytes = b""
) -> list[Variable]:
    """The arrays of a file, by what its headers say; some may share bytes. Empty if it is no container. Never raises.

    data      the whole file, or the begin of one
    length    of the whole file; None: `data` is all of it
    inflated  its streams, if they were opened: the arrays are then those of the plain file, `plain`
    """
    length = len(data) if length is None else length
    name = container_of(data[:HEAD_BYTES])
    if name is None:
        return []
    try:
        found = _module(name).find(data, length, **({} if inflated is None else {"inflated": inflated, "plain": plain}))
    except BadBytes:
        return []
    length = length if inflated is None else inflated.plain_length
    return merged([one for one in found if _is_sound(one, length)])


def arrays_in(
    data: Bytes, length: int | None = None, *, inflated: Inflated | None = None, plain: Bytes = b""
) -> list[Variable]:
    """The same, but none that shares a byte with one before it, or is not worth its place."""
    found = variables_in(data, length, inflated=inflated, plain=plain)
    found = [one for one in found if one.extent.stored_bytes >= BYTES_MIN]
    whole = len(data) if length is None else length
    return apart(found, whole if inflated is None else inflated.plain_length)


def _module(name: str) -> Any:
    return import_module(f"{__package__}.{name}")


def _is_sound(variable: Variable, length: int) -> bool:
    try:
        variable.extent.checked(length)
    except BadBytes:
        return False
    return True


def apart(variables: Sequence[Variable], length: int) -> list[Variable]:
    """Those that lie in `length` bytes and whose bytes none before them has, as many as a payload may have."""
    mask: Bools = np.ones(length, np.bool_)
    found: list[Variable] = []
    tiles = TILES_MAX
    for variable in variables:
        has_room = len(found) < ARRAYS_MAX and len(variable.extent.offsets) <= tiles
        if has_room and _is_sound(variable, length) and variable.extent.claim(mask):
            found.append(variable)
            tiles -= len(variable.extent.offsets)
    return found
