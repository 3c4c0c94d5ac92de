"""The Blobs protocol: immutable bytes in the cellar, named by the SHA-256 of what is on disk.

A blob lives in a file of its own or, when small, inside a pack that many share. After `commit` or `append` returns,
the bytes survive any crash of the process, the machine or its power.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Literal, Protocol, Self

from lithify import limits
from lithify.errors import Corrupt, Truncated

EntryKind = Literal["blob", "record"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a blob lies: its digest (64 hex digits), its length in bytes, and its pack when it has no own file."""

    digest: str
    length: int
    pack: str | None = None
    offset: int = 0
    """Of the payload, from the start of the pack's file."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One small thing to append to a pack: a blob, or a record (JSON, see records.py)."""

    kind: EntryKind
    payload: bytes


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry found in a pack."""

    kind: EntryKind
    address: Address


class Stage(Protocol):
    """A blob being written; nothing of it is visible before `commit`."""

    def write(self, data: bytes) -> None: ...

    def commit(self) -> Address:
        """Flush, name and make durable. The same bytes committed twice are one blob."""
        ...

    def abort(self) -> None:
        """Forget what was written. Safe to call twice, and after commit (when it does nothing)."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None:
        """Abort unless committed."""
        ...


class Blobs(Protocol):
    """What every backend promises; tests/suites/blobs_suite.py holds each to it."""

    def stage(self) -> Stage:
        """Start a blob that gets a file of its own."""
        ...

    def append(self, entries: Sequence[Entry]) -> list[Address]:
        """Put many small things into a pack under one flush; durable when this returns. Thread-safe."""
        ...

    def open(self, address: Address) -> BinaryIO:
        """A seekable reader of exactly this blob's bytes, backed by a real file descriptor where there is one.

        Raises NotFound when the blob is not there.
        """
        ...

    def exists(self, address: Address) -> bool:
        """Whether the blob's bytes are all there (its length is looked at, its digest is not)."""
        ...

    def verify(self, address: Address) -> None:
        """Read it all and hash it. Raises NotFound, Truncated or Corrupt, naming the blob, expected and found."""
        ...

    def files(self) -> Iterator[Address]:
        """Every blob that has a file of its own."""
        ...

    def packs(self) -> Iterator[str]:
        """The name of every pack."""
        ...

    def entries(self, pack: str) -> Iterator[StoredEntry]:
        """What a pack holds, in the order it was written; damaged stretches are skipped (`check` reports them)."""
        ...

    def damage(self, pack: str, *, read_data: bool = False) -> list[str]:
        """One sentence for each damaged stretch of a pack; a torn tail left by a crash is no damage.

        Headers and records are read, whose only copy this is; blobs too when `read_data`.
        """
        ...

    def remove(self, address: Address) -> None:
        """Unlink a blob that has a file of its own; nothing happens if it is gone. Refuses one inside a pack."""
        ...

    def hold_pack(self, pack: str) -> AbstractContextManager[None]:
        """While held, nobody appends to this pack. Raises Busy when somebody is appending to it already."""
        ...

    def remove_pack(self, pack: str) -> None:
        """Unlink a whole pack, held by the caller or by nobody. Raises Busy when somebody is appending to it."""
        ...

    def quarantine(self, address: Address) -> None:
        """Move a suspicious blob aside (it is kept, and no longer found). A packed blob stays where it is."""
        ...

    def sweep_staging(self) -> int:
        """Remove what dead processes left half-written; gives the number of files removed."""
        ...

    def close(self) -> None:
        """Let go of the pack being appended to."""
        ...


def compare(address: Address, source: BinaryIO) -> None:
    """Read a blob to its end and hash it. Raises Truncated or Corrupt, naming the blob, expected and found."""
    digest, length = hashlib.sha256(), 0
    while data := source.read(limits.COPY_BYTES):
        digest.update(data)
        length += len(data)
    if length < address.length:
        raise Truncated(f"blob {address.digest} ends after {length} bytes; expected {address.length}")
    if digest.hexdigest() != address.digest:
        raise Corrupt(f"blob {address.digest}: digest of its {length} bytes is {digest.hexdigest()}")


def read_checked(blobs: Blobs, address: Address) -> bytes:
    """A small blob or a record, whole, after its digest was compared. Raises NotFound, Truncated or Corrupt."""
    with blobs.open(address) as source:
        payload = source.read()
    compare(address, BytesIO(payload))
    return payload
