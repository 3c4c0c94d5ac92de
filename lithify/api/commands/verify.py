"""`lithify verify`: decode objects whole and compare them with what was promised."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from lithify.api.commands.session import Session, json_option, open_service
from lithify.api.commands.values import NAME, ObjectName
from lithify.errors import BadArgument, FidelityBroken

if TYPE_CHECKING:
    from lithify.api.service import Service


@click.command()
@click.argument("names", nargs=-1, type=NAME, metavar="NAME...")
@click.option("--all", "everything", is_flag=True, help="Every object of the archive.")
@json_option
@click.pass_obj
def verify(session: Session, names: Sequence[ObjectName], everything: bool) -> None:
    """Decode objects whole, and compare them with what was promised."""
    if bool(names) == everything:
        raise BadArgument("name the objects to verify, or say --all")
    with open_service(session) as service:
        _verify(session, service, _everything(service) if everything else names)


def _everything(service: "Service") -> Iterable[ObjectName]:
    return (ObjectName(view.collection, view.name) for view in service.find())


def _verify(session: Session, service: "Service", names: Iterable[ObjectName]) -> None:
    for name in names:
        with session.going_on():
            verdict = service.verify(*name)
            word = "kept" if verdict.kept else "BROKEN"
            text = f"{word:<6} {verdict.fidelity:<10} {verdict.decode_seconds:>8.3f} s  {name}"
            session.out.document(verdict, text)
            if not verdict.kept:
                raise FidelityBroken(f"{name}: {verdict.detail}")
