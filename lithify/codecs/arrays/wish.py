"""What is wanted of a file of arrays, as people spell it.

    time=10:20      steps 10 to 19 along `time`; start:stop:step as in Python, negative ones from the end
    time=10         step 10 alone, and the axis goes
    0=10:20         along the first axis, whatever it is called

Whether there is such a thing in a file is for cutting.py to say.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any, Self

from lithify.errors import BadArgument

Index = int | slice
_DIGITS_MAX = 18
"""So that every number fits 64 bits."""
_NUMBER = f"(-?[0-9]{{1,{_DIGITS_MAX}}})"
_INDEX = re.compile(f"{_NUMBER}|{_NUMBER}?:{_NUMBER}?(?::{_NUMBER}?)?")


@dataclass(frozen=True, slots=True)
class Cut:
    """A wish. Raises BadArgument where it is misspelled.

    variables  by name; none: those that the form of the answer can hold
    slices     `DIMENSION=INDEX` each, as above
    labels     `DIMENSION=LABEL` or `DIMENSION=FIRST..LAST`, by the values of the coordinate of that name
    """

    variables: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        named = [*self.indexes(), *(dimension for dimension, _ in self.ranges())]
        twice = next((name for name in named if named.count(name) > 1), None)
        if twice is not None or len(named) != len(self.slices) + len(self.labels):
            raise BadArgument(f"a dimension is cut once; found {', '.join((*self.slices, *self.labels))}")

    def indexes(self) -> dict[str, Index]:
        """What each of `slices` says."""
        return dict(map(parse_index, self.slices))

    def ranges(self) -> list[tuple[str, str]]:
        """Dimension and spelling of each of `labels`."""
        return [_split(text, "DIMENSION=LABEL or DIMENSION=FIRST..LAST") for text in self.labels]

    def as_json(self) -> dict[str, Any]:
        """As it travels; `from_json` gives it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """What `as_json` wrote."""
        return cls(**{name: tuple(words) for name, words in document.items()})


def parse_index(text: str) -> tuple[str, Index]:
    """`time=10:20` as a dimension and a number or slice. Raises BadArgument."""
    dimension, spelled = _split(text, "DIMENSION=START:STOP:STEP or DIMENSION=NUMBER")
    found = _INDEX.fullmatch(spelled)
    if found is None:
        form = f"START:STOP, START:STOP:STEP or a number, none of more than {_DIGITS_MAX} digits"
        raise BadArgument(f"{text!r:.100}: a slice is {form}; found {spelled!r:.60}")
    if found[1] is not None:
        return dimension, int(found[1])
    start, stop, step = (None if number is None else int(number) for number in found.groups()[1:])
    if step == 0:
        raise BadArgument(f"{text!r:.100}: a step of 0 goes nowhere")
    return dimension, slice(start, stop, step)


def _split(text: str, expected: str) -> tuple[str, str]:
    dimension, sign, spelled = text.rpartition("=")
    if not sign or not dimension.strip() or not spelled.strip():
        raise BadArgument(f"{text!r:.100}: expected {expected}")
    return dimension.strip(), spelled.strip()
