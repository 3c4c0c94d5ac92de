"""Zip files: `.npz` of NumPy, plain or deflated, and Zarr stores, versions 2 and 3, whose chunks are plain or deflated.

The directory of a zip has checksums of its members, so their values are never loosened.
"""

import io
import json
import struct
import zipfile
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple

import numpy as np

from lithify.codecs.arrays.containers import npy
from lithify.codecs.arrays.containers.bytes_reader import Bytes, BytesReader
from lithify.codecs.arrays.containers.chunks import CHUNKS_MAX, of_chunks
from lithify.codecs.arrays.containers.left import some_of
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.inflated import Inflated, Place
from lithify.codecs.arrays.reading import SlicedFile
from lithify.errors import BadBytes, Corrupt, Truncated

_LOCAL = b"PK\x03\x04"
_META_BYTES_MAX = 1 << 20
_WIDTH_MAX, _AXES_MAX = 255, 32
_DESCRIPTIONS_MAX = 1000
_GZIP_HEAD, _GZIP_TAIL_BYTES = b"\x1f\x8b\x08\0", 8
_GZIP_HEAD_BYTES = 10


class _Member(NamedTuple):
    """A member that is not compressed by the zip file, or was opened.

    place   where its bytes begin in the file; `offset`: in the plain file, if there is one
    length  of its plain bytes
    """

    place: int
    offset: int
    length: int


class _Members(NamedTuple):
    """All by their names, and these in order: those of a folder stand beside one another."""

    found: Mapping[str, _Member]
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Kept:
    """An array of Zarr.

    path       what the names of its chunks begin with
    separator  between the numbers in them
    deflated   `zlib` or `gzip`; empty: chunks are plain
    width      bytes of the numbers that were shuffled before; 1: they were not
    left       why its chunks are not opened; empty: they are
    """

    name: str
    path: str
    separator: object
    shape: tuple[int, ...]
    chunk: tuple[int, ...]
    dtype: np.dtype[Any]
    deflated: str = ""
    width: int = 1
    left: str = ""

    @property
    def chunk_bytes(self) -> int:
        return prod(self.chunk) * self.dtype.itemsize

    def chunks(self, members: _Members) -> Iterator[tuple[tuple[int, ...], _Member]]:
        """Its chunks that are there, each by its place in the grid of chunks."""
        is_cut = len(self.shape) == len(self.chunk) > 0 and min(self.chunk) > 0
        if self.separator not in (".", "/") or not is_cut:
            told = f"in chunks of {self.chunk}, with {self.separator!r:.10} between their numbers"
            raise Corrupt(f"a Zarr array of shape {self.shape} {told}")
        names = members.names
        for name in names[bisect_left(names, self.path) :]:
            if not name.startswith(self.path):
                return
            member = members.found[name]
            numbers = name[len(self.path) :].split(str(self.separator))
            if len(numbers) == len(self.shape) and all(number.isdecimal() and len(number) < 10 for number in numbers):
                place = tuple(map(int, numbers))
                if all(at * step < side for at, step, side in zip(place, self.chunk, self.shape, strict=True)):
                    yield place, member

    def stream(self, data: Bytes, member: _Member) -> Place | None:
        """Where a chunk is deflated; None: it is not as it should be."""
        place, length, bare = member.place, member.length, self.deflated == "gzip"
        if bare:
            if bytes(data[place : place + len(_GZIP_HEAD)]) != _GZIP_HEAD:
                return None
            place, length = place + _GZIP_HEAD_BYTES, length - _GZIP_HEAD_BYTES - _GZIP_TAIL_BYTES
        return Place(place, length, self.chunk_bytes, self.width, bare=bare) if length > 0 else None


def find(data: Bytes, length: int, *, inflated: Inflated | None = None, plain: Bytes = b"") -> list[Variable]:
    """The arrays of its members."""
    if len(data) != length:
        raise Truncated("the directory of a zip file is at its end")
    members = _members(data, inflated)
    file = data if inflated is None else plain
    found: list[Variable] = []
    for name, member in members.found.items():
        try:
            if name.endswith(".npy"):
                found += npy.find(file, len(file), at=member.offset, name=name.removesuffix(".npy"))
        except BadBytes:
            continue  # one broken member says nothing of the others
    for one in _zarrs(file, members):
        try:
            offsets = dict(_offsets(data, one, members, inflated))
            found += of_chunks(one.name, one.dtype, one.shape, one.chunk, offsets)
        except BadBytes:
            continue
    return [replace(one, data=False, sealed=True) for one in found]


def streams(data: Bytes) -> list[Place]:
    """Its deflated members that are arrays of NumPy, and its members that are deflated chunks of Zarr."""
    found = [
        Place(place, info.compress_size, info.file_size, 1, bare=True)
        for info, place in _infos(data)
        if info.compress_type == zipfile.ZIP_DEFLATED and info.filename.endswith(".npy")
    ]
    members = _members(data, None)
    for one in _zarrs(data, members):
        if one.deflated:
            with suppress(BadBytes):
                places = (one.stream(data, member) for _, member in one.chunks(members))
                found += [place for place in places if place is not None]
    return found


def left_in(data: Bytes) -> list[str]:
    """Which arrays of Zarr have chunks that are not opened, in sentences."""
    names: dict[str, list[str]] = {}
    for one in _zarrs(data, _members(data, None)):
        if one.left:
            names.setdefault(one.left, []).append(one.name or "the array")
    return [f"Zarr: {some_of(some)} went through {left}, not opened" for left, some in names.items()]


def _members(data: Bytes, inflated: Inflated | None) -> _Members:
    """Those whose plain bytes are in the file, or in the plain one if there is one."""
    found: dict[str, _Member] = {}
    for info, place in _infos(data):
        if inflated is not None and place in inflated.begins:
            found[info.filename] = _Member(place, inflated.begins[place], info.file_size)
        elif info.compress_type == zipfile.ZIP_STORED:
            offset = place if inflated is None else inflated.moved(place)
            found[info.filename] = _Member(place, offset, info.file_size)
    return _Members(found, sorted(found))


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


def _zarrs(file: Bytes, members: _Members) -> Iterator[_Kept]:
    """The arrays of Zarr that are described in a file, or in its plain one."""
    described = 0
    for name, member in members.found.items():
        own = name.rsplit("/", 1)[-1]
        read = {".zarray": _second, "zarr.json": _third}.get(own)
        if read is None:
            continue
        described += 1
        if described > _DESCRIPTIONS_MAX:
            return  # folders may lie in one another: each is compared with all that is in it
        try:
            found = read(name[: -len(own)], _json(file, member.offset, member.length))
        except BadBytes:
            continue
        if found is not None:
            yield found


def _offsets(
    data: Bytes, one: _Kept, members: _Members, inflated: Inflated | None
) -> Iterator[tuple[tuple[int, ...], int]]:
    """Where each chunk that can be read begins, by its place in the grid of chunks."""
    if one.left or (one.deflated and inflated is None):
        return
    for place, member in one.chunks(members):
        if one.deflated and inflated is not None:
            stream = one.stream(data, member)
            if stream is not None and stream.offset in inflated.begins:
                yield place, inflated.begins[stream.offset]
        elif not one.deflated and member.length == one.chunk_bytes:
            yield place, member.offset


def _second(path: str, meta: Mapping[str, Any]) -> _Kept:
    """An array of Zarr version 2."""
    shape, chunk, dtype = _sides(meta.get("shape")), _sides(meta.get("chunks")), _dtype(meta.get("dtype"))
    separator = meta.get("dimension_separator", ".")
    filters = _objects(meta.get("filters") or []) + _objects([meta["compressor"]] if meta.get("compressor") else [])
    steps = [(str(one.get("id")), one) for one in filters]
    kept = _Kept(path.rstrip("/"), path, separator, shape, chunk, dtype, *_opened(steps, dtype.itemsize))
    if meta.get("order") != "C" and any(step > 1 for step in chunk[1:]):
        return replace(kept, left="chunks in Fortran's order")
    return kept


def _third(path: str, meta: Mapping[str, Any]) -> _Kept | None:
    """An array of Zarr version 3; None: a group."""
    if meta.get("node_type") != "array":
        return None
    codecs, (grid, keys) = (
        _objects(meta.get("codecs")),
        _objects([meta.get("chunk_grid"), meta.get("chunk_key_encoding")]),
    )
    separator = _configuration(keys).get("separator", "/")
    steps = [(str(one.get("name")), _configuration(one)) for one in codecs]
    big = bool(steps) and steps[0][1].get("endian") == "big"
    dtype = _dtype(meta.get("data_type")).newbyteorder(">" if big else "<")
    shape, chunk = _sides(meta.get("shape")), _sides(_configuration(grid).get("chunk_shape"))
    if not steps or steps[0][0] != "bytes":
        opened = _not_opened(steps)
    elif grid.get("name") != "regular" or keys.get("name") != "default":
        opened = "", 1, "a grid of chunks that is not regular"
    else:
        opened = _opened([(name.removeprefix("numcodecs."), told) for name, told in steps[1:]], dtype.itemsize)
    return _Kept(path.rstrip("/"), f"{path}c{separator}", separator, shape, chunk, dtype, *opened)


def _objects(value: object) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Corrupt(f"a Zarr array is described by {value!r:.100}, where objects were expected")
    return value


def _configuration(one: Mapping[str, Any]) -> Mapping[str, Any]:
    return _objects([one.get("configuration") or {}])[0]


def _opened(steps: Sequence[tuple[str, Mapping[str, Any]]], itemsize: int) -> tuple[str, int, str]:
    """Of what the bytes of a chunk go through: how they are deflated, how they were shuffled before; or why not."""
    names = [name for name, _ in steps]
    if not names:
        return "", 1, ""
    if names[-1] not in ("zlib", "gzip") or names[:-1] not in ([], ["shuffle"]):
        return _not_opened(steps)
    width = steps[0][1].get("elementsize", itemsize) if len(names) > 1 else 1
    if not isinstance(width, int) or not 1 <= width <= _WIDTH_MAX:
        return _not_opened(steps)
    return names[-1], width, ""


def _not_opened(steps: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[str, int, str]:
    return "", 1, " and ".join(f"{name:.40}" for name, _ in steps if name != "bytes") or "nothing that is known"


def _sides(value: object) -> tuple[int, ...]:
    are_sides = isinstance(value, list) and all(isinstance(side, int) and 0 <= side < 1 << 40 for side in value)
    if not isinstance(value, list) or not are_sides or len(value) > _AXES_MAX:
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
