"""What a search asks for and what it finds, as values: the same on a local archive, over REST and between processes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from lithify.errors import BadArgument, LithifyError

Answer = Literal["lines", "count", "names"]
"""All that is found, or how many lines, or only whether there is one."""

_TIME_MAX = 1e12


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for in the lines of an original, and what to tell of it."""

    pattern: bytes
    """A regular expression as Python's `re` reads it over bytes, or with `fixed` a text."""
    fixed: bool = False
    ignore_case: bool = False
    """For ASCII letters."""
    invert: bool = False
    """Find the lines that do not match."""
    before: int = 0
    after: int = 0
    """Lines around each that is found, to be shown with it."""
    max_count: int | None = None
    """Stop in each original after so many lines are found."""
    since: float | None = None
    until: float | None = None
    """Only lines written between these, both included; seconds since 1970 UTC."""
    answer: Answer = "lines"

    def __post_init__(self) -> None:
        if min(self.before, self.after) < 0 or (self.max_count is not None and self.max_count < 1):
            raise BadArgument("lines of context are 0 or more, and at least one line must be wanted")
        if not all(moment is None or abs(moment) < _TIME_MAX for moment in (self.since, self.until)):
            raise BadArgument("since and until are seconds since 1970, and before the year 30,000")

    def at_most(self, left: int | None) -> Self:
        """The same, stopping after `left` lines if that is sooner."""
        wanted = [count for count in (left, self.max_count) if count is not None]
        return replace(self, max_count=min(wanted, default=None))

    def as_json(self) -> dict[str, Any]:
        """As it travels to a child; `from_json` gives it back."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {
            "pattern": self.pattern.decode("latin-1")
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """What `as_json` wrote."""
        return cls(**document | {"pattern": document["pattern"].encode("latin-1")})


@dataclass(frozen=True, slots=True)
class Where:
    """The original that was searched: a revision of an object, or a frame in a file."""

    collection: str
    """Empty for a file."""
    name: str
    revision: str
    """Empty for a file."""


@dataclass(frozen=True, slots=True)
class FoundLines:
    """Some lines of one original, in order."""

    where: Where
    numbers: Sequence[int]
    """Counted from 1."""
    matched: bytes
    """For each line 1 when it was found, 0 when it only stands beside one."""
    text: bytes
    """The lines as they are, each with a line end, also the last of an original that has none there."""

    def lines(self) -> list[bytes]:
        """The lines one by one, without their ends."""
        return self.text.split(b"\n")[:-1]


@dataclass(frozen=True, slots=True)
class Searched:
    """One original is through, whether something was found or not."""

    where: Where
    matches: int
    """Lines found; with `answer` "names" at most 1."""
    error: LithifyError | None = None
    """Why it could not be searched to its end."""


Found = FoundLines | Searched
