"""Jobs that nobody is about to take, as those see it who wait for them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, update

from lithify import limits
from lithify.store import claims, jobs
from lithify.store.catalog import Catalog
from lithify.store.put import MODELS_QUEUE
from lithify.store.tables import Job
from lithify.store.unserved import unsettled
from lithify.store.views import Lane, Unsettled

MODEL = "f" * 64


@pytest.fixture
def connection(catalog: Catalog) -> Iterator[Connection]:
    with catalog.writing() as opened:
        yield opened


def defer(connection: Connection, queue: str = "logs", revision: str | None = None, **columns: object) -> int:
    return jobs.defer(connection, kind="encode", queue=queue, revision_id=revision, **columns)


def claim(connection: Connection, queue: str) -> None:
    assert claims.claim(connection, [queue], "worker")


def started_later(connection: Connection, job_id: int) -> None:
    """As if it had been claimed well after everything else came."""
    connection.execute(update(Job).where(Job.id == job_id).values(started_at=Job.started_at + 5, run_at=Job.run_at + 1))


def test_nothing_is_left_of_what_has_no_job(connection: Connection) -> None:
    assert Unsettled(0) == unsettled(connection, ["unknown"])


def test_what_waits_while_nothing_runs_is_unserved_by_queue_and_model(connection: Connection) -> None:
    defer(connection, revision="a")
    defer(connection, MODELS_QUEUE, revision="b", args={"model": MODEL})
    lanes = (Lane("gpu", MODEL), Lane("logs", None))
    assert Unsettled(2, lanes) == unsettled(connection, ["a", "b", *map(str, range(1100))])


def test_what_runs_is_served_and_so_is_all_that_is_waited_for_with_it(connection: Connection) -> None:
    defer(connection, "text", revision="a")
    defer(connection, revision="b")
    claim(connection, "text")
    assert Unsettled(2) == unsettled(connection, ["a", "b"])


def test_what_is_not_yet_due_may_still_be_taken(connection: Connection) -> None:
    defer(connection, revision="a", run_at=1e12)
    assert Unsettled(1) == unsettled(connection, ["a"])


def test_who_does_the_like_will_come_to_it(connection: Connection) -> None:
    defer(connection)
    waits = defer(connection, revision="a")
    claim(connection, "logs")
    started_later(connection, waits - 1)
    assert Unsettled(1) == unsettled(connection, ["a"])


def test_who_was_busy_when_it_came_may_come_to_it(connection: Connection) -> None:
    defer(connection, "text", priority=-1)
    claim(connection, "text")
    defer(connection, revision="a", run_at=claims_begin(connection) + 1e-3)
    assert Unsettled(1) == unsettled(connection, ["a"])


def claims_begin(connection: Connection) -> float:
    return max(job.started_at or 0 for job in jobs.list_jobs(connection))


def test_who_took_what_goes_first_may_come_to_it(connection: Connection) -> None:
    defer(connection, revision="a")
    first = defer(connection, "text", priority=1)
    claim(connection, "text")
    started_later(connection, first)
    assert Unsettled(1) == unsettled(connection, ["a"])


def test_who_passed_it_over_does_not_serve_it(connection: Connection) -> None:
    defer(connection, revision="a")
    later = defer(connection, "text")
    claim(connection, "text")
    started_later(connection, later)
    assert Unsettled(1, (Lane("logs", None),)) == unsettled(connection, ["a"])


def test_who_fell_silent_serves_nothing(connection: Connection) -> None:
    defer(connection, revision="a")
    claim(connection, "logs")
    assert Unsettled(1) == unsettled(connection, ["a"])
    connection.execute(update(Job).values(lease_until=Job.lease_until - limits.LEASE_SECONDS_MAX))
    assert Unsettled(1, (Lane("logs", None),)) == unsettled(connection, ["a"])
