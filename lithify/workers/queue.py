"""The Queue protocol: work that is deferred inside the catalog's own transaction, and claimed under a lease.

The jobs table is the truth whatever carries the jobs: a claim is a lease that must be renewed, and a token that must
still be the newest when something is published. So a job delivered twice is harmless, and a lost one comes back.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

from lithify.errors import LithifyError
from lithify.store.claims import NO_BATCHES, Claim, Renewal
from lithify.store.schedules import DefaultSchedule
from lithify.store.views import JobView

__all__ = ["NO_BATCHES", "Claim", "DefaultSchedule", "Queue", "Renewal"]


class Queue(Protocol):
    """What workers and doors ask of a queue. Thread-safe.

    Functions that take a connection happen in that open transaction or not at all; the others are durable on return.
    Those that take a claim raise Fenced when another worker holds a newer token.
    """

    def defer(
        self,
        connection: Connection,
        *,
        kind: str,
        queue: str,
        priority: int = 0,
        revision_id: str | None = None,
        args: dict[str, Any] | None = None,
        run_at: float | None = None,
    ) -> int:
        """Queue a job and give its id. Higher priorities go first; `run_at` is by the database's clock."""
        ...

    def claim(
        self,
        queues: Collection[str],
        worker: str,
        *,
        limit: int = 1,
        together: Mapping[str, int] = NO_BATCHES,
        models: Collection[str] = (),
    ) -> list[Claim]:
        """Take up to `limit` jobs; or, when the first is of a kind in `together`, up to so many of that kind.

        models  SHA-256s of the language models at hand: jobs that need others are left to who has them
        """
        ...

    def models_needed(self) -> list[str]:
        """The SHA-256s of the language models that waiting jobs need."""
        ...

    def renew(self, claim: Claim) -> Renewal:
        """Prolong a lease. Never raises Fenced: the answer says whether the job is still held."""
        ...

    def renew_all(self, claims: Sequence[Claim]) -> list[Renewal]:
        """The same for many under one flush; answers in the order of the claims."""
        ...

    def progress(self, claim: Claim, fraction: float) -> None:
        """Tell how far a job is, from 0 to 1."""
        ...

    def fence(self, connection: Connection, claim: Claim) -> None:
        """Raise Fenced unless the claim is the newest; for the transaction that publishes what the job made."""
        ...

    def finish(self, connection: Connection, claim: Claim, result: dict[str, Any]) -> None:
        """Close a job that did its work, in the transaction that publishes it."""
        ...

    def fail(self, claim: Claim, error: LithifyError) -> None:
        """A try failed: there will be another after a while, or the job ends with the reason kept."""
        ...

    def release(self, claim: Claim) -> None:
        """Hand a job back unharmed, for anybody to take at once; the try does not count."""
        ...

    def cancel(self, connection: Connection, job_id: int) -> JobView:
        """End a waiting job; ask the worker of a running one to stop. Raises NotFound, Conflict."""
        ...

    def retry(self, connection: Connection, job_id: int) -> JobView:
        """Give a job that ended without success a full set of tries, from now. Raises NotFound, Conflict."""
        ...

    def install(self, defaults: Iterable[DefaultSchedule]) -> None:
        """Add the default schedules that this archive never had."""
        ...

    def due_schedules(self) -> list[str]:
        """The names of schedules that have come due."""
        ...

    def fire(self, schedule: str, queue: str) -> int | None:
        """Make a job of a due schedule and move it on; None when another process was faster."""
        ...
