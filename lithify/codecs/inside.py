"""What a codec found inside an original, as it is told to people: what it was, who keeps it, bytes before and after."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lithify import limits


@dataclass(frozen=True, slots=True)
class Member:
    """Something that has a name where it lies: a member of an archive."""

    name: str
    """As people may see it, with the names of what lies around it, `a.zip/word/document.xml`."""
    original_bytes: int


@dataclass(frozen=True, slots=True)
class Inside:
    """One thing inside an original; or what is kept so that all of them become the original again."""

    what: str
    """In a word or two: `JPEG`, `deflated`, `corrections`."""
    codec: str
    """Who keeps it: a codec's id, or the name of a coder of its own."""
    original_bytes: int
    """As it was when the coder got it: of what was deflated, the plain bytes."""
    stored_bytes: int
    count: int = 1
    """How many pieces of the original lie in it."""
    depth: int = 0
    """How many of the things told before it lie around it."""
    members: tuple[Member, ...] = ()
    """Those of its pieces whose names are known."""

    def deeper(self, by: int, within: str = "") -> "Inside":
        """The same, inside something else, which may have a name."""
        named = tuple(replace(one, name=f"{within}/{one.name}") for one in self.members) if within else self.members
        return replace(self, depth=self.depth + by, members=named)

    def plus(self, other: "Inside") -> "Inside":
        """Both as one."""
        return replace(
            self,
            count=self.count + other.count,
            original_bytes=self.original_bytes + other.original_bytes,
            stored_bytes=self.stored_bytes + other.stored_bytes,
            members=(self.members + other.members)[: limits.CONTENTS_MAX],
        )


def merged(rows: Iterable[Inside]) -> list[Inside]:
    """The same with those made one that are of one kind, by one codec, inside things of one kind."""
    path: list[tuple[str, str]] = []
    sums: dict[tuple[tuple[str, str], ...], Inside] = {}
    for row in rows:
        del path[row.depth :]
        path.append((row.what, row.codec))
        key = tuple(path)
        had = sums.get(key)
        sums[key] = row if had is None else had.plus(row)
    return [sums[key] for key in sorted(sums, key=_Order(sums))]


class _Order:
    """Each thing behind that which lies around it, in the order in which kinds were first seen."""

    def __init__(self, keys: Iterable[tuple[tuple[str, str], ...]]) -> None:
        self._places = {key: number for number, key in enumerate(keys)}

    def __call__(self, key: tuple[tuple[str, str], ...]) -> tuple[int, ...]:
        return tuple(self._places.get(key[:length], 0) for length in range(1, len(key) + 1))
