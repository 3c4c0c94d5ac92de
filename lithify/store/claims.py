"""The jobs table as workers see it: a claim, its lease, and how it ends.

A claim is a compare-and-set that adds one to the job's `attempt`; that number is the claim's token. Every later
statement of the claim carries the token in its WHERE, so a worker that was paused past its lease, while another took
the job, changes nothing and is told so by Fenced. Leases are measured by the database's clock alone.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Float,
    Integer,
    Row,
    Update,
    bindparam,
    case,
    select,
    union_all,
    update,
)

from lithify import limits
from lithify.errors import CodecCrashed, Fenced, LithifyError
from lithify.store.clock import DatabaseNow
from lithify.store.put import MODELS_QUEUE
from lithify.store.tables import Job

Ending = Literal["failed", "quarantined", "cancelled"]

NO_BATCHES: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Claim:
    """One job, held by one worker until its lease ends."""

    id: int
    kind: str
    queue: str
    attempt: int
    """The fencing token."""
    tries: int
    """Which try this is, counted from 1; one that was handed back does not count."""
    revision_id: str | None
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a worker learns when it renews a lease."""

    held: bool
    """False: another worker has the job, or it was taken away; there is no point in going on."""
    cancel_requested: bool


# Statements are composed once, here: composing one takes thirty times as long as SQLite takes to run it.

_HELD = (Job.id == bindparam("claimed")) & (Job.attempt == bindparam("token")) & (Job.state == "running")

_STILL_HELD = select(Job.id).where(_HELD)

_TAKE = (
    update(Job)
    .where(Job.id.in_(bindparam("chosen", expanding=True)), Job.state == "waiting")
    .values(
        state="running",
        attempt=Job.attempt + 1,
        tries=Job.tries + 1,
        worker=bindparam("claimant"),
        lease_until=DatabaseNow() + bindparam("seconds", type_=Float),
        progress=0.0,
        started_at=DatabaseNow(),
    )
    .returning(Job.id, Job.kind, Job.queue, Job.attempt, Job.tries, Job.revision_id, Job.args)
)

_RENEW = (
    update(Job)
    .where(_HELD)
    .values(lease_until=DatabaseNow() + bindparam("seconds", type_=Float))
    .returning(Job.cancel_requested)
)

_PROGRESS = update(Job).where(_HELD).values(progress=bindparam("fraction"))

_FINISH = (
    update(Job)
    .where(_HELD)
    .values(
        state="done",
        progress=1.0,
        error=None,
        result=bindparam("outcome"),
        lease_until=None,
        finished_at=DatabaseNow(),
    )
)

_END = (
    update(Job)
    .where(_HELD)
    .values(state=bindparam("ending"), error=bindparam("why"), lease_until=None, finished_at=DatabaseNow())
)

# Waiting; or cancelled, if somebody asked for that while it ran.
_AGAIN = (
    update(Job)
    .where(_HELD)
    .values(
        state=case((Job.cancel_requested, "cancelled"), else_="waiting"),
        finished_at=case((Job.cancel_requested, DatabaseNow())),
        lease_until=None,
    )
)
_TAKE_BACK = _AGAIN.values(error=bindparam("why"))
_POSTPONE = _TAKE_BACK.values(run_at=DatabaseNow() + bindparam("seconds", type_=Float))
_RELEASE = _AGAIN.values(tries=Job.tries - 1, progress=0.0)

# Over; or further away than any lease reaches, written when the clock was wrong.
LEASE_ENDED = (Job.lease_until <= DatabaseNow()) | (Job.lease_until > DatabaseNow() + limits.LEASE_SECONDS_MAX)

_SILENT = select(Job.id, Job.attempt, Job.worker, Job.tries, Job.cancel_requested).where(
    Job.state == "running", LEASE_ENDED
)


# Few jobs ever need a model: the index finds those that wait in their queue.
MODEL_NEEDED = Job.args["model"].as_string()
_WAITS_FOR_MODEL = (Job.state == "waiting") & (Job.queue == MODELS_QUEUE) & MODEL_NEEDED.is_not(None)
_NEEDED = select(MODEL_NEEDED).where(_WAITS_FOR_MODEL).distinct()


def models_needed(connection: Connection) -> list[str]:
    """The SHA-256s of the language models that waiting jobs need."""
    return [str(model) for model in connection.scalars(_NEEDED)]


def claimable(connection: Connection, queues: Collection[str], models: Collection[str] = ()) -> bool:
    """Whether `claim` would do anything; a read, so that idle workers leave the writer alone."""
    return bool(_first_ready(connection, queues, 1, models) or connection.execute(_SILENT).first())


def claim(
    connection: Connection,
    queues: Collection[str],
    worker: str,
    *,
    limit: int = 1,
    together: Mapping[str, int] = NO_BATCHES,
    models: Collection[str] = (),
    lease_seconds: float = limits.LEASE_SECONDS,
) -> list[Claim]:
    """Take the jobs that come first: highest priority, then longest due.

    together  kinds worth doing many at a time: when the first job is of such a kind, up to so many of its
              kind are taken, and no others
    models    SHA-256s of the language models that the worker has: jobs that need others are left alone
    """
    assert 0 < lease_seconds <= limits.LEASE_SECONDS_MAX, "a longer lease would be taken for a clock gone wrong"
    _take_back(connection)
    ids = _choose(_first_ready(connection, queues, max((limit, *together.values())), models), limit, together)
    rows = connection.execute(_TAKE, {"chosen": ids, "claimant": worker, "seconds": lease_seconds})
    claims = {row.id: Claim(**row._mapping) for row in rows}
    return [claims[job_id] for job_id in ids if job_id in claims]


def _first_ready(
    connection: Connection, queues: Collection[str], limit: int, models: Collection[str]
) -> list[Row[Any]]:
    if not queues:
        return []
    bound = {"limit": limit} | ({"models": list(models)} if MODELS_QUEUE in queues else {})
    rows = connection.execute(_ready_query(tuple(queues)), bound).all()
    return sorted(rows, key=lambda job: (-job.priority, job.run_at, job.id))


@lru_cache(maxsize=16)
def _ready_query(queues: tuple[str, ...]) -> CompoundSelect[*tuple[Any, ...]]:
    """The first waiting jobs of each of these queues, by the index; to be merged."""
    each = [
        select(Job.id, Job.kind, Job.priority, Job.run_at)
        .where(Job.state == "waiting", Job.queue == queue, Job.run_at <= DatabaseNow(), *_only_with_model(queue))
        .order_by(Job.priority.desc(), Job.run_at, Job.id)
        .limit(bindparam("limit", type_=Integer))
        .subquery()
        for queue in queues
    ]
    return union_all(*(select(ready) for ready in each))


def _only_with_model(queue: str) -> list[ColumnElement[bool]]:
    if queue != MODELS_QUEUE:
        return []
    return [MODEL_NEEDED.is_(None) | MODEL_NEEDED.in_(bindparam("models", expanding=True))]


def _choose(ready: list[Row[Any]], limit: int, together: Mapping[str, int]) -> list[int]:
    if not ready or ready[0].kind not in together:
        return [job.id for job in ready[:limit]]
    kind = ready[0].kind
    return [job.id for job in ready if job.kind == kind][: together[kind]]


def _take_back(connection: Connection) -> None:
    """Settle running jobs whose worker fell silent: each such claim has cost a try."""
    for job in connection.execute(_SILENT).all():
        spent = job.tries >= limits.JOB_ATTEMPTS_MAX and not job.cancel_requested
        why = as_error(CodecCrashed(f"worker {job.worker} fell silent on try {job.tries}"))
        held = {"claimed": job.id, "token": job.attempt, "why": why}
        connection.execute(_END if spent else _TAKE_BACK, {**held, "ending": "quarantined"} if spent else held)


def renew(
    connection: Connection, claims: Iterable[Claim], *, lease_seconds: float = limits.LEASE_SECONDS
) -> list[Renewal]:
    """Prolong leases, also of those that ended while nobody else took the job; one answer per claim."""
    return [_renew(connection, claim, lease_seconds) for claim in claims]


def _renew(connection: Connection, claim: Claim, lease_seconds: float) -> Renewal:
    renewed = connection.execute(_RENEW, {**_held(claim), "seconds": lease_seconds}).one_or_none()
    return Renewal(held=False, cancel_requested=False) if renewed is None else Renewal(True, renewed[0])


def fence(connection: Connection, claim: Claim) -> None:
    """Raise Fenced unless the claim is still the job's newest; to be asked inside the transaction that publishes."""
    if connection.scalar(_STILL_HELD, _held(claim)) is None:
        raise _fenced(connection, claim)


def progress(connection: Connection, claim: Claim, fraction: float) -> None:
    """Note how far the job is, from 0 to 1. Raises Fenced."""
    _change(connection, _PROGRESS, claim, fraction=min(max(fraction, 0.0), 1.0))


def finish(connection: Connection, claim: Claim, result: dict[str, Any]) -> None:
    """The job is done. Raises Fenced."""
    _change(connection, _FINISH, claim, outcome=result)


def end(connection: Connection, claim: Claim, ending: Ending, error: LithifyError) -> None:
    """The job ends without success, and why. Raises Fenced."""
    _change(connection, _END, claim, ending=ending, why=as_error(error))


def postpone(connection: Connection, claim: Claim, error: LithifyError, seconds: float) -> None:
    """This try failed; another may begin after so many seconds. Raises Fenced."""
    _change(connection, _POSTPONE, claim, why=as_error(error), seconds=seconds)


def release(connection: Connection, claim: Claim) -> None:
    """Hand the job back unharmed: anybody may take it at once, and the try does not count. Raises Fenced."""
    _change(connection, _RELEASE, claim)


def as_error(error: LithifyError) -> dict[str, Any]:
    """An error as it is kept in a job's row."""
    return {"code": error.code, "message": error.message}


def _held(claim: Claim) -> dict[str, Any]:
    return {"claimed": claim.id, "token": claim.attempt}


def _change(connection: Connection, statement: Update, claim: Claim, **values: Any) -> None:
    if connection.execute(statement, {**_held(claim), **values}).rowcount == 0:
        raise _fenced(connection, claim)


def _fenced(connection: Connection, claim: Claim) -> Fenced:
    found = connection.execute(select(Job.state, Job.attempt, Job.worker).where(Job.id == claim.id)).one_or_none()
    if found is None:
        return Fenced(f"job {claim.id} was removed; attempt {claim.attempt} has nothing left to do")
    return Fenced(
        f"job {claim.id} is {found.state} at attempt {found.attempt} (last worker {found.worker}); "
        f"attempt {claim.attempt} came too late"
    )
