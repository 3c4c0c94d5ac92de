"""`lithify grep`: the lines of stored originals that match a pattern, as grep would print them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lithify.api.commands.files import origin
from lithify.api.commands.session import Session, json_option, open_service
from lithify.api.commands.values import COUNT, COUNT_OR_ALL, MOMENT, PATH, PATTERN, PREFIX, ObjectName
from lithify.api.commands.walk import shown
from lithify.errors import BadArgument

if TYPE_CHECKING:
    from lithify.api.output import Output
    from lithify.workers.found import Found, FoundLines, Query, Where

EXIT_NOTHING_FOUND = 1
_SEVERAL = frozenset("*?[")


@click.command()
@click.argument("pattern", type=PATTERN, metavar="PATTERN")
@click.argument("names", nargs=-1, type=PREFIX, metavar="[NAME...]")
@click.option("--file", "files", type=PATH, multiple=True, metavar="FILE.lith", help="Search a frame on disk.")
@click.option("--primer", "primers", type=PATH, multiple=True, metavar="FILE", help="A primer that FILE.lith needs.")
@click.option("--model", "models", type=PATH, multiple=True, metavar="PATH", help="A language model that it needs.")
@click.option(
    "-E", "--regex", is_flag=True, expose_value=False, help="PATTERN is a regular expression, as it is anyway."
)
@click.option("-F", "--fixed", is_flag=True, help="PATTERN is a text, not a regular expression.")
@click.option("-i", "--ignore-case", is_flag=True, help="ASCII letters match in either case.")
@click.option("-v", "--invert-match", "invert", is_flag=True, help="Find the lines that do not match.")
@click.option("-n", "--line-number", "numbers", is_flag=True, help="Each line with its number.")
@click.option("-c", "--count", is_flag=True, help="Only how many lines are found.")
@click.option("-l", "--files-with-matches", "only_names", is_flag=True, help="Only the names where a line is found.")
@click.option("-m", "--max-count", type=COUNT, metavar="N", help="Stop in each object after N lines are found.")
@click.option("-A", "--after-context", "after", type=COUNT_OR_ALL, metavar="N", help="And N lines behind each.")
@click.option("-B", "--before-context", "before", type=COUNT_OR_ALL, metavar="N", help="And N lines before each.")
@click.option("-C", "--context", type=COUNT_OR_ALL, metavar="N", help="Both.")
@click.option("-H", "--with-filename", "with_name", is_flag=True, help="Each line with the object's name.")
@click.option("-h", "--no-filename", "without_name", is_flag=True, help="No line with it.")
@click.option("--since", type=MOMENT, help="Only lines written then or later: 2026-11-21T10:00, 2d.")
@click.option("--until", type=MOMENT, help="Only lines written then or earlier.")
@json_option
@click.pass_obj
def grep(
    session: Session,
    /,
    *,
    names: Sequence[ObjectName],
    files: Sequence[Path],
    primers: Sequence[Path],
    models: Sequence[Path],
    numbers: bool,
    with_name: bool,
    without_name: bool,
    **wanted: Any,
) -> None:
    """Find the lines that match PATTERN, a regular expression, and print them as they are.

    NAME is COLLECTION/NAME; COLLECTION or COLLECTION/PREFIX/ for all whose names begin so; or a glob (* ? [...]).
    Names are printed before lines when there may be several. Only what can match is decoded. Language models are also
    looked for in the folder LITHIFY_MODELS.
    """
    if not names and not files:
        raise BadArgument("name what to search: COLLECTION/NAME, COLLECTION, a glob, or --file FILE.lith")
    query = _query(**wanted)
    several = len(names) + len(files) > 1 or any(_means_several(name) for name in names)
    printer = Printer(
        session.out,
        names=with_name or (several and not without_name),
        numbers=numbers,
        apart=any(wanted[one] is not None for one in ("before", "after", "context")),
    )
    count = 0
    for path in files:
        with session.going_on():
            count += _tell(session, printer, query, _in_file(path, primers, session.models(models), query))
    if names:
        with open_service(session) as service:
            for name in names:
                with session.going_on():
                    count += _tell(session, printer, query, service.search(*name, query))
    if not count:
        session.exit_code = session.exit_code or EXIT_NOTHING_FOUND


def _query(
    *,
    pattern: bytes,
    count: bool,
    only_names: bool,
    before: int | None,
    after: int | None,
    context: int | None,
    **terms: Any,
) -> "Query":
    from lithify.workers.found import Query

    around = context or 0
    return Query(
        pattern,
        before=around if before is None else before,
        after=around if after is None else after,
        answer="names" if only_names else "count" if count else "lines",
        **terms,
    )


def _means_several(name: ObjectName) -> bool:
    return not name.name or name.name.endswith("/") or bool(_SEVERAL & set(name.name))


def _in_file(path: Path, primers: Sequence[Path], models: Sequence[Path], query: "Query") -> "Iterator[Found]":
    from lithify.workers.frame_search import search_file

    with origin(path) as frame:
        yield from search_file(frame, shown(path), query, primers, models)


def _tell(session: Session, printer: "Printer", query: "Query", found: "Iterable[Found]") -> int:
    """Print what is found, and give how many lines that were."""
    from lithify.workers.found import Searched

    count = 0
    for each in found:
        if isinstance(each, Searched):
            count += each.matches
            if each.error is not None:
                session.failed(type(each.error)(f"{label(each.where)}: {each.error.message}"))
                continue
        printer.say(each, query)
    return count


def label(where: "Where") -> str:
    """The name as it is printed."""
    return f"{where.collection}/{where.name}" if where.collection else where.name


class Printer:
    """Prints what is found as grep does."""

    def __init__(self, out: "Output", *, names: bool, numbers: bool, apart: bool) -> None:
        self._out = out
        self._names, self._numbers, self._apart = names, numbers, apart
        self._last: tuple[Where, int] | None = None

    def say(self, found: "Found", query: "Query") -> None:
        """Print lines, or of an original that is through what the query wants to know."""
        from lithify.workers.found import FoundLines

        if self._out.as_json:
            self._say_as_json(found)
        elif isinstance(found, FoundLines):
            self._out.block(self._lines(found))
            self._out.flush()  # whoever waits for the next line should see this one
        elif query.answer == "count":
            self._out.line(f"{label(found.where)}:{found.matches}" if self._names else str(found.matches))
        elif query.answer == "names" and found.matches:
            self._out.line(label(found.where))

    def _say_as_json(self, found: "Found") -> None:
        from lithify.api.matches import documents

        for document in documents(found):
            self._out.document(document, "")

    def _lines(self, found: "FoundLines") -> bytes:
        if not (self._names or self._numbers or self._apart):
            return found.text
        name = label(found.where).encode()
        parts: list[bytes] = []
        for number, matched, text in zip(found.numbers, found.matched, found.lines(), strict=True):
            mark = b":" if matched else b"-"
            if self._apart and self._last not in {None, (found.where, number - 1)}:
                parts.append(b"--\n")
            if self._names:
                parts += (name, mark)
            if self._numbers:
                parts += (b"%d" % number, mark)
            parts += (text, b"\n")
            self._last = found.where, number
        return b"".join(parts)
