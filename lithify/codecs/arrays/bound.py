"""By how much the values of an array may differ, or how good it must stay."""

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


@dataclass(frozen=True, slots=True)
class Floor:
    """The quality that the finite floats of an array keep, as `measuring` measures it.

    metric   `psnr`: 20 log10(range of the valid values / root mean square of the errors), in dB; `ssim`: mean
             structural similarity of the frames of the last two axes, at most 1
    value    above 0
    span     the range that is meant, if these values are part of more; None: theirs
    """

    metric: Literal["psnr", "ssim"]
    value: float
    span: float | None = None

    def __post_init__(self) -> None:
        if self.metric not in ("psnr", "ssim") or not (self.value > 0 and isfinite(self.value)):
            raise BadArgument(f"floor {self.metric}={self.value}: expected psnr or ssim, and a number above 0")
        if self.metric == "ssim" and self.value > 1:
            raise BadArgument(f"floor ssim={self.value}: nothing is more similar than 1")


Looseness = Bound | Floor
"""What may become of values."""
