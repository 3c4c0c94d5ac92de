"""Variables as xarray wants them, whoever has their values: a frame here, or a server."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from xarray import Variable
from xarray.backends import AbstractDataStore, BackendArray
from xarray.core import indexing

from lithify.errors import BadArgument

Parts = tuple[int | slice, ...]
_REFUSED = (None, "grib")
"""Containers whose arrays nobody would know by the names and axes that they would get."""


def refuse_unnamed(container: str | None, source: str) -> None:
    """Raise BadArgument for a file of such a kind."""
    if container in _REFUSED:
        raise BadArgument(f"{source}: a file of kind {container or 'unknown'} is not opened by xarray; unpack it")


@dataclass(frozen=True)
class Told:
    """A variable.

    name        behind the path of its group, if it is in one
    stored      the type of its values in the file; they are given in native byte order
    attributes  texts, and numbers of NumPy's
    blocks      the shape of what decodes alone; None: the whole
    read        gives a part: a slice or a number for each axis
    """

    name: str
    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    stored: np.dtype[Any]
    attributes: Mapping[str, Any]
    blocks: tuple[int, ...] | None
    read: Callable[[Parts], Any] = field(repr=False)


class KeptArray(BackendArray):
    """The values of a variable, as xarray indexes them."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self.shape, self.dtype = told.shape, told.stored.newbyteorder("=")

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._part)

    def _part(self, parts: Parts) -> Any:
        left = [len(range(side)[part]) for part, side in zip(parts, self.shape, strict=True) if isinstance(part, slice)]
        return np.empty(left, self.dtype) if 0 in left else self._told.read(parts)


@dataclass(frozen=True)
class Whole:
    """A file with all its groups.

    source      where it is
    attributes  of each group by its path with a slash at the end; of the top by an empty one
    unlimited   the dimensions that may grow, behind the path of their group
    """

    source: str
    variables: Sequence[Told]
    attributes: Mapping[str, Mapping[str, Any]]
    unlimited: frozenset[str]
    close: Callable[[], None]

    @property
    def groups(self) -> list[str]:
        """The paths of all groups, as xarray has them: `/`, `/model`."""
        return [f"/{path.rstrip('/')}" for path in self.attributes]


class KeptStore(AbstractDataStore):
    """A file, or one group of it."""

    def __init__(self, whole: Whole, group: str | None) -> None:
        """Raises BadArgument if there is no such group."""
        self.whole = whole
        self._path = f"{group.strip('/')}/" if group and group.strip("/") else ""
        if self._path not in whole.attributes:
            there = ", ".join(path.rstrip("/") for path in whole.attributes if path) or "none"
            raise BadArgument(f"there is no group {self._path.rstrip('/')!r}; there are: {there}")
        self._told = [one for one in whole.variables if one.name.rpartition("/")[0] == self._path.rstrip("/")]

    def get_variables(self) -> dict[Any, Variable]:
        return {one.name.removeprefix(self._path): self._variable(one) for one in self._told}

    def _variable(self, one: Told) -> Variable:
        encoding: dict[str, Any] = {"source": self.whole.source, "original_shape": one.shape}
        encoding["dtype"] = str if one.stored.hasobject else one.stored
        if one.blocks is not None:
            encoding["preferred_chunks"] = dict(zip(one.dimensions, one.blocks, strict=True))
        data = indexing.LazilyIndexedArray(KeptArray(one))
        return Variable(one.dimensions, data, one.attributes, encoding, fastpath=True)

    def get_attrs(self) -> Mapping[str, Any]:
        return self.whole.attributes[self._path]

    def get_dimensions(self) -> dict[str, int]:
        return {name: side for one in self._told for name, side in zip(one.dimensions, one.shape, strict=True)}

    def get_encoding(self) -> dict[str, Any]:
        own = [name.removeprefix(self._path) for name in self.whole.unlimited if name.startswith(self._path)]
        return {"unlimited_dims": {name for name in own if "/" not in name}}

    def close(self) -> None:
        self.whole.close()
