"""A kept file as people who compute think of it: variables with named axes and attributes, read in parts.

The structure of NetCDF and HDF5 files is told by the library that everybody reads them with, from the file without its
large values; those are decoded where they lie. Containers without names for axes get some: `values_0`, `values_1`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lithify.codecs.array_types import Values
from lithify.codecs.arrays.wish import Index
from lithify.errors import Corrupt, MissingExtra

if TYPE_CHECKING:
    from lithify.codecs.arrays.opened import ArrayFile, LazyArray

NAMED = frozenset({"netcdf3", "hdf5"})
"""Containers that name the axes of what they hold."""
Attribute = str | list[str] | Values
Attributes = Mapping[str, Attribute]
_PLAIN = frozenset("biufcS")


@dataclass(frozen=True)
class Labelled:
    """One variable.

    name        behind the path of its group, if it is in one: `model/t`
    dimensions  what its axes are called
    dtype       of its values as they are stored, in native byte order; object for texts of any length
    blocks      the shape of what decodes alone; None: the whole
    """

    name: str
    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    attributes: Attributes
    blocks: tuple[int, ...] | None
    _values: Any

    @property
    def group(self) -> str:
        """The path of its group, with a slash at its end; empty at the top."""
        return self.name[: self.name.rfind("/") + 1]

    @property
    def own_name(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def is_coordinate(self) -> bool:
        """Whether its values say where along an axis of that name others lie."""
        return self.dimensions == (self.own_name,)

    def read(self, parts: Sequence[Index]) -> Values:
        """A part: a slice or a number for each axis, within the shape."""
        found = np.asarray(self._values[tuple(parts)])
        return found.astype(found.dtype.newbyteorder("="), copy=False)


@dataclass(frozen=True)
class LabelledFile:
    """The variables of a file, and what is said of the whole.

    container   the name of what the file is; None if it is no container of arrays
    attributes  of the top, or of a group: by its path
    """

    container: str | None
    variables: Mapping[str, Labelled]
    attributes: Mapping[str, Attributes]

    def near(self, name: str, group: str) -> Labelled | None:
        """The variable that a name means inside a group: of the group itself, or of one around it."""
        while True:
            found = self.variables.get(group + name)
            if found is not None or not group:
                return found
            group = group[: group[:-1].rfind("/") + 1]


def label(file: "ArrayFile") -> LabelledFile:
    """The variables of a file that was opened. Raises Corrupt, or MissingExtra without the library that reads it."""
    if file.container in NAMED:
        return _of_netcdf(file)
    return LabelledFile(file.container, {name: _unnamed(one) for name, one in file.arrays.items()}, {"": {}})


def label_bytes(data: bytes) -> LabelledFile:
    """The same of a file as it is. Raises as `label` does."""
    from lithify.codecs.arrays.opened import ArrayFile

    return label(ArrayFile(bytearray(data), None))


def _unnamed(array: "LazyArray") -> Labelled:
    names = tuple(f"{array.name}_{axis}" for axis in range(len(array.shape)))
    return Labelled(array.name, names, array.shape, array.dtype, {}, array.blocks, array)


# --- NetCDF and HDF5 ----------------------------------------------------------------------------------


def _of_netcdf(file: "ArrayFile") -> LabelledFile:
    first = _opened(file.bytes_without(file.arrays))
    lazy = {name for name, one in _walk(first) if _is_same(one, file.arrays.get(name))}
    first.close()
    dataset = _opened(file.bytes_without(lazy))
    variables = {
        name: _named(name, one, file.arrays[name] if name in lazy else None)
        for name, one in _walk(dataset)
        if _is_readable(one)
    }
    attributes = {path: _attributes(group) for path, group in _groups(dataset, "")}
    return LabelledFile(file.container, variables, attributes)


def _opened(data: bytes) -> Any:
    try:
        import netCDF4
    except ImportError as error:
        raise MissingExtra("NetCDF is read by netCDF4: pip install 'lithify[arrays]'") from error
    try:
        dataset = netCDF4.Dataset("kept.nc", memory=data)
    except (OSError, RuntimeError, ValueError) as error:
        raise Corrupt(f"a file that netCDF4 cannot read: {error}") from error
    dataset.set_auto_maskandscale(False)
    dataset.set_auto_chartostring(False)
    return dataset


def _groups(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, group
    for name, inner in group.groups.items():
        yield from _groups(inner, f"{path}{name}/")


def _walk(dataset: Any) -> Iterator[tuple[str, Any]]:
    for path, group in _groups(dataset, ""):
        for name, variable in group.variables.items():
            yield path + name, variable


def _is_readable(variable: Any) -> bool:
    """Whether it is of numbers, characters or texts, rather than of lists or records."""
    return variable.dtype is str or (isinstance(variable.dtype, np.dtype) and variable.dtype.kind in _PLAIN)


def _is_same(variable: Any, array: "LazyArray | None") -> bool:
    """Whether the array is the variable, rather than a part of it (as the halves of complex numbers are)."""
    if array is None or not isinstance(variable.dtype, np.dtype):
        return False
    return array.shape == variable.shape and variable.dtype.newbyteorder("=") == array.dtype


def _named(name: str, variable: Any, array: "LazyArray | None") -> Labelled:
    dtype = np.dtype(object) if variable.dtype is str else variable.dtype.newbyteorder("=")
    blocks = None if array is None else array.blocks
    values = variable if array is None else array
    shape = tuple(map(int, variable.shape))
    return Labelled(name, tuple(variable.dimensions), shape, dtype, _attributes(variable), blocks, values)


def _attributes(item: Any) -> dict[str, Attribute]:
    found = {name: _attribute(item.getncattr(name)) for name in item.ncattrs()}
    return {name: value for name, value in found.items() if value is not None}


def _attribute(value: Any) -> Attribute | None:
    """Text, several texts, or numbers; None for what is neither."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    numbers = np.atleast_1d(np.asarray(value))
    return numbers.astype(numbers.dtype.newbyteorder("="), copy=False) if numbers.dtype.kind in "iuf" else None
