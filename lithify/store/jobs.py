"""The jobs table as people and other tables see it: new work, how it goes, and changes of mind. Workers use claims.py.

waiting ──claim──► running ──finish──► done
   ▲                  │
   ├── postponed ─────┤   a try failed and another may help; or the worker fell silent, or is ending
   │                  └─────────────► failed        no try can help
   │                                  quarantined   every allowed try failed; the evidence is kept
   │                                  cancelled     also straight from waiting
   └────────── retry, asked for by a person ───────┘
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from lithify.errors import Conflict, NotFound
from lithify.store.clock import DatabaseNow, read_clock
from lithify.store.tables import Encoding, Job, Revision
from lithify.store.views import JobView

STATES = ("waiting", "running", "done", "failed", "quarantined", "cancelled")
UNSETTLED = ("waiting", "running")

IDS_PER_QUERY = 500  # bound values in one statement; SQLite takes 32,766, older PostgreSQL drivers fewer

_VIEW_COLUMNS = (
    Job.id,
    Job.kind,
    Job.queue,
    Job.state,
    Job.priority,
    Job.attempt,
    Job.revision_id.label("revision"),
    Job.progress,
    Job.args,
    Job.error,
    Job.result,
    Job.schedule,
    Job.due_at,
    Job.created_at,
    Job.started_at,
    Job.finished_at,
    Job.run_at,
    Job.cancel_requested,
)


_INSERT = insert(Job).returning(Job.id)


def new_row(
    *,
    kind: str,
    queue: str,
    now: float,
    priority: int = 0,
    revision_id: str | None = None,
    args: dict[str, Any] | None = None,
    run_at: float | None = None,
    schedule: str | None = None,
    due_at: float | None = None,
) -> dict[str, Any]:
    """The columns, but for the id, of a job that waits: until `run_at`, or for nothing."""
    return {
        "kind": kind,
        "queue": queue,
        "priority": priority,
        "state": "waiting",
        "revision_id": revision_id,
        "args": args or {},
        "attempt": 0,
        "tries": 0,
        "worker": None,
        "lease_until": None,
        "run_at": now if run_at is None else run_at,
        "progress": 0.0,
        "cancel_requested": False,
        "error": None,
        "result": None,
        "schedule": schedule,
        "due_at": due_at,
        "created_at": now,
        "started_at": None,
        "finished_at": None,
    }


def defer(connection: Connection, *, kind: str, queue: str, **columns: Any) -> int:
    """Queue a job, true once the open transaction commits; `columns` as for `new_row`. Gives its id."""
    row = new_row(kind=kind, queue=queue, now=read_clock(connection), **columns)
    return connection.execute(_INSERT, row).scalar_one()


def get(connection: Connection, job_id: int) -> JobView:
    """One job. Raises NotFound."""
    found = connection.execute(select(*_VIEW_COLUMNS).where(Job.id == job_id)).one_or_none()
    if found is None:
        raise NotFound(f"there is no job {job_id}")
    return _view(found)


def list_jobs(connection: Connection, *, state: str | None = None, limit: int = 100) -> list[JobView]:
    """Jobs, newest first; of one state, or of all."""
    query = select(*_VIEW_COLUMNS).order_by(Job.id.desc()).limit(limit)
    if state is not None:
        query = query.where(Job.state == state)
    return [_view(row) for row in connection.execute(query)]


def counts(connection: Connection) -> list[tuple[str, str, int]]:
    """(queue, state, how many), read from the index alone."""
    rows = connection.execute(
        select(Job.queue, Job.state, func.count()).group_by(Job.state, Job.queue).order_by(Job.queue, Job.state)
    )
    return [(queue, state, count) for queue, state, count in rows]


def count_unsettled(connection: Connection, revision_ids: Sequence[str]) -> int:
    """How many of these revisions still have a job that waits or runs."""
    total = 0
    for start in range(0, len(revision_ids), IDS_PER_QUERY):
        some = Job.revision_id.in_(revision_ids[start : start + IDS_PER_QUERY])
        query = select(func.count(Job.revision_id.distinct())).where(some, Job.state.in_(UNSETTLED))
        total += int(connection.scalar(query) or 0)
    return total


def is_unsettled(connection: Connection, kind: str, args: dict[str, Any]) -> bool:
    """Whether a job of this kind with these arguments waits or runs."""
    query = select(Job.args).where(Job.kind == kind, Job.state.in_(UNSETTLED))
    return args in list(connection.scalars(query))


def revisions_without_job(connection: Connection, limit: int) -> list[tuple[str, int, str, str | None]]:
    """(revision, length, kind, model) of live revisions that no second process has proved and no job was ever about.

    There is none, unless jobs were lost: each revision commits together with its job.
    """
    has_job = select(Job.id).where(Job.revision_id == Revision.id).exists()
    rows = connection.execute(
        select(Revision.id, Revision.length, Revision.kind, Revision.model)
        .join(Encoding, (Encoding.revision_id == Revision.id) & (Encoding.state == "current"))
        .where(Revision.deleted_at.is_(None), Encoding.verified_at.is_(None), ~has_job)
        .limit(limit)
    )
    return [(revision, length, kind, model) for revision, length, kind, model in rows]


def cancel(connection: Connection, job_id: int) -> JobView:
    """End a waiting job now; ask the worker of a running one to stop. Raises NotFound, Conflict when it has ended."""
    waiting = (Job.id == job_id) & (Job.state == "waiting")
    running = (Job.id == job_id) & (Job.state == "running")
    ended = {"state": "cancelled", "cancel_requested": True, "finished_at": DatabaseNow()}
    changed = connection.execute(update(Job).where(waiting).values(ended)).rowcount
    changed += connection.execute(update(Job).where(running).values(cancel_requested=True)).rowcount
    view = get(connection, job_id)
    if not changed:
        raise Conflict(f"job {job_id} is {view.state}; only one that waits or runs can be cancelled")
    return view


def retry(connection: Connection, job_id: int) -> JobView:
    """Let a job that ended without success, or waits for its next try, run now, with a full set of tries.

    Raises NotFound, Conflict when it runs or is done.
    """
    again = {
        "state": "waiting",
        "tries": 0,
        "run_at": DatabaseNow(),
        "progress": 0.0,
        "cancel_requested": False,
        "finished_at": None,
    }
    allowed = Job.state.in_(("waiting", "failed", "quarantined", "cancelled"))
    changed = connection.execute(update(Job).where(Job.id == job_id, allowed).values(again)).rowcount
    view = get(connection, job_id)
    if not changed:
        raise Conflict(f"job {job_id} is {view.state}; only one that waits or ended without success can be retried")
    return view


def _view(row: Row[Any]) -> JobView:
    return JobView(**row._mapping)
