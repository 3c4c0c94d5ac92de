"""`lithify serve`: the archive behind REST."""

import click

from lithify.api.commands.session import Session, open_archive
from lithify.api.commands.values import TEXT


@click.command()
@click.option("--with-worker", is_flag=True, help="Do the encoding in this process as well.")
@click.option("--host", type=TEXT, help="Address to listen on. [env: LITHIFY_HOST]")
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes a free one. [env: LITHIFY_PORT]")
@click.pass_obj
def serve(session: Session, with_worker: bool, host: str | None, port: int | None) -> None:
    """Serve the local archive by REST until SIGTERM or Ctrl-C.

    Every request needs an API key. The first start makes one for the owner, in the file `key` of the archive.
    """
    settings = session.local_settings("serve")
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update=given)
    from lithify.api.server import serve as serve_archive
    from lithify.workers.first_key import first_key

    with open_archive(settings) as archive:
        if key := first_key(archive):
            session.out.note("key", f"the owner's API key is in {key}")
        serve_archive(archive, settings, with_worker=with_worker)
