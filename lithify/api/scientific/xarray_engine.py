"""xarray's door: `xarray.open_dataset("cube.nc.lith", engine="lithify")`, of a frame here or an object of a server.

Headers and attributes are read at once; values are decoded block by block when they are computed with. Frames are
decoded in the program that opens them, as every other file that xarray reads is; objects, by their server, in its
sandbox.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xarray import Dataset, DataTree
from xarray.backends import BackendEntrypoint
from xarray.backends.store import StoreBackendEntrypoint

from lithify.api.scientific.local_store import local_store
from lithify.api.scientific.remote_store import Remote, is_remote, remote_store
from lithify.api.scientific.store import KeptStore
from lithify.errors import BadArgument
from lithify.workers.array_files import is_kept

_DECODERS = (
    "mask_and_scale",
    "decode_times",
    "decode_timedelta",
    "use_cftime",
    "concat_characters",
    "decode_coords",
)
"""What `decode_cf=False` switches off: xarray does so for those that are named."""


class LithifyEntrypoint(BackendEntrypoint):
    """Opens frames and objects that hold NetCDF or HDF5 files, and the arrays of simpler ones."""

    description = "Open what lithify keeps (.lith, or http://…/v1/objects/…), decoding values when they are needed"
    open_dataset_parameters = ("filename_or_obj", "drop_variables", "group", "key", *_DECODERS)
    supports_groups = True

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
        store = _store(filename_or_obj, group, key)
        try:
            return StoreBackendEntrypoint().open_dataset(store, drop_variables=drop_variables, **decoding)
        except BaseException:
            store.close()
            raise

    def open_groups_as_dict(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        group: str | None = None,
        key: str | None = None,
        **decoding: Any,
    ) -> dict[str, Dataset]:
        """The datasets of all groups, by their path; of `group`, and by their path from there. As `open_dataset`."""
        first = _store(filename_or_obj, group, key)
        top = f"/{(group or '').strip('/')}"
        inside = [path for path in first.whole.groups if path == top or path.startswith(f"{top.rstrip('/')}/")]
        open_one = StoreBackendEntrypoint().open_dataset
        try:
            return {
                f"/{path.removeprefix(top).lstrip('/')}": open_one(
                    KeptStore(first.whole, path), drop_variables=drop_variables, **decoding
                )
                for path in inside
            }
        except BaseException:
            first.close()
            raise

    def open_datatree(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        **settings: Any,
    ) -> DataTree:
        """The same as a tree. Raises ValueError for groups that are none, having other axes than those around them."""
        groups = self.open_groups_as_dict(filename_or_obj, drop_variables=drop_variables, **settings)
        try:
            tree = DataTree.from_dict(groups)
        except BaseException:
            for dataset in groups.values():
                dataset.close()
            raise
        for path, dataset in groups.items():
            tree[path].set_close(dataset.close)
        return tree


def _store(filename_or_obj: Any, group: str | None, key: str | None) -> KeptStore:
    if is_remote(filename_or_obj):
        return remote_store(Remote.parse(filename_or_obj, key), group)
    if isinstance(filename_or_obj, str | os.PathLike):
        return local_store(Path(filename_or_obj), group)
    raise BadArgument("lithify's engine opens files by their path, and objects by their address")
