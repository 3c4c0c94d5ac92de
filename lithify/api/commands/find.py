"""`lithify find`: objects by name, kind, size and age, in all collections."""

from typing import Any

import click

from lithify.api.commands.describe import object_line
from lithify.api.commands.session import Session, json_option, open_service
from lithify.api.commands.values import MOMENT, SIZE, TEXT


@click.command()
@click.argument("pattern", type=TEXT, required=False, metavar="[GLOB]")
@click.option("--in", "collection", type=TEXT, help="Only this collection.")
@click.option("--kind", type=TEXT, help="Only this kind: log, prose, jsonl, csv, array, image, binary ...")
@click.option("--larger", type=SIZE, help="Only originals larger than this: 10MB, 1GiB.")
@click.option("--smaller", type=SIZE, help="Only originals smaller than this.")
@click.option("--newer", type=MOMENT, help="Only what came after this: 2026-11-21, 7d, 12h.")
@click.option("--older", type=MOMENT, help="Only what came before this.")
@click.option("-l", "--long", "long", is_flag=True, help="Sizes, codec, fidelity and time as well.")
@json_option
@click.pass_obj
def find(session: Session, /, long: bool, **wanted: Any) -> None:
    """Find objects whose name matches GLOB (* ? [...]) and that fit every option."""
    with open_service(session) as service:
        for view in service.find(**wanted):
            session.out.document(view, object_line(view) if long else f"{view.collection}/{view.name}")
