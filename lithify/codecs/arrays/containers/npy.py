"""NumPy's own files: a header that is a Python literal, then the values of one array."""

import ast
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from lithify.codecs.arrays.containers.bytes_reader import Bytes, BytesReader
from lithify.codecs.arrays.containers.variable import Variable, bytes_at, of_dtype
from lithify.errors import Corrupt

MAGIC = b"\x93NUMPY"
_HEADER_BYTES_MAX = 10_000  # numpy reads no longer ones without being told to


def find(data: Bytes, length: int, *, at: int = 0, name: str = "") -> list[Variable]:
    """The arrays of a file that begins at byte `at`: one, or one for each field of a structured type."""
    reader = BytesReader(data, at, "<")
    if reader.take(6) != MAGIC:
        raise Corrupt("not a NumPy file")
    major = reader.numbers("BB")[0]
    header = _header(reader.take(reader.number("H" if major == 1 else "I")))
    shape = header["shape"]
    dtype = _dtype(header["descr"])
    extent = bytes_at(shape[::-1] if header["fortran_order"] else shape, dtype.itemsize, reader.at)
    return of_dtype(dtype, Variable(name, extent, data=len(shape) >= 2, turned=header["fortran_order"]))


def _header(text: bytes) -> Mapping[str, Any]:
    if len(text) > _HEADER_BYTES_MAX:
        raise Corrupt(f"a NumPy header of {len(text)} bytes")
    try:
        found = ast.literal_eval(text.decode("latin-1"))
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise Corrupt(f"a NumPy header is no literal: {error}") from error
    if not isinstance(found, dict) or found.keys() != {"descr", "fortran_order", "shape"}:
        raise Corrupt("a NumPy header without its three fields")
    shape = found["shape"]
    if not isinstance(shape, tuple) or not all(isinstance(side, int) and side >= 0 for side in shape):
        raise Corrupt(f"a NumPy header has the shape {shape!r:.100}")
    return found


def _dtype(description: object) -> np.dtype[Any]:
    try:
        return np.lib.format.descr_to_dtype(cast("Any", description))
    except (ValueError, TypeError, SyntaxError, KeyError) as error:
        raise Corrupt(f"a NumPy header has the type {description!r:.100}") from error
