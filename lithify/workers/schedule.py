"""Upkeep by the clock: the kinds of job that may be scheduled, the schedules a new archive has, and the firing."""

from lithify.crashpoints import crashpoint
from lithify.errors import BadArgument
from lithify.workers.queue import DefaultSchedule, Queue

QUEUE = "upkeep"

KINDS = ("scrub", "sweep", "reencode", "retention", "report")

# At odd minutes, apart from each other and from the full hours at which everybody else's work begins.
DEFAULTS = (
    DefaultSchedule("scrub-daily", "scrub", "17 2 * * *"),
    DefaultSchedule("retention-daily", "retention", "43 3 * * *"),
    DefaultSchedule("sweep-daily", "sweep", "11 4 * * *"),
    DefaultSchedule("reencode-weekly", "reencode", "37 5 * * sun"),
    DefaultSchedule("report-daily", "report", "53 6 * * *"),
)


def check_kind(kind: str) -> None:
    """Raise BadArgument unless a job of this kind may be scheduled."""
    if kind not in KINDS:
        raise BadArgument(f"kind {kind[:80]!r}: expected one of {', '.join(KINDS)}")


def fire_due(queue: Queue) -> list[int]:
    """Make a job of every schedule that has come due; gives the jobs' ids. Any number of processes may call this."""
    fired = []
    for name in queue.due_schedules():
        crashpoint("schedule.before_fire")
        job_id = queue.fire(name, QUEUE)
        crashpoint("schedule.after_fire")
        if job_id is not None:
            fired.append(job_id)
    return fired
