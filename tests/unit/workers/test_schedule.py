"""Upkeep by the clock."""

import pytest
from sqlalchemy import update

from lithify.errors import BadArgument
from lithify.store import cron, jobs, schedules
from lithify.store.catalog import Catalog
from lithify.store.tables import Schedule
from lithify.workers.queue_sqlite import SqliteQueue
from lithify.workers.schedule import DEFAULTS, KINDS, QUEUE, check_kind, fire_due


def test_every_kind_is_scheduled_by_default_under_a_cron_line_that_is_understood() -> None:
    for default in DEFAULTS:
        cron.check(default.cron)
        check_kind(default.kind)
    assert set(KINDS) == {default.kind for default in DEFAULTS}


def test_no_two_defaults_begin_in_the_same_hour_or_at_a_full_one() -> None:
    minutes = [int(default.cron.split()[0]) for default in DEFAULTS]
    hours = [default.cron.split()[1] for default in DEFAULTS]
    assert len(DEFAULTS) == len(set(hours))
    assert all(minute % 10 for minute in minutes)


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadArgument, match="expected one of scrub, sweep"):
        check_kind("encode")


def test_what_is_due_becomes_jobs_of_the_upkeep_queue_once(catalog: Catalog) -> None:
    queue = SqliteQueue(catalog)
    queue.install(DEFAULTS)
    assert [] == fire_due(queue)
    with catalog.writing() as connection:
        connection.execute(update(Schedule).where(Schedule.kind != "reencode").values(next_due_at=60.0))
    fired = fire_due(queue)
    assert [] == fire_due(queue)
    with catalog.reading() as connection:
        made = [jobs.get(connection, job_id) for job_id in fired]
        assert len(DEFAULTS) - 1 == len(jobs.list_jobs(connection))
        assert len(DEFAULTS) == len(schedules.list_schedules(connection))
    assert {"scrub", "sweep", "retention", "report"} == {job.kind for job in made}
    assert {QUEUE} == {job.queue for job in made}
