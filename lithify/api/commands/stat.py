"""`lithify stat`: one object, every form it is or was kept in, and why."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lithify.api.commands.drawing import draw_object
from lithify.api.commands.inside import show_contents
from lithify.api.commands.session import Session, json_option, open_service
from lithify.api.commands.surprise import surprise
from lithify.api.commands.values import NAME, PATH, TEXT, ObjectName
from lithify.api.output import moment, ratio, size
from lithify.errors import BadArgument

if TYPE_CHECKING:
    from lithify.api.output import Output
    from lithify.store.views import EncodingView, ObjectView

_ENCODINGS = (
    "no",
    "state",
    "codec",
    "format",
    "stored",
    "ratio",
    "bits/byte",
    "encode",
    "decode",
    "fidelity",
    "proved",
)

_TRIED = ("what", "coder", "times", "given", "made", "ratio")
_CANDIDATES = ("codec", "ratio", "encode", "memory", "verdict")


@click.command()
@click.argument("name", type=NAME, metavar="NAME")
@click.option("--revision", type=TEXT, help="An earlier revision, by its id.")
@click.option("--contents", is_flag=True, help="Show what was found inside it: streams, pictures, members, by codec.")
@click.option("--surprise", "surprising", is_flag=True, help="Show its most surprising lines instead.")
@click.option(
    "--plot",
    "picture",
    type=PATH,
    metavar="OUT.png",
    help="Draw what comes back beside the original, as PNG; with --surprise: its surprise, as SVG or PNG.",
)
@click.option("--variable", type=TEXT, metavar="NAME", help="With --plot, of arrays: which; else what differs most.")
@click.option("--against", type=PATH, metavar="FILE", help="With --plot: the original, where it does not come back.")
@click.option("--force", is_flag=True, help="Replace the file of --plot if it is there.")
@json_option
@click.pass_context
def stat(
    context: click.Context,
    name: ObjectName,
    revision: str | None,
    *,
    contents: bool,
    surprising: bool,
    picture: Path | None,
    variable: str | None,
    against: Path | None,
    force: bool,
) -> None:
    """Show an object: its encodings, why they were chosen, and what was kept.

    With --surprise: what `lithify surprise NAME` shows, which has more options. With --plot, of an image or an array: a
    picture of the original, of what comes back, and of what differs. Where a looser contract than exact was kept, the
    original goes after a while, and --against then names a file that has it.
    """
    if (against or variable) is not None and (picture is None or surprising):
        raise BadArgument("--against names the original for --plot, --variable what it shows")
    if surprising:
        context.invoke(surprise, name=name, revision=revision, picture=picture, force=force)
        return
    session: Session = context.obj
    with open_service(session) as service:
        view = service.stat(*name, revision)
        inside = service.contents(*name, revision=view.revision).items if contents else None
        if picture is not None:
            draw_object(session, service, view, picture, against, variable=variable, force=force)
    if session.out.as_json:
        told = {} if inside is None else {"contents": [item.as_json() for item in inside]}
        session.out.document(view.as_json() | told, "")
        return
    _facts(session.out, view)
    session.out.line("")
    session.out.table(_ENCODINGS, [_encoding(encoding) for encoding in view.encodings], title="encodings")
    if inside is not None:
        session.out.line("")
        show_contents(session.out, inside)
    for encoding in view.encodings:
        _route(session.out, encoding)
        _measured(session.out, encoding)


def _facts(out: "Output", view: "ObjectView") -> None:
    original = view.encodings[-1].original_bytes if view.encodings else view.length
    facts = {
        "object": f"{view.collection}/{view.name}",
        "revision": f"{view.revision} (number {view.number})",
        "sha256": view.digest + " (of what comes back)" * (view.fidelity != "exact"),
        "original": f"{size(original)} ({original} bytes)",
        "back": f"{size(view.length)} ({view.length} bytes)",
        "stored": f"{size(view.stored_bytes)} ({view.stored_bytes} bytes), {ratio(view.ratio)}",
        "kind": f"{view.kind}" + (f" ({view.content_type})" if view.content_type else ""),
        "contract": f"{view.contract}, kept: {view.fidelity}" + _because(view),
        "effort": view.effort,
        **({} if view.model is None else {"model": f"{view.model}, asked for"}),
        "came": moment(view.created_at),
        "proved": moment(view.verified_at) if view.verified_at else "not yet: the staged copy serves it",
    }
    for name, text in facts.items():
        if name != "back" or view.fidelity != "exact":
            out.line(f"{name:<9} {text}")


def _because(view: "ObjectView") -> str:
    """Why every byte comes back of an object that need not."""
    said = view.encodings[-1].route.get("exact_because") if view.encodings else None
    return f" ({'; '.join(said)})" if said and view.fidelity == "exact" else ""


def _encoding(view: "EncodingView") -> list[str]:
    decode = "-" if view.decode_seconds is None else f"{view.decode_seconds:.3f} s"
    sizes = [size(view.stored_bytes), ratio(view.ratio), f"{view.bits_per_byte:.3f}"]
    times = [f"{view.encode_seconds:.3f} s", decode]
    ends = [view.fidelity, moment(view.verified_at)]
    return [str(view.number), view.state, view.codec, view.format, *sizes, *times, *ends]


def _route(out: "Output", encoding: "EncodingView") -> None:
    """Why this codec, and each candidate's prediction beside what was found."""
    out.line("")
    out.line(f"route of encoding {encoding.number}: {encoding.route.get('reason', 'not kept')}")
    candidates = encoding.route.get("candidates") or []
    if candidates:
        out.table(_CANDIDATES, [_candidate(one) for one in candidates], title="predicted / found")
    for one in candidates:
        tried = (one.get("found") or {}).get("tried") or ()
        if tried:
            out.table(_TRIED, list(map(_try, tried)), title=f"what was tried inside {one.get('codec')}")
    if winner := encoding.route.get("winner"):
        out.line(f"winner: {winner}")
    for one in candidates:
        for reason in (one.get("found") or {}).get("reasons", ()):
            out.line(f"{one.get('codec')}: {reason}")
    if encoding.primer is not None:
        out.line(f"needs primer {encoding.primer}")
    if encoding.model is not None:
        out.line(f"needs language model {encoding.model}")


def _try(row: Mapping[str, Any]) -> list[str]:
    before, after = row["original_bytes"], row["stored_bytes"]
    return [
        row["what"] or "-",
        row["codec"],
        str(row["count"]),
        size(before),
        size(after),
        ratio(before / max(1, after)),
    ]


def _candidate(candidate: Mapping[str, Any]) -> list[str]:
    predicted, found = candidate.get("predicted") or {}, candidate.get("found") or {}

    def beside(expected: Any, measured: Any, form: Callable[[Any], str]) -> str:
        return " / ".join("-" if value is None else form(value) for value in (expected, measured))

    helped = [f" with {what} {candidate[what][:12]}" for what in ("primer", "model") if candidate.get(what)]
    return [
        f"{candidate.get('codec')}{''.join(helped)}",
        beside(predicted.get("ratio"), found.get("ratio"), ratio),
        beside(predicted.get("encode_seconds"), found.get("encode_seconds"), "{:.3f} s".format),
        beside(predicted.get("memory_bytes"), found.get("peak_memory_bytes"), size),
        f"failed: {found['detail']}" if "error" in found else str(candidate.get("verdict")),
    ]


def _measured(out: "Output", encoding: "EncodingView") -> None:
    """A table of figures; or one with a line for each part of the original that was measured by itself."""
    title = f"fidelity of encoding {encoding.number}"
    parts = {name: figures for name, figures in encoding.measured.items() if isinstance(figures, dict)}
    if parts:
        columns = list(dict.fromkeys(key for figures in parts.values() for key in figures))
        rows = [[name, *(_figure(figures.get(key)) for key in columns)] for name, figures in parts.items()]
        out.table(("measured", *columns), rows, title=title)
    elif encoding.measured:
        out.table(
            ("measured", "value"), [[name, _figure(value)] for name, value in encoding.measured.items()], title=title
        )


def _figure(value: Any) -> str:
    return "-" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
