"""What a container says of its variables besides where they lie: dimensions and attributes, as people gave them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lithify.codecs.arrays.extents import Extent


@dataclass(frozen=True, slots=True)
class Described:
    """A variable.

    dimensions  the name of each axis
    attributes  as the file has them: text as str, lists of numbers as tuples
    text        where its characters lie, if it is made of those
    """

    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    text: Extent | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """A file."""

    attributes: Mapping[str, Any]
    variables: Mapping[str, Described]
