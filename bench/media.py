"""The media family beside its rivals: what lies inside archives and documents.

python -m bench media [--only PART]... [FILE...]

Without files, those of ../shared/data/media. Everything runs in one thread; speeds are megabytes (1,000,000 bytes) a
second of processor time.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import media_archives
from bench.bars import Bar, print_bars

PARTS: dict[str, Callable[[Sequence[Path]], list[Bar]]] = {
    "encoders": media_archives.encoders,
    "archives": media_archives.archives,
}
"""Each prints its tables and gives its bars."""


def main(arguments: list[str]) -> None:
    """Each part prints its tables when it is done; the bars come last."""
    parser = argparse.ArgumentParser(prog="python -m bench media")
    parser.add_argument("files", nargs="*", type=Path, help="files to measure in place of the usual ones")
    parser.add_argument("--only", action="append", choices=sorted(PARTS), help="one part; may be given again")
    asked = parser.parse_args(arguments)
    bars = [bar for name in asked.only or PARTS for bar in PARTS[name](asked.files)]
    print_bars(bars)
