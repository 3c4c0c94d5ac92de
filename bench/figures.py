"""What every bench does with its figures: take the median of some rounds, and print one table."""

import time
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from rich.console import Console
from rich.table import Table


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def spread(values: Sequence[float], form: str = ".0f") -> str:
    """The median, and in brackets the smallest and the largest."""
    if len(values) == 1:
        return format(values[0], form)
    return f"{median(values):{form}} ({min(values):{form}}–{max(values):{form}})"


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under titles; the first column is text, the others are figures."""
    found = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    for number, title in enumerate(titles):
        found.add_column(title, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        found.add_row(*map(str, row))
    console = Console(highlight=False)
    console.width = max(console.width, 120)  # a pipe has no width, and a figure cut in two is none
    console.print(found)
