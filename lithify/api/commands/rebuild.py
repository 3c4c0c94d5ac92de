"""`lithify rebuild`: a new catalog from what lies beside the blobs, when the old one is gone or too old."""

import click

from lithify.api.commands.session import Session, json_option
from lithify.api.output import plural
from lithify.errors import Corrupt


@click.command()
@json_option
@click.pass_obj
def rebuild(session: Session) -> None:
    """Bring a lost catalog back from the records kept beside the blobs.

    For a catalog that is gone or too old. Stop the server and all workers first. The old catalog, if there is
    one, is kept beside the new.
    """
    settings = session.local_settings("rebuild")
    from lithify.workers.rebuild import rebuild as rebuild_archive

    found = rebuild_archive(settings.archive)
    jobs = f"; {plural(found['jobs'], 'object')} still to be proved" if found["jobs"] else ""
    counts = f"{plural(found['objects'], 'object')} in {plural(found['collections'], 'collection')}"
    session.out.document(found, f"{counts} are back{jobs}")
    for damage in found["damaged_records"]:
        session.failed(Corrupt(f"a record could not be read: {damage}"))
