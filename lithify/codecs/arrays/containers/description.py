"""What a container says of its variables besides where they lie: dimensions and attributes, as people gave them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lithify.codecs.array_types import Values
from lithify.codecs.arrays.extents import Extent

Attribute = str | list[str] | Values
"""A text, several of them, or numbers: a row of the type that the file has them in."""
Attributes = Mapping[str, Attribute]


@dataclass(frozen=True, slots=True)
class Described:
    """A variable.

    dimensions  the name of each axis
    extent      where its values lie, if that is known though it may be no array that is kept as one
    fill        what stands where nobody wrote, up to the length of a dimension that grew further
    """

    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    attributes: Attributes = field(default_factory=dict)
    extent: Extent | None = None
    fill: Any = 0


@dataclass(frozen=True, slots=True)
class Description:
    """A file.

    groups     the attributes of each group, by its path with a slash at the end
    unlimited  the dimensions that may grow, behind the path of their group
    fixed      those that may not: one of an inner group hides one of the same name further out
    """

    attributes: Attributes
    variables: Mapping[str, Described]
    groups: Mapping[str, Attributes] = field(default_factory=dict)
    unlimited: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()


def plain(attributes: Attributes) -> dict[str, Any]:
    """Attributes as plain Python: one number by itself, several as a tuple."""
    return {name: _plain(value) for name, value in attributes.items()}


def _plain(value: Attribute) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    numbers = value.reshape(-1).tolist()
    return numbers[0] if len(numbers) == 1 else tuple(numbers)
