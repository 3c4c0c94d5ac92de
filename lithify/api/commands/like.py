"""`lithify like`: what in the archive resembles an object."""

from typing import TYPE_CHECKING

import click

from lithify import limits
from lithify.api.commands.session import Session, json_option, open_service
from lithify.api.commands.values import NAME, TEXT, ObjectName
from lithify.api.output import plural, size

if TYPE_CHECKING:
    from lithify.store.views import LikeItem, LikeView

_COLUMNS = ("likeness", "shared", "bytes", "object")


@click.command()
@click.argument("name", type=NAME, metavar="NAME")
@click.option("--among", type=TEXT, metavar="COLLECTION", help="Look only there, not everywhere.")
@click.option(
    "--limit",
    type=click.IntRange(1, limits.LIKE_MEASURED_MAX),
    default=10,
    show_default=True,
    metavar="N",
    help="Only the N likest.",
)
@json_option
@click.pass_obj
def like(session: Session, name: ObjectName, among: str | None, limit: int) -> None:
    """Show the objects that resemble one most: reading them first makes it cheaper to tell.

    Likeness is the share of its bits that this saves, with the model that texts are coded with: nearly all for a
    copy, about none for a stranger. Beginnings are compared (64 KiB of NAME, 128 KiB of each other), of the 256
    objects nearest by kind and length; of those the 32 that share most with NAME are measured.
    """
    with open_service(session) as service:
        view = service.like(*name, among=among, limit=limit)
    if session.out.as_json:
        if view.read < view.objects:
            session.out.note("partial", _looked_at(view))
        for item in view.items:
            session.out.document(item, "")
        return
    session.out.table(_COLUMNS, [_row(item) for item in view.items], title=f"like {name}: {_looked_at(view)}")


def _looked_at(view: "LikeView") -> str:
    compared = "" if view.compared_bytes == view.length else f", by its first {size(view.compared_bytes)}"
    return f"of {plural(view.objects, 'other')} {view.read} read, {view.measured} measured{compared}"


def _row(item: "LikeItem") -> list[str]:
    likeness = round(100 * item.likeness, 1) + 0.0  # 0.0 and not -0.0
    return [f"{likeness:.1f} %", f"{100 * item.shared:.0f} %", str(item.length), f"{item.collection}/{item.name}"]
