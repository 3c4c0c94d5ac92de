"""A worker process for tests of the queue: does one thing, and prints what came of it as one line of JSON.

drain PATH        on a line from stdin, claim and finish until nothing is left; prints [[job, attempt], ...]
hold PATH LEASE   claim one job and print its id; on a line from stdin, try to finish it; print what happened
fire PATH         on a line from stdin, fire what is due; prints the jobs' ids
"""

import json
import sys
from pathlib import Path
from typing import Any

from lithify.errors import Fenced
from lithify.store.catalog import Catalog
from lithify.workers.queue_sqlite import SqliteQueue
from lithify.workers.schedule import fire_due


def say(value: Any) -> None:
    print(json.dumps(value), flush=True)


def await_word() -> None:
    say("ready")
    sys.stdin.readline()


def drain(catalog: Catalog) -> None:
    queue = SqliteQueue(catalog)
    done = []
    await_word()
    while claims := queue.claim(["logs", "text"], "drainer", limit=20):
        with catalog.writing() as connection:
            for claim in claims:
                queue.finish(connection, claim, {})
        done += [[claim.id, claim.attempt] for claim in claims]
    say(done)


def hold(catalog: Catalog, lease_seconds: float) -> None:
    queue = SqliteQueue(catalog, lease_seconds=lease_seconds)
    (claim,) = queue.claim(["logs"], "holder")
    say(claim.id)
    sys.stdin.readline()
    try:
        with catalog.writing() as connection:
            queue.finish(connection, claim, {"by": "holder"})
    except Fenced as error:
        say(error.code)
    else:
        say("done")


def fire(catalog: Catalog) -> None:
    queue = SqliteQueue(catalog)
    await_word()
    say(fire_due(queue))


if __name__ == "__main__":
    what, path, *rest = sys.argv[1:]
    with Catalog(Path(path)) as opened:
        if what == "drain":
            drain(opened)
        elif what == "hold":
            hold(opened, float(rest[0]))
        else:
            fire(opened)
