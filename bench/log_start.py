"""How long a process waits for the logs codec's kernels, and how much memory one block takes, in new processes."""

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

from bench.bars import Bar
from bench.figures import seconds, table
from bench.log_files import LogFile
from bench.program import workplace
from lithify.codecs.codec import EFFORTS
from lithify.codecs.logs.codec import BLOCK_BYTES

ROUNDS = 3
_FIRST_BYTES = 100_000
_COLD_SECONDS, _CACHED_SECONDS = 30.0, 1.5
_MEMORY_TIMES = 10.0


def measure(files: Sequence[LogFile]) -> list[Bar]:
    """Start with nothing and with everything made; then the largest log's first block. Prints both, gives the bars."""
    data = max(files, key=lambda one: one.length).read()
    with workplace() as work:
        return [*_starts(work, data), *_memory(work, data)]


def _child(work: Path, *words: str | Path) -> str:
    """What a fresh process prints whose kernels lie in a folder of this run."""
    command = [sys.executable, "-m", "bench.log_child", *map(str, words)]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(work / "kernels")}
    root = Path(__file__).resolve().parents[1]
    return subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def _starts(work: Path, data: bytes) -> list[Bar]:
    first = work / "first.log"
    first.write_bytes(data[:_FIRST_BYTES])
    cold = seconds(partial(_child, work, "start", *EFFORTS, first))
    cached = {
        effort: median(seconds(partial(_child, work, "start", effort, first)) for _ in range(ROUNDS))
        for effort in EFFORTS
    }
    rows = [("no kernel there, all efforts", f"{cold:.1f}")]
    rows += [(f"all there, {effort}", f"{waited:.2f}") for effort, waited in cached.items()]
    table((f"a new process, {_FIRST_BYTES // 1000} KB in and out", "seconds"), rows)
    return [
        Bar("first start, seconds", _COLD_SECONDS, cold, at_most=True),
        Bar("cached start, seconds, slowest effort", _CACHED_SECONDS, max(cached.values()), at_most=True),
    ]


def _memory(work: Path, data: bytes) -> list[Bar]:
    """Each way through one block at each effort; "peak before" is after a first small one, with every kernel loaded."""
    rows, bars = [], []
    for effort in EFFORTS:
        block, payload = work / "block", work / "payload"
        block.write_bytes(data[:BLOCK_BYTES])
        size = block.stat().st_size
        for task in ("encode", "decode"):
            before, peak = map(int, _child(work, task, effort, block, payload).split())
            times = peak / size
            sizes = [f"{count / 1e6:.0f}" for count in (size, before, peak)]
            rows.append((f"{task}, {effort}", *sizes, f"{times:.1f}", f"{(peak - before) / size:.1f}"))
            if size == BLOCK_BYTES:  # beside a smaller one stands mostly what any process takes
                bars.append(Bar(f"{effort}: peak memory to {task} / block", _MEMORY_TIMES, times, at_most=True))
    table(("one block", "block, MB", "peak before, MB", "peak, MB", "/ block", "growth / block"), rows)
    return bars
