"""`lithify schedule`: batch jobs that come due by cron, in UTC."""

from typing import TYPE_CHECKING, Any

import click

from lithify.api.commands.job import show_job
from lithify.api.commands.session import Session, json_option, open_service
from lithify.api.commands.values import JSON, TEXT
from lithify.api.output import moment

if TYPE_CHECKING:
    from lithify.store.views import ScheduleView

KINDS = ("scrub", "sweep", "reencode", "retention", "report")
_COLUMNS = ("name", "kind", "cron", "next", "last", "args")


@click.group()
def schedule() -> None:
    """List, add, remove and run schedules."""


@schedule.command("list")
@json_option
@click.pass_obj
def list_(session: Session) -> None:
    """List all schedules."""
    with open_service(session) as service:
        found = service.schedules()
    if session.out.as_json:
        for view in found:
            session.out.document(view, "")
        return
    session.out.table(_COLUMNS, [_row(view) for view in found])


@schedule.command()
@click.argument("name", type=TEXT)
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("cron", type=TEXT)
@click.option("--args", "args", type=JSON, metavar="JSON", help="What the job is told, as a JSON object.")
@json_option
@click.pass_obj
def add(session: Session, name: str, kind: str, cron: str, args: dict[str, Any] | None) -> None:
    """Add a schedule, or change the one of that name. CRON has five fields, in UTC: "0 3 * * *"."""
    with open_service(session, create=True) as service:
        view = service.add_schedule(name, kind, cron, args or {})
    session.out.document(view, f"{view.name}: {view.kind} next at {moment(view.next_due_at)}")


@schedule.command()
@click.argument("name", type=TEXT)
@json_option
@click.pass_obj
def rm(session: Session, name: str) -> None:
    """Remove a schedule."""
    with open_service(session) as service:
        service.remove_schedule(name)
    session.out.document({"removed": name}, name)


@schedule.command()
@click.argument("name", type=TEXT)
@json_option
@click.pass_obj
def run(session: Session, name: str) -> None:
    """Queue the job of a schedule now, whatever its cron says."""
    with open_service(session) as service:
        show_job(session, service.run_schedule(name))


def _row(view: "ScheduleView") -> list[str]:
    due = moment(view.next_due_at) if view.enabled else "off"
    args = ", ".join(f"{name}={value}" for name, value in view.args.items())
    return [view.name, view.kind, view.cron, due, moment(view.last_due_at), args]
