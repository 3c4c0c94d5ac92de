"""`lithify check`: compare the catalog with what lies on disk."""

import click

from lithify.api.commands.session import Session, json_option, open_service
from lithify.api.output import plural, size
from lithify.errors import Corrupt


@click.command()
@click.option("--read-data", is_flag=True, help="Read and hash every blob as well.")
@json_option
@click.pass_obj
def check(session: Session, read_data: bool) -> None:
    """Compare catalog and cellar, and name everything that is wrong."""
    with open_service(session) as service:
        found = service.check(read_data=read_data)
    if session.out.as_json:
        session.out.document(found, "")
    else:
        for finding in found.findings:
            session.out.line(f"{finding.code}: {finding.what} {finding.where}: {finding.detail}")
        read = f", {size(found.read_bytes)} read" if found.read_bytes else ""
        counts = (plural(found.objects, "object"), plural(found.blobs, "blob"), plural(found.packs, "pack"))
        verdict = plural(len(found.findings), "finding") if found.findings else "all well"
        session.out.line(f"{', '.join(counts)}{read}: {verdict}")
    if found.findings:
        session.failed(Corrupt(f"check found {plural(len(found.findings), 'thing')} wrong"))
