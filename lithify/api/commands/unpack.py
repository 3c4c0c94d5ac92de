"""`lithify unpack`: the original out of a frame; needs no archive, no server and no network."""

from pathlib import Path

import click

from lithify.api.commands.files import destination, origin
from lithify.api.commands.session import Session, json_option
from lithify.api.commands.values import PATH, PIPE
from lithify.api.commands.walk import shown
from lithify.api.output import size
from lithify.errors import BadArgument


@click.command()
@click.argument("source", type=PATH, metavar="FILE.lith")
@click.option("-o", "--output", "target", type=PATH, metavar="OUT", help="Default: FILE, without .lith.")
@click.option(
    "--primer",
    "primers",
    type=PATH,
    multiple=True,
    metavar="FILE",
    help="A primer that the frame needs, or a folder of them; repeatable.",
)
@click.option(
    "--model",
    "models",
    type=PATH,
    multiple=True,
    metavar="PATH",
    help="A language model that the frame needs: a file, a Hugging Face folder, or a folder of files; repeatable.",
)
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
@json_option
@click.pass_obj
def unpack(
    session: Session,
    /,
    source: Path,
    target: Path | None,
    primers: tuple[Path, ...],
    models: tuple[Path, ...],
    force: bool,
) -> None:
    """Give back what FILE.lith holds, every chunk checked before it is written.

    FILE.lith - is standard input; no archive, server or network is needed. `lithify info` shows the primer or the
    language model that a frame may need; models are also looked for in the folder LITHIFY_MODELS.
    """
    from lithify.workers.pack import frame_info, unpack_file

    target = target or _default(source)
    with origin(source) as frame, destination(session, target, force=force) as file:
        length = frame_info(frame)["original_bytes"]
        with session.out.progress(f"unpack {shown(source)}", length) as advance:
            found = unpack_file(
                frame,
                file,
                primers=primers,
                models=session.models(models),
                on_progress=lambda share: advance(share * length),
            )
    if target != PIPE:
        session.out.document(found, f"{shown(target)} ({size(found['original_bytes'])})")


def _default(source: Path) -> Path:
    if source == PIPE:
        return PIPE
    if source.suffix != ".lith" or not source.stem:
        raise BadArgument(f"{shown(source)} does not end in .lith; say where to unpack it: -o FILE")
    return source.with_suffix("")
