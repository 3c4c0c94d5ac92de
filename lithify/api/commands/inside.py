"""`--contents`: what was found inside an object or a frame, as a table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lithify.api.output import ratio, size

if TYPE_CHECKING:
    from lithify.api.output import Output
    from lithify.store.views import InsideView

_COLUMNS = ("inside", "pieces", "codec", "before", "now", "ratio", "share")
_INDENT = "  "


def show_contents(out: "Output", items: Sequence["InsideView"]) -> None:
    """One line for all things of one kind, and one below it for each member; `share` is of what all chunks take."""
    from lithify.workers.contents import together

    rows = together(items)
    stored = sum(row.stored_bytes for row in rows if not row.depth)
    lines = [line for row in rows for line in (_row(row, stored), *_members(row))]
    out.table(_COLUMNS, lines, title="what was found inside")


def _row(row: "InsideView", stored: int) -> list[str]:
    sizes = [size(row.original_bytes), size(row.stored_bytes), ratio(row.original_bytes / max(1, row.stored_bytes))]
    share = f"{100 * row.stored_bytes / max(1, stored):.2f} %"
    return [f"{_INDENT * row.depth}{row.what}", str(row.count), row.codec, *sizes, share]


def _members(row: "InsideView") -> list[list[str]]:
    """They are kept together: what one of them takes is not known."""
    indent = _INDENT * (row.depth + 1)
    return [[indent + one.name, "", "", size(one.original_bytes), "", "", ""] for one in row.members]
