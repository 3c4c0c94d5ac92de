"""`lithify unpack`: the original out of a frame; needs no archive, no server and no network."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lithify.api.commands.files import destination, frame_at, tell_form
from lithify.api.commands.session import Session, json_option
from lithify.api.commands.slicing import slice_options, sliced_place, taken_cut, write_slice
from lithify.api.commands.values import PATH, PIPE
from lithify.api.commands.walk import shown
from lithify.api.output import size
from lithify.errors import BadArgument

if TYPE_CHECKING:
    from lithify.workers.frame_slices import Cut


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
@slice_options
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
    **wishes: Any,
) -> None:
    """Give back what FILE.lith holds, every chunk checked before it is written.

    FILE.lith - is standard input; no archive, server or network is needed. `lithify info` shows the primer or the
    language model that a frame may need; models are also looked for in the folder LITHIFY_MODELS.

    With --variable, --slice or --select only a part of its arrays is decoded, and written as NetCDF (-o OUT.nc) or as
    NumPy's (-o OUT.npy, or - for standard output).
    """
    cut = taken_cut(wishes)
    if cut is not None:
        _slice(session, source, target, cut, primers=primers, force=force)
        return
    from lithify.workers.pack import frame_info, unpack_file

    target = target or _default(source)
    with frame_at(source) as frame, destination(session, target, force=force) as file:
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
        tell_form(session, target, found["media_type"])


def _slice(
    session: Session, source: Path, target: Path | None, cut: "Cut", *, primers: tuple[Path, ...], force: bool
) -> None:
    from lithify.workers.frame_slices import file_slice
    from lithify.workers.sandbox import Sandbox

    place = sliced_place(target)
    with frame_at(source) as frame, Sandbox() as sandbox:
        write_slice(
            session,
            shown(source),
            place,
            force=force,
            ask=lambda form: file_slice(sandbox, frame, cut, form, primers),
        )


def _default(source: Path) -> Path:
    if source == PIPE:
        return PIPE
    if source.suffix != ".lith" or not source.stem:
        raise BadArgument(f"{shown(source)} does not end in .lith; say where to unpack it: -o FILE")
    return source.with_suffix("")
