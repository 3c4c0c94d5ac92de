"""What can be asked of lithify, the same for an archive on this machine and for one behind REST.

`lithify.workers.archive.Archive` and `lithify.api.client.Client` both fit this; the command line is written against it
and never knows which of the two it talks to. Values come from lithify/store/views.py.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, Self

if TYPE_CHECKING:  # importing these brings the codecs and the catalog with it, which a remote call does not need
    from lithify.store.views import (
        ArraysView,
        CheckReport,
        ContentsView,
        JobView,
        KeyView,
        LikeView,
        ObjectView,
        PolicyView,
        Receipt,
        Report,
        ScheduleView,
        SurpriseView,
        TemplatesView,
        Verdict,
    )
    from lithify.workers.found import Found, Query
    from lithify.workers.frame_slices import Cut, Form
    from lithify.workers.ingest import PutFailure, PutItem

Body = BinaryIO | Iterable[bytes]


class Content(Protocol):
    """The bytes of an object, or a range of them, on their way out. Use as a context manager."""

    @property
    def view(self) -> "ObjectView":
        """The object, at the revision being read."""
        ...

    @property
    def start(self) -> int:
        """Offset of the first byte."""
        ...

    @property
    def end(self) -> int:
        """Offset after the last byte."""
        ...

    @property
    def length(self) -> int:
        """Bytes in this range."""
        ...

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, block by block, each checked before it is given. Raises rather than end early."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Sliced(Protocol):
    """A file on its way out. Use as a context manager."""

    length: int

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, block by block. Raises rather than end early."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Service(Protocol):
    """Every verb. All raise errors of lithify/errors.py and nothing else that a caller should catch."""

    def put(
        self,
        collection: str,
        name: str,
        body: Body,
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
    ) -> "Receipt":
        """Keep what `body` gives as a new revision; the receipt means that it is durable.

        model  the language model that is to tell it: its SHA-256, or what its file is called where the archive is
        """
        ...

    def append(
        self,
        collection: str,
        name: str,
        body: Body,
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
    ) -> "Receipt":
        """Go on behind what the object holds, or begin it; `digest` and `length` are of what `body` gives.

        The receipt is of the whole object, and its revision goes when something is appended behind it.
        """
        ...

    def put_many(self, items: "Iterable[PutItem]") -> "Iterator[Receipt | PutFailure]":
        """Put many files; answers come in no particular order."""
        ...

    def get(
        self, collection: str, name: str, *, revision: str | None = None, start: int = 0, end: int | None = None
    ) -> Content:
        """The bytes of an object, or `start` up to `end` of them."""
        ...

    def original(self, collection: str, name: str, *, revision: str | None = None) -> Content:
        """What was put in, for as long as a copy stands that has every byte, where something else comes back."""
        ...

    def stat(self, collection: str, name: str, revision: str | None = None) -> "ObjectView":
        """One object with all its encodings."""
        ...

    def list(self, collection: str, *, prefix: str = "", after: str = "", limit: int = ...) -> "Sequence[ObjectView]":
        """Objects of one collection by name, a page at a time."""
        ...

    def find(
        self,
        *,
        pattern: str | None = None,
        collection: str | None = None,
        kind: str | None = None,
        larger: int | None = None,
        smaller: int | None = None,
        newer: float | None = None,
        older: float | None = None,
    ) -> "Iterator[ObjectView]":
        """Objects anywhere; `pattern` is a glob on the name, times are seconds since 1970."""
        ...

    def collections(self) -> Sequence[str]: ...

    def search(self, collection: str, name: str, query: "Query", *, limit: int | None = None) -> "Iterator[Found]":
        """The lines that the query finds, up to `limit` in all, original by original in order of name.

        `name` is that of one object; with a `/` at the end, or empty, it means all whose names begin so; or it is a
        glob. What goes wrong with one original is told with it, and the others follow.
        """
        ...

    def templates(self, collection: str, name: str, *, most: int = ...) -> "TemplatesView":
        """The shapes that the lines of an object have, the most frequent first."""
        ...

    def contents(self, collection: str, name: str, *, revision: str | None = None) -> "ContentsView":
        """What the codec of an object found inside it, and what each thing takes now."""
        ...

    def surprise(
        self, collection: str, name: str, *, revision: str | None = None, by: str = ..., lines: int = ...
    ) -> "SurpriseView":
        """What the lines of an object cost under the model of texts, the most surprising first.

        by  what makes a line surprising: `excess`, `bits` or `rate` (SurpriseView)
        """
        ...

    def like(self, collection: str, name: str, *, among: str | None = None, limit: int = ...) -> "LikeView":
        """The objects that resemble one most, in a collection or everywhere."""
        ...

    def arrays(self, collection: str, name: str, *, revision: str | None = None) -> "ArraysView":
        """The variables of a file of arrays."""
        ...

    def slice(
        self, collection: str, name: str, wish: "Cut", form: "Form" = "netcdf", *, revision: str | None = None
    ) -> Sliced:
        """A part of its arrays, as a NetCDF or NumPy file."""
        ...

    def remove(self, collection: str, name: str, *, if_match: str | None = None) -> "ObjectView":
        """Take a name away; gives what was there."""
        ...

    def report(self) -> "Report": ...

    def verify(self, collection: str, name: str) -> "Verdict":
        """Decode one object whole and compare."""
        ...

    def check(self, *, read_data: bool = False) -> "CheckReport":
        """Compare catalog and cellar."""
        ...

    def start_upkeep(self, kind: str, args: dict[str, Any] | None = None) -> "JobView":
        """Queue scrub, sweep, reencode, retention or report."""
        ...

    def wait(
        self,
        revisions: Sequence[str],
        *,
        timeout: float | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Return once the jobs of these revisions have ended; `on_progress(done, all)`. Raises TimedOut."""
        ...

    def jobs(self, *, state: str | None = None, limit: int = 100) -> "Sequence[JobView]": ...

    def job(self, job_id: int) -> "JobView": ...

    def cancel_job(self, job_id: int) -> "JobView": ...

    def retry_job(self, job_id: int) -> "JobView": ...

    def policy(self, collection: str) -> "PolicyView": ...

    def set_policy(
        self,
        collection: str,
        *,
        contract: str | None = None,
        effort: str | None = None,
        codecs: Sequence[str] | None = None,
        model: str | None = None,
        keep_seconds: float | None = None,
        keep_revisions: int | None = None,
    ) -> "PolicyView":
        """Change what is given; None leaves a rule as it is. `model` is named as for `put`; empty: none."""
        ...

    def schedules(self) -> "Sequence[ScheduleView]": ...

    def add_schedule(self, name: str, kind: str, cron: str, args: dict[str, Any] | None = None) -> "ScheduleView":
        """Make a schedule, or change the one of that name."""
        ...

    def remove_schedule(self, name: str) -> None: ...

    def run_schedule(self, name: str) -> "JobView": ...

    def keys(self) -> "Sequence[KeyView]": ...

    def add_key(self, label: str, scopes: Sequence[str], expires_seconds: float | None = None) -> "tuple[KeyView, str]":
        """A new API key and its text, which is given only here."""
        ...

    def revoke_key(self, key_id: str) -> "KeyView": ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
