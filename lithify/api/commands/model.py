"""`lithify model`: the models of this installation, and language models of your own: what they are, and if sound."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lithify.api.commands.files import destination
from lithify.api.commands.session import Session, json_option
from lithify.api.commands.values import COUNT, PATH, PIPE, TEXT
from lithify.api.commands.walk import shown
from lithify.api.output import size
from lithify.errors import BadBytes, Unsound

if TYPE_CHECKING:
    from lithify.api.output import Output

_COLUMNS = ("model", "role", "format", "size", "classes", "sha256")
_ROLES = {"tables": "that every text is mixed with", "network": "that reads along at effort max, beside the tables"}
_CONTENT = {"tables": "tables are", "network": "network is"}
_DATA = ("pack", "class", "MB", "from", "licences")


@click.group()
def model() -> None:
    """See which models codecs were shipped with, and language models of your own; prove them."""


@model.command("list")
@json_option
@click.pass_obj
def list_models(session: Session) -> None:
    """List the models of this installation."""
    found = _facts(())
    if session.out.as_json:
        for facts in found:
            session.out.document(facts, "")
        return
    session.out.table(_COLUMNS, [_row(facts) for facts in found])


@model.command()
@click.argument("names", nargs=-1, type=TEXT, metavar="[MODEL...]")
@json_option
@click.pass_obj
def info(session: Session, names: Sequence[str]) -> None:
    """Show what a model is, what it has read, and under which licences; all models, if none is named.

    MODEL may also be the file of a language model, or its Hugging Face folder.
    """
    for facts in _facts(names):
        if session.out.as_json:
            session.out.document(facts, "")
        else:
            _describe(session.out, facts)


@model.command()
@click.argument("names", nargs=-1, type=TEXT, metavar="[MODEL...]")
@json_option
@click.pass_obj
def verify(session: Session, names: Sequence[str]) -> None:
    """Prove that models are what was shipped, and that this machine computes with them what every other does.

    Their files are read again, SHA-256s are compared, and texts whose encoding is known are encoded and decoded.
    MODEL may also be the file of a language model, or its Hugging Face folder: what it says of some tokens is compared.
    Exit code 3 says that something is wrong with a model, and what.
    """
    from lithify.workers.models import model_names, verify_model

    for name in names or model_names():
        with session.going_on():
            try:
                found = verify_model(name)
            except Unsound as error:
                session.out.failure(error.code, f"{name}: {error.message}", BadBytes.exit_code)
                session.exit_code = session.exit_code or BadBytes.exit_code
                continue
            session.out.document(found, f"{name} is sound: {_proved(found)}")


@model.command()
@click.argument("folder", type=PATH, metavar="FOLDER")
@click.option("-o", "--output", "target", type=PATH, metavar="OUT", help="The model file; default: FOLDER.lithlm.")
@click.option("--context", type=COUNT, help="How many tokens it looks back; default: as trained, at most 2048.")
@click.option(
    "--activations",
    type=click.IntRange(8, 12),
    default=8,
    show_default=True,
    help="Bits of an activation; more are for models whose activations differ much in size.",
)
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
@json_option
@click.pass_obj
def convert(
    session: Session, /, folder: Path, target: Path | None, context: int | None, activations: int, force: bool
) -> None:
    """Turn the Hugging Face folder of a language model into a model file, in whole numbers.

    `lithify pack --model` takes either, and needs seconds less with the file. Frames name it by its SHA-256: keep it
    where LITHIFY_MODELS says.
    """
    from lithify.workers.models import convert_model

    target = target or Path(f"{folder}.lithlm")
    with destination(session, target, force=force) as out:
        made = convert_model(folder, out, context=context, activation_bits=activations)
    if target != PIPE:
        found = {"path": shown(target), **made}
        session.out.document(found, f"{shown(target)} ({size(made['packed_bytes'])}), {made['model']}")


def _facts(names: Sequence[str]) -> list[dict[str, Any]]:
    from lithify.workers.models import model_facts, model_names

    return [model_facts(name) for name in names or model_names()]


def _row(facts: Mapping[str, Any]) -> list[str]:
    return [
        facts["model"],
        facts["role"],
        facts["format"],
        _size(facts),
        ", ".join(facts["classes"]),
        facts["digest"][:12],
    ]


def _size(facts: Mapping[str, Any]) -> str:
    return "missing" if facts["packed_bytes"] is None else size(facts["packed_bytes"])


def _describe(out: "Output", facts: Mapping[str, Any]) -> None:
    length = "" if facts["packed_bytes"] is None else f" ({facts['packed_bytes']} bytes)"
    lines = {
        "model": facts["model"],
        "role": f"{facts['role']} {_ROLES[facts['role']]}",
        "codec": f"{facts['codec']}, format {facts['format']}, kernels by {facts['compiler']}",
        "file": f"{facts['file']}, {_size(facts)}{length}",
        "sha256": f"{facts['digest']} (of its content)",
        **_particulars(facts),
    }
    for name, text in lines.items():
        out.line(f"{name:<8} {text}")
    if "data" not in facts:
        return
    out.line("")
    rows = [
        [str(pack[key]) for key in ("name", "text_class", "megabytes", "sources", "licences")] for pack in facts["data"]
    ]
    out.table(_DATA, rows, title="what it has read")


def _particulars(facts: Mapping[str, Any]) -> dict[str, str]:
    if "classes" in facts:
        return {"classes": ", ".join(facts["classes"])}
    sizes = f"{facts['layers']} layers of width {facts['width']}, {facts['heads']} heads"
    return {
        "weights": f"{facts['weights']:,}: {sizes}",
        "tokens": f"{facts['vocabulary']:,}; it looks back over {facts['context']:,}",
        "proof": facts["proof"],
    }


def _proved(found: Mapping[str, Any]) -> str:
    if "proof" in found:
        return f"it says of some tokens what it says on every machine ({found['seconds']:.1f} s)"
    what = f"its {_CONTENT[found['role']]} {found['digest'][:12]}…, as shipped; texts are coded as on every machine"
    return f"{what} ({found['seconds']:.1f} s)"
