"""Schedules: once per due time, whatever happens."""

from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from lithify.errors import BadArgument, BadName, NotFound
from lithify.store import cron, jobs, schedules
from lithify.store.catalog import Catalog
from lithify.store.clock import read_clock
from lithify.store.schedules import DefaultSchedule
from lithify.store.tables import Job, Schedule

HOURLY = "13 * * * *"
DEFAULTS = (DefaultSchedule("scrub-daily", "scrub", "17 2 * * *", {"fraction": 0.01}),)


def put(connection: Connection, name: str = "nightly", line: str = HOURLY, **args: Any) -> dict[str, Any]:
    return schedules.put(connection, name, "scrub", line, args, read_clock(connection))


def set_due(connection: Connection, due_at: float) -> None:
    connection.execute(update(Schedule).values(next_due_at=due_at))


def due_times(connection: Connection) -> list[float | None]:
    return list(connection.scalars(select(Job.due_at).order_by(Job.id)))


class TestPut:
    """Making and changing."""

    def test_it_comes_due_at_the_next_time_after_now(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            put(connection, fraction=0.01)
            view = schedules.get(connection, "nightly")
            assert cron.next_due(HOURLY, read_clock(connection)) == view.next_due_at
        assert ("scrub", HOURLY, {"fraction": 0.01}, True, None) == (
            view.kind,
            view.cron,
            view.args,
            view.enabled,
            view.last_due_at,
        )

    def test_again_under_the_same_name_replaces_it(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            put(connection)
            put(connection, line="@daily")
            assert ["@daily"] == [view.cron for view in schedules.list_schedules(connection)]

    def test_a_bad_cron_line_changes_nothing(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            with pytest.raises(BadArgument, match="hour '99'"):
                put(connection, line="0 99 * * *")
            assert [] == schedules.list_schedules(connection)

    @pytest.mark.parametrize("name", ["", "Nightly", "two words", "-x", "a" * 65, "naïve"])
    def test_a_bad_name_is_refused(self, catalog: Catalog, name: str) -> None:
        with catalog.writing() as connection, pytest.raises(BadName, match="expected 1 to 64"):
            put(connection, name)

    def test_facts_bring_it_back_into_another_catalog(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            kept = put(connection, fraction=0.5)
            before = schedules.get(connection, "nightly")
            gone = schedules.remove(connection, "nightly", 0.0)
            assert {"name": "nightly", "removed": True} == gone
            schedules.restore(connection, kept, read_clock(connection))
            assert before == schedules.get(connection, "nightly")
            schedules.restore(connection, gone, 0.0)
            assert [] == schedules.list_schedules(connection)

    def test_removing_or_getting_what_is_not_there_is_not_found(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            with pytest.raises(NotFound, match="no schedule 'absent'"):
                schedules.remove(connection, "absent", 0.0)
            with pytest.raises(NotFound, match="no schedule 'absent'"):
                schedules.get(connection, "absent")


class TestFire:
    """From due time to job."""

    def test_makes_one_job_and_moves_on(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            put(connection, fraction=0.01)
            now = read_clock(connection)
            last, following = cron.last_due(HOURLY, now), cron.next_due(HOURLY, now)
            set_due(connection, last)
            assert ["nightly"] == schedules.due(connection)
            job_id = schedules.fire(connection, "nightly", "upkeep")
            assert job_id is not None
            job, view = jobs.get(connection, job_id), schedules.get(connection, "nightly")
            assert [] == schedules.due(connection)
            assert schedules.fire(connection, "nightly", "upkeep") is None
        assert ("scrub", "upkeep", "waiting", {"fraction": 0.01}) == (job.kind, job.queue, job.state, job.args)
        assert ("nightly", last) == (job.schedule, job.due_at)
        assert (last, following) == (view.last_due_at, view.next_due_at)

    def test_three_days_asleep_make_one_job_for_the_last_due_time(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            put(connection)
            now = read_clock(connection)
            set_due(connection, cron.last_due(HOURLY, now - 3 * 86400))
            schedules.fire(connection, "nightly", "upkeep")
            assert [cron.last_due(HOURLY, now)] == due_times(connection)
            assert [] == schedules.due(connection)

    def test_is_undone_with_its_transaction(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            put(connection)
            set_due(connection, 60.0)

        def fail() -> None:
            with catalog.writing() as connection:
                schedules.fire(connection, "nightly", "upkeep")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        with catalog.reading() as connection:
            assert ["nightly"] == schedules.due(connection)
            assert [] == due_times(connection)

    def test_a_disabled_schedule_never_comes_due(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            schedules.put(connection, "off", "scrub", HOURLY, {}, 0.0, enabled=False)
            set_due(connection, 60.0)
            assert [] == schedules.due(connection)
            assert schedules.fire(connection, "off", "upkeep") is None

    def test_a_clock_put_back_does_not_make_a_due_time_a_second_job(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            put(connection)
            set_due(connection, 60.0)
            schedules.fire(connection, "nightly", "upkeep")
            set_due(connection, 60.0)
            assert schedules.fire(connection, "nightly", "upkeep") is None
            assert 1 == len(due_times(connection))

    def test_a_clock_once_ten_years_ahead_does_not_silence_a_schedule(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            put(connection)
            now = read_clock(connection)
            ahead = now + 10 * 365 * 86400
            connection.execute(update(Schedule).values(last_due_at=ahead, next_due_at=ahead + 3600))
            assert ["nightly"] == schedules.due(connection)
            assert schedules.fire(connection, "nightly", "upkeep") is None
            assert cron.next_due(HOURLY, now) == schedules.get(connection, "nightly").next_due_at
            assert [] == schedules.due(connection)


class TestDefaults:
    """What a new archive has from the start."""

    def test_are_installed_once(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            assert list(DEFAULTS) == schedules.missing_defaults(connection, DEFAULTS)
            schedules.install(connection, DEFAULTS)
            schedules.install(connection, DEFAULTS)
            assert [] == schedules.missing_defaults(connection, DEFAULTS)
            assert [("scrub-daily", "scrub", {"fraction": 0.01})] == [
                (view.name, view.kind, view.args) for view in schedules.list_schedules(connection)
            ]

    def test_one_that_was_removed_stays_away(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            schedules.install(connection, DEFAULTS)
            schedules.remove(connection, "scrub-daily", 0.0)
            schedules.install(connection, DEFAULTS)
            assert [] == schedules.list_schedules(connection)

    def test_one_that_was_removed_stays_away_after_a_rebuild(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            schedules.restore(connection, {"name": "scrub-daily", "removed": True}, 0.0)
            schedules.install(connection, DEFAULTS)
            assert [] == schedules.list_schedules(connection)

    def test_one_that_was_changed_stays_changed(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            put(connection, "scrub-daily")
            schedules.install(connection, DEFAULTS)
            assert [HOURLY] == [view.cron for view in schedules.list_schedules(connection)]

    def test_a_new_release_brings_only_its_new_ones(self, catalog: Catalog) -> None:
        with catalog.writing() as connection:
            schedules.install(connection, DEFAULTS)
            schedules.remove(connection, "scrub-daily", 0.0)
            schedules.install(connection, (*DEFAULTS, DefaultSchedule("report-daily", "report", "@daily")))
            assert ["report-daily"] == [view.name for view in schedules.list_schedules(connection)]
