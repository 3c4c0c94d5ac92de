"""Thousands of small files a second, beside what the disk gives when every object asks for a flush of its own."""

import os
import time
from pathlib import Path

from bench.figures import seconds, spread, table
from bench.program import run, workplace
from bench.samples import log_lines

FILES = 10_000
FILE_BYTES = 1_000
ROUNDS = 3
_FSYNC_SECONDS = 3.0


def flushes_a_second(folder: Path) -> float:
    """Appends of 1 KB to one file, each flushed."""
    with (folder / "flushes").open("wb") as file:
        count, until = 0, time.perf_counter() + _FSYNC_SECONDS
        while time.perf_counter() < until:
            file.write(bytes(FILE_BYTES))
            file.flush()
            os.fdatasync(file.fileno())
            count += 1
    return count / _FSYNC_SECONDS


def durable_files_a_second(folder: Path) -> float:
    """New files of 1 KB, each flushed, and its folder too: what one object costs without group commit."""
    directory = os.open(folder, os.O_RDONLY)
    count, until = 0, time.perf_counter() + _FSYNC_SECONDS
    while time.perf_counter() < until:
        with (folder / f"file-{count}").open("wb") as file:
            file.write(bytes(FILE_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.fsync(directory)
        count += 1
    os.close(directory)
    return count / _FSYNC_SECONDS


def receipts_a_second(files: Path, archive: Path) -> float:
    """`lithify put FOLDER` into a new archive, from the start of the program to its end."""
    return FILES / seconds(lambda: run("--archive", archive, "put", files))


def main(arguments: list[str]) -> None:
    """Rounds take turns, so that a busy disk is busy for all."""
    del arguments
    flushes, singles, receipts = [], [], []
    with workplace() as work:
        files = work / "files"
        for number in range(FILES):
            folder = files / f"{number // 100:03d}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"event-{number:05d}.log").write_bytes(log_lines(FILE_BYTES, number))
        for number in range(ROUNDS):
            folder = work / f"round-{number}"
            folder.mkdir()
            flushes.append(flushes_a_second(folder))
            singles.append(durable_files_a_second(folder))
            receipts.append(receipts_a_second(files, folder / "archive"))
    table(
        (f"{ROUNDS} rounds", "a second", "bar"),
        [
            ("flushes of one growing file", spread(flushes), ""),
            ("files made durable one by one", spread(singles), ""),
            (f"receipts, lithify put of {FILES:,} files of {FILE_BYTES:,} bytes", spread(receipts), "1,000"),
        ],
    )
