"""The high-water mark: how far the sequence of records had come, kept outside the catalog.

A catalog put back from a backup does not know what came in since, and sweeping by it would remove exactly that. The
mark is written after each commit and never flushed: after a power cut it may be low, which raises no alarm, and it is
never higher than a catalog that was only ever written by us.
"""

import os
from pathlib import Path

_DIGITS = 20


class HighWater:
    """A file of one number beside the catalog."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._noted = -1

    def note(self, sequence: int) -> None:
        """Remember that records up to `sequence` are committed."""
        if sequence == self._noted:
            return
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(file, f"{sequence:0{_DIGITS}d}\n".encode(), 0)
        finally:
            os.close(file)
        self._noted = sequence

    def read(self) -> int:
        """The mark; 0 when there is none, or none that can be read."""
        try:
            text = self._path.read_text("ascii")
        except (FileNotFoundError, UnicodeDecodeError):
            return 0
        return int(text) if text.strip().isdigit() else 0
