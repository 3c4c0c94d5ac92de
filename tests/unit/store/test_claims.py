"""The jobs table as workers see it: claims, leases, tokens."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, delete, event, select, update

from lithify import limits
from lithify.errors import Fenced, NotFound, TimedOut
from lithify.store import claims, jobs
from lithify.store.catalog import Catalog
from lithify.store.claims import Claim
from lithify.store.clock import read_clock
from lithify.store.tables import Job
from tests.catalog_rows import end_lease


def defer(connection: Connection, **columns: Any) -> int:
    return jobs.defer(connection, **{"kind": "encode", "queue": "logs", **columns})


def claim_one(connection: Connection, worker: str = "worker") -> Claim:
    (claim,) = claims.claim(connection, ["logs"], worker)
    return claim


def take_over(connection: Connection, claim: Claim) -> Claim:
    """What happens to a paused worker's job."""
    end_lease(connection, claim.id)
    return claim_one(connection, "another")


def publish(catalog: Catalog, claim: Claim) -> None:
    with catalog.writing() as connection:
        defer(connection, kind="published")
        claims.fence(connection, claim)


class TestClaim:
    """Which job comes first."""

    def test_prefers_priority_then_the_longest_due_then_the_first_made(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            now = read_clock(connection)
            late = defer(connection, run_at=now - 1)
            early = defer(connection, run_at=now - 9)
            twin = defer(connection, run_at=now - 9)
            urgent = defer(connection, queue="text", priority=5)
            someday = defer(connection, priority=-1, run_at=now - 99)
            taken = [claims.claim(connection, ["logs", "text"], "worker")[0].id for _ in range(5)]
        assert [urgent, early, twin, late, someday] == taken

    def test_takes_as_many_as_asked_in_the_same_order(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            made = [defer(connection, priority=priority) for priority in (1, 3, 2)]
            taken = claims.claim(connection, ["logs"], "worker", limit=2)
        assert [made[1], made[2]] == [claim.id for claim in taken]

    def test_looks_only_at_the_queues_asked_for(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            defer(connection, queue="gpu")
            assert [] == claims.claim(connection, ["logs", "text"], "worker")
            assert [] == claims.claim(connection, [], "worker")
            assert not claims.claimable(connection, ["logs"])
            assert claims.claimable(connection, ["logs", "gpu"])

    def test_leaves_jobs_alone_until_they_are_due(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            defer(connection, run_at=read_clock(connection) + 60)
            assert not claims.claimable(connection, ["logs"])
            assert [] == claims.claim(connection, ["logs"], "worker")

    def test_takes_many_of_a_kind_when_the_first_is_of_that_kind(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            for kind in ("small", "encode", "small", "small"):
                defer(connection, kind=kind)
            defer(connection, kind="small", queue="text")
            taken = [claims.claim(connection, ["logs", "text"], "worker", together={"small": 3}) for _ in range(4)]
        assert [["small"] * 3, ["encode"], ["small"], []] == [[claim.kind for claim in each] for each in taken]

    def test_gives_each_claim_a_newer_token(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            defer(connection, args={"a": [1]}, revision_id="r")
            first = claim_one(connection)
            second = take_over(connection, first)
        assert ("r", {"a": [1]}) == (first.revision_id, first.args)
        assert [1, 2] == [first.attempt, second.attempt]

    def test_never_takes_what_another_holds(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            defer(connection)
            claim_one(connection)
            assert not claims.claimable(connection, ["logs"])
            assert [] == claims.claim(connection, ["logs"], "another")

    def test_reads_the_index_of_waiting_jobs_and_no_row_more(self, catalog: Catalog) -> None:
        statements: list[tuple[str, Any]] = []
        with catalog.writing() as connection:
            for _ in range(3):
                defer(connection)

            def note(connection: Any, cursor: Any, sql: str, values: Any, context: Any, many: bool) -> None:
                statements.append((sql, values))

            event.listen(connection, "before_cursor_execute", note)
            claim_one(connection)
            event.remove(connection, "before_cursor_execute", note)
            (sql, values) = next(found for found in statements if "LIMIT" in found[0])
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
        assert any("INDEX ix_jobs_claim (state=? AND queue=?)" in step for step in plan), plan
        assert not any("TEMP B-TREE" in step for step in plan), plan


class TestLease:
    """Time, by the database's clock."""

    def test_lasts_as_long_as_asked(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            job_id = defer(connection)
            before = read_clock(connection)
            claims.claim(connection, ["logs"], "worker", lease_seconds=7)
            until = connection.scalar(select(Job.lease_until).where(Job.id == job_id))
        assert until is not None
        assert before + 7 <= until < before + 12

    def test_ended_makes_the_job_claimable_again(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            defer(connection)
            first = claim_one(connection)
            end_lease(connection, first.id)
            assert claims.claimable(connection, ["logs"])
            second = claim_one(connection, "another")
        assert (first.id, 2) == (second.id, second.tries)

    def test_from_a_clock_gone_wrong_does_not_hold_a_job_for_years(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            defer(connection)
            first = claim_one(connection)
            connection.execute(update(Job).values(lease_until=read_clock(connection) + 10 * 365 * 86400))
            assert first.id == claim_one(connection, "another").id

    def test_is_not_moved_by_the_workers_own_clock(self, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
        with catalog.writing() as connection:
            defer(connection)
            claim = claim_one(connection)
            for seconds in (0.0, 4e9):
                monkeypatch.setattr(time, "time", lambda stepped=seconds: stepped)
                assert claims.renew(connection, [claim])[0].held
                assert [] == claims.claim(connection, ["logs"], "another")

    def test_renewed_keeps_others_away(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            defer(connection)
            claim = claim_one(connection)
            end_lease(connection, claim.id)
            assert claims.Renewal(held=True, cancel_requested=False) == claims.renew(connection, [claim])[0]
            assert [] == claims.claim(connection, ["logs"], "another")

    def test_renewing_tells_of_every_claim_whether_it_is_held(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            for _ in range(3):
                defer(connection)
            lost, held, cancelled = claims.claim(connection, ["logs"], "worker", limit=3)
            take_over(connection, lost)
            jobs.cancel(connection, cancelled.id)
            answers = claims.renew(connection, [lost, held, cancelled])
        assert [(False, False), (True, False), (True, True)] == [(one.held, one.cancel_requested) for one in answers]

    def test_longer_than_a_clock_gone_wrong_is_our_own_mistake(self, catalog: Catalog) -> None:
        with catalog.writing() as connection, pytest.raises(AssertionError):
            claims.claim(connection, ["logs"], "worker", lease_seconds=limits.LEASE_SECONDS_MAX + 1)


ENDINGS: dict[str, Callable[[Connection, Claim], None]] = {
    "fence": claims.fence,
    "progress": lambda connection, claim: claims.progress(connection, claim, 0.5),
    "finish": lambda connection, claim: claims.finish(connection, claim, {}),
    "end": lambda connection, claim: claims.end(connection, claim, "failed", NotFound("gone")),
    "postpone": lambda connection, claim: claims.postpone(connection, claim, TimedOut(), 1),
    "release": claims.release,
}


class TestFencing:
    """A worker that was paused too long changes nothing."""

    @pytest.mark.parametrize("name", ENDINGS)
    def test_a_stale_token_is_fenced_and_changes_nothing(self, catalog: Catalog, name: str) -> None:
        with catalog.writing() as connection:
            defer(connection)
            stale = claim_one(connection)
            newer = take_over(connection, stale)
            before = jobs.get(connection, stale.id)
            with pytest.raises(Fenced, match=rf"job {stale.id} is running at attempt 2 \(last worker another\)"):
                ENDINGS[name](connection, stale)
            assert before == jobs.get(connection, stale.id)
            ENDINGS[name](connection, newer)

    @pytest.mark.parametrize("name", ENDINGS)
    def test_a_job_that_ended_is_closed_to_its_own_claim_too(self, catalog: Catalog, name: str) -> None:
        with catalog.writing() as connection:
            defer(connection)
            claim = claim_one(connection)
            claims.finish(connection, claim, {})
            with pytest.raises(Fenced, match="is done"):
                ENDINGS[name](connection, claim)

    def test_a_job_that_was_removed_is_fenced(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            defer(connection)
            claim = claim_one(connection)
            connection.execute(delete(Job))
            with pytest.raises(Fenced, match="was removed"):
                claims.fence(connection, claim)

    def test_publishing_under_a_stale_token_undoes_the_whole_publication(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            defer(connection)
            stale = claim_one(connection)
            take_over(connection, stale)
        with pytest.raises(Fenced):
            publish(catalog, stale)
        with catalog.reading() as connection:
            assert ["encode"] == [job.kind for job in jobs.list_jobs(connection)]


class TestEndings:
    """What becomes of a job."""

    def test_finish_keeps_the_result_and_forgets_the_error(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            defer(connection)
            claims.postpone(connection, claim_one(connection), TimedOut("slow"), 0)
            claim = claim_one(connection)
            claims.progress(connection, claim, 0.25)
            assert 0.25 == jobs.get(connection, claim.id).progress
            claims.finish(connection, claim, {"codec": "raw.zstd"})
            view = jobs.get(connection, claim.id)
        assert ("done", 1.0, None, {"codec": "raw.zstd"}) == (view.state, view.progress, view.error, view.result)
        assert view.finished_at is not None

    def test_postpone_waits_and_keeps_the_reason(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            defer(connection)
            claim = claim_one(connection)
            claims.postpone(connection, claim, TimedOut("slow"), 60)
            view = jobs.get(connection, claim.id)
            assert [] == claims.claim(connection, ["logs"], "worker")
            assert 50 < view.run_at - read_clock(connection) <= 60
        assert ("waiting", {"code": "timed_out", "message": "slow"}) == (view.state, view.error)

    def test_release_hands_back_at_once_without_spending_a_try(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            defer(connection)
            first = claim_one(connection)
            claims.release(connection, first)
            second = claim_one(connection)
        assert (1, 1) == (first.tries, second.tries)
        assert (1, 2) == (first.attempt, second.attempt)

    def test_a_cancelled_job_is_not_run_again_when_it_is_handed_back(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            defer(connection)
            claim = claim_one(connection)
            jobs.cancel(connection, claim.id)
            claims.release(connection, claim)
            view = jobs.get(connection, claim.id)
            assert [] == claims.claim(connection, ["logs"], "worker")
        assert "cancelled" == view.state
        assert view.finished_at is not None

    def test_a_cancelled_job_is_cancelled_even_when_its_worker_falls_silent_on_the_last_try(
        self, catalog: Catalog
    ) -> None:
        with catalog.writing() as connection:
            defer(connection)
            claim = claim_one(connection)
            jobs.cancel(connection, claim.id)
            connection.execute(update(Job).values(tries=limits.JOB_ATTEMPTS_MAX))
            end_lease(connection, claim.id)
            assert [] == claims.claim(connection, ["logs"], "worker")
            assert "cancelled" == jobs.get(connection, claim.id).state

    def test_a_job_that_silences_its_workers_is_quarantined_and_others_go_on(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            poison, healthy = defer(connection, priority=1), defer(connection)
            for _ in range(limits.JOB_ATTEMPTS_MAX):
                claim = claim_one(connection, "victim")
                assert poison == claim.id
                end_lease(connection, poison)
            assert healthy == claim_one(connection).id
            view = jobs.get(connection, poison)
        assert "quarantined" == view.state
        assert {"code": "codec_crashed", "message": "worker victim fell silent on try 3"} == view.error
