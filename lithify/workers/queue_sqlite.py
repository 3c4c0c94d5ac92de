"""The embedded queue: one machine, any number of processes, on the catalog's own SQLite file."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from lithify import limits
from lithify.crashpoints import crashpoint
from lithify.errors import BadBytes, Cancelled, LithifyError, Refused
from lithify.store import claims, jobs, schedules
from lithify.store.catalog import Catalog
from lithify.store.claims import Claim, Renewal
from lithify.store.schedules import DefaultSchedule
from lithify.store.views import JobView
from lithify.workers.queue import NO_BATCHES


class SqliteQueue:
    """A Queue (see queue.py) on a catalog; it keeps nothing in memory."""

    def __init__(self, catalog: Catalog, *, lease_seconds: float = limits.LEASE_SECONDS) -> None:
        self._catalog = catalog
        self._lease_seconds = lease_seconds

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
        return jobs.defer(
            connection, kind=kind, queue=queue, priority=priority, revision_id=revision_id, args=args, run_at=run_at
        )

    def claim(
        self,
        queues: Collection[str],
        worker: str,
        *,
        limit: int = 1,
        together: Mapping[str, int] = NO_BATCHES,
        models: Collection[str] = (),
    ) -> list[Claim]:
        with self._catalog.reading() as connection:
            if not claims.claimable(connection, queues, models):
                return []
        crashpoint("work.before_claim")
        with self._catalog.writing() as connection:
            taken = claims.claim(
                connection,
                queues,
                worker,
                limit=limit,
                together=together,
                models=models,
                lease_seconds=self._lease_seconds,
            )
        crashpoint("work.after_claim")
        return taken

    def models_needed(self) -> list[str]:
        with self._catalog.reading() as connection:
            return claims.models_needed(connection)

    def renew(self, claim: Claim) -> Renewal:
        return self.renew_all([claim])[0]

    def renew_all(self, claims_held: Sequence[Claim]) -> list[Renewal]:
        with self._catalog.writing() as connection:
            return claims.renew(connection, claims_held, lease_seconds=self._lease_seconds)

    def progress(self, claim: Claim, fraction: float) -> None:
        with self._catalog.writing() as connection:
            claims.progress(connection, claim, fraction)

    def fence(self, connection: Connection, claim: Claim) -> None:
        claims.fence(connection, claim)

    def finish(self, connection: Connection, claim: Claim, result: dict[str, Any]) -> None:
        claims.finish(connection, claim, result)

    def fail(self, claim: Claim, error: LithifyError) -> None:
        with self._catalog.writing() as connection:
            ending = _ending(claim, error)
            if ending is None:
                claims.postpone(connection, claim, error, _backoff_seconds(claim))
            else:
                claims.end(connection, claim, ending, error)

    def release(self, claim: Claim) -> None:
        with self._catalog.writing() as connection:
            claims.release(connection, claim)

    def cancel(self, connection: Connection, job_id: int) -> JobView:
        return jobs.cancel(connection, job_id)

    def retry(self, connection: Connection, job_id: int) -> JobView:
        return jobs.retry(connection, job_id)

    def install(self, defaults: Iterable[DefaultSchedule]) -> None:
        offered = list(defaults)
        with self._catalog.reading() as connection:
            if not schedules.missing_defaults(connection, offered):
                return
        with self._catalog.writing() as connection:
            schedules.install(connection, offered)

    def due_schedules(self) -> list[str]:
        with self._catalog.reading() as connection:
            return schedules.due(connection)

    def fire(self, schedule: str, queue: str) -> int | None:
        with self._catalog.writing() as connection:
            return schedules.fire(connection, schedule, queue)


def _ending(claim: Claim, error: LithifyError) -> claims.Ending | None:
    """How a job ends after this error; None when another try may help."""
    if isinstance(error, Cancelled):
        return "cancelled"
    if isinstance(error, Refused):
        return "failed"
    if isinstance(error, BadBytes) or claim.tries >= limits.JOB_ATTEMPTS_MAX:
        return "quarantined"
    return None


def _backoff_seconds(claim: Claim) -> float:
    return limits.BACKOFF_SECONDS[min(claim.tries, len(limits.BACKOFF_SECONDS)) - 1]
