"""`lithify codecs`: the table of formats, and which of them can run here."""

import click

from lithify.api.commands.session import Session, json_option


@click.command()
@json_option
@click.pass_obj
def codecs(session: Session) -> None:
    """List the codecs, their formats and contracts, and what is missing to run them."""
    from lithify.workers.installed import codec_facts

    found = codec_facts()
    if session.out.as_json:
        for facts in found:
            session.out.document(facts, "")
        return
    rows = [
        [facts["codec"], facts["format"], ", ".join(facts["contracts"]), facts["missing"] or "installed"]
        for facts in found
    ]
    session.out.table(("codec", "format", "contracts", "here"), rows)
