"""Bytes between client and server, hashed on the way: what leaves is what the receipt names, what comes is whole."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from io import SEEK_END, SEEK_SET
from types import TracebackType
from typing import TYPE_CHECKING, Self

from lithify.api import headers
from lithify.api.remote import BLOCK_BYTES, Remote
from lithify.errors import Corrupt, DigestMismatch, StoreUnavailable

if TYPE_CHECKING:
    import httpx

    from lithify.api.service import Body
    from lithify.store.views import ObjectView


class Outgoing:
    """A body on its way out; one that can be wound back may be sent again."""

    def __init__(self, body: "Body") -> None:
        self._body = body
        self._start = _position(body)
        self._digest = hashlib.sha256()

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent a second time."""
        return self._start is not None or isinstance(self._body, list | tuple)

    def length(self) -> int | None:
        """Bytes still to come; None when nobody knows."""
        if self._start is None:
            return None
        return int(self._body.seek(0, SEEK_END)) - self._start  # type: ignore[union-attr] # it has a position

    def blocks(self) -> Iterator[bytes]:
        """All of it, from where it stood at first, hashed as it passes."""
        self._digest = hashlib.sha256()
        if self._start is not None:
            self._body.seek(self._start, SEEK_SET)  # type: ignore[union-attr] # so it has this too
        for block in _blocks(self._body):
            self._digest.update(block)
            yield block

    def compare(self, digest: str) -> None:
        """Raise DigestMismatch unless the server kept what was sent."""
        if digest != self._digest.hexdigest():
            raise DigestMismatch(f"SHA-256 {self._digest.hexdigest()} was sent; the receipt says {digest}")


def _position(body: "Body") -> int | None:
    try:
        return body.tell() if body.seekable() else None  # type: ignore[union-attr] # asked for, not assumed
    except (AttributeError, OSError):
        return None


def _blocks(body: "Body") -> Iterable[bytes]:
    read = getattr(body, "read", None)
    return body if read is None else iter(lambda: read(BLOCK_BYTES), b"")


class Incoming:
    """The bytes of a remote object, or a range of them. Iterate once, inside a `with`."""

    def __init__(self, remote: Remote, answer: "httpx.Response", stat: "Callable[[str], ObjectView]") -> None:
        self._remote, self._answer, self._stat = remote, answer, stat
        self.start, self.length = _extent(answer)
        self.end = self.start + self.length

    @cached_property
    def view(self) -> "ObjectView":
        """The object at the revision being read; asked for when looked at."""
        return self._stat(self._answer.headers["lithify-revision"])

    def __iter__(self) -> Iterator[bytes]:
        """The bytes; of a whole object the last block comes only when all of it has the right digest."""
        expected = headers.digest_of(self._answer.headers.get("repr-digest"))
        digest = hashlib.sha256()
        held = b""
        for block in self._remote.blocks(self._answer):
            if held:
                yield held
            digest.update(block)
            held = block
        if self._answer.status_code == 200 and expected not in {None, digest.hexdigest()}:
            raise Corrupt(f"SHA-256 {digest.hexdigest()} arrived; the server says {expected}")
        if held:
            yield held

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._answer.close()


class IncomingSlice:
    """A file that a server makes of a slice. Iterate once, inside a `with`."""

    def __init__(self, remote: Remote, answer: "httpx.Response") -> None:
        self._remote, self._answer = remote, answer
        _, self.length = _extent(answer)

    def __iter__(self) -> Iterator[bytes]:
        """The bytes. Raises StoreUnavailable when fewer come than were announced."""
        return self._remote.blocks(self._answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._answer.close()


def _extent(answer: "httpx.Response") -> tuple[int, int]:
    try:
        length = int(answer.headers["content-length"])
        span = answer.headers.get("content-range", "bytes 0-").removeprefix("bytes ")
        return int(span.partition("-")[0]), length
    except (KeyError, ValueError) as error:
        raise StoreUnavailable("the server's answer has no Content-Length, or a malformed Content-Range") from error


class Nothing:
    """A range of no bytes, which HTTP cannot express."""

    def __init__(self, view: "ObjectView", at: int) -> None:
        self.view, self.start, self.end, self.length = view, at, at, 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to let go of."""
