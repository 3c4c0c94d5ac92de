"""`make fuzz`: damaged frames, payloads, packs and records through every decoder, for as long as it is told.

    python -m tests.fuzz.campaign --seconds 60 [--seed 8123] [--target raw.ppmd]

A decoder may accept or refuse. An unexpected exception, a crash of the interpreter, a hang or too much memory is a
finding: its input is written to tests/fuzz/kept/, which the fast tests replay for ever. Ends with 1 if there was any.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.fuzz.search import Numbers, Search, case, keep, run
from tests.fuzz.targets import Target, targets

KEPT = Path(__file__).with_name("kept")
HANG_SECONDS = 30.0
"""Longest for one input; the slowest right answer takes about one second on an idle machine."""
_START_SECONDS = 60.0
_LOOK_SECONDS = 0.1


class Watch:
    """One searching process after another, until the time is over."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.findings = 0
        context = get_context("spawn")
        self._at: Numbers = context.Array("q", [-1, -1], lock=False)
        self.tried: Numbers = context.Array("q", len(search.targets), lock=False)
        self.accepted: Numbers = context.Array("q", len(search.targets), lock=False)
        self._context = context
        self._until = time.monotonic() + search.seconds
        self._process = self._start(search)

    def _start(self, search: Search) -> BaseProcess:
        self._at[0] = self._at[1] = -1
        self._since = time.monotonic()
        self._last = -1
        process = self._context.Process(target=run, args=(search, self._at, self.tried, self.accepted), daemon=True)
        process.start()
        return process

    def look(self) -> bool:
        """Deal with a crash or a hang; whether the search goes on."""
        if self._at[1] != self._last:
            self._last, self._since = self._at[1], time.monotonic()
        patience = _START_SECONDS if self._last < 0 else HANG_SECONDS
        if self._process.is_alive() and time.monotonic() - self._since < patience:
            return True
        if self._process.exitcode == 0:
            return False
        self._stopped("hang" if self._process.is_alive() else f"exit{self._process.exitcode}")
        return time.monotonic() < self._until

    def _stopped(self, what: str) -> None:
        """Keep the input that stopped the process, and start another behind it."""
        self._process.kill()
        self._process.join()
        index, number = self._at[0], self._at[1]
        if number < 0:
            raise RuntimeError(f"the searching process ended before its first input: {what}")
        target = self.search.targets[index]
        path = keep(self.search.kept, target.name, what, case(target, target.seeds(), self.search.seed, number))
        self.findings += 1
        print(f"{target.name}: {what}; kept as {path.name}", flush=True)
        left = self._until - time.monotonic()
        if left > 0:
            self._process = self._start(replace(self.search, start=number + self.search.step, seconds=left))

    def end(self) -> None:
        """Stop at once."""
        self._process.kill()
        self._process.join()


def campaign(wanted: Sequence[Target], *, seconds: float, seed: int, processes: int, kept: Path = KEPT) -> int:
    """Search side by side, print what was tried, and give the number of inputs kept."""
    before = _kept_files(kept)
    watches = [Watch(Search(wanted, seed, number, processes, seconds, kept)) for number in range(processes)]
    try:
        going = list(watches)
        while going:
            time.sleep(_LOOK_SECONDS)
            going = [watch for watch in going if watch.look()]
    finally:
        for watch in watches:
            watch.end()
    for index, target in enumerate(wanted):
        tried = sum(watch.tried[index] for watch in watches)
        accepted = sum(watch.accepted[index] for watch in watches)
        print(f"{target.name:<12} {tried:>10,} inputs, {accepted:>9,} accepted")
    return len(_kept_files(kept) - before)


def _kept_files(kept: Path) -> set[str]:
    return {path.name for path in kept.glob("*.bin")}


def main() -> int:
    """Run the campaign and say what came of it."""
    known = targets()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--target", choices=sorted(known))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    wanted = [known[given.target]] if given.target else list(known.values())
    found = campaign(wanted, seconds=given.seconds, seed=given.seed, processes=given.processes)
    print(f"seed {given.seed}: {found} new in {KEPT.name}/" if found else f"seed {given.seed}: nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
