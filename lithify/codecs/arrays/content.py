"""The contract `content`: values, types and all that is said of them stay; the bytes around them need not.

Where chunks went through filters that nobody can do again to the byte, their values are out of reach of the coder of
numbers. The file is then kept as one whose chunks went through none, if that is smaller: it is longer, says the same,
and its readers notice nothing.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from lithify import limits
from lithify.codecs.arrays.containers.find import HEAD_BYTES, container_of
from lithify.codecs.arrays.containers.hdf5 import filters_of, reading
from lithify.codecs.arrays.containers.unfiltered import unfiltered
from lithify.codecs.arrays.reading import SourceBytes
from lithify.codecs.codec import Buffer, ChunkSink, Source
from lithify.codecs.in_memory import MemorySource
from lithify.errors import BadBytes, FidelityBroken

_STEP_BYTES = 8 * limits.MIB
Encode = Callable[[Source, ChunkSink], None]
Figures = dict[str, float | int | bool]


class _Held:
    """A sink that holds what it is given until it is wanted."""

    def __init__(self) -> None:
        self.chunks: list[tuple[bytes, bytes]] = []

    def share(self, data: bytes) -> None:
        raise AssertionError("arrays share nothing")

    def chunk(self, payload: Buffer, decoded: Buffer) -> None:
        self.chunks.append((bytes(payload), bytes(decoded)))

    @property
    def stored_bytes(self) -> int:
        return sum(len(payload) for payload, _ in self.chunks)


def encode_content(source: Source, sink: ChunkSink, encode: Encode) -> None:
    """Give the sink the chunks of the file, or of one with the same content if those are smaller."""
    other = plainer(source)
    if other is None:
        encode(source, sink)
        return
    found = []
    for one in (source, MemorySource(other)):
        encode(one, held := _Held())
        found.append(held)
    for payload, decoded in min(found, key=lambda held: held.stored_bytes).chunks:
        sink.chunk(payload, decoded)


def plainer(source: Source) -> bytes | None:
    """A file of the same content whose values can be coded as numbers; None: there is none, or it is not worth it."""
    if source.length > limits.CHUNK_BYTES_MAX or container_of(source.read(0, HEAD_BYTES)) != "hdf5":
        return None
    original = source.read(0, source.length)
    try:
        found = unfiltered(original)
        if found is not None:
            same_content(source, MemorySource(found))
    except (BadBytes, FidelityBroken):
        return None
    return found


def same_content(original: Source, decoded: Source) -> Figures:
    """How much was compared. Raises FidelityBroken unless both are HDF5 files that say the same."""
    if {container_of(one.read(0, HEAD_BYTES)) for one in (original, decoded)} != {"hdf5"}:
        raise FidelityBroken(f"{decoded.length} bytes came back of {original.length}, and they are no files of HDF5")
    counts: Figures = {"datasets": 0, "attributes": 0, "values": 0}
    try:
        reading(
            SourceBytes(original),
            lambda before: reading(SourceBytes(decoded), lambda after: _compare_groups(before, after, counts)),
        )
    except BadBytes as error:
        raise FidelityBroken(f"what came back cannot be compared with the original: {error.message}") from error
    return counts


def _compare_groups(before: Any, after: Any, counts: Figures) -> None:
    """Everything below, each object once, as links lead to it."""
    import h5py

    seen: set[str] = set()
    waiting = [(before, after)]
    while waiting:
        one, other = waiting.pop()
        if one.name in seen:
            continue
        seen.add(one.name)
        if type(one) is not type(other):
            raise FidelityBroken(f"{one.name} was a {type(one).__name__} and became a {type(other).__name__}")
        _compare_attributes(one, other, counts)
        if isinstance(one, h5py.Dataset):
            _compare_datasets(one, other, counts)
        if isinstance(one, h5py.Group):
            if list(one) != list(other):
                raise FidelityBroken(f"{one.name} holds other names than before")
            for name in one:
                links = [group.get(name, getlink=True) for group in (one, other)]
                if _told_of(links[0]) != _told_of(links[1]):
                    raise FidelityBroken(f"{one.name}/{name} is another link than before")
                if isinstance(links[0], h5py.HardLink):
                    waiting.append((one[name], other[name]))


def _told_of(link: Any) -> tuple[str, Any, Any]:
    return type(link).__name__, getattr(link, "filename", None), getattr(link, "path", None)


def _compare_attributes(before: Any, after: Any, counts: Figures) -> None:
    import h5py

    if list(before.attrs) != list(after.attrs):
        raise FidelityBroken(f"{before.name} has other attributes than before")
    for name in before.attrs:
        ids = [h5py.h5a.open(one.id, name.encode()) for one in (before, after)]
        if not ids[0].get_type().equal(ids[1].get_type()) or ids[0].shape != ids[1].shape:
            raise FidelityBroken(f"{before.name}: the attribute {name} has another type or shape than before")
        values = [_plain(one, one.attrs[name]) for one in (before, after)]
        if values[0] != values[1]:
            raise FidelityBroken(f"{before.name}: the attribute {name} says something else than before")
        counts["attributes"] += 1


def _plain(owner: Any, value: Any) -> Any:
    """What can be compared: bytes of numbers, text, and the names of what references lead to."""
    import h5py

    if isinstance(value, h5py.Reference):
        return owner.file[value].name if value else None
    if isinstance(value, np.ndarray | np.void) and value.dtype.hasobject:
        value = np.asarray(value).reshape(-1).tolist()
    if isinstance(value, list | tuple):
        return [_plain(owner, one) for one in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tobytes()
    return value


def _compare_datasets(before: Any, after: Any, counts: Figures) -> None:
    if not before.id.get_type().equal(after.id.get_type()):
        raise FidelityBroken(f"{before.name} is of another type than before")
    told = [
        (one.shape, one.maxshape, one.chunks, None if one.chunks is None else filters_of(one))
        for one in (before, after)
    ]
    if told[0] != told[1] or _plain(before, before.fillvalue) != _plain(after, after.fillvalue):
        raise FidelityBroken(f"{before.name} has another shape, fill or layout than before")
    counts["datasets"] += 1
    if before.shape is None:
        return
    counts["values"] += int(before.size)
    for part in _slices(before):
        if _plain(before, before[part]) != _plain(after, after[part]):
            raise FidelityBroken(f"{before.name} has other values than before")


def _slices(dataset: Any) -> list[Any]:
    """Of its first axis, so that little of it is compared at a time: whole chunks."""
    if not dataset.shape or not dataset.size:
        return [()]
    rows = dataset.shape[0]
    each = 1 if dataset.chunks is None else dataset.chunks[0]
    row_bytes = max(1, int(dataset.size) * dataset.dtype.itemsize // rows)
    step = max(1, _STEP_BYTES // (row_bytes * each)) * each
    return [slice(at, at + step) for at in range(0, rows, step)]
