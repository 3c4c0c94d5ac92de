"""The text codec beside its rivals: bits per byte, speed, what a collection teaches, start.

python -m bench text [--only PART]... [FILE...]

Without files, those of the evaluation pack in ../shared/data/text. Everything runs in one thread, rivals and ours in
the same run; speeds are megabytes (1,000,000 bytes) a second of processor time. Two minutes; `--only network` takes ten
more.
"""

import argparse
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from bench.bars import Bar, print_bars
from bench.codecs import Pack, ours
from bench.figures import seconds, table
from bench.text_files import TextFile, text_files
from bench.text_network import network_part
from bench.text_rivals import ZPAQ, rivals
from lithify.codecs.text.codec import Text, TextParams

PARTS = ("ratios", "collections", "start")
NETWORK = "network"
"""A part that is only measured when it is asked for."""
OURS, FRAMED, PPMD = "mixing", "framed", "ppmd16"
SHORT = "short documents"
_LENGTH_BYTES = 4
_ROUNDS = 3
_START = (
    "from lithify.codecs.text.codec import Text; c = Text(); p = c.encode_group(b'It settles. ' * 80); "
    "c.decode(p, shared=b'', length=960)"
)
_BARS = {
    "canterbury/alice29.txt": 1.86,
    "calgary/book1": 2.12,
    SHORT: 1.95,
    "docs/rust_book.md": 1.60,
    "code/flask.py": 1.25,
}


@dataclass
class Figures:
    """One way of packing, on all files."""

    packed: dict[str, int] = field(default_factory=dict)
    seconds_in: float = 0.0
    seconds_out: float = 0.0


def main(arguments: list[str]) -> None:
    """Each part prints its tables when it is done; the bars come last."""
    parser = argparse.ArgumentParser(prog="python -m bench text")
    parser.add_argument("files", nargs="*", type=Path, help="texts")
    parser.add_argument("--only", action="append", choices=(*PARTS, NETWORK), help="one part; may be given again")
    asked = parser.parse_args(arguments)
    files = text_files(asked.files)
    if not files:
        print("no texts to measure with: none was named, and there is no evaluation pack")
        return
    parts: dict[str, Callable[[Sequence[TextFile]], list[Bar]]] = {
        "ratios": _ratios,
        "collections": _collections,
        "start": lambda _: _start(),
        NETWORK: network_part,
    }
    print_bars([bar for part in asked.only or PARTS for bar in parts[part](files)])


# --- ratios and speed -------------------------------------------------------------------------------------


def _ratios(files: Sequence[TextFile]) -> list[Bar]:
    ways = {**rivals(), OURS: (_pack, _unpack), FRAMED: ours(Text, "default")}
    if ZPAQ not in ways:
        print(f"{ZPAQ}: left out, for zpaq is not installed (Debian has it)")
    _pack(files[0].data[:2000])  # the kernel is in memory before time counts
    figures = {name: _figures(files, way, name) for name, way in ways.items()}
    long = [file for file in files if not file.is_short]
    short = [file for file in files if file.is_short]
    groups = [(file.name, [file]) for file in long]
    groups.append((SHORT, short))
    groups += [(f"  {source}", found) for source, found in _by_source(short).items()]
    rows = [
        (name.rsplit("/", 1)[-1], *(f"{_bits(figures[way], found):.3f}" for way in ways))
        for name, found in groups
        if found
    ]
    table(("bits per byte", *ways), rows)
    total = sum(len(file.data) for file in files) / 1e6
    speeds = [(n, f"{total / f.seconds_in:.2f}", f"{total / f.seconds_out:.2f}") for n, f in figures.items()]
    table(("all files", "in, MB/s cpu", "out, MB/s cpu"), speeds)
    return [*_ratio_bars(groups, figures, files), *_speed_bars(total, figures[OURS])]


def _pack(data: bytes) -> bytes:
    return len(data).to_bytes(_LENGTH_BYTES, "little") + b"".join(_payloads(data, Text()))


def _payloads(data: bytes, codec: Text) -> Iterable[bytes]:
    size = TextParams().group_bytes
    return (codec.encode_group(data[at : at + size]) for at in range(0, len(data), size))


def _unpack(packed: bytes) -> bytes:
    """Of one group, as all texts of the pack are."""
    length = int.from_bytes(packed[:_LENGTH_BYTES], "little")
    return Text().decode(packed[_LENGTH_BYTES:], shared=b"", length=length)


def _figures(files: Sequence[TextFile], way: tuple[Pack, Pack], name: str) -> Figures:
    """What comes back is compared."""
    print(name, file=sys.stderr)
    pack, unpack = way
    found = Figures()
    for file in files:
        started = _processor_seconds()
        packed = pack(file.data)
        middle = _processor_seconds()
        assert unpack(packed) == file.data, "a way that loses bytes has no figures"
        found.seconds_in += middle - started
        found.seconds_out += _processor_seconds() - middle
        bare = name in {OURS, PPMD}  # the length is for us: a frame has it in its table
        found.packed[file.name] = len(packed) - _LENGTH_BYTES * bare
    return found


def _processor_seconds() -> float:
    """Of this process and of those it has waited for."""
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


def _bits(figures: Figures, files: Sequence[TextFile]) -> float:
    return 8 * sum(figures.packed[file.name] for file in files) / sum(len(file.data) for file in files)


def _by_source(short: Sequence[TextFile]) -> dict[str, list[TextFile]]:
    found = defaultdict(list)
    for file in short:
        found[file.source].append(file)
    return {source: found[source] for source in found if len(found[source]) > 2}


def _ratio_bars(
    groups: Sequence[tuple[str, list[TextFile]]], figures: dict[str, Figures], files: Sequence[TextFile]
) -> list[Bar]:
    bars = [
        Bar(f"{name}, bits per byte", _BARS[name], _bits(figures[OURS], found), at_most=True)
        for name, found in groups
        if name in _BARS and found
    ]
    mine, theirs = figures[OURS].packed, figures[PPMD].packed
    worst = max(mine[file.name] / theirs[file.name] for file in files)
    return [*bars, Bar("every file: bytes / ppmd o16", 1.0, worst, at_most=True)]


def _speed_bars(total: float, figures: Figures) -> list[Bar]:
    return [
        Bar("in, MB/s cpu", 0.5, total / figures.seconds_in),
        Bar("out, MB/s cpu", 0.5, total / figures.seconds_out),
    ]


# --- collections ------------------------------------------------------------------------------------------


def _collections(files: Sequence[TextFile]) -> list[Bar]:
    """Every second short document of a source, behind a primer that the others made."""
    rows = []
    for source, found in _by_source([file for file in files if file.is_short]).items():
        primer = Text.make_primer([file.data for file in found[::2]])
        assert primer is not None, "texts always teach something"
        primed = Text(Text.params_with_primer(TextParams(), "0" * 64)).primed(primer)
        rest, before = found[1::2], sum(len(file.data) for file in found[::2])
        length = sum(len(file.data) for file in rest)
        bits = [8 * sum(len(codec.encode_group(file.data)) for file in rest) / length for codec in (Text(), primed)]
        rows.append((source, f"{before:,}", f"{length:,}", *(f"{each:.3f}" for each in bits)))
    if rows:
        table(("a collection", "bytes before", "bytes measured", "bits per byte alone", "with a primer"), rows)
    return []


# --- start ------------------------------------------------------------------------------------------------


def _start() -> list[Bar]:
    """A new process that encodes and decodes one short text, its kernel kept from the run before."""
    waited, spent = [], []
    for _ in range(_ROUNDS + 1):
        before = _processor_seconds()
        waited.append(seconds(partial(subprocess.run, [sys.executable, "-c", _START], check=True)))
        spent.append(_processor_seconds() - before)
    row = ("cached", f"{median(spent[1:]):.2f}", f"{median(waited[1:]):.2f}")
    table(("a new process, one text in and out", "cpu seconds", "seconds"), [row])
    return [Bar("cached start, cpu seconds", 1.0, median(spent[1:]), at_most=True)]
