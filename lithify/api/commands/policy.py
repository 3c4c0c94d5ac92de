"""`lithify policy`: the rule of a collection for what comes into it."""

from typing import TYPE_CHECKING, Any

import click

from lithify.api.commands.session import Session, json_option, open_service
from lithify.api.commands.values import COUNT_OR_ALL, EFFORT, KEEP, TEXT
from lithify.errors import BadArgument

if TYPE_CHECKING:
    from lithify.store.views import PolicyView


_NO_MODEL = "none"


@click.group()
def policy() -> None:
    """See and set the rule of a collection."""


@policy.command()
@click.argument("collection", type=TEXT)
@json_option
@click.pass_obj
def show(session: Session, collection: str) -> None:
    """Show the rule of a collection."""
    with open_service(session) as service:
        _show(session, service.policy(collection))


@policy.command("set")
@click.argument("collection", type=TEXT)
@click.option("--contract", type=TEXT, help="What must come back: exact, content, bounded:abs=0.01, floor:psnr=60 ...")
@click.option("--effort", type=EFFORT, help="How hard workers try.")
@click.option(
    "--codec",
    "codecs",
    type=TEXT,
    multiple=True,
    help="Only these codecs (see `lithify codecs`); repeatable.",
)
@click.option("--model", type=TEXT, help="The language model that texts are told by, as for `put`; none: by none.")
@click.option("--keep", "keep_seconds", type=KEEP, help="Retire older revisions after this: 90d, 5y, forever.")
@click.option("--keep-revisions", type=COUNT_OR_ALL, help="Keep only so many revisions, the newest; 0: all.")
@json_option
@click.pass_obj
def set_(session: Session, /, collection: str, codecs: tuple[str, ...], **changes: Any) -> None:
    """Change the rule of a collection for what comes in from now on; what is stored keeps its contract."""
    given = {name: value for name, value in changes.items() if value is not None}
    if codecs:
        given["codecs"] = codecs
    if "model" in given:
        from lithify.workers.model_files import called

        given["model"] = "" if given["model"] == _NO_MODEL else called(given["model"])
    if not given:
        raise BadArgument("nothing to set: name at least one rule")
    with open_service(session, create=True) as service:
        _show(session, service.set_policy(collection, **given))


def _show(session: Session, view: "PolicyView") -> None:
    if session.out.as_json:
        session.out.document(view, "")
        return
    keep = "for ever" if view.keep_seconds is None else f"{view.keep_seconds / 86400:g} days"
    rows = {
        "collection": view.collection,
        "contract": view.contract,
        "effort": view.effort,
        "codecs": ", ".join(view.codecs) or "all that the contract allows",
        "model": view.model or "none",
        "keep": keep,
        "keep revisions": "all" if view.keep_revisions is None else str(view.keep_revisions),
    }
    for name, text in rows.items():
        session.out.line(f"{name:<14} {text}")
