"""The tables of README.md, made from the application and the errors themselves; a test keeps them so.

python -m lithify.api.readme    rewrites them
"""

from collections.abc import Iterable
from pathlib import Path

from fastapi.routing import APIRoute

from lithify.api import problems
from lithify.api.app import ROUTERS
from lithify.api.auth import GuardedRoute

README = Path(__file__).with_name("README.md")


def routes() -> str:
    """Method, path, scope and meaning of every route."""
    rows = [
        (f"`{method}`", f"`{route.path.replace(':path', '')}`", _scope(route), route.summary or "")
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]
    return _table(("method", "path", "scope", "what it does"), rows)


def errors() -> str:
    """Every error as HTTP and the command line show it."""
    rows = [(f"`{row.code}`", str(row.status), str(row.exit_code), row.sentence) for row in problems.table()]
    return _table(("code", "HTTP status", "exit code", "what it means"), rows)


def refreshed(text: str) -> str:
    """`text` with what stands between its markers made anew."""
    for name, table in (("routes", routes()), ("errors", errors())):
        before, start, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->")
        text = f"{before}{start}{table}\n{end}{after}"
    return text


def _scope(route: APIRoute) -> str:
    needed = route.scope_needed if isinstance(route, GuardedRoute) else None
    return needed or "open"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    README.write_text(refreshed(README.read_text()))
