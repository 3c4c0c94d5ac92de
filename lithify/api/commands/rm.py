"""`lithify rm`: take names away; the bytes follow after the grace."""

from collections.abc import Sequence

import click

from lithify.api.commands.session import Session, json_option, open_service
from lithify.api.commands.values import NAME, ObjectName
from lithify.api.output import size


@click.command()
@click.argument("names", nargs=-1, required=True, type=NAME, metavar="NAME...")
@json_option
@click.pass_obj
def rm(session: Session, names: Sequence[ObjectName]) -> None:
    """Remove objects, with all their revisions. Their bytes are unlinked by a sweep after the grace."""
    with open_service(session) as service:
        for name in names:
            with session.going_on():
                gone = service.remove(*name)
                session.out.document(gone, f"{name} ({size(gone.length)})")
