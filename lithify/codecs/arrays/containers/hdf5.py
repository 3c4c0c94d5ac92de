"""HDF5 and NetCDF 4: contiguous datasets, and chunks, plain or deflated. The HDF5 library reads the structure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np

from lithify.codecs.arrays.containers.bytes_reader import Bytes
from lithify.codecs.arrays.containers.chunks import CHUNKS_MAX, of_chunks
from lithify.codecs.arrays.containers.conventions import fills_of, is_data, named_by_others, unit_of
from lithify.codecs.arrays.containers.description import Attribute, Attributes, Described, Description
from lithify.codecs.arrays.containers.left import some_of
from lithify.codecs.arrays.containers.variable import Variable, bytes_at, of_dtype
from lithify.codecs.arrays.inflated import Inflated, Place
from lithify.codecs.arrays.reading import SlicedFile
from lithify.errors import Corrupt, Truncated

_DEFLATE, _SHUFFLE, _FLETCHER32 = 1, 2, 3
"""The numbers of filters. The last is a checksum behind each chunk, and leaves values as they are."""
_CHECK_BYTES = 4
_WIDTH_MAX = 255
_DATASETS_MAX = 10_000
_DEPTH_MAX = 32
_BARE = "This is a netCDF dimension but not a netCDF variable"
_BOOKS = (
    "CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_NCProperties",
    "_nc3_strict",
)  # fmt: skip


def find(data: Bytes, length: int, *, inflated: Inflated | None = None, plain: Bytes = b"") -> list[Variable]:
    """Its datasets that are numbers. Raises Corrupt for what the library cannot open, or if it is not installed."""
    if len(data) != length:
        raise Truncated("the structure of an HDF5 file may lie anywhere in it")
    return cast("list[Variable]", reading(data, lambda file: _variables(file, inflated)))


def streams(data: Bytes) -> list[Place]:
    """Its deflated chunks. Raises as `find` does."""
    return cast(
        "list[Place]", reading(data, lambda file: [one for dataset in datasets(file) for one in places_of(dataset)])
    )


def left_in(data: Bytes) -> list[str]:
    """Which datasets went through filters that are not undone here, in sentences. Raises as `find` does."""
    return cast("list[str]", reading(data, _left))


def _left(file: Any) -> list[str]:
    names: dict[str, list[str]] = {}
    for dataset in datasets(file):
        filters = filters_of(dataset) if dataset.chunks is not None else []
        if filters in ([], [_FLETCHER32]) or places_of(dataset) or _is_unfiltered(dataset, filters):
            continue
        names.setdefault(", ".join(_filter_names(dataset)), []).append(_name_of(dataset).lstrip("/"))
    return [f"HDF5: {some_of(some)} went through {filters}, not opened" for filters, some in names.items()]


def _name_of(item: Any) -> str:
    """The name of a dataset with its path, as a text: the library gives bytes of one that is no UTF-8."""
    return str(_plain(item.name))


def _filter_names(dataset: Any) -> list[str]:
    plist = dataset.id.get_create_plist()
    every = (plist.get_filter(number) for number in range(plist.get_nfilters()))
    return [name.decode("utf-8", "replace").split(";")[0] or f"filter {number}" for number, _, _, name in every]


def describe(data: Bytes) -> Description:
    """Its datasets, and what is said of them and of the file. Raises as `find` does."""
    return cast("Description", reading(data, _described))


def _described(file: Any) -> Description:
    numbered = _numbered(file)
    found = {
        _name_of(one).lstrip("/"): Described(
            _dimension_names(one, numbered), one.shape, one.dtype, _told(one), fill=one.fillvalue
        )
        for one in _every_dataset(file)
    }
    return Description(_told(file), found, dict(_groups(file, "")), *_dimensions_by_growth(file))


def _dimensions_by_growth(file: Any) -> tuple[frozenset[str], frozenset[str]]:
    """Its dimensions that may grow, as their scales may, and those that may not."""
    growing: list[str] = []
    fixed: list[str] = []

    def visit(_: str, item: Any) -> None:
        if getattr(item, "maxshape", None) and _is_scale(item):
            (growing if item.maxshape[0] is None else fixed).append(_name_of(item).lstrip("/"))

    file.visititems(visit)
    return frozenset(growing), frozenset(fixed)


def _groups(group: Any, path: str) -> Iterator[tuple[str, Attributes]]:
    """Each group below this one, with its attributes."""
    import h5py

    for name, inner in group.items():
        if isinstance(inner, h5py.Group) and path.count("/") < _DEPTH_MAX:
            yield f"{path}{name}/", _told(inner)
            yield from _groups(inner, f"{path}{name}/")


def _every_dataset(file: Any) -> list[Any]:
    import h5py

    found: list[Any] = []

    def visit(_: str, item: object) -> bool | None:
        if isinstance(item, h5py.Dataset) and item.shape is not None and not _is_bare_dimension(item):
            found.append(item)
        return True if len(found) >= _DATASETS_MAX else None

    file.visititems(visit)
    return found


def _numbered(file: Any) -> dict[int, str]:
    """The names of its dimensions by the numbers that NetCDF 4 gives them."""
    found: dict[int, str] = {}

    def visit(_: str, item: Any) -> None:
        number = item.attrs.get("_Netcdf4Dimid") if _is_scale(item) else None
        if isinstance(number, np.integer):
            found[int(number)] = _name_of(item).rsplit("/", 1)[-1]

    file.visititems(visit)
    return found


def _dimension_names(dataset: Any, numbered: Mapping[int, str]) -> tuple[str, ...]:
    """Those of its dimension scales; an axis without one is named after the dataset."""
    own = _name_of(dataset).rsplit("/", 1)[-1]
    if _is_scale(dataset) and dataset.ndim == 1:
        return (own,)
    if _is_scale(dataset):  # of its first axis, and no scale has scales of its own
        numbers = np.asarray(dataset.attrs.get("_Netcdf4Coordinates", ())).reshape(-1).tolist()
        if len(numbers) == dataset.ndim and all(isinstance(one, int) and one in numbered for one in numbers):
            return tuple(numbered[number] for number in numbers)
    scales = [[_name_of(scale).rsplit("/", 1)[-1] for scale in axis.values()] for axis in dataset.dims]
    return tuple(names[0] if names else f"{own}_{axis}" for axis, names in enumerate(scales))


def _is_bare_dimension(dataset: Any) -> bool:
    """Whether NetCDF 4 keeps it for the length of a dimension alone."""
    return _is_scale(dataset) and str(_plain(dataset.attrs.get("NAME", ""))).startswith(_BARE)


def _told(item: Any) -> dict[str, Attribute]:
    """Attributes, but for those that the library and NetCDF 4 keep their own books in."""
    found: dict[str, Attribute] = {}
    for name in item.attrs:
        if name in _BOOKS:
            continue
        try:
            value = item.attrs[name]
        except (OSError, TypeError, ValueError):
            continue
        if (attribute := _attribute(value)) is not None:
            found[name] = attribute
    return found


def _attribute(value: Any) -> Attribute | None:
    """A text, texts or numbers; None for what is neither."""
    import h5py

    if isinstance(value, h5py.Empty):
        return "" if value.dtype.kind in "SO" else None
    row = np.atleast_1d(np.asarray(value)).reshape(-1)
    if row.dtype.kind in "iuf":
        return row.astype(row.dtype.newbyteorder("="), copy=False)
    if row.dtype.kind == "b":
        return row.astype(np.int8)
    texts = [one.replace("\0", "") for one in map(_plain, row.tolist()) if isinstance(one, str)]
    if not texts or len(texts) < len(row):
        return None
    return texts[0] if len(texts) == 1 else texts


def reading(data: Bytes, read: Callable[[Any], Any]) -> Any:
    """What `read` makes of the file, open. Raises Corrupt if the library cannot open it, or is not installed."""
    try:
        import h5py
    except ImportError as error:
        raise Corrupt("HDF5 is read by h5py, which is not installed: pip install 'lithify[arrays]'") from error
    try:
        with _opened(h5py, data) as file:
            return read(file)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError, UnicodeError) as error:
        raise Corrupt(f"an HDF5 file that the library cannot read: {error}") from error


def _opened(h5py: Any, data: Bytes) -> Any:
    if not isinstance(data, bytes | memoryview):
        return h5py.File(SlicedFile(data), "r")
    try:
        return h5py.File(h5py.h5f.open_file_image(bytes(data), flags=0))
    except ValueError:
        # All that the library says of bytes in memory is "not a file ID"; of the same as a file, what is wrong with it.
        h5py.File(SlicedFile(data), "r").close()
        raise


def datasets(file: Any) -> list[Any]:
    """Those that have values of a fixed length."""
    import h5py

    found: list[Any] = []

    def visit(_: str, item: object) -> bool | None:
        if isinstance(item, h5py.Dataset) and not item.dtype.hasobject and item.size:
            found.append(item)
        return True if len(found) >= _DATASETS_MAX else None

    file.visititems(visit)
    return found


def _variables(file: Any, inflated: Inflated | None) -> list[Variable]:
    found = datasets(file)
    attributes = [_attributes(dataset) for dataset in found]
    others = named_by_others(attributes)
    return [
        one for dataset, own in zip(found, attributes, strict=True) for one in _arrays(dataset, own, others, inflated)
    ]


def _arrays(
    dataset: Any, attributes: Mapping[str, Any], others: frozenset[str], inflated: Inflated | None
) -> list[Variable]:
    dtype: np.dtype[Any] = dataset.dtype
    name, fills = _name_of(dataset), fills_of(attributes)
    dimensions = _dimensions(dataset, attributes)
    loose = is_data(name, dimensions, dtype.kind, attributes, others) if dtype.kind == "f" else False
    if dataset.chunks is None:
        offset = dataset.id.get_offset()
        if offset is None:
            return []
        place = offset if inflated is None else inflated.moved(offset)
        own = Variable(name, bytes_at(dataset.shape, dtype.itemsize, place), fills, loose)
        return of_dtype(dtype, replace(own, unit=unit_of(attributes)))
    filters = filters_of(dataset)
    offsets = _offsets(dataset, filters, inflated)
    sealed = bool(filters) and not _is_unfiltered(dataset, filters)
    found = of_chunks(name, dtype, dataset.shape, dataset.chunks, offsets, fills=fills, data=loose and not sealed)
    return [replace(one, sealed=sealed, unit=unit_of(attributes)) for one in found]


def _is_unfiltered(dataset: Any, filters: list[int]) -> bool:
    """Whether each chunk says that none of the filters was applied to it."""
    skipped = (1 << len(filters)) - 1
    return all(info.filter_mask & skipped == skipped for info in chunks_of(dataset).values())


def filters_of(dataset: Any) -> list[int]:
    """The numbers of what its chunks go through."""
    plist = dataset.id.get_create_plist()
    return [plist.get_filter(number)[0] for number in range(plist.get_nfilters())]


def chunk_bytes(dataset: Any) -> int:
    """Of one chunk without filters."""
    return int(np.prod(dataset.chunks)) * int(dataset.dtype.itemsize)


def _offsets(dataset: Any, filters: list[int], inflated: Inflated | None) -> dict[tuple[int, ...], int]:
    """Where each chunk begins whose values are plain, or were made so."""
    checks = filters.count(_FLETCHER32)
    plain_bytes, found = chunk_bytes(dataset), {}
    for place, info in chunks_of(dataset).items():
        if inflated is not None and info.byte_offset in inflated.begins:
            found[place] = inflated.begins[info.byte_offset]
        elif _is_plain(info, filters, plain_bytes, checks):
            found[place] = info.byte_offset if inflated is None else inflated.moved(info.byte_offset)
    return found


def _is_plain(info: Any, filters: list[int], plain_bytes: int, checks: int) -> bool:
    """Whether a chunk went through no filter, or none that changes values."""
    if info.filter_mask:
        skipped = (1 << len(filters)) - 1
        return bool(info.filter_mask & skipped == skipped) and info.size == plain_bytes
    return filters in ([], [_FLETCHER32]) and info.size == plain_bytes + _CHECK_BYTES * checks


def places_of(dataset: Any) -> list[Place]:
    """Its chunks, if they are deflated, and what was done to them before is known."""
    filters = filters_of(dataset) if dataset.chunks is not None else []
    checks = filters.count(_FLETCHER32)
    if filters not in ([*before, _DEFLATE, *behind] for before in ([], [_SHUFFLE]) for behind in ([], [_FLETCHER32])):
        return []
    width, plain_bytes = (dataset.dtype.itemsize if _SHUFFLE in filters else 1), chunk_bytes(dataset)
    if width > _WIDTH_MAX:
        return []
    return [
        Place(info.byte_offset, info.size - _CHECK_BYTES * checks, plain_bytes, width)
        for info in chunks_of(dataset).values()
        if not info.filter_mask
    ]


def chunks_of(dataset: Any) -> dict[tuple[int, ...], Any]:
    """What the library knows of each chunk, by its place in the grid of chunks."""
    found: dict[tuple[int, ...], Any] = {}
    if dataset.id.get_num_chunks() > CHUNKS_MAX:
        return found

    def add(info: Any) -> None:
        if info.byte_offset is not None:
            found[tuple(at // step for at, step in zip(info.chunk_offset, dataset.chunks, strict=True))] = info

    dataset.id.chunk_iter(add)
    return found


def _attributes(dataset: Any) -> dict[str, Any]:
    """Those that say what the values mean, as plain Python."""
    found = {}
    for name in ("_FillValue", "missing_value", "bounds", "climatology", "coordinates", "grid_mapping", "units",
                 "standard_name", "axis", "cell_measures", "formula_terms", "scale_factor"):  # fmt: skip
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
    if _is_scale(dataset):
        return [_name_of(dataset).rsplit("/", 1)[-1]]
    return [f"axis {axis}" for axis in range(len(dataset.shape))]


def _is_scale(item: Any) -> bool:
    """Whether it is the scale of a dimension: groups and types may have an attribute of that name, of any kind."""
    import h5py

    told = _attribute(item.attrs.get("CLASS")) if isinstance(item, h5py.Dataset) else None
    return isinstance(told, str) and told == "DIMENSION_SCALE"
