"""The table of routes in README.md, made from the application itself; a test keeps it so.

python -m lithify.api.readme    rewrites it
"""

from pathlib import Path

from fastapi.routing import APIRoute

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
    head = [("method", "path", "scope", "what it does"), ("---", "---", "---", "---")]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [*head, *rows])


def refreshed(text: str) -> str:
    """`text` with what stands between its markers made anew."""
    before, start, rest = text.partition("<!-- routes -->\n")
    _, end, after = rest.partition("<!-- end of routes -->")
    return f"{before}{start}{routes()}\n{end}{after}"


def _scope(route: APIRoute) -> str:
    needed = route.scope_needed if isinstance(route, GuardedRoute) else None
    return needed or "open"


if __name__ == "__main__":
    README.write_text(refreshed(README.read_text()))
