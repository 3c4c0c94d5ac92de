"""Searching one frame in a child. Knows no archive: `lithify grep --file` needs none, and starts without a catalog."""

import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from lithify.codecs.frame import read_frame
from lithify.errors import BadArgument, Cancelled, LithifyError
from lithify.workers.found import Found, FoundLines, Query, Searched, Where
from lithify.workers.needs import Needs, gathered
from lithify.workers.proof import place_of
from lithify.workers.sandbox import OnProgress
from lithify.workers.search_tasks import batches

ROLE = "search"


def search_frame(
    needs: Needs,
    frame: BinaryIO,
    where: Where,
    query: Query,
    *,
    newest: float | None,
    on_progress: OnProgress | None = None,
) -> Generator[FoundLines, None, int]:
    """What the query finds in a frame that lies in a file; returns how many lines that are.

    newest  when the original was there already, in seconds since 1970: times without a year are before it
    """
    args = {"input": place_of(frame).as_json(), "query": query.as_json(), "newest": newest, **needs.named}
    fds = (frame.fileno(), *needs.fds)
    with needs.sandbox.stream(
        "search", args, fds, attached=needs.primers, role=ROLE, on_progress=on_progress
    ) as stream:
        yield from batches(stream, where)
    assert stream.result is not None, "a stream ends with its result or an error"
    return int(stream.result.result["matches"])


def search_file(
    frame: BinaryIO, name: str, query: Query, primers: Sequence[Path] = (), models: Sequence[Path] = ()
) -> Iterator[Found]:
    """What the query finds in a frame on disk, with no archive anywhere near.

    primers  files, or folders of files, among which are the primers that the frame needs
    models   the same for language models; a Hugging Face folder is one
    """
    where = Where("", name, "")
    return to_its_end(where, _search_file(frame, where, query, primers, models))


def _search_file(
    frame: BinaryIO, where: Where, query: Query, primers: Sequence[Path], models: Sequence[Path]
) -> Generator[FoundLines, None, int]:
    newest = os.fstat(frame.fileno()).st_mtime
    with gathered(read_frame(frame), primers, models) as needs:
        return (yield from search_frame(needs, frame, where, query, newest=newest))


def to_its_end(where: Where, lines: Generator[FoundLines, None, int]) -> Iterator[Found]:
    """The lines, and how it ended; whatever went wrong is this original's fault alone, unless it is the pattern's."""
    try:
        matches = yield from lines
    except (BadArgument, Cancelled):
        raise
    except LithifyError as error:
        yield Searched(where, 0, error)
    else:
        yield Searched(where, matches)
