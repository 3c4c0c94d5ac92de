"""`lithify pack`: one file into the densest frame that can be proved, without an archive."""

import os
from pathlib import Path
from typing import Any

import click

from lithify.api.commands.drawing import PICTURE
from lithify.api.commands.files import destination, origin, picture_file
from lithify.api.commands.inside import show_contents
from lithify.api.commands.session import Session, json_option
from lithify.api.commands.values import EFFORT, PATH, PIPE, TEXT
from lithify.api.commands.walk import shown
from lithify.api.output import ratio, size
from lithify.errors import BadArgument


@click.command()
@click.argument("source", type=PATH, metavar="FILE")
@click.option("-o", "--output", "target", type=PATH, metavar="OUT", help="The frame; default: FILE.lith.")
@click.option("--contract", type=TEXT, default="exact", show_default=True, help="What must come back.")
@click.option("--effort", type=EFFORT, default="default", show_default=True, help="How hard to try.")
@click.option("--codec", type=TEXT, help="Use this codec and no other (see `lithify codecs`).")
@click.option("--primer", type=PATH, metavar="FILE", help="Use what earlier files taught (see `lithify primer make`).")
@click.option("--model", type=PATH, metavar="PATH", help="A language model: its file, or a Hugging Face folder.")
@click.option("--native", is_flag=True, help="Let --model reckon in floating point: only this machine can unpack it.")
@click.option(
    "--plot", "picture", type=PATH, metavar="OUT.png", help="Draw what comes back beside the original, as PNG."
)
@click.option("--contents", is_flag=True, help="Show what was found inside: streams, pictures, members, by codec.")
@click.option("--force", is_flag=True, help="Replace OUT and OUT.png if they are there.")
@json_option
@click.pass_obj
def pack(
    session: Session,
    /,
    source: Path,
    target: Path | None,
    primer: Path | None,
    picture: Path | None,
    force: bool,
    **wishes: Any,
) -> None:
    """Pack FILE into a frame that `lithify unpack` gives back anywhere.

    FILE - is standard input. The frame is decoded in a second process and compared before it gets its name. If
    the frame is smallest with the primer of --primer, or the language model of --model, it needs that to be unpacked.
    """
    from lithify.workers.contents import frame_contents
    from lithify.workers.pack import pack_file
    from lithify.workers.primer_files import read_primer_file

    if wishes["native"] and wishes["model"] is None:
        raise BadArgument("--native says how a language model reckons: name one with --model")
    target = target or (PIPE if source == PIPE else Path(f"{source}.lith"))
    shows_contents = wishes.pop("contents")
    if shows_contents and target == PIPE:
        raise BadArgument("--contents is told where the frame would go, on standard output: name a file for the frame")
    wishes["primer"] = None if primer is None else read_primer_file(primer)
    with (
        origin(source) as file,
        destination(session, target, force=force) as frame,
        picture_file(session, picture, PICTURE, force=force) as drawn,
    ):
        length = os.fstat(file.fileno()).st_size
        with session.out.progress(f"pack {shown(source)}", length) as advance:
            found = pack_file(file, frame, picture=drawn, on_progress=lambda share: advance(share * length), **wishes)
        inside = frame_contents(frame) if shows_contents else None
    if source == PIPE:
        found["name"] = "-"
    if target == PIPE:
        return
    told = {} if inside is None else {"contents": [item.as_json() for item in inside]}
    session.out.document(found | told, _line(found))
    if inside is not None and not session.out.as_json:
        show_contents(session.out, inside)


def _line(found: dict[str, Any]) -> str:
    sizes = f"{size(found['original_bytes'])} -> {size(found['packed_bytes'])} ({ratio(found['ratio'])})"
    times = f"packed in {found['encode_seconds']:.2f} s, proved in {found['decode_seconds']:.2f} s"
    by = f" {found['codec']}" if found["codec"] else ""  # nothing needs none
    line = f"{found['name']}: {sizes}{by}, {found['contract']}, {times}"
    needs = [f"; needs {what} {found[what]}" for what in ("primer", "model") if found[what] is not None]
    because = found["fidelity"].get("because")
    return line + "".join(needs) + (f"; every byte is kept: {because}" if because else "")
