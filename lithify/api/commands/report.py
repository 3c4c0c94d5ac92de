"""`lithify report`: what was won and what was kept."""

import click

from lithify.api.commands.describe import report_row
from lithify.api.commands.session import Session, json_option, open_service
from lithify.api.output import size

_COLUMNS = ("objects", "original", "stored", "ratio", "saved", "proved", "encoding")


@click.command()
@json_option
@click.pass_obj
def report(session: Session) -> None:
    """Show what was won: in all, by kind, by codec and by collection."""
    with open_service(session) as service:
        found = service.report()
    if session.out.as_json:
        session.out.document(found, "")
        return
    session.out.table(("", *_COLUMNS), [report_row(found.total)])
    for title, rows in (
        ("kind", found.by_kind),
        ("codec", found.by_codec),
        ("collection", found.by_collection),
    ):
        if rows:
            session.out.line("")
            session.out.table((title, *_COLUMNS), [report_row(row) for row in rows])
    session.out.line("")
    session.out.line(f"on disk: {size(found.disk_bytes)}, staged copies, records and overhead included")
