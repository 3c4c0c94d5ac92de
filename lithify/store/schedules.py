"""Schedules: which kind of job comes due when, by cron in UTC, and the transaction that makes a due time a job.

A due time becomes at most one job: the job's (schedule, due_at) is unique, and the schedule moves on in the same
transaction. What came due while nothing ran collapses into one job, for the last due time.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from lithify.errors import BadName, NotFound
from lithify.store import cron, jobs
from lithify.store.clock import DatabaseNow, read_clock
from lithify.store.tables import Fact, Job, Schedule
from lithify.store.views import ScheduleView

_OFFERED = "default_schedules"
"""The fact that names every default this archive ever had, so that one which was removed stays away."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class DefaultSchedule:
    """A schedule that a new archive has from the start."""

    name: str
    kind: str
    cron: str
    args: dict[str, Any] = field(default_factory=dict)


def list_schedules(connection: Connection) -> list[ScheduleView]:
    """All schedules by name."""
    rows = connection.execute(select(*Schedule.__table__.c).order_by(Schedule.name))
    return [_view(row) for row in rows]


def get(connection: Connection, name: str) -> ScheduleView:
    """One schedule. Raises NotFound."""
    found = connection.execute(select(*Schedule.__table__.c).where(Schedule.name == name)).one_or_none()
    if found is None:
        raise NotFound(f"there is no schedule {name!r}")
    return _view(found)


def put(
    connection: Connection,
    name: str,
    kind: str,
    cron_line: str,
    args: dict[str, Any],
    now: float,
    *,
    enabled: bool = True,
) -> dict[str, Any]:
    """Make a schedule, or change the one of that name; gives the facts for its record.

    Raises BadName, or BadArgument naming the field of the cron line that is wrong.
    """
    if not _NAME.fullmatch(name):
        raise BadName(f"schedule {name[:80]!r}: expected 1 to 64 of a-z 0-9 . _ - beginning with a letter or digit")
    cron.check(cron_line)
    facts = {"name": name, "kind": kind, "cron": cron_line, "args": args, "enabled": enabled}
    restore(connection, facts, now)
    return facts


def remove(connection: Connection, name: str, now: float) -> dict[str, Any]:
    """Remove a schedule, for good even if it is a default; gives the facts for its record. Raises NotFound."""
    get(connection, name)
    facts = {"name": name, "removed": True}
    restore(connection, facts, now)
    return facts


def restore(connection: Connection, facts: dict[str, Any], now: float) -> None:
    """Make true what the facts of a schedule record say; it next comes due after `now`."""
    name = facts["name"]
    _remember_offered(connection, [name])
    if facts.get("removed"):
        connection.execute(delete(Schedule).where(Schedule.name == name))
        return
    columns = {**facts, "next_due_at": cron.next_due(facts["cron"], now)}
    if connection.execute(update(Schedule).where(Schedule.name == name).values(columns)).rowcount == 0:
        connection.execute(insert(Schedule).values({**columns, "last_due_at": None}))


def missing_defaults(connection: Connection, defaults: Iterable[DefaultSchedule]) -> list[DefaultSchedule]:
    """The defaults that this archive never had."""
    offered = _offered(connection)
    return [default for default in defaults if default.name not in offered]


def install(connection: Connection, defaults: Iterable[DefaultSchedule]) -> None:
    """Add the defaults that this archive never had, once; a schedule already there under such a name stays."""
    now = read_clock(connection)
    missing = missing_defaults(connection, defaults)
    taken = set(connection.scalars(select(Schedule.name)))
    for default in missing:
        if default.name not in taken:
            put(connection, default.name, default.kind, default.cron, default.args, now)
    _remember_offered(connection, [default.name for default in missing])


def due(connection: Connection) -> list[str]:
    """The names of schedules that have come due."""
    return list(connection.scalars(select(Schedule.name).where(_due()).order_by(Schedule.next_due_at)))


def fire(connection: Connection, name: str, queue: str) -> int | None:
    """Turn the last due time into a job and move on; gives the job's id, None when it has one already."""
    found = connection.execute(select(*Schedule.__table__.c).where(Schedule.name == name, _due())).one_or_none()
    if found is None:
        return None
    now = read_clock(connection)
    due_at = cron.last_due(found.cron, now)
    moved = connection.execute(
        update(Schedule)
        .where(Schedule.name == name, Schedule.next_due_at == found.next_due_at)
        .values(next_due_at=cron.next_due(found.cron, now), last_due_at=due_at)
    )
    clock_was_wrong = found.last_due_at is not None and found.last_due_at > now
    if moved.rowcount == 0 or clock_was_wrong or _has_job(connection, name, due_at):
        return None
    return jobs.defer(connection, kind=found.kind, queue=queue, args=found.args, schedule=name, due_at=due_at)


def _due() -> ColumnElement[bool]:
    """Due; or last due in what is now the future: the clock was ahead then, and the next time must be set anew."""
    return Schedule.enabled & ((Schedule.next_due_at <= DatabaseNow()) | (Schedule.last_due_at > DatabaseNow()))


def _has_job(connection: Connection, name: str, due_at: float) -> bool:
    return connection.scalar(select(Job.id).where(Job.schedule == name, Job.due_at == due_at)) is not None


def _offered(connection: Connection) -> set[str]:
    return set((connection.scalar(select(Fact.value).where(Fact.name == _OFFERED)) or "").split())


def _remember_offered(connection: Connection, names: Iterable[str]) -> None:
    before = _offered(connection)
    value = " ".join(sorted(before.union(names)))
    if connection.execute(update(Fact).where(Fact.name == _OFFERED).values(value=value)).rowcount == 0:
        connection.execute(insert(Fact).values(name=_OFFERED, value=value))


def _view(row: Row[Any]) -> ScheduleView:
    return ScheduleView(**row._mapping)
