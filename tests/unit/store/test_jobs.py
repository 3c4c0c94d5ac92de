"""The jobs table as people and other tables see it."""

import pytest
from sqlalchemy import select, update

from lithify.errors import Conflict, NotFound
from lithify.store import claims, jobs
from lithify.store.catalog import Catalog
from lithify.store.clock import read_clock
from lithify.store.tables import Job, Revision
from tests.catalog_rows import add_encoding, add_object


def test_a_deferred_job_waits_from_now_by_the_databases_clock(catalog: Catalog) -> None:
    with catalog.writing() as connection:
        before = read_clock(connection)
        job_id = jobs.defer(connection, kind="encode", queue="logs", revision_id="r1", priority=3, args={"a": 1})
        view = jobs.get(connection, job_id)
    assert ("encode", "logs", "waiting", 3, "r1", {"a": 1}) == (
        view.kind,
        view.queue,
        view.state,
        view.priority,
        view.revision,
        view.args,
    )
    assert before <= view.run_at == view.created_at < before + 5
    assert (0, 0.0, None, None, False) == (
        view.attempt,
        view.progress,
        view.error,
        view.finished_at,
        view.cancel_requested,
    )


def test_a_job_deferred_in_a_transaction_that_fails_never_existed(catalog: Catalog) -> None:
    def fail() -> None:
        with catalog.writing() as connection:
            jobs.defer(connection, kind="encode", queue="logs")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with catalog.reading() as connection:
        assert [] == jobs.list_jobs(connection)


def test_a_rows_columns_are_those_of_the_table(catalog: Catalog) -> None:
    row = jobs.new_row(kind="encode", queue="logs", now=1.0)
    assert {column.name for column in Job.__table__.columns} - {"id"} == set(row)


def test_no_error_is_no_value_rather_than_a_json_null(catalog: Catalog) -> None:
    with catalog.writing() as connection:
        jobs.defer(connection, kind="encode", queue="logs")
        assert connection.scalar(select(Job.id).where(Job.error.is_(None), Job.result.is_(None))) is not None


def test_jobs_are_listed_newest_first_and_by_state(catalog: Catalog) -> None:
    with catalog.writing() as connection:
        first, second, third = (jobs.defer(connection, kind="encode", queue="logs") for _ in range(3))
        jobs.cancel(connection, second)
        assert [third, second, first] == [view.id for view in jobs.list_jobs(connection)]
        assert [third, first] == [view.id for view in jobs.list_jobs(connection, state="waiting")]
        assert [third] == [view.id for view in jobs.list_jobs(connection, limit=1)]


def test_jobs_are_counted_by_queue_and_state(catalog: Catalog) -> None:
    with catalog.writing() as connection:
        jobs.cancel(connection, jobs.defer(connection, kind="encode", queue="logs"))
        jobs.defer(connection, kind="encode", queue="text")
        jobs.defer(connection, kind="encode", queue="text")
        assert [("logs", "cancelled", 1), ("text", "waiting", 2)] == jobs.counts(connection)


def test_a_revision_is_unsettled_while_a_job_of_it_waits_or_runs(catalog: Catalog) -> None:
    with catalog.writing() as connection:
        for revision in ("waits", "waits", "runs", "cancelled"):
            jobs.defer(connection, kind="encode", queue=revision, revision_id=revision)
        claims.claim(connection, ["runs"], "worker")
        jobs.cancel(connection, 4)
        many = [f"unknown {number}" for number in range(1100)]
        assert 2 == jobs.count_unsettled(connection, ["waits", *many, "runs", "cancelled"])
        assert 0 == jobs.count_unsettled(connection, [])


def test_revisions_whose_jobs_were_lost_are_found(catalog: Catalog) -> None:
    with catalog.writing() as connection:
        lost = {add_object(connection, f"lost {number}", length=number + 1) for number in range(3)}
        queued, proved, gone = (add_object(connection, name) for name in ("queued", "proved", "gone"))
        jobs.cancel(connection, jobs.defer(connection, kind="encode", queue="logs", revision_id=queued))
        add_encoding(connection, proved, stored=1, verified_at=5.0)
        connection.execute(update(Revision).where(Revision.id == gone).values(deleted_at=5.0))
        found = jobs.revisions_without_job(connection, 10)
        assert 2 == len(jobs.revisions_without_job(connection, 2))
    assert lost == {revision for revision, _, _, _ in found}
    assert [(1, "log"), (2, "log"), (3, "log")] == sorted((length, kind) for _, length, kind, _ in found)


class TestCancel:
    """Changing one's mind."""

    def test_ends_a_waiting_job_at_once(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            view = jobs.cancel(connection, jobs.defer(connection, kind="encode", queue="logs"))
            assert [] == claims.claim(connection, ["logs"], "worker")
        assert "cancelled" == view.state
        assert view.finished_at is not None

    def test_asks_the_worker_of_a_running_job(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            jobs.defer(connection, kind="encode", queue="logs")
            (claim,) = claims.claim(connection, ["logs"], "worker")
            view = jobs.cancel(connection, claim.id)
            (renewal,) = claims.renew(connection, [claim])
        assert ("running", True) == (view.state, view.cancel_requested)
        assert claims.Renewal(held=True, cancel_requested=True) == renewal

    def test_refuses_a_job_that_has_ended(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            job_id = jobs.defer(connection, kind="encode", queue="logs")
            jobs.cancel(connection, job_id)
            with pytest.raises(Conflict, match=f"job {job_id} is cancelled"):
                jobs.cancel(connection, job_id)

    def test_refuses_a_job_that_never_was(self, catalog: Catalog) -> None:
        with catalog.writing() as connection, pytest.raises(NotFound, match="no job 99"):
            jobs.cancel(connection, 99)


class TestRetry:
    """Another chance."""

    @pytest.mark.parametrize("ending", ["failed", "quarantined", "cancelled"])
    def test_gives_an_ended_job_a_full_set_of_tries_and_a_newer_token(
        self, catalog: Catalog, ending: claims.Ending
    ) -> None:
        with catalog.writing() as connection:
            jobs.defer(connection, kind="encode", queue="logs")
            (claim,) = claims.claim(connection, ["logs"], "worker")
            claims.end(connection, claim, ending, NotFound("gone"))
            view = jobs.retry(connection, claim.id)
            (again,) = claims.claim(connection, ["logs"], "worker")
        assert ("waiting", None, {"code": "not_found", "message": "gone"}) == (view.state, view.finished_at, view.error)
        assert (1, 2) == (again.tries, again.attempt)

    def test_ends_the_wait_between_two_tries(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            later = read_clock(connection) + 1000
            job_id = jobs.defer(connection, kind="encode", queue="logs", run_at=later)
            assert [] == claims.claim(connection, ["logs"], "worker")
            jobs.retry(connection, job_id)
            assert [job_id] == [claim.id for claim in claims.claim(connection, ["logs"], "worker")]

    def test_lifts_a_cancellation(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            job_id = jobs.defer(connection, kind="encode", queue="logs")
            jobs.cancel(connection, job_id)
            jobs.retry(connection, job_id)
            (claim,) = claims.claim(connection, ["logs"], "worker")
            assert claims.Renewal(held=True, cancel_requested=False) == claims.renew(connection, [claim])[0]

    def test_refuses_a_job_that_runs_or_is_done(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            jobs.defer(connection, kind="encode", queue="logs")
            (claim,) = claims.claim(connection, ["logs"], "worker")
            with pytest.raises(Conflict, match="is running"):
                jobs.retry(connection, claim.id)
            claims.finish(connection, claim, {})
            with pytest.raises(Conflict, match="is done"):
                jobs.retry(connection, claim.id)
