"""Logs to measure with: those named, or those that lie beside the checkout; plain or packed by xz."""

import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

from bench.codecs import MEASURED_DATA

_PIECE_BYTES = 1 << 20
QUICK_BYTES_MAX = 13_000_000


@dataclass(frozen=True)
class LogFile:
    """One log; read when it is its turn, for a hundred megabytes of each would be much together."""

    path: Path

    @property
    def name(self) -> str:
        """Without the ending of what it is packed by."""
        return self.path.stem if self.path.suffix == ".xz" else self.path.name

    @cached_property
    def length(self) -> int:
        """Bytes, unpacked."""
        with self._opened() as file:
            return sum(map(len, iter(lambda: file.read(_PIECE_BYTES), b"")))

    def read(self) -> bytes:
        """All of it, unpacked."""
        with self._opened() as file:
            return file.read()

    def _opened(self) -> IO[bytes]:
        return lzma.open(self.path) if self.path.suffix == ".xz" else self.path.open("rb")


def log_files(paths: Sequence[Path], *, quick: bool) -> list[LogFile]:
    """The logs to measure with, none of them empty; with `quick` only those that are soon done."""
    found = [LogFile(path) for path in paths or sorted(MEASURED_DATA.glob("logs/*.log.xz"))]
    return [file for file in found if file.length and (not quick or file.length <= QUICK_BYTES_MAX)]


def by_bytes(data: bytes, least: int) -> Iterator[bytes]:
    """`data` in pieces of whole lines, each of at least so many bytes; what is left at the end is no piece."""
    start = 0
    while end := data.find(b"\n", start + least - 1) + 1:
        yield data[start:end]
        start = end


def by_lines(data: bytes, count: int) -> Iterator[bytes]:
    """`data` in pieces of so many lines; what is left at the end is no piece."""
    start = end = 0
    while True:
        for _ in range(count):
            end = data.find(b"\n", end) + 1
            if not end:
                return
        yield data[start:end]
        start = end
