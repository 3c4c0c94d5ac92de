"""One process of a fuzz campaign: tries input after input and keeps what a target did not bear.

Every input follows from the campaign's seed, the target and a number, so the watching process can make it again when
this one was killed by it.
"""

import faulthandler
import hashlib
import random
import resource
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol

from lithify import limits
from lithify.codecs.registry import all_codecs
from tests.fuzz.mutate import mutated
from tests.fuzz.targets import Target

MEMORY_BYTES = 2 * limits.GIB
"""Address space of a searching process; PPMd may rightly take half a gigabyte."""
_MENDED_PART = 0.6


class Numbers(Protocol):
    """A row of numbers shared between processes."""

    def __getitem__(self, index: int) -> int: ...

    def __setitem__(self, index: int, value: int) -> None: ...


@dataclass(frozen=True)
class Search:
    """What one process is to do."""

    targets: Sequence[Target]
    seed: int
    start: int
    step: int
    """Inputs start, start + step … are this process's."""
    seconds: float
    kept: Path
    stop: int | None = None
    """Inputs from here on are nobody's."""
    kernels: bool = False
    """Whether they are made before the first input, which may else take as long as a hang."""


def case(target: Target, seeds: Sequence[bytes], seed: int, number: int) -> bytes:
    """The input of this number."""
    chance = random.Random(f"{seed}/{target.name}/{number}")
    data = mutated(seeds, chance)
    return target.mend(data) if chance.random() < _MENDED_PART else data


def try_out(run: Callable[[bytes], bool], data: bytes) -> tuple[bool, str | None]:
    """Whether the input was accepted, and what went wrong if the target broke its promise."""
    try:
        return run(data), None
    except Exception as error:  # noqa: BLE001 - any surprise is what is being looked for
        last = traceback.extract_tb(error.__traceback__)[-1]
        return False, f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}: {error}"


def keep(kept: Path, target: str, what: str, data: bytes) -> Path:
    """Write a finding down, for the fast tests to replay."""
    kept.mkdir(exist_ok=True)
    path = kept / f"{target}__{what}__{hashlib.sha256(data).hexdigest()[:12]}.bin"
    path.write_bytes(data)
    return path


def turns(search: Search) -> Iterator[tuple[int, int]]:
    """Index of the target, and number of the input, for as long as there is time."""
    until = time.monotonic() + search.seconds
    for number in count(search.start, search.step):
        if time.monotonic() > until or (search.stop is not None and number >= search.stop):
            return
        yield number // search.step % len(search.targets), number


def run(search: Search, at: Numbers, tried: Numbers, accepted: Numbers) -> None:
    """Search until the time is over. `at` says which target and input is being tried now."""
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for codec in all_codecs() if search.kernels else ():
        codec.warm()
    seeds = [target.seeds() for target in search.targets]
    found: set[str] = set()
    for index, number in turns(search):
        at[0], at[1] = index, number
        target = search.targets[index]
        data = case(target, seeds[index], search.seed, number)
        fine, fault = try_out(target.run, data)
        tried[index] += 1
        accepted[index] += fine
        if fault is not None and (place := f"{target.name}: {fault.partition(': ')[0]}") not in found:
            found.add(place)
            path = keep(search.kept, target.name, fault.partition(" ")[0], data)
            print(f"{target.name}: {fault[:300]}; kept as {path.name}", flush=True)
