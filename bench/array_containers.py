"""Whole files of arrays beside general compressors, and how long a slice of a kept one takes.

python -m bench array_containers [FILE...]

Without files, those of ../shared/data/arrays. Every way is undone and compared. Seconds are of one processor.
"""

import argparse
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from statistics import median

from bench.codecs import MEASURED_DATA, RIVALS, Pack, ours
from bench.figures import table
from lithify.codecs.arrays.codec import Arrays
from lithify.codecs.arrays.opened import LazyArray, open_arrays

_RIVALS = ("zstd -19 --long", "xz -9e")
_OURS = ("fast", "default")
_SLICES = 5


def main(arguments: list[str]) -> None:
    """Print two tables: sizes and times of whole files, then slices."""
    parser = argparse.ArgumentParser(prog="python -m bench array_containers")
    parser.add_argument("files", nargs="*", type=Path, help="files that hold arrays")
    files = parser.parse_args(arguments).files or sorted((MEASURED_DATA / "arrays").glob("*.*"))
    if not files:
        print("no arrays to measure with: none was named, and there is no ../shared/data/arrays")
        return
    Arrays.warm()
    ways = {name: RIVALS[name] for name in _RIVALS} | {effort: ours(Arrays, effort) for effort in _OURS}
    rows, slices = [], []
    for path in files:
        data = path.read_bytes()
        sizes, frame = {}, b""
        for name, way in ways.items():
            frame, into, out = _packed(data, way)
            sizes[name] = f"{len(frame):,} ({into:.1f}/{out:.1f} s)"
        best = min(int(sizes[name].split(" ")[0].replace(",", "")) for name in _RIVALS)
        rows.append((path.name, f"{len(data):,}", *sizes.values(), f"{best / len(frame):.2f}"))
        slices += _sliced(path.name, frame)
    table(("bytes (in/out)", "original", *ways, "best rival / default"), rows)
    table(("one step of the first axis", "array", "blocks", "open, ms", "slice, ms", "whole, ms"), slices)


def _packed(data: bytes, way: tuple[Pack, Pack]) -> tuple[bytes, float, float]:
    pack, unpack = way
    started = time.process_time()
    packed = pack(data)
    middle = time.process_time()
    assert unpack(packed) == data, "a way that loses bytes has no figures"
    return packed, middle - started, time.process_time() - middle


def _sliced(name: str, frame: bytes) -> list[tuple[str, ...]]:
    """For the largest array of a frame."""
    opening = _milliseconds(lambda _: open_arrays(BytesIO(frame)))
    arrays = open_arrays(BytesIO(frame)).arrays.values()
    found = max(arrays, key=_bytes_of, default=None)
    if found is None or not found.shape:
        return []
    steps = found.shape[0]
    one = _milliseconds(lambda round_: found[steps * round_ // _SLICES])
    whole = _milliseconds(lambda _: found[:], rounds=1)
    return [(name, f"{found.name} {found.shape}", str(found.blocks), f"{opening:.1f}", f"{one:.1f}", f"{whole:.1f}")]


def _bytes_of(array: LazyArray) -> int:
    count = array.dtype.itemsize
    for side in array.shape:
        count *= side
    return count


def _milliseconds(work: Callable[[int], object], rounds: int = _SLICES) -> float:
    """The median of some rounds."""
    found = []
    for round_ in range(rounds):
        started = time.process_time()
        work(round_)
        found.append(1000 * (time.process_time() - started))
    return median(found)
