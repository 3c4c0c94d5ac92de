"""Objects of a server, for xarray: `http://host/v1/objects/climate/cube.nc`.

What the variables are is asked once; their values are asked for slice by slice, when they are computed with. The server
decodes in its sandbox, and what travels is numbers. Arrays can be pickled, as dask's processes need it.
"""

import atexit
import io
import os
from dataclasses import dataclass, replace
from functools import cache
from math import prod
from tokenize import TokenError
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import numpy as np

from lithify.api.client import Client
from lithify.api.remote import retrying
from lithify.api.scientific.store import KeptStore, Parts, Told, Whole, refuse_unnamed
from lithify.errors import BadArgument, Corrupt
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
        """The array that is wished for. Raises Corrupt if the server answers with none."""

        def once() -> bytes:
            with self.client.slice(self.collection, self.name, wish, "npy", revision=self.revision) as found:
                return b"".join(found)

        return _loaded(retrying(once), self.address)


def _loaded(body: bytes, address: str) -> Any:
    try:
        return _npy(body)
    except (ValueError, TypeError, SyntaxError, TokenError, OverflowError, RecursionError, MemoryError) as error:
        raise Corrupt(f"{address}: the server's answer is no array: {error!s:.200}") from error


def _npy(body: bytes) -> Any:
    """The array of a file as servers write it; for memory of its length, whatever the head says."""
    file = io.BytesIO(body)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("it has a version that no server writes")
    shape, turned, dtype = np.lib.format.read_array_header_1_0(file)
    found = len(body) - file.tell()
    if found != prod(shape) * dtype.itemsize:
        raise ValueError(f"{shape!s:.80} of {dtype!s:.40} came as {found} bytes")
    values = np.frombuffer(body, dtype, prod(shape), file.tell())
    return values.reshape(shape, order="F" if turned else "C").copy()


@cache
def _client(url: str, key: str | None) -> Client:
    client = Client(url, key)
    atexit.register(client.close)
    return client


def is_remote(path: Any) -> bool:
    """Whether it is the address of something on a server."""
    return isinstance(path, str) and path.startswith(("http://", "https://"))


@dataclass(frozen=True)
class _Reader:
    """Asks for parts of one variable."""

    remote: Remote
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __call__(self, parts: Parts) -> Any:
        found = self.remote.values(Cut((self.name,), tuple(map(_spelled, range(len(parts)), parts))))
        sides = [
            len(range(side)[part]) for part, side in zip(parts, self.shape, strict=True) if isinstance(part, slice)
        ]
        if found.shape != tuple(sides) or not self._is_told(found.dtype):
            raise Corrupt(
                f"{self.remote.address}: {self.name!r:.80} is {tuple(sides)} of {self.dtype}, the server answered with "
                f"{found.shape!s:.80} of {found.dtype!s:.40}"
            )
        return found.astype(self.dtype, copy=False)

    def _is_told(self, found: np.dtype[Any]) -> bool:
        return found.kind == "U" if self.dtype.hasobject else found.newbyteorder("=") == self.dtype


def _spelled(axis: int, part: int | slice) -> str:
    if not isinstance(part, slice):
        return f"{axis}={int(part)}"
    numbers = (part.start, part.stop, part.step)
    return f"{axis}=" + ":".join("" if number is None else str(int(number)) for number in numbers)


def remote_store(remote: Remote, group: str | None) -> KeptStore:
    """The variables of an object, or of one group of them. Raises BadArgument, NotFound, Conflict, Corrupt."""
    told = remote.client.arrays(remote.collection, remote.name, revision=remote.revision)
    refuse_unnamed(told.container, remote.address)
    # The revision that was told of, whatever becomes of the name meanwhile.
    fixed = replace(remote, revision=told.revision)
    try:
        variables = [_told(fixed, one) for one in told.variables]
        attributes = {path: attributes_of(one) for path, one in told.attributes.items()}
    except Corrupt as error:
        raise Corrupt(f"{remote.address}: {error.message}") from error
    # Nothing is open that is ours: connections belong to the process, and other stores use them too.
    whole = Whole(remote.address, variables, attributes, frozenset(told.unlimited), lambda: None)
    return KeptStore(whole, group)


def _told(remote: Remote, one: ArrayView) -> Told:
    stored, rank = dtype_of(one.type), len(one.shape)
    if (
        len(one.dimensions) != rank
        or (one.blocks is not None and len(one.blocks) != rank)
        or min(one.shape, default=0) < 0
    ):
        raise Corrupt(
            f"variable {one.name!r:.80} of {one.shape!s:.80} with dimensions {one.dimensions!s:.80} and blocks "
            f"{one.blocks!s:.80}"
        )
    reader = _Reader(remote, one.name, one.shape, stored.newbyteorder("="))
    return Told(one.name, one.dimensions, one.shape, stored, attributes_of(one.attributes), one.blocks, reader)
