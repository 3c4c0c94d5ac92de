"""By how much the values of an array may differ."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from lithify.errors import BadArgument


@dataclass(frozen=True, slots=True)
class Bound:
    """By how much a finite float may differ.

    kind     `abs` in the unit of the values; `rel` as a part of their range (largest less smallest valid value of the
             array); `pwrel` as a part of each value, zeros and signs exact
    value    above 0
    """

    kind: Literal["abs", "rel", "pwrel"]
    value: float

    def __post_init__(self) -> None:
        if self.kind not in ("abs", "rel", "pwrel") or not (self.value > 0 and isfinite(self.value)):
            raise BadArgument(f"bound {self.kind}={self.value}: expected abs, rel or pwrel, and a number above 0")
