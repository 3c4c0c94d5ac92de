"""Objects of a server, for xarray: `http://host/v1/objects/climate/cube.nc`.

What the variables are is asked once; their values are asked for slice by slice, when they are computed with. The server
decodes in its sandbox, and what travels is numbers. A store can be pickled, as dask's processes need it.
"""

import atexit
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import numpy as np
from xarray import Variable
from xarray.backends import AbstractDataStore, BackendArray
from xarray.core import indexing

from lithify.api.client import Client
from lithify.api.remote import retrying
from lithify.errors import BadArgument
from lithify.store.views import ArrayView
from lithify.workers.frame_slices import Cut, attributes_of, dtype_of

_OBJECTS = "/v1/objects/"


@dataclass(frozen=True, slots=True)
class Remote:
    """An object of a server.

    url  of the server
    key  None: LITHIFY_KEY, looked up where it is needed
    """

    url: str
    collection: str
    name: str
    key: str | None = None
    revision: str | None = None

    @classmethod
    def parse(cls, url: str, key: str | None = None) -> "Remote":
        """From the address of the object. Raises BadArgument for any other."""
        found = urlsplit(url)
        server, sign, path = found.path.partition(_OBJECTS)
        collection, slash, name = path.partition("/")
        if not (sign and collection and slash and name) or found.query:
            raise BadArgument(f"{url!r:.200}: an object is addressed as http://HOST:PORT{_OBJECTS}COLLECTION/NAME")
        return cls(f"{found.scheme}://{found.netloc}{server}", unquote(collection), unquote(name), key)

    @property
    def address(self) -> str:
        """What `parse` reads."""
        return f"{self.url}{_OBJECTS}{self.collection}/{quote(self.name)}"

    @property
    def client(self) -> Client:
        """One for each server and key of this process."""
        return _client(self.url, self.key or os.environ.get("LITHIFY_KEY"))

    def values(self, wish: Cut) -> Any:
        """The array that is wished for."""

        def once() -> bytes:
            with self.client.slice(self.collection, self.name, wish, "npy", revision=self.revision) as found:
                return b"".join(found)

        return np.load(io.BytesIO(retrying(once)), allow_pickle=False)


@cache
def _client(url: str, key: str | None) -> Client:
    client = Client(url, key)
    atexit.register(client.close)
    return client


def is_remote(path: Any) -> bool:
    """Whether it is the address of something on a server."""
    return isinstance(path, str) and path.startswith(("http://", "https://"))


class RemoteArray(BackendArray):
    """A variable of an object, as xarray indexes it."""

    def __init__(self, remote: Remote, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._remote, self._name = remote, name
        self.shape, self.dtype = shape, dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._part)

    def _part(self, parts: tuple[Any, ...]) -> Any:
        left = [len(range(side)[part]) for part, side in zip(parts, self.shape, strict=True) if isinstance(part, slice)]
        if 0 in left:
            return np.empty(left, self.dtype)
        found = self._remote.values(Cut((self._name,), tuple(map(_spelled, range(len(parts)), parts))))
        return found.astype(self.dtype, copy=False)


def _spelled(axis: int, part: Any) -> str:
    if not isinstance(part, slice):
        return f"{axis}={int(part)}"
    return f"{axis}=" + ":".join(
        "" if number is None else str(int(number)) for number in (part.start, part.stop, part.step)
    )


class RemoteStore(AbstractDataStore):
    """The variables of an object, or of one group of them."""

    def __init__(self, remote: Remote, group: str | None) -> None:
        told = remote.client.arrays(remote.collection, remote.name, revision=remote.revision)
        # The revision that was told of, whatever becomes of the name meanwhile.
        self._remote = Remote(remote.url, remote.collection, remote.name, remote.key, told.revision)
        self._path = f"{group.strip('/')}/" if group and group.strip("/") else ""
        if self._path and self._path not in told.attributes:
            there = ", ".join(path.rstrip("/") for path in told.attributes if path) or "none"
            raise BadArgument(f"there is no group {self._path.rstrip('/')!r}; there are: {there}")
        self._attributes = attributes_of(told.attributes.get(self._path, {}))
        self._views = [one for one in told.variables if one.name.rpartition("/")[0] == self._path.rstrip("/")]

    def get_variables(self) -> dict[Any, Variable]:
        return {one.name.removeprefix(self._path): self._variable(one) for one in self._views}

    def _variable(self, one: ArrayView) -> Variable:
        dtype = dtype_of(one.type)
        encoding: dict[str, Any] = {"source": self._remote.address, "original_shape": one.shape}
        if one.blocks is not None:
            encoding["preferred_chunks"] = dict(zip(one.dimensions, one.blocks, strict=True))
        if dtype.hasobject:
            encoding["dtype"] = str
        data = indexing.LazilyIndexedArray(RemoteArray(self._remote, one.name, one.shape, dtype))
        return Variable(one.dimensions, data, attributes_of(one.attributes), encoding, fastpath=True)

    def get_attrs(self) -> Mapping[str, Any]:
        return self._attributes

    def get_dimensions(self) -> dict[str, int]:
        return {name: side for one in self._views for name, side in zip(one.dimensions, one.shape, strict=True)}

    def get_encoding(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        """Nothing is open: connections belong to the process, and other stores use them too."""
