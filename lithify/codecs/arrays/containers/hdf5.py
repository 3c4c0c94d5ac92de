"""HDF5 and NetCDF 4: contiguous datasets and uncompressed chunks. The HDF5 library reads the structure, from memory."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lithify.codecs.arrays.containers.bytes_reader import Bytes
from lithify.codecs.arrays.containers.chunks import CHUNKS_MAX, of_chunks
from lithify.codecs.arrays.containers.conventions import fills_of, is_data, named_by_others
from lithify.codecs.arrays.containers.variable import Variable, bytes_at, of_dtype
from lithify.errors import Corrupt, Truncated

_FLETCHER32 = 3
"""A checksum of four bytes behind each chunk: the only filter that leaves values as they are."""
_DATASETS_MAX = 10_000


def find(data: Bytes, length: int) -> list[Variable]:
    """Its datasets that are numbers. Raises Corrupt for what the library cannot open, or if it is not installed."""
    if len(data) != length:
        raise Truncated("the structure of an HDF5 file may lie anywhere in it")
    try:
        import h5py
    except ImportError as error:
        raise Corrupt("HDF5 is read by h5py, which is not installed: pip install 'lithify[arrays]'") from error
    try:
        with h5py.File(h5py.h5f.open_file_image(bytes(data), flags=0)) as file:
            return _datasets(file)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError, UnicodeError) as error:
        raise Corrupt(f"an HDF5 file that the library cannot read: {error}") from error


def _datasets(file: Any) -> list[Variable]:
    import h5py

    found: list[Any] = []

    def visit(_: str, item: object) -> bool | None:
        if isinstance(item, h5py.Dataset):
            found.append(item)
        return True if len(found) >= _DATASETS_MAX else None

    file.visititems(visit)
    attributes = [_attributes(dataset) for dataset in found]
    others = named_by_others(attributes)
    return [one for dataset, own in zip(found, attributes, strict=True) for one in _arrays(dataset, own, others)]


def _arrays(dataset: Any, attributes: Mapping[str, Any], others: frozenset[str]) -> list[Variable]:
    dtype: np.dtype[Any] = dataset.dtype
    if dtype.hasobject or not dataset.size:
        return []
    fills = fills_of(attributes)
    dimensions = _dimensions(dataset, attributes)
    loose = is_data(dataset.name, dimensions, dtype.kind, attributes, others) if dtype.kind == "f" else False
    if dataset.chunks is None:
        offset = dataset.id.get_offset()
        if offset is None:
            return []
        return of_dtype(dtype, Variable(dataset.name, bytes_at(dataset.shape, dtype.itemsize, offset), fills, loose))
    offsets = _chunk_offsets(dataset)
    checked = _filters(dataset) == [_FLETCHER32]
    return of_chunks(
        dataset.name, dtype, dataset.shape, dataset.chunks, offsets, fills=fills, data=loose and not checked
    )


def _filters(dataset: Any) -> list[int]:
    plist = dataset.id.get_create_plist()
    return [plist.get_filter(number)[0] for number in range(plist.get_nfilters())]


def _chunk_offsets(dataset: Any) -> dict[tuple[int, ...], int]:
    """Where each chunk begins; empty if chunks are filtered."""
    filters = _filters(dataset)
    if filters not in ([], [_FLETCHER32]) or dataset.id.get_num_chunks() > CHUNKS_MAX:
        return {}
    chunk_bytes = int(np.prod(dataset.chunks)) * dataset.dtype.itemsize
    found = {}

    def add(info: Any) -> None:
        if info.size == chunk_bytes + 4 * len(filters) and info.byte_offset is not None:
            place = tuple(at // step for at, step in zip(info.chunk_offset, dataset.chunks, strict=True))
            found[place] = info.byte_offset

    dataset.id.chunk_iter(add)
    return found


def _attributes(dataset: Any) -> dict[str, Any]:
    """Those that say what the values mean, as plain Python."""
    found = {}
    for name in ("_FillValue", "missing_value", "bounds", "climatology", "coordinates", "grid_mapping", "units",
                 "standard_name", "axis", "cell_measures", "formula_terms"):  # fmt: skip
        try:
            value = dataset.attrs.get(name)
        except (OSError, TypeError, ValueError):
            continue
        if isinstance(value, np.ndarray) and value.size == 1:
            value = value.reshape(-1)[0]
        found[name] = _plain(value)
    return {name: value for name, value in found.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.generic):
        return value.item()
    return tuple(value.tolist()) if isinstance(value, np.ndarray) and value.ndim == 1 else value


def _dimensions(dataset: Any, attributes: Mapping[str, Any]) -> list[str]:
    """Names of its dimension scales; an axis without one has a name of no variable."""
    if dataset.attrs.get("CLASS") in (b"DIMENSION_SCALE", np.bytes_(b"DIMENSION_SCALE")):
        return [dataset.name.rsplit("/", 1)[-1]]
    return [f"axis {axis}" for axis in range(len(dataset.shape))]
