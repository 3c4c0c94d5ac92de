"""`lithify scrub` and `lithify sweep`: one run of an upkeep job, now, followed to its end."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from lithify.api.commands.job import show_job
from lithify.api.commands.session import Session, json_option, open_service
from lithify.api.commands.values import FRACTION
from lithify.errors import BY_CODE, Cancelled, Corrupt, LithifyError

if TYPE_CHECKING:
    from lithify.api.service import Service
    from lithify.store.views import JobView

_POLL_SECONDS = 0.1
_DETACH = click.option("--detach", is_flag=True, help="Queue the job and return at once.")


@click.command()
@click.option("--fraction", type=FRACTION, help="Share of all bytes; else 1/30.")
@_DETACH
@json_option
@click.pass_obj
def scrub(session: Session, fraction: float | None, detach: bool) -> None:
    """Read stored bytes again and mend what can be mended.

    What was checked longest ago is read first, so that in the end everything is.
    """
    _run(session, "scrub", {} if fraction is None else {"fraction": fraction}, detach=detach)


@click.command()
@_DETACH
@json_option
@click.pass_obj
def sweep(session: Session, detach: bool) -> None:
    """Remove what nothing refers to and whose grace has passed."""
    _run(session, "sweep", {}, detach=detach)


def _run(session: Session, kind: str, args: dict[str, Any], *, detach: bool) -> None:
    with open_service(session) as service:
        job = service.start_upkeep(kind, args)
        if not detach:
            with _hands(session, service):
                job = _follow(session, service, job)
    show_job(session, job)
    if not detach:
        _judge(session, job)


@contextmanager
def _hands(session: Session, service: "Service") -> Iterator[None]:
    """A worker in this process for a local archive; a server has its own."""
    if session.settings.url is not None:
        yield
        return
    from lithify.workers.archive import Archive
    from lithify.workers.loop import Worker
    from lithify.workers.schedule import QUEUE

    if not isinstance(service, Archive):
        raise TypeError(f"a local service should be an Archive, found {type(service).__name__}")
    worker = Worker(service, (QUEUE,))
    thread = threading.Thread(target=worker.run, name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


def _follow(session: Session, service: "Service", job: "JobView") -> "JobView":
    with session.out.progress(job.kind, 1.0, unit="share") as advance:
        while job.state in {"waiting", "running"}:
            time.sleep(_POLL_SECONDS)
            job = service.job(job.id)
            advance(job.progress)
    return job


def _judge(session: Session, job: "JobView") -> None:
    """The exit code says what the job found."""
    if job.state == "cancelled":
        session.failed(Cancelled(f"job {job.id} was cancelled"))
    elif job.state != "done":
        error = job.error or {}
        kind = BY_CODE.get(str(error.get("code")), LithifyError)
        session.failed(kind(str(error.get("message") or f"job {job.id} is {job.state}")))
    elif damaged := (job.result or {}).get("damaged"):
        session.failed(Corrupt(f"{len(damaged)} damaged blobs: {', '.join(damaged[:3])} ..."))
