"""`lithify primer`: what earlier originals teach the next ones; seen, taken along, and made of files."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lithify.api.commands.files import destination
from lithify.api.commands.session import Session, json_option, open_archive
from lithify.api.commands.values import PATH, PIPE, PREFIX, TEXT, ObjectName
from lithify.api.commands.walk import shown
from lithify.api.output import plural, size

if TYPE_CHECKING:
    from lithify.store.views import PrimerView


@click.group()
def primer() -> None:
    """See, take along and make what earlier files teach the next ones."""


@primer.command()
@click.argument("collection", type=TEXT)
@json_option
@click.pass_obj
def show(session: Session, collection: str) -> None:
    """Show the primer that a collection's next logs, or texts, are encoded with."""
    with open_archive(session.local_settings("primer show"), create=False) as archive:
        session.out.document(view := archive.primer(collection), _line(view))


@primer.command()
@click.argument("name", type=PREFIX, metavar="NAME")
@click.option(
    "-o", "--output", "target", type=PATH, required=True, metavar="OUT", help="The primer's file; - is a pipe."
)
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
@json_option
@click.pass_obj
def export(session: Session, name: ObjectName, target: Path, force: bool) -> None:
    """Write a primer to a file: that of a collection, or the one that COLLECTION/NAME is stored with.

    With it `lithify unpack --primer` decodes frames anywhere.
    """
    with open_archive(session.local_settings("primer export"), create=False) as archive:
        found = archive.read_primer(name.collection, name.name or None)
    _write(session, found, target, force=force)
    if target != PIPE:
        session.out.document({"path": shown(target), "length": len(found)}, f"{shown(target)} ({size(len(found))})")


@primer.command()
@click.argument("sources", type=PATH, nargs=-1, required=True, metavar="FILE...")
@click.option("-o", "--output", "target", type=PATH, required=True, metavar="OUT", help="The primer's file.")
@click.option("--codec", type=TEXT, help="Teach this codec and no other.")
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
@json_option
@click.pass_obj
def make(session: Session, sources: tuple[Path, ...], target: Path, codec: str | None, force: bool) -> None:
    """Make a primer of files, for `lithify pack --primer`: the newest first, of which most is learnt."""
    from lithify.workers.primer_files import make_primer_of

    found, document = make_primer_of(sources, codec)
    _write(session, found, target, force=force)
    if target != PIPE:
        learnt = f"{size(document['primer_bytes'])} for {document['codec']}, of {plural(document['samples'], 'file')}"
        session.out.document(document, f"{shown(target)}: {learnt}")


def _write(session: Session, found: bytes, target: Path, *, force: bool) -> None:
    with destination(session, target, force=force) as file:
        file.write(found)


def _line(view: "PrimerView") -> str:
    return f"{view.digest}  {size(view.length)}, for {view.codec}, made of {plural(view.objects, 'log')}"
