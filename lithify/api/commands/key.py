"""`lithify key`: API keys; their text is shown once and only its hash is kept."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lithify.api.commands.session import Session, json_option, open_service
from lithify.api.commands.values import DURATION, TEXT
from lithify.api.output import moment

if TYPE_CHECKING:
    from lithify.store.views import KeyView

SCOPES = ("read", "write", "admin")
_COLUMNS = ("id", "label", "scopes", "created", "expires", "revoked")


@click.group()
def key() -> None:
    """Add, list and revoke API keys."""


@key.command()
@click.argument("label", type=TEXT)
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    required=True,
    help="What it allows; repeatable.",
)
@click.option("--expires", "expires_seconds", type=DURATION, help="When it ends: 90d, 1y. Default: never.")
@json_option
@click.pass_obj
def add(session: Session, label: str, scopes: Sequence[str], expires_seconds: float | None) -> None:
    """Make an API key and print it. It is shown this once."""
    with open_service(session, create=True) as service:
        view, text = service.add_key(label, scopes, expires_seconds)
    session.out.document({**view.as_json(), "key": text}, text)
    session.out.note("note", "keep this key now: it is not shown again")


@key.command("list")
@json_option
@click.pass_obj
def list_(session: Session) -> None:
    """List all keys, revoked ones too, without their text."""
    with open_service(session) as service:
        found = service.keys()
    if session.out.as_json:
        for view in found:
            session.out.document(view, "")
        return
    session.out.table(_COLUMNS, [_row(view) for view in found])


@key.command()
@click.argument("key_id", type=TEXT, metavar="ID")
@json_option
@click.pass_obj
def revoke(session: Session, key_id: str) -> None:
    """End an API key at once."""
    with open_service(session) as service:
        view = service.revoke_key(key_id)
    session.out.document(view, f"{view.id} ({view.label}) revoked {moment(view.revoked_at)}")


def _row(view: "KeyView") -> list[str]:
    times = (moment(time) for time in (view.created_at, view.expires_at, view.revoked_at))
    return [view.id, view.label, ", ".join(view.scopes), *times]
