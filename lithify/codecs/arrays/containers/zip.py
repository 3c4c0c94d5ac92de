"""Zip files: `.npz` of NumPy, plain or deflated, and Zarr stores, versions 2 and 3, of plain members.

The directory of a zip has checksums of its members, so their values are never loosened.
"""

import io
import json
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from lithify.codecs.arrays.containers import npy
from lithify.codecs.arrays.containers.bytes_reader import Bytes, BytesReader
from lithify.codecs.arrays.containers.chunks import CHUNKS_MAX, of_chunks
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.inflated import Inflated, Place
from lithify.codecs.arrays.reading import SlicedFile
from lithify.errors import BadBytes, Corrupt, Truncated

_LOCAL = b"PK\x03\x04"
_META_BYTES_MAX = 1 << 20
_DESCRIPTIONS = (".zarray", "zarr.json")
_DESCRIPTIONS_MAX = 1000
_Members = Mapping[str, tuple[int, int]]
"""Where each member's plain bytes begin, and how many there are."""


def find(data: Bytes, length: int, *, inflated: Inflated | None = None, plain: Bytes = b"") -> list[Variable]:
    """The arrays of its members."""
    if len(data) != length:
        raise Truncated("the directory of a zip file is at its end")
    members = _members(data, inflated)
    file = data if inflated is None else plain
    found: list[Variable] = []
    described = 0
    for name, (offset, size) in members.items():
        own = name.rsplit("/", 1)[-1]
        described += own in _DESCRIPTIONS
        if described > _DESCRIPTIONS_MAX:
            break  # each is compared with the names of all members
        try:
            if own.endswith(".npy"):
                found += npy.find(file, len(file), at=offset, name=name.removesuffix(".npy"))
            elif own == ".zarray":
                found += _second(name[: -len(own)], _json(file, offset, size), members)
            elif own == "zarr.json":
                found += _third(name[: -len(own)], _json(file, offset, size), members)
        except BadBytes:
            continue  # one broken member says nothing of the others
    return [replace(one, data=False, sealed=True) for one in found]


def streams(data: Bytes) -> list[Place]:
    """Its deflated members that are arrays of NumPy."""
    return [
        Place(place, info.compress_size, info.file_size, 1, bare=True)
        for info, place in _infos(data)
        if info.compress_type == zipfile.ZIP_DEFLATED and info.filename.endswith(".npy")
    ]


def _members(data: Bytes, inflated: Inflated | None) -> dict[str, tuple[int, int]]:
    """Where each member's plain bytes begin, in the plain file if there is one, and how many there are."""
    found: dict[str, tuple[int, int]] = {}
    for info, place in _infos(data):
        if inflated is not None and place in inflated.begins:
            found[info.filename] = (inflated.begins[place], info.file_size)
        elif info.compress_type == zipfile.ZIP_STORED:
            found[info.filename] = (place if inflated is None else inflated.moved(place), info.file_size)
    return found


def _infos(data: Bytes) -> list[tuple[zipfile.ZipInfo, int]]:
    """Each member that is not encrypted, and where its bytes begin."""
    try:
        with zipfile.ZipFile(io.BufferedReader(SlicedFile(data))) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, struct.error, IndexError) as error:
        raise Corrupt(f"a zip file that cannot be read: {error}") from error
    places = ((info, _place(data, info.header_offset)) for info in infos[:CHUNKS_MAX] if not info.flag_bits & 1)
    return [(info, place) for info, place in places if place is not None]


def _place(data: Bytes, header: int) -> int | None:
    """Where the bytes of a member begin, behind its own header."""
    try:
        reader = BytesReader(data, header, "<")
        if reader.take(4) != _LOCAL:
            return None
        reader.take(22)
        return header + 30 + int(sum(reader.numbers("HH")))
    except Truncated:
        return None


def _json(data: Bytes, offset: int, size: int) -> Mapping[str, Any]:
    if size > _META_BYTES_MAX:
        raise Corrupt(f"a description of {size} bytes")
    try:
        found = json.loads(BytesReader(data, offset).take(size))
    except (ValueError, RecursionError) as error:
        raise Corrupt(f"a description that is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Corrupt("a description that is no JSON object")
    return found


def _second(path: str, meta: Mapping[str, Any], members: _Members) -> list[Variable]:
    """An array of Zarr version 2."""
    if meta.get("compressor") is not None or meta.get("filters") or meta.get("order") not in ("C", "F"):
        return []
    shape, chunk, dtype = _sides(meta.get("shape")), _sides(meta.get("chunks")), _dtype(meta.get("dtype"))
    separator = meta.get("dimension_separator", ".")
    offsets = _offsets(path, separator, shape, chunk, dtype.itemsize, members)
    if meta["order"] == "F" and any(step > 1 for step in chunk[1:]):
        return []
    return of_chunks(path.rstrip("/"), dtype, shape, chunk, offsets)


def _third(path: str, meta: Mapping[str, Any], members: _Members) -> list[Variable]:
    """An array of Zarr version 3 whose only codec writes numbers as bytes."""
    codecs = meta.get("codecs")
    if meta.get("node_type") != "array" or not isinstance(codecs, list) or len(codecs) != 1:
        return []
    configuration = codecs[0].get("configuration") if isinstance(codecs[0], dict) else None
    if not isinstance(codecs[0], dict) or codecs[0].get("name") != "bytes":
        return []
    endian = configuration.get("endian", "little") if isinstance(configuration, dict) else "little"
    grid, keys = meta.get("chunk_grid"), meta.get("chunk_key_encoding")
    if not isinstance(grid, dict) or not isinstance(keys, dict) or grid.get("name") != "regular":
        return []
    if keys.get("name") != "default" or not isinstance(grid.get("configuration"), dict):
        return []
    separator = (keys.get("configuration") or {}).get("separator", "/")
    dtype = _dtype(meta.get("data_type")).newbyteorder(">" if endian == "big" else "<")
    shape, chunk = _sides(meta.get("shape")), _sides(grid["configuration"].get("chunk_shape"))
    offsets = _offsets(f"{path}c{separator}", separator, shape, chunk, dtype.itemsize, members)
    return of_chunks(path.rstrip("/"), dtype, shape, chunk, offsets)


def _offsets(
    path: str, separator: object, shape: tuple[int, ...], chunk: tuple[int, ...], itemsize: int, members: _Members
) -> dict[tuple[int, ...], int]:
    """Where each chunk that is there begins."""
    if separator not in (".", "/") or len(shape) != len(chunk) or not shape or min(chunk) < 1:
        raise Corrupt(
            f"a Zarr array of shape {shape} in chunks of {chunk}, with {separator!r:.10} between their numbers"
        )
    size = prod(chunk) * itemsize
    found: dict[tuple[int, ...], int] = {}
    for name, (offset, length) in members.items():
        if not name.startswith(path) or length != size:
            continue
        numbers = name[len(path) :].split(str(separator))
        if len(numbers) == len(shape) and all(number.isdecimal() and len(number) < 10 for number in numbers):
            place = tuple(map(int, numbers))
            if all(at * step < side for at, step, side in zip(place, chunk, shape, strict=True)):
                found[place] = offset
    return found


def _sides(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(isinstance(side, int) and 0 <= side < 1 << 40 for side in value):
        raise Corrupt(f"a Zarr array has the shape {value!r:.100}")
    return tuple(value)


def _dtype(value: object) -> np.dtype[Any]:
    try:
        found = np.dtype(value) if isinstance(value, str) else None
    except (TypeError, ValueError, SyntaxError):
        found = None
    if found is None or found.hasobject or not found.itemsize:
        raise Corrupt(f"a Zarr array has the type {value!r:.100}")
    return found
