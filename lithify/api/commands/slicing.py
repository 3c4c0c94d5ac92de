"""`--variable`, `--slice`, `--select`: what `get` and `unpack` share that give a part of arrays."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lithify.api.commands.files import destination
from lithify.api.commands.session import Session
from lithify.api.commands.values import PIPE, TEXT
from lithify.api.commands.walk import shown
from lithify.api.output import size
from lithify.errors import BadArgument

if TYPE_CHECKING:
    from lithify.api.service import Sliced
    from lithify.workers.frame_slices import Cut, Form

_FORMS: "dict[str, Form]" = {".nc": "netcdf", ".nc3": "netcdf", ".cdf": "netcdf", ".npy": "npy"}
_WORDS = ("variables", "slices", "labels")


def slice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options, as `variables`, `slices` and `labels`."""
    described = (
        ("--variable", "variables", "NAME", "Of arrays: only this variable, with its coordinates; repeatable."),
        ("--slice", "slices", "DIM=A:B[:C]", "Of arrays: only these steps along a dimension, or DIM=N; repeatable."),
        ("--select", "labels", "DIM=LABEL", "The same by its coordinate: time=2019-03, lat=50..60; repeatable."),
    )
    for option, name, metavar, text in reversed(described):
        command = click.option(option, name, type=TEXT, multiple=True, metavar=metavar, help=text)(command)
    return command


def taken_cut(options: dict[str, Any]) -> "Cut | None":
    """What the options say, taken out of them; None if none was given."""
    words = [tuple(options.pop(name)) for name in _WORDS]
    if not any(words):
        return None
    from lithify.workers.frame_slices import Cut

    return Cut(*words)


def sliced_place(target: Path | None) -> Path:
    """Where a slice goes. Raises BadArgument for a name that says no form, before anything is opened."""
    if target != PIPE and (target is None or target.suffix.lower() not in _FORMS):
        where = "nowhere" if target is None else shown(target)
        raise BadArgument(f"a slice goes to -o OUT.nc, -o OUT.npy, or -o - (NumPy on standard output), found {where}")
    return target


def write_slice(session: Session, what: str, target: Path, *, force: bool, ask: "Callable[[Form], Sliced]") -> None:
    """Write what `ask` gives for the form that the name of `target` means."""
    form: Form = "npy" if target == PIPE else _FORMS[target.suffix.lower()]
    with destination(session, target, force=force) as file, ask(form) as found:
        done = 0
        with session.out.progress(f"slice {what}", found.length) as advance:
            for block in found:
                file.write(block)
                done += len(block)
                advance(done)
    if target != PIPE:
        document = {"path": shown(target), "format": form, "length": found.length}
        session.out.document(document, f"{shown(target)} ({size(found.length)})")
