"""xarray's door: `xarray.open_dataset("cube.nc.lith", engine="lithify")`, of a frame here or an object of a server.

Headers, attributes and small variables are read at once, by the reader of NetCDF that xarray uses anyway; the values of
large ones are decoded block by block when they are computed with. Frames are decoded in the program that opens them, as
every other file that xarray reads is; objects, by their server (remote_store.py).
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from xarray import Dataset, Variable
from xarray.backends import AbstractDataStore, BackendArray, BackendEntrypoint, NetCDF4DataStore
from xarray.backends.store import StoreBackendEntrypoint
from xarray.core import indexing

from lithify.api.scientific.remote_store import Remote, RemoteStore, is_remote
from lithify.errors import BadArgument, MissingExtra
from lithify.workers.array_files import ArrayFile, LazyArray, is_kept, open_file

_NETCDF = ("netcdf3", "hdf5")
_SIMPLE = ("npy", "zip", "nifti", "fits", "tiff")


class KeptArray(BackendArray):
    """An array in a frame, as xarray indexes it."""

    def __init__(self, array: LazyArray) -> None:
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, lambda parts: self._array[parts]
        )


class LithifyEntrypoint(BackendEntrypoint):
    """Opens frames and objects that hold NetCDF or HDF5 files, and the arrays of simpler ones."""

    description = "Open what lithify keeps (.lith, or http://…/v1/objects/…), decoding values when they are needed"
    open_dataset_parameters = ("filename_or_obj", "drop_variables", "group", "key")

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        if is_remote(filename_or_obj):
            return "/v1/objects/" in filename_or_obj
        return isinstance(filename_or_obj, str | os.PathLike) and is_kept(Path(filename_or_obj))

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        group: str | None = None,
        key: str | None = None,
        **decoding: Any,
    ) -> Dataset:
        """The dataset of a frame's file, or of an object: `http://HOST:PORT/v1/objects/COLLECTION/NAME`.

        group     of a NetCDF 4 file
        key       for a server; else LITHIFY_KEY is used
        decoding  mask_and_scale, decode_times and so on, as xarray.open_dataset takes them

        Raises BadArgument if the file has no arrays that are opened this way.
        """
        if is_remote(filename_or_obj):
            remote = RemoteStore(Remote.parse(filename_or_obj, key), group)
            return StoreBackendEntrypoint().open_dataset(remote, drop_variables=drop_variables, **decoding)
        if not isinstance(filename_or_obj, str | os.PathLike):
            raise BadArgument("lithify's engine opens files by their path")
        file = open_file(Path(filename_or_obj))
        if file.container in _NETCDF:
            store = _KeptStore(file, group)
            return StoreBackendEntrypoint().open_dataset(store, drop_variables=drop_variables, **decoding)
        if file.container in _SIMPLE:
            dropped = {drop_variables} if isinstance(drop_variables, str) else set(drop_variables or ())
            found = Dataset({name: _simple(one) for name, one in file.arrays.items() if name not in dropped})
            found.set_close(file.close)
            return found
        file.close()
        raise BadArgument(
            f"{filename_or_obj}: a file of kind {file.container or 'unknown'} is not opened by xarray; unpack it"
        )


def _simple(array: LazyArray) -> Variable:
    """Of a container that names no dimensions."""
    names = [f"{array.name}_{axis}" for axis in range(len(array.shape))]
    return _lazy(names, array, {}, {})


def _lazy(names: Any, array: LazyArray, attributes: Mapping[Any, Any], encoding: Mapping[Any, Any]) -> Variable:
    blocks = {} if array.blocks is None else {"preferred_chunks": dict(zip(names, array.blocks, strict=True))}
    data = indexing.LazilyIndexedArray(KeptArray(array))
    return Variable(names, data, attributes, {**encoding, **blocks}, fastpath=True)


class _KeptStore(AbstractDataStore):
    """A NetCDF file whose large variables are in the frame, and read from there."""

    def __init__(self, file: ArrayFile, group: str | None) -> None:
        self._file = file
        self._path = "" if group is None else group.strip("/") + "/"
        self._group = group
        inner = self._open(file.bytes_without(file.arrays))
        self._lazy = {
            self._path + str(name): file.arrays[self._path + str(name)]
            for name, variable in inner.get_variables().items()
            if _is_same(variable, file.arrays.get(self._path + str(name)))
        }
        inner.close()
        self._inner = self._open(file.bytes_without(self._lazy))

    def _open(self, data: bytes) -> Any:
        try:
            import netCDF4
        except ImportError as error:
            raise MissingExtra("NetCDF is read by netCDF4: pip install 'lithify[arrays]'") from error
        return cast("Any", NetCDF4DataStore)(netCDF4.Dataset("kept.nc", memory=data), group=self._group)

    def get_variables(self) -> dict[Any, Variable]:
        return {name: self._replaced(str(name), one) for name, one in self._inner.get_variables().items()}

    def _replaced(self, name: str, variable: Variable) -> Variable:
        array = self._lazy.get(self._path + name)
        return variable if array is None else _lazy(variable.dims, array, variable.attrs, variable.encoding)

    def get_attrs(self) -> Any:
        return self._inner.get_attrs()

    def get_dimensions(self) -> Any:
        return self._inner.get_dimensions()

    def get_encoding(self) -> dict[str, Any]:
        return dict(self._inner.get_encoding())

    def close(self) -> None:
        self._inner.close()
        self._file.close()


def _is_same(variable: Variable, array: LazyArray | None) -> bool:
    """Whether the array is the variable, rather than a part of it (as the halves of complex numbers are)."""
    return (
        array is not None
        and array.shape == variable.shape
        and np.dtype(variable.dtype).newbyteorder("=") == array.dtype
    )
