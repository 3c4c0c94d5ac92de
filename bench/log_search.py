"""What it costs to find a text in a packed log, beside `zstdcat | grep -F` on the same log packed by zstd -3."""

import os
import re
import resource
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path
from statistics import median
from typing import IO

import zstandard

from bench.bars import Bar
from bench.codecs import ours
from bench.figures import table
from bench.log_files import LogFile
from bench.program import workplace
from lithify.codecs.frame import read_frame
from lithify.codecs.frame.search import FrameChunks
from lithify.codecs.logs.codec import Logs
from lithify.workers.found import Query
from lithify.workers.frame_lines import FrameLines
from lithify.workers.line_search import LineSearch

ROUNDS = 5
EFFORTS_SEARCHED = ("default", "fast")
_SAMPLE_BYTES = 4_000_000
_RARE_LINES_MAX = 3
_CANDIDATES_MAX = 400  # each costs a look through the whole log
_WORD = re.compile(rb"\b[A-Za-z][A-Za-z0-9_]{5,31}\b")
_NUMBER = re.compile(rb"\b[0-9]{4,18}\b")
Stream = int | IO[bytes] | None
_COMMON_SHARES = (0.1, 0.5)
_BOUNDS = {"rare": 1 / 5, "miss": 1 / 10, "common": 2.0}


@dataclass(frozen=True, slots=True)
class Asked:
    """A text to look for, and what kind of question that is."""

    kind: str
    text: bytes


# --- what to look for -------------------------------------------------------------------------------------


def questions(data: bytes) -> Iterator[Asked]:
    """A rare word and a rare number, the like that are not there, and words of many lines."""
    middle = max(0, len(data) - _SAMPLE_BYTES) // 2
    sample = data[middle : middle + _SAMPLE_BYTES]
    for shape in (_WORD, _NUMBER):
        rare = _rare(data, sample, shape)
        if rare is not None:
            yield Asked("rare", rare)
            yield Asked("miss", _absent(data, rare))
    for word in _common(sample):
        yield Asked("common", word)


def _rare(data: bytes, sample: bytes, shape: "re.Pattern[bytes]") -> bytes | None:
    """The first token of this shape that few lines have; None: all are frequent."""
    counts = Counter(shape.findall(sample))
    few = (token for token, count in counts.items() if count <= _RARE_LINES_MAX)
    return next((token for token in islice(few, _CANDIDATES_MAX) if _is_rare(data, token)), None)


def _is_rare(data: bytes, token: bytes) -> bool:
    return data.count(token) <= _RARE_LINES_MAX


def _absent(data: bytes, token: bytes) -> bytes:
    """A token that looks like this one and is nowhere in the log."""
    turned = bytes(_next(byte) for byte in token)
    while turned in data:
        turned += turned[:1]
    return turned


def _next(byte: int) -> int:
    for first, count in ((48, 10), (65, 26), (97, 26)):
        if first <= byte < first + count:
            return first + (byte - first + 1) % count
    return byte


def _common(sample: bytes) -> list[bytes]:
    """For each share of all lines the word whose lines come nearest to it; none where there are no words."""
    lines = sample.splitlines()
    counts: Counter[bytes] = Counter(word for line in lines for word in set(_WORD.findall(line)))
    nearest = (
        sorted(counts, key=lambda word: (abs(counts[word] / len(lines) - share), word)) for share in _COMMON_SHARES
    )
    return list(dict.fromkeys(word for words in nearest for word in words[:1]))


# --- ways to look -----------------------------------------------------------------------------------------


def _in_frame(frame: bytes, text: bytes) -> bytes:
    """The lines found, as a search in a codec's process finds them."""
    file = BytesIO(frame)
    lines = FrameLines(FrameChunks(file, read_frame(file)))
    search = LineSearch(lines, Query(text, fixed=True), None, lambda: None)
    return b"".join(b"\n".join((*batch.texts, b"")) for batch in search.found() if batch.texts)


def _by_programs(packed: Path, text: bytes) -> bytes:
    with (
        subprocess.Popen(["zstdcat", packed], stdout=subprocess.PIPE) as unpacking,
        _grep(text, unpacking.stdout) as grep,
    ):
        assert unpacking.stdout is not None
        assert grep.stdout is not None
        unpacking.stdout.close()
        found: bytes = grep.stdout.read()
        return found


def _by_library(packed: Path, text: bytes) -> bytes:
    """The same where there is no program zstd: unpacked here, and sent to grep."""
    with packed.open("rb") as file, (packed.parent / "found").open("w+b") as found:
        with _grep(text, subprocess.PIPE, found) as grep:
            assert grep.stdin is not None
            zstandard.ZstdDecompressor().copy_stream(file, grep.stdin)
            grep.stdin.close()
        found.seek(0)
        return found.read()


def _grep(text: bytes, stdin: Stream, stdout: Stream = subprocess.PIPE) -> "subprocess.Popen[bytes]":
    command: list[str | bytes] = ["grep", "-aF", "--", text]
    environment = {**os.environ, "LC_ALL": "C"}  # where it is fastest
    return subprocess.Popen(command, stdin=stdin, stdout=stdout, env=environment)


def _cpu_seconds() -> float:
    """Of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _median_cpu(look: Callable[[], bytes], expected: bytes | None) -> tuple[bytes, float]:
    spent = []
    found = b""
    for number in range(ROUNDS + 1):
        started = _cpu_seconds()
        found = look()
        spent.append(_cpu_seconds() - started)
        assert expected is None or found == expected, f"round {number}: other lines than grep finds"
    return found, median(spent[1:])  # the first warms up


# --- measuring --------------------------------------------------------------------------------------------


def measure(files: list[LogFile]) -> list[Bar]:
    """Look through the largest log; prints what each question costs, gives the bars."""
    if shutil.which("grep") is None:
        print("search is left out: there is no program grep to compare with")
        return []
    rival = _by_library if shutil.which("zstdcat") is None else _by_programs
    if rival is _by_library:
        print("there is no program zstdcat: python-zstandard unpacks for grep, and its time counts as the rival's")
    file = max(files, key=lambda one: one.length)
    data = file.read()
    frames = {effort: ours(Logs, effort)[0](data) for effort in EFFORTS_SEARCHED}
    with workplace() as work:
        packed = work / "log.zst"
        packed.write_bytes(zstandard.ZstdCompressor(level=3).compress(data))
        shares = list(_shares(data, frames, partial(rival, packed)))
    table((f"{file.name}, {file.length / 1e6:.1f} MB", "lines", *_titles()), [row for row, *_ in shares])
    return _bars([(kind, found) for _, kind, found in shares])


def _titles() -> list[str]:
    return ["zstdcat | grep, s", *(f"{effort}, {unit}" for effort in EFFORTS_SEARCHED for unit in ("s", "share"))]


def _shares(
    data: bytes, frames: dict[str, bytes], rival: Callable[[bytes], bytes]
) -> Iterator[tuple[tuple[str, ...], str, list[float]]]:
    """For each question a row to print, its kind, and our share of the rival's cost at each effort."""
    for asked in questions(data):
        expected, theirs = _median_cpu(partial(rival, asked.text), None)
        costs = [_median_cpu(partial(_in_frame, frame, asked.text), expected)[1] for frame in frames.values()]
        shares = [cost / theirs for cost in costs]
        cells = [cell for cost, share in zip(costs, shares, strict=True) for cell in (f"{cost:.4f}", f"{share:.3f}")]
        title = f"{asked.kind}: {asked.text.decode()}"
        yield (title, f"{expected.count(10):,}", f"{theirs:.4f}", *cells), asked.kind, shares


def _bars(shares: list[tuple[str, list[float]]]) -> list[Bar]:
    """The worst question of each kind at each effort."""
    found = []
    for number, effort in enumerate(EFFORTS_SEARCHED):
        for kind, bound in _BOUNDS.items():
            mine = [share[number] for asked, share in shares if asked == kind]
            if mine:
                found.append(Bar(f"{effort}: search, {kind}, cpu / zstdcat | grep", bound, max(mine), at_most=True))
    return found
