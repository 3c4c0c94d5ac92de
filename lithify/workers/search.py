"""Searching what is stored: which originals a name means, and the lines that a child finds in each.

Originals are searched one after another, in order of name. What goes wrong with one is told, and the others follow; a
pattern that cannot be read ends it all.
"""

from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lithify import limits
from lithify.errors import BadBytes, LithifyError, NotFound
from lithify.store import queries
from lithify.store.glob import Glob, is_glob
from lithify.store.places import Standing
from lithify.store.views import ObjectView
from lithify.workers.found import Found, FoundLines, Query, Searched, Where
from lithify.workers.frame_search import ROLE, search_frame, to_its_end
from lithify.workers.log import log
from lithify.workers.needs import brought
from lithify.workers.sandbox import OnProgress

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

PAGE = limits.LIST_PAGE_MAX


def search(
    archive: "Archive",
    collection: str,
    name: str,
    query: Query,
    *,
    limit: int | None = None,
    on_progress: OnProgress | None = None,
) -> Iterator[Found]:
    """What the query finds in each original that `name` means (see `select`), up to `limit` lines in all.

    limit        means nothing to a query that only counts
    on_progress  told at least once a second how many steps were taken; what it raises ends the search of an original
    """
    left = None if query.answer == "count" else limit
    for view in select(archive, collection, name):
        for found in _search_object(archive, view, query if left is None else query.at_most(left), on_progress):
            yield found
            if left is not None and isinstance(found, Searched):
                left -= found.matches
        if left == 0:
            return


def select(archive: "Archive", collection: str, name: str) -> Iterator[ObjectView]:
    """The object of this name; with a `/` at the end, or empty, all whose names begin so; else those a glob matches.

    Raises NotFound when that is none.
    """
    if name and not name.endswith("/"):
        try:
            yield archive.stat(collection, name)
        except NotFound:
            if not is_glob(name):
                raise
        else:
            return
    glob = Glob(name) if is_glob(name) else None
    found = False
    for view in _pages(archive, collection, name if glob is None else glob.prefix):
        if glob is None or glob.matches(view.name):
            found = True
            yield view
    if not found:
        raise NotFound(f"no object of {collection} has a name that {'begins with' if glob is None else 'is'} {name!r}")


def _pages(archive: "Archive", collection: str, prefix: str) -> Iterator[ObjectView]:
    """A page at a time: a search may take hours, and must not hold the catalog's snapshot meanwhile."""
    after = ""
    while page := archive.list(collection, prefix=prefix, after=after, limit=PAGE):
        yield from page
        after = page[-1].name


def _search_object(
    archive: "Archive", view: ObjectView, query: Query, on_progress: OnProgress | None
) -> Iterator[Found]:
    if not _places(archive, view):  # it grew since its page was read, and what it was then is swept
        with suppress(NotFound):
            view = archive.stat(view.collection, view.name)
    where = Where(view.collection, view.name, view.revision)
    return to_its_end(where, _first_that_can_be_read(archive, view, where, query, on_progress))


def _first_that_can_be_read(
    archive: "Archive", view: ObjectView, where: Where, query: Query, on_progress: OnProgress | None
) -> Generator[FoundLines, None, int]:
    """Search the current encoding; if that fails before anything was found, a retired one that still stands."""
    failure: LithifyError = NotFound(f"{view.collection}/{view.name} has no encoding")
    for standing in _places(archive, view):
        found = _search_blob(archive, standing, where, query, newest=view.created_at, on_progress=on_progress)
        try:
            first = next(found)
        except StopIteration as end:
            return int(end.value)
        except (BadBytes, NotFound) as error:
            log(ROLE).error("encoding_unreadable", blob=standing.blob.digest, code=error.code)
            failure = error
            continue
        yield first
        return (yield from found)
    raise failure


def _search_blob(
    archive: "Archive", standing: Standing, where: Where, query: Query, **terms: Any
) -> Generator[FoundLines, None, int]:
    with brought(archive, standing) as needs, archive.blobs.open(standing.blob) as frame:
        return (yield from search_frame(needs, frame, where, query, **terms))


def _places(archive: "Archive", view: ObjectView) -> list[Standing]:
    with archive.catalog.reading() as connection:
        return queries.serving_places(connection, view.revision)
