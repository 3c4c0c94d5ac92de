"""`lithify job`: the units of work, and how they go."""

from typing import TYPE_CHECKING

import click

from lithify.api.commands.describe import JOB_COLUMNS, job_row
from lithify.api.commands.session import Session, json_option, open_service
from lithify.api.commands.values import COUNT

if TYPE_CHECKING:
    from lithify.store.views import JobView

STATES = ("waiting", "running", "done", "failed", "quarantined", "cancelled")


@click.group()
def job() -> None:
    """See, cancel and retry jobs."""


@job.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only jobs in this state.")
@click.option("--limit", type=COUNT, default=100, show_default=True, help="At most so many, newest first.")
@json_option
@click.pass_obj
def list_(session: Session, state: str | None, limit: int) -> None:
    """List jobs, newest first."""
    with open_service(session) as service:
        show_jobs(session, list(service.jobs(state=state, limit=limit)))


@job.command()
@click.argument("job_id", type=COUNT, metavar="ID")
@json_option
@click.pass_obj
def show(session: Session, job_id: int) -> None:
    """Show one job."""
    with open_service(session) as service:
        show_job(session, service.job(job_id))


@job.command()
@click.argument("job_id", type=COUNT, metavar="ID")
@json_option
@click.pass_obj
def cancel(session: Session, job_id: int) -> None:
    """Cancel a job: a waiting one at once, a running one at its next heartbeat."""
    with open_service(session) as service:
        show_job(session, service.cancel_job(job_id))


@job.command()
@click.argument("job_id", type=COUNT, metavar="ID")
@json_option
@click.pass_obj
def retry(session: Session, job_id: int) -> None:
    """Give a job that ended without success another round of attempts."""
    with open_service(session) as service:
        show_job(session, service.retry_job(job_id))


def show_jobs(session: Session, jobs: "list[JobView]") -> None:
    """A table of jobs, or a line of JSON for each."""
    if session.out.as_json:
        for view in jobs:
            session.out.document(view, "")
    else:
        session.out.table(JOB_COLUMNS, [job_row(view) for view in jobs])


def show_job(session: Session, view: "JobView") -> None:
    """One job with all that is known of it."""
    if session.out.as_json:
        session.out.document(view, "")
        return
    for name, value in view.as_json().items():
        if value not in (None, {}, ""):
            session.out.line(f"{name:<16} {value}")
