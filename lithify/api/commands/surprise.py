"""`lithify surprise`: the lines of an object that a model of texts did not expect."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lithify import limits
from lithify.api.commands.files import origin, picture_file
from lithify.api.commands.session import Session, json_option, open_service
from lithify.api.commands.values import NAME, PATH, TEXT, ObjectName
from lithify.api.commands.walk import shown
from lithify.api.output import plural, printable, size
from lithify.errors import BadArgument

if TYPE_CHECKING:
    from lithify.store.views import SurpriseView, SurprisingLine

_COLUMNS = ("line", "bits", "bits/byte", "bytes", "text")
_TEXT_MAX = 100
_PICTURES = (".svg", ".png")


@click.command()
@click.argument("name", type=NAME, required=False, metavar="[NAME]")
@click.option("--file", "source", type=PATH, metavar="FILE", help="A frame, or any other file, instead of an object.")
@click.option("--primer", "primers", type=PATH, multiple=True, metavar="FILE", help="A primer that a frame needs.")
@click.option("--model", "models", type=PATH, multiple=True, metavar="PATH", help="A language model that it needs.")
@click.option("--revision", type=TEXT, help="An earlier revision, by its id.")
@click.option(
    "--lines",
    type=click.IntRange(1, limits.WEIGHED_LINES_MAX),
    default=20,
    show_default=True,
    metavar="N",
    help="Only the N most surprising.",
)
@click.option(
    "--by",
    type=click.Choice(("excess", "bits", "rate")),
    default="excess",
    show_default=True,
    help="What surprises: bits beyond what as many bytes cost on average here, all bits, or bits per byte.",
)
@click.option("--in-order", is_flag=True, help="Show them as they follow each other, not the most surprising first.")
@click.option(
    "--plot", "picture", type=PATH, metavar="OUT.svg", help="Draw bits per byte along the text, as SVG or PNG."
)
@click.option("--force", is_flag=True, help="Replace the file of --plot if it is there.")
@json_option
@click.pass_obj
def surprise(
    session: Session,
    /,
    *,
    name: ObjectName | None,
    source: Path | None,
    primers: Sequence[Path] = (),
    models: Sequence[Path] = (),
    revision: str | None,
    lines: int,
    by: str,
    in_order: bool,
    picture: Path | None,
    force: bool,
) -> None:
    """Show the lines that the model of texts did not expect: what each costs, in bits.

    A line that says what its readers know already costs next to nothing; an error among a million lines that are all
    alike, or a name never heard before, costs much. Of a long object the first 4 MiB are weighed.
    """
    if (name is None) == (source is None):
        raise BadArgument("name what to weigh: COLLECTION/NAME, or --file FILE; one of them")
    if source is None and primers:
        raise BadArgument("--primer is for --file; an archive knows the primers of its objects")
    if source is None and models:
        raise BadArgument("--model is for --file; an archive has its models in LITHIFY_MODELS")
    if source is not None and revision is not None:
        raise BadArgument("--revision is for an object; a file has no revisions")
    with picture_file(session, picture, *_PICTURES, force=force) as file:
        if source is None:
            view = _of_object(session, name, revision, by, lines)
        else:
            view = _of_file(source, primers, session.models(models), by, lines)
        if file is not None:
            file.write(_drawn(view, picture))
    _tell(session, view, in_order=in_order)


def _of_object(session: Session, name: ObjectName | None, revision: str | None, by: str, lines: int) -> "SurpriseView":
    assert name is not None, "an object or a file is named"
    with open_service(session) as service:
        return service.surprise(*name, revision=revision, by=by, lines=lines)


def _of_file(path: Path, primers: Sequence[Path], models: Sequence[Path], by: str, lines: int) -> "SurpriseView":
    from lithify.workers.surprise import file_surprise

    with origin(path) as file:
        return file_surprise(file, shown(path), by=by, lines=lines, primers=primers, models=models)


def _tell(session: Session, view: "SurpriseView", *, in_order: bool) -> None:
    items = sorted(view.items, key=lambda item: item.number) if in_order else view.items
    if view.read_bytes < view.length:
        part = f"only the first {size(view.read_bytes)} of {size(view.length)} were weighed"
        session.out.note("partial", part)
    if session.out.as_json:
        for item in items:
            session.out.document(item, "")
        return
    session.out.table(_COLUMNS, [_row(item) for item in items], title=_title(view))


def _title(view: "SurpriseView") -> str:
    weighed = "" if view.read_bytes == view.length else f"the first {size(view.read_bytes)} of "
    costs = f"{plural(view.lines, 'line')}, {view.bits / 8:,.0f} bytes of surprise in {view.read_bytes:,}"
    rate = f" ({_rate(view):.3f} bits/byte)" if view.read_bytes else ""
    return f"{weighed}{_name(view)}: {costs}{rate}; by {view.model}, as {view.text_class}"


def _row(item: "SurprisingLine") -> list[str]:
    text = printable(item.text)
    cut = text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]}…"
    return [str(item.number), f"{item.bits:.1f}", f"{item.bits_per_byte:.3f}", str(item.bytes), cut]


def _drawn(view: "SurpriseView", picture: Path | None) -> bytes:
    from lithify.api import png, svg

    part = "" if view.read_bytes == view.length else f", the first {size(view.read_bytes)} of {size(view.length)}"
    terms: dict[str, Any] = {
        "step": view.stretch_bytes,
        "end": view.read_bytes,
        "title": f"{printable(_name(view))}{part}",
        "across": f"bytes from the start; each step is the mean of {view.stretch_bytes}",
        "up": "bits per byte",
        "mean": _rate(view),
    }
    if picture is not None and picture.suffix.lower() == ".png":
        return png.curve(view.stretches, **terms)
    return svg.curve(view.stretches, **terms).encode()


def _name(view: "SurpriseView") -> str:
    return f"{view.collection}/{view.name}" if view.collection else view.name


def _rate(view: "SurpriseView") -> float:
    return view.bits / view.read_bytes if view.read_bytes else 0.0
