"""`lithify info`: what a frame says about itself."""

from pathlib import Path

import click

from lithify.api.commands.files import origin
from lithify.api.commands.session import Session, json_option
from lithify.api.commands.values import PATH


@click.command()
@click.argument("source", type=PATH, metavar="FILE.lith")
@json_option
@click.pass_obj
def info(session: Session, source: Path) -> None:
    """Show lengths, digests, formats and chunks of a frame, without decoding it."""
    from lithify.workers.pack import frame_info

    with origin(source) as frame:
        found = frame_info(frame)
    if session.out.as_json:
        session.out.document(found, "")
        return
    for name, value in found.items():
        session.out.line(f"{name:<16} {value}")
