"""HDF5 and NetCDF 4 with the filters of their chunks undone: the same file for everybody who reads it by the library.

The filters stay declared, and each chunk says that they were not applied to it, as HDF5 allows. So everything else in
the file (types, attributes, references, dimensions, what the filters were) is what it was, to the byte.
"""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from lithify import limits
from lithify.codecs.arrays.containers.bytes_reader import Bytes
from lithify.codecs.arrays.containers.hdf5 import chunk_bytes, chunks_of, datasets, filters_of, places_of, reading
from lithify.codecs.arrays.inflated import Place
from lithify.errors import Corrupt, LimitExceeded

_SAMPLES = 3
_ALL = 0xFFFFFFFF
_BYTES_MAX = 2 * limits.CHUNK_BYTES_MAX
"""Of the file that comes of it, all in memory."""


def unfiltered(data: bytes, *, to_loosen: bool = False) -> bytes | None:
    """The file with plain chunks in the place of those whose filters cannot be closed to the byte; None: it has none.

    to_loosen  floats shall have other values, which would not fit behind filters: all of theirs are undone

    Raises Corrupt if the library cannot read it, or LimitExceeded if it would become too long.
    """
    found = reading(data, lambda file: [one.name for one in datasets(file) if _is_undone(one, data, to_loosen)])
    if not found:
        return None
    try:
        return _rewritten(data, found)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise Corrupt(f"an HDF5 file whose chunks cannot be read: {error}") from error


def _is_undone(dataset: Any, data: bytes, to_loosen: bool) -> bool:
    """Whether its chunks went through filters that cannot be done again to the byte, or shall not be."""
    if dataset.chunks is None or dataset.dtype.kind not in "iufb" or not filters_of(dataset):
        return False
    chunks = [info for info in chunks_of(dataset).values() if not _is_plain(info, dataset)]
    if not chunks:
        return False
    if to_loosen and dataset.dtype.kind == "f":
        return True
    places = places_of(dataset)
    return not places or not all(_opens(place, data) for place in places[:: max(1, len(places) // _SAMPLES)])


def _is_plain(info: Any, dataset: Any) -> bool:
    count = len(filters_of(dataset))
    return bool(info.filter_mask & (1 << count) - 1 == (1 << count) - 1)


def _opens(place: Place, data: Bytes) -> bool:
    from lithify.codecs.arrays.inflated import inflate

    stored = bytes(data[place.offset : place.offset + place.length])
    own = Place(0, len(stored), place.plain_bytes, place.width, place.bare)
    return bool(inflate(stored, [own])[1].streams)


def _rewritten(data: bytes, names: list[str]) -> bytes:
    """The old chunks become zeros before, so that nothing of them is left where their room is not used again."""
    import h5py

    blank = bytearray(data)
    with h5py.File(io.BytesIO(data), "r") as original:
        grown = sum(chunk_bytes(original[name]) * original[name].id.get_num_chunks() for name in names)
        if len(data) + grown > _BYTES_MAX:
            much, most = ((count + limits.MIB - 1) // limits.MIB for count in (len(data) + grown, _BYTES_MAX))
            raise LimitExceeded(f"with plain chunks this HDF5 file would have {much} MiB; the limit is {most} MiB")
        for name in names:
            for info in chunks_of(original[name]).values():
                blank[info.byte_offset : info.byte_offset + info.size] = bytes(info.size)
        out = io.BytesIO(blank)
        with h5py.File(out, "r+") as file:
            for name in names:
                for at, values in _chunk_values(original[name]):
                    file[name].id.write_direct_chunk(at, values, _ALL)
    return out.getvalue()


def _chunk_values(dataset: Any) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """Each chunk that is there: where it begins in the dataset, and all its bytes, zeros beyond the end of that."""
    for info in chunks_of(dataset).values():
        box = tuple(
            slice(at, min(at + step, side))
            for at, step, side in zip(info.chunk_offset, dataset.chunks, dataset.shape, strict=True)
        )
        values = np.zeros(dataset.chunks, dataset.dtype)
        inside = dataset[box]
        values[tuple(slice(0, side) for side in inside.shape)] = inside
        yield info.chunk_offset, values.tobytes()
