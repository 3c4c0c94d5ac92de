"""The embedded queue between real processes: nothing shared, nothing lost, nobody late gets through."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from lithify.store import jobs, schedules
from lithify.store.catalog import Catalog
from lithify.store.clock import read_clock
from lithify.store.tables import Job, Schedule
from lithify.workers.queue_sqlite import SqliteQueue

ROOT = Path(__file__).parents[3]
LEASE_SECONDS = 0.4

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(catalog: Catalog) -> Iterator[Start]:
    with ExitStack() as closing:

        def run(what: str, *arguments: object) -> "subprocess.Popen[str]":
            command = [sys.executable, "-m", "tests.queue_process", what, str(catalog.path), *map(str, arguments)]
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            closing.enter_context(process)
            closing.callback(process.kill)
            return process

        yield run


def answer(process: "subprocess.Popen[str]") -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def tell(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def together(*processes: "subprocess.Popen[str]") -> list[Any]:
    """Let processes that are ready begin at the same moment; gives what each of them answers."""
    assert ["ready"] * len(processes) == [answer(process) for process in processes]
    for process in processes:
        tell(process)
    return [answer(process) for process in processes]


def test_two_processes_claiming_1000_jobs_never_share_one(catalog: Catalog, start: Start) -> None:
    with catalog.writing() as connection:
        rows = [jobs.new_row(kind="encode", queue=("logs", "text")[n % 2], now=1.0) for n in range(1000)]
        connection.execute(insert(Job), rows)
        made = connection.scalars(select(Job.id)).all()
    first, second = together(start("drain"), start("drain"))
    assert sorted(made) == sorted(job for job, _ in first + second)
    assert {1} == {attempt for _, attempt in first + second}
    assert first
    assert second
    with catalog.reading() as connection:
        assert 1000 == connection.scalar(select(func.count()).where(Job.state == "done"))


def test_a_worker_stopped_past_its_lease_is_fenced(catalog: Catalog, start: Start) -> None:
    with catalog.writing() as connection:
        job_id = jobs.defer(connection, kind="encode", queue="logs")
    sleeper = start("hold", LEASE_SECONDS)
    assert job_id == answer(sleeper)
    sleeper.send_signal(signal.SIGSTOP)
    queue = SqliteQueue(catalog)
    claim = wait_for_claim(queue)
    with catalog.writing() as connection:
        queue.finish(connection, claim, {"by": "another"})
    tell(sleeper)
    sleeper.send_signal(signal.SIGCONT)
    assert "fenced" == answer(sleeper)
    with catalog.reading() as connection:
        assert {"by": "another"} == jobs.get(connection, job_id).result


def test_a_stopped_worker_whose_job_nobody_took_may_still_finish(catalog: Catalog, start: Start) -> None:
    with catalog.writing() as connection:
        jobs.defer(connection, kind="encode", queue="logs")
    sleeper = start("hold", LEASE_SECONDS)
    answer(sleeper)
    time.sleep(2 * LEASE_SECONDS)
    tell(sleeper)
    assert "done" == answer(sleeper)


def test_the_job_of_a_killed_worker_is_free_again_within_two_leases(catalog: Catalog, start: Start) -> None:
    with catalog.writing() as connection:
        job_id = jobs.defer(connection, kind="encode", queue="logs")
    victim = start("hold", 1.0)
    answer(victim)
    victim.kill()
    killed = time.monotonic()
    claim = wait_for_claim(SqliteQueue(catalog))
    assert (job_id, 2) == (claim.id, claim.attempt)
    assert time.monotonic() - killed < 2 * 1.0


def test_two_schedulers_never_fire_one_due_time_twice(catalog: Catalog, start: Start) -> None:
    with catalog.writing() as connection:
        for number in range(20):
            schedules.put(connection, f"schedule-{number}", "scrub", "* * * * *", {}, read_clock(connection))
        connection.execute(update(Schedule).values(next_due_at=60.0))
    fired = [job for jobs_of_one in together(start("fire"), start("fire")) for job in jobs_of_one]
    with catalog.reading() as connection:
        rows = connection.execute(select(Job.schedule, Job.due_at)).all()
    # A minute may end during the test; then a schedule has rightly fired for both minutes.
    assert len(fired) == len(rows) == len(set(rows))
    assert 20 == len({schedule for schedule, _ in rows})


def wait_for_claim(queue: SqliteQueue) -> Any:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if claims := queue.claim(["logs"], "another"):
            return claims[0]
        time.sleep(0.02)
    raise AssertionError("the job never became free")
