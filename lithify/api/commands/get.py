"""`lithify get`: objects back, to a file, to standard output or to a folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from lithify.api.commands.files import tell_form
from lithify.api.commands.session import Session, json_option, open_service, pages
from lithify.api.commands.slicing import slice_options, sliced_place, taken_cut, write_slice
from lithify.api.commands.tree import Tree, segments
from lithify.api.commands.values import PATH, PIPE, PREFIX, RANGE, TEXT, ByteRange, ObjectName
from lithify.api.commands.walk import shown
from lithify.api.output import plural, size
from lithify.errors import BadArgument, NotFound

if TYPE_CHECKING:
    from lithify.api.service import Content, Service
    from lithify.workers.frame_slices import Cut


@click.command()
@click.argument("name", type=PREFIX, metavar="NAME")
@click.option("-o", "--output", "target", type=PATH, metavar="OUT", help="File or folder; - is standard output.")
@click.option("--revision", type=TEXT, help="An earlier revision, by its id.")
@click.option("--range", "part", type=RANGE, metavar="START-END", help="Bytes, both ends included: 0-99, 100-, -100.")
@click.option("-r", "--recursive", is_flag=True, help="NAME is a collection or a prefix; -o is the folder to fill.")
@slice_options
@click.option("--force", is_flag=True, help="Replace files that are already there.")
@json_option
@click.pass_obj
def get(session: Session, /, name: ObjectName, target: Path | None, recursive: bool, force: bool, **which: Any) -> None:
    """Give an object back, every chunk checked before it leaves.

    Without -o it goes to a file named by the last part of NAME, here. With -r everything whose name starts with
    NAME goes below the folder given by -o, under its full name, and nothing is ever written outside that folder.

    With --variable, --slice or --select only a part of its arrays is decoded, and written as NetCDF (-o OUT.nc) or as
    NumPy's (-o OUT.npy, or - for standard output).
    """
    cut = taken_cut(which)
    if cut is not None and (recursive or which["part"] is not None):
        raise BadArgument("--variable, --slice and --select cut arrays, --range and -r give bytes: one of them")
    if recursive and (target is None or target == PIPE or any(which.values())):
        raise BadArgument("get -r needs a folder, -o DIR, and takes neither --revision nor --range")
    if not recursive and not name.name:
        raise BadArgument(f"a name is spelled COLLECTION/NAME, found {name.collection!r}; -r gets a collection")
    if cut is not None:
        _get_slice(session, name, target, cut, revision=which["revision"], force=force)
        return
    with open_service(session) as service:
        if recursive:
            _get_tree(session, service, name, cast("Path", target), force=force)
        elif target == PIPE:
            with _content(service, name, **which) as content:
                for block in _watched(session, content):
                    session.out.block(block)
        else:
            _get_file(session, service, name, _place(name, target), force=force, **which)


def _get_slice(
    session: Session, name: ObjectName, target: Path | None, cut: "Cut", *, revision: str | None, force: bool
) -> None:
    place = sliced_place(target)
    with open_service(session) as service:
        write_slice(
            session, str(name), place, force=force, ask=lambda form: service.slice(*name, cut, form, revision=revision)
        )


def _content(
    service: "Service", name: ObjectName, *, revision: str | None = None, part: ByteRange | None = None
) -> "Content":
    if part is None:
        return service.get(*name, revision=revision)
    view = service.stat(*name, revision)
    start, end = part.within(view.length)
    return service.get(*name, revision=view.revision, start=start, end=end)


def _get_file(
    session: Session, service: "Service", name: ObjectName, place: Path, *, force: bool, **which: Any
) -> None:
    with (
        Tree(place.parent) as folder,
        folder.file(place.name, force=force) as file,
        _content(service, name, **which) as content,
    ):
        for block in _watched(session, content):
            file.write(block)
    _tell(session, content, place)


def _place(name: ObjectName, target: Path | None) -> Path:
    last = segments(name.name)[-1]
    if target is None:
        return Path(last)
    return target / last if target.is_dir() else target


def _get_tree(session: Session, service: "Service", prefix: ObjectName, target: Path, *, force: bool) -> None:
    target.mkdir(parents=True, exist_ok=True)
    count = 0
    with Tree(target) as tree:
        for view in pages(service, prefix):
            count += 1
            with session.going_on(), tree.file(view.name, force=force) as file:
                with service.get(view.collection, view.name, revision=view.revision) as content:
                    for block in content:
                        file.write(block)
                _tell(session, content, target / view.name)
    if not count:
        raise NotFound(f"no object's name starts with {prefix}")
    session.out.note("summary", f"{plural(count, 'object')} under {prefix}")


def _watched(session: Session, content: "Content") -> Iterator[bytes]:
    done = 0
    with session.out.progress(f"get {content.view.name}", content.length) as advance:
        for block in content:
            yield block
            done += len(block)
            advance(done)


def _tell(session: Session, content: "Content", place: Path) -> None:
    view = content.view
    document: dict[str, Any] = {"collection": view.collection, "name": view.name, "revision": view.revision}
    exact = view.fidelity == "exact"
    document |= {} if exact else {"content_type": view.content_type}
    document |= {"start": content.start, "length": content.length, "path": shown(place)}
    session.out.document(document, f"{shown(place)} ({size(content.length)})")
    if not exact:
        tell_form(session, place, view.content_type)
