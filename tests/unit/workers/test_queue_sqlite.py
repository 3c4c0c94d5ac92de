"""The embedded queue's own decisions: what is tried again, when, and what is put aside."""

import pytest
from sqlalchemy import Connection, event

from lithify import limits
from lithify.errors import (
    Cancelled,
    CodecCrashed,
    Corrupt,
    Fenced,
    LithifyError,
    MissingExtra,
    NotFound,
    OutOfMemory,
    TimedOut,
)
from lithify.store import jobs, schedules
from lithify.store.catalog import Catalog
from lithify.store.clock import read_clock
from lithify.store.views import JobView
from lithify.workers.queue import Claim, DefaultSchedule, Queue
from lithify.workers.queue_sqlite import SqliteQueue
from tests.catalog_rows import end_lease, make_due


@pytest.fixture
def queue(catalog: Catalog) -> SqliteQueue:
    return SqliteQueue(catalog)


def defer(catalog: Catalog, queue: Queue) -> int:
    with catalog.writing() as connection:
        return queue.defer(connection, kind="encode", queue="logs")


def claim_one(queue: Queue) -> Claim:
    (claim,) = queue.claim(["logs"], "worker")
    return claim


def look(catalog: Catalog, job_id: int) -> JobView:
    with catalog.reading() as connection:
        return jobs.get(connection, job_id)


def seconds_until_due(catalog: Catalog, job_id: int) -> float:
    with catalog.reading() as connection:
        return jobs.get(connection, job_id).run_at - read_clock(connection)


def hurry(catalog: Catalog, job_id: int) -> None:
    with catalog.writing() as connection:
        make_due(connection, job_id)


def test_a_job_goes_from_defer_to_done(catalog: Catalog, queue: SqliteQueue) -> None:
    job_id = defer(catalog, queue)
    claim = claim_one(queue)
    assert queue.renew(claim).held
    queue.progress(claim, 0.5)
    with catalog.writing() as connection:
        queue.fence(connection, claim)
        queue.finish(connection, claim, {"won": 9})
    assert ("done", {"won": 9}) == (look(catalog, job_id).state, look(catalog, job_id).result)
    assert [] == queue.claim(["logs"], "worker")


def test_a_failing_job_is_tried_again_later_each_time_then_put_aside(catalog: Catalog, queue: SqliteQueue) -> None:
    job_id = defer(catalog, queue)
    waits = []
    for _ in range(limits.JOB_ATTEMPTS_MAX - 1):
        queue.fail(claim_one(queue), OutOfMemory("needed 9 GiB"))
        assert [] == queue.claim(["logs"], "worker")
        waits.append(seconds_until_due(catalog, job_id))
        hurry(catalog, job_id)
    assert all(wanted - 1 < wait <= wanted for wait, wanted in zip(waits, limits.BACKOFF_SECONDS, strict=False)), waits
    queue.fail(claim_one(queue), OutOfMemory("needed 9 GiB"))
    view = look(catalog, job_id)
    assert ("quarantined", {"code": "out_of_memory", "message": "needed 9 GiB"}) == (view.state, view.error)
    assert [] == queue.claim(["logs"], "worker")


def test_a_worker_that_died_has_spent_a_try(catalog: Catalog, queue: SqliteQueue) -> None:
    job_id = defer(catalog, queue)
    for _ in range(limits.JOB_ATTEMPTS_MAX - 1):
        claim_one(queue)
        with catalog.writing() as connection:
            end_lease(connection, job_id)
    queue.fail(claim_one(queue), CodecCrashed())
    assert "quarantined" == look(catalog, job_id).state


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (NotFound("revision gone"), "failed"),
        (MissingExtra("install lithify[media]"), "failed"),
        (Corrupt("blob flipped"), "quarantined"),
        (Cancelled("as asked"), "cancelled"),
        (TimedOut("slow"), "waiting"),
        (LithifyError("KeyError: 'x'"), "waiting"),
    ],
)
def test_only_an_error_that_may_pass_is_tried_again(
    catalog: Catalog, queue: SqliteQueue, error: LithifyError, state: str
) -> None:
    job_id = defer(catalog, queue)
    queue.fail(claim_one(queue), error)
    view = look(catalog, job_id)
    assert (state, {"code": error.code, "message": error.message}) == (view.state, view.error)


def test_a_job_handed_back_ten_times_still_has_all_its_tries(catalog: Catalog, queue: SqliteQueue) -> None:
    job_id = defer(catalog, queue)
    for _ in range(10):
        queue.release(claim_one(queue))
    queue.fail(claim_one(queue), TimedOut())
    assert "waiting" == look(catalog, job_id).state
    assert 11 == look(catalog, job_id).attempt


def test_late_failures_and_releases_are_fenced(catalog: Catalog, queue: SqliteQueue) -> None:
    job_id = defer(catalog, queue)
    stale = claim_one(queue)
    with catalog.writing() as connection:
        end_lease(connection, job_id)
    claim_one(queue)
    with pytest.raises(Fenced):
        queue.fail(stale, TimedOut())
    with pytest.raises(Fenced):
        queue.release(stale)
    with pytest.raises(Fenced):
        queue.progress(stale, 1)
    assert not queue.renew(stale).held


def test_many_leases_are_renewed_under_one_flush(catalog: Catalog, queue: SqliteQueue) -> None:
    for _ in range(20):
        defer(catalog, queue)
    held = queue.claim(["logs"], "worker", limit=20)
    commits = []

    def note(connection: Connection) -> None:
        commits.append(connection)

    event.listen(catalog._writers, "commit", note)
    assert 20 == sum(renewal.held for renewal in queue.renew_all(held))
    assert 1 == len(commits)


def test_an_idle_worker_does_not_wait_for_the_writer(catalog: Catalog, queue: SqliteQueue) -> None:
    with catalog.writing():
        assert [] == queue.claim(["logs"], "worker")


def test_cancel_and_retry_are_the_tables(catalog: Catalog, queue: SqliteQueue) -> None:
    job_id = defer(catalog, queue)
    with catalog.writing() as connection:
        assert "cancelled" == queue.cancel(connection, job_id).state
        assert "waiting" == queue.retry(connection, job_id).state


def test_defaults_are_installed_without_writing_when_there_is_nothing_new(catalog: Catalog, queue: SqliteQueue) -> None:
    defaults = (DefaultSchedule("scrub-daily", "scrub", "17 2 * * *"),)
    queue.install(defaults)
    with catalog.writing():
        queue.install(defaults)
    with catalog.reading() as connection:
        assert ["scrub-daily"] == [view.name for view in schedules.list_schedules(connection)]
