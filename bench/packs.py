"""Small blobs made durable a second: each in its own file or packed in growing groups, beside the disk's own flush."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.figures import seconds, spread, table
from bench.program import workplace
from lithify.store.blobs import Entry
from lithify.store.blobs_local import LocalBlobs

ROUNDS = 3
FLUSHES = 200
BLOB_BYTES = 1024
GROUPS = (1, 10, 100, 1000)


def main(arguments: list[str]) -> None:
    """Every round measures everything once, so that a disk that slows down slows all of it."""
    del arguments
    with workplace() as work:
        blobs = LocalBlobs(work / "archive")
        ways: dict[str, tuple[int, Callable[[], object]]] = {
            "append to one file and flush it": (1, partial(_flush, work / "flushed")),
            "a file for each blob": (1, partial(_own_file, blobs)),
            **{f"packed, {size} a flush": (size, partial(_packed, blobs, size)) for size in GROUPS},
        }
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, (size, work_once) in ways.items():
                rates[name].append(size * _rate(work_once, max(20, FLUSHES // size)))
        blobs.close()
    own = sorted(rates["a file for each blob"])[ROUNDS // 2]
    rows = [(name, spread(found), f"{sorted(found)[ROUNDS // 2] / own:.1f}") for name, found in rates.items()]
    table((f"blobs of {BLOB_BYTES} random bytes", "a second", "times a file each"), rows)


def _rate(work: Callable[[], object], times: int) -> float:
    def repeat() -> None:
        for _ in range(times):
            work()

    return times / seconds(repeat)


def _flush(path: Path) -> None:
    with path.open("ab") as file:
        file.write(os.urandom(BLOB_BYTES))
        file.flush()
        os.fdatasync(file.fileno())


def _own_file(blobs: LocalBlobs) -> None:
    with blobs.stage() as stage:
        stage.write(os.urandom(BLOB_BYTES))
        stage.commit()


def _packed(blobs: LocalBlobs, size: int) -> None:
    blobs.append([Entry("blob", os.urandom(BLOB_BYTES)) for _ in range(size)])


if __name__ == "__main__":
    main([])
