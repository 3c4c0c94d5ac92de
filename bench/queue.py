"""Jobs deferred, claimed and finished a second, one by one and many together, beside the disk's own flush."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert

from bench.figures import table
from bench.program import workplace
from lithify.store import jobs
from lithify.store.catalog import Catalog
from lithify.store.tables import Job
from lithify.workers.queue_sqlite import SqliteQueue

QUEUES = ("logs", "text", "arrays", "media", "general", "upkeep")
BACKLOG = 100_000
BATCH = 64
SINGLE = 300


def main(arguments: list[str]) -> None:
    """Measure on a queue that already holds a backlog: claiming must not slow down with it."""
    del arguments
    with workplace() as work, Catalog(work / "catalog.sqlite") as catalog:
        catalog.migrate()
        queue = SqliteQueue(catalog)
        rows = [
            ("flush of one file, the bound of what follows", _rate(SINGLE, lambda: _flush(work / "flushed"))),
            ("defer, one a transaction", _rate(SINGLE, lambda: _defer(catalog, queue, 1))),
            (f"defer, {BATCH} a transaction", BATCH * _rate(50, lambda: _defer(catalog, queue, BATCH))),
            (f"insert of {BACKLOG:,} jobs at once", BACKLOG * _rate(1, lambda: _backlog(catalog))),
            ("claim and finish, one at a time", _rate(SINGLE, lambda: _work(catalog, queue, 1))),
            (f"claim and finish, {BATCH} at a time", BATCH * _rate(50, lambda: _work(catalog, queue, BATCH))),
            ("look of an idle worker", _rate(SINGLE, lambda: queue.claim(["gpu"], "bench"))),
            ("claim, one at a time", _rate(SINGLE, lambda: queue.claim(QUEUES, "bench"))),
            (f"claim, {BATCH} at a time", BATCH * _rate(10, lambda: queue.claim(QUEUES, "bench", limit=BATCH))),
        ]
    table((f"with {BACKLOG:,} jobs waiting", "a second"), ((name, f"{rate:,.0f}") for name, rate in rows))


def _rate(times: int, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(times):
        work()
    return times / (time.perf_counter() - started)


def _flush(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x" * 4096)
        os.fdatasync(file.fileno())


def _defer(catalog: Catalog, queue: SqliteQueue, count: int) -> None:
    with catalog.writing() as connection:
        for _ in range(count):
            queue.defer(connection, kind="encode", queue="logs")


def _backlog(catalog: Catalog) -> None:
    rows = [jobs.new_row(kind="encode", queue=QUEUES[n % 5], now=float(n)) for n in range(BACKLOG)]
    with catalog.writing() as connection:
        connection.execute(insert(Job), rows)


def _work(catalog: Catalog, queue: SqliteQueue, count: int) -> None:
    claims = queue.claim(QUEUES, "bench", limit=count)
    with catalog.writing() as connection:
        for claim in claims:
            queue.finish(connection, claim, {})


if __name__ == "__main__":
    main([])
