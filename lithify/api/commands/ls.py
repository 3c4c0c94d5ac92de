"""`lithify ls`: what is there, by name."""

from typing import TYPE_CHECKING

import click

from lithify.api.commands.describe import collection_line, object_line
from lithify.api.commands.session import Session, json_option, open_service, pages
from lithify.api.commands.values import PREFIX, ObjectName

if TYPE_CHECKING:
    from lithify.api.service import Service


@click.command()
@click.argument("prefix", type=PREFIX, required=False, metavar="[COLLECTION[/PREFIX]]")
@click.option("-l", "--long", "long", is_flag=True, help="Sizes, codec, fidelity and time as well.")
@json_option
@click.pass_obj
def ls(session: Session, prefix: ObjectName | None, long: bool) -> None:
    """List collections, or the objects of one whose name starts with PREFIX.

    The columns of -l: original size, stored size, ratio, codec (or staged), fidelity, time, name.
    """
    with open_service(session) as service:
        if prefix is None:
            _collections(session, service, long=long)
            return
        for view in pages(service, prefix):
            name = f"{view.collection}/{view.name}"
            session.out.document(view, object_line(view) if long else name)


def _collections(session: Session, service: "Service", *, long: bool) -> None:
    slices = {row.group: row for row in service.report().by_collection} if long else {}
    for name in service.collections():
        text = collection_line(name, slices.get(name)) if long else name
        session.out.document({"collection": name}, text)
