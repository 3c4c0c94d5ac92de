"""Which jobs nobody is about to take: what tells those who wait for them that they may wait for ever.

Workers are not written down anywhere, only what they hold. So a job that is due is *unserved* while nothing that runs
could be what keeps a worker from it. It may be taken a moment later: believe it when it stays so for a while.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Row, Select, cast, func, select

from lithify.store.claims import LEASE_ENDED, MODEL_NEEDED
from lithify.store.clock import DatabaseNow
from lithify.store.jobs import IDS_PER_QUERY, UNSETTLED, count_unsettled
from lithify.store.tables import Job
from lithify.store.views import Lane, Unsettled

_HELD = (Job.state == "running") & ~LEASE_ENDED
_UNDER_WAY = _HELD | (Job.run_at > DatabaseNow())
_LANE = Job.queue, MODEL_NEEDED.label("model"), Job.priority


@dataclass(frozen=True, slots=True)
class _Running:
    """A job that a worker holds."""

    lane: Lane
    priority: int
    run_at: float
    started_at: float

    def may_delay(self, row: Row[Any]) -> bool:
        """Whether its worker may yet take jobs like these: it does, or was busy when they came, or this went first."""
        went_first = (-self.priority, self.run_at) < (-row.priority, row.run_at)
        return self.lane == _lane(row) or self.started_at <= row.run_at or went_first


def unsettled(connection: Connection, revision_ids: Sequence[str]) -> Unsettled:
    """How many of these revisions have a job that has not ended; and their lanes, if nobody is about to take any."""
    count = count_unsettled(connection, revision_ids)
    if not count:
        return Unsettled(0)
    held = [_running(row) for row in connection.execute(_HELD_JOBS)]
    lanes: set[Lane] = set()
    for start in range(0, len(revision_ids), IDS_PER_QUERY):
        for row in connection.execute(_by_lane(revision_ids[start : start + IDS_PER_QUERY])):
            if row.under_way or any(job.may_delay(row) for job in held):
                return Unsettled(count)
            lanes.add(_lane(row))
    return Unsettled(count, tuple(sorted(lanes, key=str)))


_HELD_JOBS = select(*_LANE, Job.run_at, Job.started_at).where(_HELD)


def _by_lane(revision_ids: Sequence[str]) -> Select[Any]:
    """The last of the jobs of each lane and priority, and whether any of them runs or is not yet due."""
    under_way = func.max(cast(_UNDER_WAY, Integer)).label("under_way")
    return (
        select(*_LANE, func.max(Job.run_at).label("run_at"), under_way)
        .where(Job.revision_id.in_(revision_ids), Job.state.in_(UNSETTLED))
        .group_by(*_LANE)
    )


def _running(row: Row[Any]) -> _Running:
    return _Running(_lane(row), row.priority, row.run_at, row.started_at)


def _lane(row: Row[Any]) -> Lane:
    return Lane(row.queue, row.model)
