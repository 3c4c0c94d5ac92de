"""`lithify templates`: what the lines of a log look like, as its codec found."""

from typing import TYPE_CHECKING

import click

from lithify.api.commands.session import Session, json_option, open_service
from lithify.api.commands.values import NAME, ObjectName
from lithify.api.output import plural

if TYPE_CHECKING:
    from lithify.store.views import TemplateView

_COLUMNS = ("lines", "share", "template", "example")

_EXAMPLE_MAX = 100


@click.command()
@click.argument("name", type=NAME, metavar="NAME")
@click.option(
    "--top", type=click.IntRange(1, 1000), default=40, show_default=True, metavar="N", help="Only the N most frequent."
)
@json_option
@click.pass_obj
def templates(session: Session, name: ObjectName, top: int) -> None:
    """Show the templates of a log: how often each occurs, and a line that has it.

    Only codecs of the family logs find templates, and only once a worker has encoded the object.
    """
    with open_service(session) as service:
        found = service.templates(*name, most=top)
    if session.out.as_json:
        for item in found.items:
            session.out.document(item, "")
        return
    title = f"{plural(found.templates, 'template')} for {plural(found.lines, 'line')} of {name}"
    session.out.table(_COLUMNS, [_row(item) for item in found.items], title=title)


def _row(item: "TemplateView") -> list[str]:
    return [str(item.count), f"{100 * item.share:.2f} %", item.pattern, item.example[:_EXAMPLE_MAX]]
