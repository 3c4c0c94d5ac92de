"""Contracts looser than exact: values, types and all that is said of them stay, the bytes around them need not.

Where chunks went through filters that nobody can do again to the byte, their values are out of reach of the coder of
numbers. The file is then kept as one whose chunks went through none, if that is smaller: it is longer, says the same,
and its readers notice nothing. So it is with messages of GRIB, whose values must also be simply packed to be loosened.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from lithify import limits
from lithify.codecs.arrays.containers.find import HEAD_BYTES, container_of
from lithify.codecs.arrays.containers.hdf5 import filters_of, reading
from lithify.codecs.arrays.containers.simply import compare, simply_packed
from lithify.codecs.arrays.containers.unfiltered import unfiltered
from lithify.codecs.arrays.reading import SourceBytes
from lithify.codecs.codec import Buffer, ChunkSink, Source
from lithify.codecs.fidelity import Contract
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.reasons import give_reason, reasons_given
from lithify.codecs.tried import Heard, pass_on, tries_heard
from lithify.errors import BadBytes, FidelityBroken

_STEP_BYTES = 8 * limits.MIB
_WORTH = 0.99
"""Another file comes back only if that saves so much."""
Encode = Callable[[Source, ChunkSink], None]
Figures = dict[str, float | int | bool]
Way = Callable[[bytes, bool], bytes | None]
_WAYS: dict[str, Way] = {
    "hdf5": lambda data, to_loosen: unfiltered(data, to_loosen=to_loosen),
    "grib": lambda data, _: simply_packed(data),
}
"""How a file becomes one of the same content whose values are within reach, by its container."""


class _Held:
    """A sink that holds what it is given until it is wanted, and the reasons that came with it."""

    def __init__(self) -> None:
        self.chunks: list[tuple[bytes, bytes]] = []
        self.reasons: list[str] = []
        self.tries: Heard = {}

    @classmethod
    def of(cls, encode: Encode, source: Source) -> "_Held":
        """All that `encode` makes of a file."""
        held = cls()
        with reasons_given() as held.reasons, tries_heard() as held.tries:
            encode(source, held)
        return held

    def share(self, data: bytes) -> None:
        raise AssertionError("arrays share nothing")

    def chunk(self, payload: Buffer, decoded: Buffer) -> None:
        self.chunks.append((bytes(payload), bytes(decoded)))

    @property
    def stored_bytes(self) -> int:
        return sum(len(payload) for payload, _ in self.chunks)


def encode_content(source: Source, sink: ChunkSink, encode: Encode, contract: Contract) -> None:
    """Give the sink the chunks of the file, or of one with the same content if those are clearly smaller."""
    other, to_loosen = None, contract.kind != "content"
    try:
        other = _rewritten(source, to_loosen=to_loosen)
        if other is None and (not to_loosen or _is_too_long(source)):
            give_reason(_why_as_it_is(source))
    except (BadBytes, FidelityBroken) as error:
        give_reason(error.message)
    if other is None:
        encode(source, sink)
        return
    same, another = (_Held.of(encode, one) for one in (source, MemorySource(other)))
    kept = another if another.stored_bytes < _WORTH * same.stored_bytes else same
    for payload, decoded in kept.chunks:
        sink.chunk(payload, decoded)
    for reason in kept.reasons:
        give_reason(reason)
    pass_on(kept.tries)


def plainer(source: Source, *, to_loosen: bool = False) -> bytes | None:
    """A file of the same content whose values can be coded as numbers; None: there is none, or it is not worth it.

    to_loosen  and whose floats can have other values
    """
    try:
        return _rewritten(source, to_loosen=to_loosen)
    except (BadBytes, FidelityBroken):
        return None


def _rewritten(source: Source, *, to_loosen: bool) -> bytes | None:
    way = _way(source)
    if way is None or _is_too_long(source):
        return None
    found = way(source.read(0, source.length), to_loosen)
    if found is not None:
        same_content(source, MemorySource(found))
    return found


def _way(source: Source) -> Way | None:
    return _WAYS.get(container_of(source.read(0, HEAD_BYTES)) or "")


def _is_too_long(source: Source) -> bool:
    return source.length > limits.ARRAYS_REWRITTEN_BYTES_MAX and _way(source) is not None


def _why_as_it_is(source: Source) -> str:
    if _is_too_long(source):
        most = limits.ARRAYS_REWRITTEN_BYTES_MAX // limits.MIB
        return f"files of HDF5 and GRIB of more than {most} MiB are not written anew: values behind filters stay exact"
    if _way(source) is None:
        return "only files of HDF5 and GRIB may come back as other bytes that say the same"
    return "no filter or packing of its values has to go: to write it anew would win nothing"


def same_content(original: Source, decoded: Source) -> Figures:
    """How much was compared. Raises FidelityBroken unless both are files of HDF5 or GRIB that say the same."""
    containers = {container_of(one.read(0, HEAD_BYTES)) for one in (original, decoded)}
    if containers == {"grib"}:
        try:
            return compare(*(one.read(0, one.length) for one in (original, decoded)))
        except BadBytes as error:
            raise FidelityBroken(f"what came back cannot be compared with the original: {error.message}") from error
    if containers != {"hdf5"}:
        raise FidelityBroken(
            f"{decoded.length} bytes came back of {original.length}, and they are not both files of HDF5 or of GRIB"
        )
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
