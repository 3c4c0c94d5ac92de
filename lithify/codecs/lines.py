"""The lines of a chunk: what a search asks of a codec, so that only what can match is decoded.

A search (workers/search.py) knows lines and patterns, a codec knows how they are stored. Between them stand a `Needle`,
what every matching line must contain, and `ChunkLines`, which says which lines of one chunk may contain it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Needle:
    """What a matching line must contain, as far as it can be said before looking.

    any_of       alternatives, each a group of literals: a line can only match if it contains every literal of at
                 least one group; a group without literals says nothing, so every line may match
    ignore_case  ASCII letters match in either case
    exact        every line that contains what is said matches
    """

    any_of: tuple[tuple[bytes, ...], ...] = ((),)
    ignore_case: bool = False
    exact: bool = False

    def may_match(self, text: bytes) -> bool:
        """Whether `text` contains every literal of some group."""
        seen = text.lower() if self.ignore_case else text
        return any(
            all((literal.lower() if self.ignore_case else literal) in seen for literal in group)
            for group in self.any_of
        )


@dataclass(frozen=True, slots=True)
class Template:
    """A shape that lines of a chunk have in common."""

    pattern: str
    """Its text with `<type>` where lines differ; bytes that are not UTF-8 are written \\xNN."""
    count: int
    """Lines of this shape."""
    example: bytes
    """One of them, without its line end."""


class Candidates(NamedTuple):
    """Lines that may match: all that do, and perhaps some that do not."""

    numbers: Sequence[int]
    """Ascending."""
    sure: bool
    """Whether each of them contains what the needle says, so that they need not be looked at again."""


class ChunkLines(ABC):
    """The lines of one decoded chunk, numbered from 0. A line ends after its b"\\n"; the last may have none."""

    newlines: int
    """Line ends in the chunk."""
    whole: bool
    """Whether the chunk ends with a line end; if not, its last line goes on in the next chunk."""

    @property
    def count(self) -> int:
        """Lines, the unfinished one included."""
        return self.newlines + (not self.whole)

    @abstractmethod
    def candidates(self, needle: Needle) -> Candidates:
        """The lines that may match."""

    @abstractmethod
    def text(self, numbers: Sequence[int]) -> list[bytes]:
        """The lines of these numbers, in the order asked for, without their line ends."""

    def time_range(self) -> tuple[int, int] | None:
        """Earliest and latest time written in the chunk, in ns since 1970 as written; None: not known."""
        return None


class PlainLines(ChunkLines):
    """The lines of a chunk that had to be decoded whole."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.newlines = data.count(b"\n")
        self.whole = data.endswith(b"\n") or not data

    @cached_property
    def _lines(self) -> list[bytes]:
        lines = self._data.split(b"\n")
        return lines[:-1] if self.whole else lines

    def candidates(self, needle: Needle) -> Candidates:
        return Candidates(self._candidates(needle), sure=True)

    def _candidates(self, needle: Needle) -> Sequence[int]:
        if () in needle.any_of:
            return range(self.count)
        if not needle.may_match(self._data):
            return ()
        if len(needle.any_of) == 1 and len(needle.any_of[0]) == 1 and not needle.ignore_case:
            literal = needle.any_of[0][0]  # what most searches are: a tenth of the time of what follows
            return [number for number, line in enumerate(self._lines) if literal in line]
        return [number for number, line in enumerate(self._lines) if needle.may_match(line)]

    def text(self, numbers: Sequence[int]) -> list[bytes]:
        return [self._lines[number] for number in numbers]
