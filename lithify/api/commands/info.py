"""`lithify info`: what a frame says about itself."""

from pathlib import Path

import click

from lithify.api.commands.drawing import draw_frame
from lithify.api.commands.files import frame_at
from lithify.api.commands.inside import show_contents
from lithify.api.commands.session import Session, json_option
from lithify.api.commands.values import PATH, TEXT
from lithify.errors import BadArgument


@click.command()
@click.argument("source", type=PATH, metavar="FILE.lith")
@click.option("--contents", is_flag=True, help="Show what was found inside: streams, pictures, members, by codec.")
@click.option(
    "--plot", "picture", type=PATH, metavar="OUT.png", help="Draw what comes back beside the original, as PNG."
)
@click.option("--variable", type=TEXT, metavar="NAME", help="With --plot, of arrays: which; else what differs most.")
@click.option("--against", type=PATH, metavar="FILE", help="With --plot: the original, where it does not come back.")
@click.option("--force", is_flag=True, help="Replace OUT.png if it is there.")
@json_option
@click.pass_obj
def info(
    session: Session,
    source: Path,
    *,
    contents: bool,
    picture: Path | None,
    variable: str | None,
    against: Path | None,
    force: bool,
) -> None:
    """Show lengths, digests, formats and chunks of a frame, without decoding it.

    With --plot, of an image or an array: a picture of the original, of what comes back, and of what differs.
    """
    from lithify.workers.contents import frame_contents
    from lithify.workers.pack import frame_info

    if (against or variable) is not None and picture is None:
        raise BadArgument("--against names the original for --plot, --variable what it shows")
    with frame_at(source) as frame:
        found = frame_info(frame)
        inside = frame_contents(frame) if contents else None
        if picture is not None:
            name = source.name.removesuffix(".lith")
            draw_frame(session, frame, name, picture, against, variable=variable, force=force)
    if session.out.as_json:
        told = {} if inside is None else {"contents": [item.as_json() for item in inside]}
        session.out.document(found | told, "")
        return
    for name, value in found.items():
        text = ", ".join(value) or "none" if isinstance(value, list) else value
        session.out.line(f"{name:<16} {text}")
    if inside is not None:
        show_contents(session.out, inside)
