"""A kept file as people who compute think of it: variables with named axes and attributes, read in parts.

Containers without names for axes get some: `values_0`, `values_1`.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from lithify.codecs.array_types import Values
from lithify.codecs.arrays.containers.description import Attributes
from lithify.codecs.arrays.wish import Index
from lithify.errors import Conflict, LimitExceeded, MissingExtra

if TYPE_CHECKING:
    from lithify.codecs.arrays.opened import ArrayFile, LazyArray
    from lithify.codecs.codec import Source

TEXTS = np.dtype(object)
"""The type of variables that hold texts of any length."""
_RENAMED = "_nc4_non_coord_"
"""What NetCDF 4 puts before the name of a variable that has the name of a dimension and other axes than that."""


@dataclass(frozen=True)
class Labelled:
    """One variable.

    name        behind the path of its group, if it is in one: `model/t`
    dimensions  what its axes are called
    dtype       of its values as they are stored, in native byte order; TEXTS for texts of any length
    """

    name: str
    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    attributes: Attributes
    _array: "LazyArray" = field(repr=False)

    @property
    def blocks(self) -> tuple[int, ...] | None:
        """The shape of what decodes alone; None: the whole."""
        return self._array.blocks

    @property
    def stored(self) -> np.dtype[Any]:
        """`dtype` in the byte order that the file has, where its container leaves that to writers."""
        return self.dtype.newbyteorder(">") if self._array.big else self.dtype

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
        found = np.asarray(self._array[tuple(parts)])
        if self.dtype == TEXTS:
            return np.asarray(np.frompyfunc(_text, 1, 1)(found), TEXTS)
        return found.astype(self.dtype, copy=False)


@dataclass(frozen=True)
class LabelledFile:
    """The variables of a file, and what is said of the whole.

    container   the name of what the file is; None if it is no container of arrays
    attributes  of the top, or of a group: by its path, that of the top being empty
    unlimited   the dimensions that may grow, behind the path of their group
    """

    container: str | None
    variables: Mapping[str, Labelled]
    attributes: Mapping[str, Attributes]
    unlimited: frozenset[str] = frozenset()

    def near(self, name: str, group: str) -> Labelled | None:
        """The variable that a name means inside a group: of the group itself, or of one around it."""
        while True:
            found = self.variables.get(group + name)
            if found is not None or not group:
                return found
            group = group[: group[:-1].rfind("/") + 1]


def label(file: "ArrayFile") -> LabelledFile:
    """The variables of a file that was opened, but for those of lists and records.

    Raises MissingExtra for HDF5 without the library that reads it, Conflict for HDF5 that it cannot read, LimitExceeded
    for an axis too long to be counted.
    """
    if file.container == "hdf5" and not file.arrays:
        _refuse_unreadable(file.headers())
    found = {}
    for path, one in file.arrays.items():
        dtype = _read_as(one.dtype)
        if dtype is not None:
            _check_sides(path, one.shape)
            name = path.replace(_RENAMED, "") if _RENAMED in path else path
            found[name] = Labelled(name, one.dimensions, one.shape, dtype, one.attributes, one)
    return LabelledFile(file.container, found, {"": file.attributes, **file.groups}, file.unlimited)


def _refuse_unreadable(headers: BinaryIO) -> None:
    """Nothing was found in an HDF5 file: if that is because it cannot be read, somebody should know why."""
    try:
        import h5py
    except ImportError as error:
        raise MissingExtra("HDF5 is read by h5py: pip install 'lithify[arrays]'") from error
    try:
        h5py.File(headers, "r").close()
    except OSError as error:
        raise Conflict(f"there is nothing to slice: an HDF5 file that the library cannot read: {error}") from error


def _check_sides(path: str, shape: tuple[int, ...]) -> None:
    if any(side > sys.maxsize for side in shape):
        raise LimitExceeded(f"variable {path:.80} has an axis of {max(shape)} values; the limit is {sys.maxsize}")


def label_source(source: "Source") -> LabelledFile:
    """The same of a file as it is. Raises as `label` does."""
    from lithify.codecs.arrays.opened import ArrayFile
    from lithify.codecs.arrays.plain_chunks import PlainChunks

    return label(ArrayFile(PlainChunks(source), BytesIO()))


def _read_as(dtype: np.dtype[Any]) -> np.dtype[Any] | None:
    """The type that values of a variable are given in; None if they are not given."""
    if dtype.kind in "OSU" and dtype.str[1:] != "S1":
        return TEXTS if dtype.kind != "O" or _is_text(dtype) else None
    if dtype.kind == "b":
        return np.dtype(np.int8)
    return dtype.newbyteorder("=") if dtype.kind in "iufcS" else None


def _is_text(dtype: np.dtype[Any]) -> bool:
    import h5py

    return h5py.check_string_dtype(dtype) is not None


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
