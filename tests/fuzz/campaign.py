"""`make fuzz`: damaged frames, payloads, packs and records through every decoder, for as long as it is told.

    python -m tests.fuzz.campaign --seconds 60 [--seed 8123] [--target raw.ppmd] [--target files.]
    python -m tests.fuzz.campaign --inputs 100000 --seed 8123 --target files. --target packed --state damaged.json

A decoder may accept or refuse. An unexpected exception, a crash of the interpreter, a hang or too much memory is a
finding: its input is written to tests/fuzz/kept/, which the fast tests replay for ever. Ends with 1 if there was any.
With --inputs it ends after so many; --state names a file that says how far it has come, and where it goes on.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.fuzz.search import Numbers, Search, case, keep, run
from tests.fuzz.state import State
from tests.fuzz.targets import Target, packed_seeds_and, targets

KEPT = Path(__file__).with_name("kept")
HANG_SECONDS = 30.0
"""Longest for one input; the slowest right answer takes about one second on an idle machine."""
_START_SECONDS = 600.0
"""Until its first input: it may have to make every kernel, which took two processes on two cores four minutes."""
_LOOK_SECONDS = 0.1
_STATE_SECONDS = 10.0


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

    @property
    def next(self) -> int:
        """The input that was not tried yet."""
        return self.search.start if self._last < 0 else self._last + self.search.step

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


def campaign(
    wanted: Sequence[Target],
    *,
    seconds: float,
    seed: int,
    processes: int,
    kept: Path = KEPT,
    inputs: int | None = None,
    state: Path | None = None,
    kernels: bool = False,
) -> int:
    """Search side by side, print what was tried, and give the number of inputs kept.

    inputs  how many to try in all; None: as many as there is time for
    state   a file that says how far an earlier run of the same campaign has come, and then this one
    kernels whether all are made before the first input
    """
    had = State.begun(state, seed, [target.name for target in wanted], processes)
    before = _kept_files(kept)
    searches = [Search(wanted, seed, start, processes, seconds, kept, inputs, kernels) for start in had.next]
    watches = [Watch(search) for search in searches]
    written = time.monotonic()
    try:
        going = list(watches)
        while going:
            time.sleep(_LOOK_SECONDS)
            going = [watch for watch in going if watch.look()]
            if state is not None and time.monotonic() - written > _STATE_SECONDS:
                _come_so_far(had, watches).write(state)
                written = time.monotonic()
    finally:
        for watch in watches:
            watch.end()
    now = _come_so_far(had, watches, new=len(_kept_files(kept) - before))
    if state is not None:
        now.write(state)
    for target in wanted:
        print(f"{target.name:<20} {now.tried[target.name]:>10,} inputs, {now.accepted[target.name]:>9,} accepted")
    print(f"{'in all':<20} {sum(now.tried.values()):>10,} inputs, {now.findings} found")
    return now.findings - had.findings


def _come_so_far(had: State, watches: Sequence[Watch], *, new: int = 0) -> State:
    """What this run has tried, beside what earlier ones had."""

    def summed(before: dict[str, int], rows: Sequence[Numbers]) -> dict[str, int]:
        return {name: before.get(name, 0) + sum(row[at] for row in rows) for at, name in enumerate(had.targets)}

    return replace(
        had,
        next=[watch.next for watch in watches],
        tried=summed(had.tried, [watch.tried for watch in watches]),
        accepted=summed(had.accepted, [watch.accepted for watch in watches]),
        findings=had.findings + new,
    )


def _kept_files(kept: Path) -> set[str]:
    return {path.name for path in kept.glob("*.bin")}


def main() -> int:
    """Run the campaign and say what came of it."""
    known = targets()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--inputs", type=int, help="end after so many")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--target", action="append", default=[], help="a name, or the beginning of several")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--seeds", type=Path, help="a folder of files that `packed` starts from, too")
    given = parser.parse_args()
    if given.seeds is not None:
        known["packed"] = replace(known["packed"], seeds=partial(packed_seeds_and, given.seeds))
    wanted = [known[name] for name in known if not given.target or _is_named(name, given.target, known)]
    if not wanted:
        parser.error(f"there is no target of {given.target}; there are {', '.join(sorted(known))}")
    seconds = given.seconds or (float("inf") if given.inputs else 60.0)
    found = campaign(
        wanted,
        seconds=seconds,
        seed=given.seed,
        processes=given.processes,
        inputs=given.inputs,
        state=given.state,
        kernels=True,
    )
    print(f"seed {given.seed}: {found} new in {KEPT.name}/" if found else f"seed {given.seed}: nothing found")
    return 1 if found else 0


def _is_named(name: str, asked: Sequence[str], known: Mapping[str, Target]) -> bool:
    """Whether a target is asked for: by its name, or by how it begins where no target has that name."""
    return any(name == one or (one not in known and name.startswith(one)) for one in asked)


if __name__ == "__main__":
    sys.exit(main())
