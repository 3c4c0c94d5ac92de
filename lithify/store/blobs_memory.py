"""The perfect store: blobs that cannot be torn, lost or full. Used in tests, and as the model others are held to."""

import hashlib
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import Self

from lithify import limits
from lithify.errors import BadArgument, Busy, Corrupt, LimitExceeded, NotFound, Truncated
from lithify.store.blobs import Address, Entry, Stage, StoredEntry, compare


class MemoryBlobs:
    """Everything in dictionaries.

    Its readers have no file descriptor (`fileno()` raises UnsupportedOperation): whoever must hand one to another
    process copies the reader into a temporary file first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, bytes] = {}
        self._packs: dict[str, dict[int, Entry]] = {}
        self._appending_to: str | None = None
        self._held: set[str] = set()
        self._quarantine: list[bytes] = []

    def stage(self) -> Stage:
        """Start a blob of its own."""
        return MemoryStage(self._files)

    def append(self, entries: Sequence[Entry]) -> list[Address]:
        """Put small things into the current pack, or into a new one when it is full."""
        largest = max((len(entry.payload) for entry in entries), default=0)
        if largest > limits.PACK_ENTRY_BYTES_MAX:
            raise LimitExceeded(f"an entry of {largest} bytes; at most {limits.PACK_ENTRY_BYTES_MAX}")
        with self._lock:
            return [self._append(entry) for entry in entries]

    def open(self, address: Address) -> BytesIO:
        """A reader of exactly this blob."""
        payload = self._payload(address)
        if len(payload) != address.length:
            wrong = Truncated if len(payload) < address.length else Corrupt
            raise wrong(f"blob {address.digest} has {len(payload)} bytes; expected {address.length}")
        return BytesIO(payload)

    def exists(self, address: Address) -> bool:
        """Whether the blob is there with this length."""
        with suppress(NotFound):
            return len(self._payload(address)) == address.length
        return False

    def verify(self, address: Address) -> None:
        """Hash it."""
        compare(address, self.open(address))

    def files(self) -> Iterator[Address]:
        """Every blob of its own, in the order of digests."""
        return iter([Address(digest, len(payload)) for digest, payload in sorted(self._files.items())])

    def packs(self) -> Iterator[str]:
        """The name of every pack, in order."""
        return iter(sorted(self._packs))

    def entries(self, pack: str) -> Iterator[StoredEntry]:
        """What a pack holds."""
        for offset, entry in list(self._pack(pack).items()):
            yield StoredEntry(entry.kind, _address(entry, pack, offset))

    def damage(self, pack: str, *, read_data: bool = False) -> list[str]:
        """Nothing: this store is perfect."""
        self._pack(pack)
        return []

    def remove(self, address: Address) -> None:
        """Forget a blob of its own."""
        if address.pack is not None:
            raise BadArgument(f"blob {address.digest} lies in pack {address.pack}; only whole packs are removed")
        self._files.pop(address.digest, None)

    @contextmanager
    def hold_pack(self, pack: str) -> Iterator[None]:
        """While held, nothing is appended to this pack."""
        self._pack(pack)
        if pack == self._appending_to or pack in self._held:
            raise Busy(f"pack {pack} is being appended to")
        self._held.add(pack)
        try:
            yield
        finally:
            self._held.remove(pack)

    def remove_pack(self, pack: str) -> None:
        """Forget a whole pack."""
        if pack == self._appending_to:
            raise Busy(f"pack {pack} is being appended to")
        self._packs.pop(pack, None)

    def quarantine(self, address: Address) -> None:
        """Move a blob of its own aside."""
        if address.pack is None and address.digest in self._files:
            self._quarantine.append(self._files.pop(address.digest))

    def sweep_staging(self) -> int:
        """Nothing is ever left half-written."""
        return 0

    def close(self) -> None:
        """Let go of the pack being appended to; the next append begins another."""
        self._appending_to = None

    def _append(self, entry: Entry) -> Address:
        pack = self._appending_to
        if pack is None or _end(self._packs[pack]) + len(entry.payload) > limits.PACK_BYTES_MAX:
            pack = self._appending_to = secrets.token_hex(16)
            self._packs[pack] = {}
        offset = _end(self._packs[pack])
        self._packs[pack][offset] = entry
        return _address(entry, pack, offset)

    def _pack(self, pack: str) -> dict[int, Entry]:
        if pack not in self._packs:
            raise NotFound(f"pack {pack} is not there")
        return self._packs[pack]

    def _payload(self, address: Address) -> bytes:
        try:
            if address.pack is None:
                return self._files[address.digest]
            return self._packs[address.pack][address.offset].payload
        except KeyError:
            raise NotFound(f"blob {address.digest} is not there") from None


class MemoryStage:
    """A blob being written."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files
        self._data: bytearray | None = bytearray()

    def write(self, data: bytes) -> None:
        """Add bytes to the end."""
        assert self._data is not None, "the stage is committed or aborted"
        self._data += data

    def commit(self) -> Address:
        """Keep the bytes under their digest."""
        assert self._data is not None, "the stage is committed or aborted"
        payload = bytes(self._data)
        digest = hashlib.sha256(payload).hexdigest()
        self._files[digest] = payload
        self._data = None
        return Address(digest, len(payload))

    def abort(self) -> None:
        """Forget what was written."""
        self._data = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.abort()


def _address(entry: Entry, pack: str, offset: int) -> Address:
    return Address(hashlib.sha256(entry.payload).hexdigest(), len(entry.payload), pack, offset)


def _end(pack: dict[int, Entry]) -> int:
    """Where the next entry goes. Each takes a byte more than its payload, so that no two have the same offset."""
    if not pack:
        return 0
    offset = next(reversed(pack))
    return offset + len(pack[offset].payload) + 1
