"""What was won: one row for each file, with what zstd, the sensible default of most people, makes of it."""

from dataclasses import dataclass
from pathlib import Path

import zstandard
from rich.console import Console
from rich.table import Table

from lithify.store.views import ObjectView

ZSTD_LEVEL = 3
_TOGETHER_FROM = 10
"""A folder of at least so many files makes one row."""
_WIDTH_MAX = 1000


@dataclass(slots=True)
class Row:
    """One file, or a folder of small ones."""

    name: str
    kinds: set[str]
    codecs: set[str]
    objects: int = 0
    original_bytes: int = 0
    stored_bytes: int = 0
    zstd_bytes: int = 0
    proved: int = 0

    def add(self, view: ObjectView, zstd_bytes: int) -> None:
        """Count one object in."""
        self.kinds.add(view.kind)
        self.codecs.add(view.codec)
        self.objects += 1
        self.original_bytes += view.length
        self.stored_bytes += view.stored_bytes
        self.zstd_bytes += zstd_bytes
        self.proved += view.verified_at is not None


def zstd_bytes(path: Path) -> int:
    """What `zstd -3` makes of the file."""
    return len(zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(path.read_bytes()))


def rows(views: list[ObjectView], folder: Path) -> list[Row]:
    """The objects by name; those of a crowded folder together, and the total as the last row."""
    crowds: dict[str, int] = {}
    for view in views:
        crowds[_parent(view)] = crowds.get(_parent(view), 0) + 1
    found: dict[str, Row] = {}
    total = Row("all", set(), set())
    for view in sorted(views, key=lambda view: view.name):
        together = crowds[_parent(view)] >= _TOGETHER_FROM
        name = f"{_parent(view)}/… ({crowds[_parent(view)]})" if together else view.name
        row = found.setdefault(name, Row(name, set(), set()))
        compressed = zstd_bytes(folder / view.name)
        row.add(view, compressed)
        total.add(view, compressed)
    return [*found.values(), total]


def _parent(view: ObjectView) -> str:
    return view.name.rpartition("/")[0]


def show(console: Console, found: list[Row]) -> None:
    """Print the table; the last row is the total."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for title in ("object", "kind", "codec"):
        table.add_column(title, no_wrap=True)
    for title in ("KB", "stored", "ratio", f"zstd -{ZSTD_LEVEL}", "proved"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in found[:-1]:
        table.add_row(row.name, _one_of(row.kinds), _one_of(row.codecs), *_figures(row))
    table.add_row("all", "", "", *_figures(found[-1]), style="bold")
    # A figure that is cut off says something else: a terminal breaks what is too wide, a pipe takes it whole.
    wanted = console.measure(table, options=console.options.update(max_width=_WIDTH_MAX)).maximum
    Console(file=console.file, width=max(console.width, wanted)).print(table)
    total = found[-1]
    saved = 1 - total.stored_bytes / total.zstd_bytes
    console.print(f"\nAll of it takes {saved:.0%} less room than zstd -{ZSTD_LEVEL} would need.")


def _one_of(names: set[str]) -> str:
    return names.copy().pop() if len(names) == 1 else f"{len(names)} of them"


def _figures(row: Row) -> tuple[str, ...]:
    return (
        f"{row.original_bytes / 1e3:,.0f}",
        f"{row.stored_bytes / 1e3:,.0f}",
        f"{row.original_bytes / row.stored_bytes:.2f}",
        f"{row.original_bytes / row.zstd_bytes:.2f}",
        "yes" if row.proved == row.objects else f"{row.proved} of {row.objects}",
    )
