"""Ingest: hash at the door, compress with zstd-fast, make durable, answer with a receipt.

The digest is taken from the bytes as they arrive, before anything else touches them, so that whatever goes wrong later
is measured against what was really sent. The staged copy is an ordinary frame in 1 MiB chunks: it can be read, in
ranges too, from the moment of the receipt.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from lithify import limits
from lithify.codecs.codec import effort as check_effort
from lithify.codecs.fidelity import EXACT, Contract
from lithify.codecs.frame import Frame, FrameWriter
from lithify.codecs.raw.stored import Stored
from lithify.codecs.raw.zstd import Zstd, ZstdParams
from lithify.crashpoints import crashpoint
from lithify.errors import BadArgument, DigestMismatch, LithifyError, NotFound, StoreUnavailable, TooLarge
from lithify.store import reserve
from lithify.store.blobs import Stage
from lithify.store.encodings import NewBlob, NewEncoding
from lithify.store.names import collection_name, object_name
from lithify.store.put import Put, check_conditions
from lithify.store.views import Receipt
from lithify.workers.kinds import look

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

STAGING_LEVEL = 1
"""zstd level of the staged copy: 0.5 GB/s a core on logs, and within a tenth of level 3's ratio."""
SAMPLE_BYTES = 64 * limits.KIB
_OUTSTANDING_MAX = limits.COMMIT_GROUP_MAX


@dataclass(frozen=True, slots=True)
class PutItem:
    """One file of many to put."""

    collection: str
    name: str
    path: Path
    contract: str | None = None
    effort: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class PutFailure:
    """Why one of many was not put."""

    item: PutItem
    error: LithifyError


class _Staging:
    """Where the staged frame is written: memory while it is small, then a file of its own."""

    def __init__(self, archive: "Archive", small_bytes: int) -> None:
        self._archive = archive
        self._small_bytes = small_bytes
        self._small = bytearray()
        self._stage: Stage | None = None

    def write(self, data: bytes) -> int:
        if self._stage is None and len(self._small) + len(data) <= self._small_bytes:
            self._small += data
        else:
            if self._stage is None:
                self._stage = self._archive.blobs.stage()
                self._stage.write(bytes(self._small))
                self._small.clear()
            self._stage.write(data)
        return len(data)

    def commit(self) -> NewBlob:
        return NewBlob.small(bytes(self._small)) if self._stage is None else NewBlob(self._stage.commit())

    def abort(self) -> None:
        if self._stage is not None:
            self._stage.abort()


class Ingest:
    """One object on its way in. Use as a context manager: leaving without a commit forgets everything."""

    SMALL_BYTES: ClassVar[int] = limits.SMALL_BYTES
    """Staged frames up to this share a pack."""

    def __init__(
        self,
        archive: "Archive",
        collection: str,
        name: str,
        *,
        contract: str | None = None,
        effort: str | None = None,
        model: str | None = None,
        content_type: str | None = None,
        digest: str | None = None,
        length: int | None = None,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        if_none_match: bool = False,
    ) -> None:
        """Check the wishes before a byte is read.

        contract          spelling of the contract; the collection's policy decides when None
        model             the language model that is to tell it: its SHA-256, or its name (see ModelFolder.named)
        digest, length    what the sender announced; `commit` refuses anything else
        idempotency_key   the same key and bytes give the same receipt, however often they are sent
        if_match          digest that the object must have now ("*": any); if_none_match: it must not exist
        """
        self._archive = archive
        self._announced = (digest.lower() if digest else None, length)
        self._wishes: dict[str, Any] = {
            "contract": str(Contract.parse(contract)) if contract else None,
            "effort": check_effort(effort) if effort else None,
            "model": archive.models.named(model) if model else None,
            "content_type": _content_type(content_type),
            "idempotency_key": _idempotency_key(idempotency_key),
            "if_match": if_match,
            "if_none_match": if_none_match,
        }
        self._collection, self._name = collection, name
        if idempotency_key is None:  # else the answer may have been given, and the object be as it was asked for then
            self._check_conditions(if_match, if_none_match=if_none_match)
        reserve.refuse_if_short(archive.folder)
        crashpoint("ingest.before_stage")
        self._staging = _Staging(archive, self.SMALL_BYTES)
        crashpoint("ingest.after_stage")
        self._frame = FrameWriter(self._staging, hashing=False)
        self._zstd = Zstd(ZstdParams(level=STAGING_LEVEL))
        self._sinks = (self._frame.sink(self._zstd), self._frame.sink(Stored()))
        self._digest = hashlib.sha256()
        self._hasher: ThreadPoolExecutor | None = None
        self._length = 0
        self._sample = b""
        self._rest = bytearray()
        self._encode_seconds = 0.0

    def _check_conditions(self, if_match: str | None, *, if_none_match: bool) -> None:
        if if_match is None and not if_none_match:
            return
        try:
            current: str | None = self._archive.stat(self._collection, self._name).digest
        except NotFound:
            current = None
        check_conditions(current, if_match, if_none_match=if_none_match)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take in the next bytes; blocks while they are hashed and compressed."""
        if len(self._sample) < SAMPLE_BYTES:
            self._sample += bytes(data[: SAMPLE_BYTES - len(self._sample)])
        self._length += len(data)
        if self._length > limits.UPLOAD_BYTES_MAX:
            raise TooLarge(f"{self._collection}/{self._name} has more than {limits.UPLOAD_BYTES_MAX} bytes")
        if not self._rest and len(data) == limits.STAGE_CHUNK_BYTES:
            self._chunk(data)
            return
        self._rest += data
        while len(self._rest) >= limits.STAGE_CHUNK_BYTES:
            self._chunk(bytes(self._rest[: limits.STAGE_CHUNK_BYTES]))
            del self._rest[: limits.STAGE_CHUNK_BYTES]

    def _chunk(self, block: bytes | bytearray | memoryview) -> None:
        crashpoint("ingest.before_stream")
        hashed = self._hash(block)
        started = time.perf_counter()
        payload = self._zstd.encode_block(block)
        zstd, stored = self._sinks
        if len(payload) < len(block):
            zstd.chunk(payload, block)
        else:
            stored.chunk(block, block)
        self._encode_seconds += time.perf_counter() - started
        hashed()
        crashpoint("ingest.after_stream")

    def _hash(self, block: bytes | bytearray | memoryview) -> Callable[[], object]:
        """Take a block into the digest; a full one beside its compression. Call what is given back to wait for it.

        One after the other made a large put 0.85 times as fast as SHA-256 and zstd alone; side by side it is 1.0.
        """
        if len(block) < limits.STAGE_CHUNK_BYTES:
            self._digest.update(block)
            return lambda: None
        if self._hasher is None:
            self._hasher = ThreadPoolExecutor(1, thread_name_prefix="hash")
        return self._hasher.submit(self._digest.update, block).result

    def finish(self) -> Put:
        """Make the bytes durable in the cellar and give the change that will make them known."""
        if self._rest:
            self._chunk(bytes(self._rest))
        self._check_announced()
        digest = self._digest.digest()
        frame = self._frame.finish(digest=digest)
        kind = look(self._sample, self._name, self._length)
        return self._change(
            collection=self._collection,
            name=self._name,
            digest=digest.hex(),
            length=self._length,
            staged=self._encoding(self._staging.commit(), frame),
            kind=kind.kind,
            queue=kind.queue,
            is_text=kind.queue == "text",
            effort_default=self._archive.effort,
            **self._wishes,
        )

    def _change(self, **facts: Any) -> Put:
        return Put(**facts)

    def _encoding(self, blob: NewBlob, frame: Frame) -> NewEncoding:
        formats = [entry.format for entry in frame.formats] or [Stored.facts.format]
        names = {codec.facts.format: codec.facts.id for codec in (Zstd, Stored)}
        return NewEncoding(
            blob=blob,
            codec="+".join(names[format_] for format_ in formats),
            format="+".join(str(format_) for format_ in formats),
            fidelity=str(EXACT),
            route={"reason": f"staged with zstd level {STAGING_LEVEL} until a worker finds the densest form"},
            original_bytes=self._length,
            encode_seconds=self._encode_seconds,
        )

    def _check_announced(self) -> None:
        crashpoint("ingest.before_digest")
        digest, length = self._announced
        where = f"{self._collection}/{self._name}"
        if length is not None and length != self._length:
            raise DigestMismatch(f"{where}: {length} bytes were announced, {self._length} were received")
        if digest is not None and digest != self._digest.hexdigest():
            raise DigestMismatch(f"{where}: SHA-256 {digest} was announced, {self._digest.hexdigest()} was received")
        crashpoint("ingest.after_digest")

    def submit(self) -> "Future[Receipt]":
        """Hand over to the group commit; the future gives the receipt."""
        return self._archive.commits.submit(self.finish())

    def commit(self) -> Receipt:
        """Finish and wait for the receipt. Raises DigestMismatch, PreconditionFailed, Conflict, OutOfSpace ..."""
        return self.submit().result()

    def abort(self) -> None:
        """Forget everything; nothing is left behind."""
        if self._hasher is not None:
            self._hasher.shutdown(wait=False)
        self._staging.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


def _content_type(text: str | None) -> str | None:
    if text is not None and (len(text.encode()) > limits.CONTENT_TYPE_BYTES_MAX or not text.isprintable()):
        raise BadArgument(
            f"content type {text[:80]!r}: expected at most {limits.CONTENT_TYPE_BYTES_MAX} printable bytes"
        )
    return text


def _idempotency_key(text: str | None) -> str | None:
    if text is not None and not (1 <= len(text) <= 255 and text.isprintable()):
        raise BadArgument(f"idempotency key {text[:80]!r}: expected 1 to 255 printable characters")
    return text


def ingest_many(archive: "Archive", items: Iterable[PutItem]) -> Iterator[Receipt | PutFailure]:
    """Read files one after another while the group commit makes earlier ones durable."""
    waiting: deque[tuple[PutItem, Future[Receipt]]] = deque()
    for item in items:
        try:
            waiting.append((item, _submit_file(archive, item)))
        except LithifyError as error:
            yield PutFailure(item, error)
        while waiting and (waiting[0][1].done() or len(waiting) >= _OUTSTANDING_MAX):
            yield _answer(*waiting.popleft())
    while waiting:
        yield _answer(*waiting.popleft())


def _answer(item: PutItem, future: "Future[Receipt]") -> Receipt | PutFailure:
    try:
        return future.result()
    except LithifyError as error:
        return PutFailure(item, error)


def _submit_file(archive: "Archive", item: PutItem) -> "Future[Receipt]":
    collection, name = collection_name(item.collection), object_name(item.name)
    with Ingest(archive, collection, name, contract=item.contract, effort=item.effort, model=item.model) as ingest:
        try:
            with item.path.open("rb", buffering=0) as file:
                while block := file.read(limits.STAGE_CHUNK_BYTES):
                    ingest.write(block)
        except FileNotFoundError as error:
            raise NotFound(f"there is no file {item.path}") from error
        except OSError as error:
            raise StoreUnavailable(f"cannot read {item.path}: {error.strerror}") from error
        return ingest.submit()
