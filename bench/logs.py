"""The logs codec beside its rivals: ratio and speed, search, short files of a collection, start and memory.

python -m bench logs [--quick] [--only PART]... [--brotli] [FILE...]

Files are logs, plain or packed by xz; without any, those that lie in ../shared/data/logs. Everything runs in one
thread, rivals and ours in the same run; a MB is 1,000,000 bytes. The whole of it takes half an hour.
"""

import argparse
from pathlib import Path

from bench import log_pieces, log_ratios, log_search, log_start
from bench.bars import Bar, print_bars
from bench.codecs import MEASURED_DATA
from bench.log_files import QUICK_BYTES_MAX, LogFile, log_files
from lithify.codecs.logs.codec import Logs
from lithify.workers.kernel_cache import make_kernels

PARTS = ("ratios", "search", "pieces", "start")


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench logs")
    parser.add_argument("files", nargs="*", type=Path, help="logs, plain or .xz")
    parser.add_argument("--quick", action="store_true", help=f"only files of up to {QUICK_BYTES_MAX / 1e6:.0f} MB")
    parser.add_argument("--only", action="append", choices=PARTS, help="one part; may be given again")
    parser.add_argument("--brotli", action="store_true", help="measure brotli -11 too, which is very slow")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Each part prints its tables when it is done; the bars come last."""
    asked = _parsed(arguments)
    files = log_files(asked.files, quick=asked.quick)
    if not files:
        print(f"no logs to measure with: none was named, and none lies in {MEASURED_DATA / 'logs'}")
        return
    for gap in make_kernels(Logs):
        print(gap)
    print_bars([bar for part in asked.only or PARTS for bar in _part(part, files, slow=asked.brotli)])


def _part(part: str, files: list[LogFile], *, slow: bool) -> list[Bar]:
    if part == "ratios":
        results = log_ratios.measure(files, slow=slow)
        log_ratios.print_summary(results)
        return log_ratios.bars(results)
    if part == "search":
        return log_search.measure(files)
    return log_pieces.measure(files) if part == "pieces" else log_start.measure(files)
