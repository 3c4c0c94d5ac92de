"""What a decode may differ by: the contract promised for an object, and the fidelity an encoding keeps.

Both are values of one type, written the same way everywhere (command line, HTTP header, catalog, frame):
`exact`, `content`, `bounded:abs=0.01`, `bounded:rel=0.001`, `bounded:pwrel=0.001`, `floor:psnr=60`, `floor:ssim=0.98`,
`floor:vmaf=95`. A contract is kept when the encoding's fidelity satisfies it.
"""

import math
import re
from dataclasses import dataclass
from typing import Literal, Self, cast

from lithify.errors import BadArgument

Kind = Literal["exact", "content", "bounded", "floor"]

# Largest value that means something, per metric. An error bound of the whole range or more keeps nothing;
# 200 dB is finer than the rounding of a double.
METRICS: dict[str, dict[str, float]] = {
    "exact": {},
    "content": {},
    "bounded": {"abs": math.inf, "rel": 1.0, "pwrel": 1.0},
    "floor": {"psnr": 200.0, "ssim": 1.0, "vmaf": 100.0},
}
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?(e[+-]?[0-9]{1,3})?", re.ASCII)
_EXAMPLES = (
    "exact, content, bounded:abs=0.01, bounded:rel=0.001, bounded:pwrel=0.001, "
    "floor:psnr=60, floor:ssim=0.98, floor:vmaf=95"
)


@dataclass(frozen=True, slots=True)
class Contract:
    """What may differ between an original and what comes back.

    kind     `exact`    the same bytes
             `content`  the same pixels, samples, values and metadata; the bytes around them may differ
             `bounded`  every value within `value` of the original, by `metric`: `abs` in the data's own unit, `rel` as
                        a part of the valid range, `pwrel` as a part of each value
             `floor`    the quality `metric` is at least `value`: `psnr` in dB, `ssim`, `vmaf`
    metric   None for exact and content
    value    None for exact and content

    Raises BadArgument for a combination that means nothing, so that no such contract can exist.
    """

    kind: Kind
    metric: str | None = None
    value: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in METRICS:
            raise BadArgument(f"contract {self.kind!r:.80} is not known; try one of {_EXAMPLES}")
        metrics = METRICS[self.kind]
        if not metrics and (self.metric is not None or self.value is not None):
            raise BadArgument(f"contract {self.kind!r} takes no value")
        if metrics:
            self._check_value(metrics)

    def _check_value(self, metrics: dict[str, float]) -> None:
        if self.metric not in metrics or self.value is None:
            names = ", ".join(f"{self.kind}:{metric}=VALUE" for metric in metrics)
            raise BadArgument(f"contract {self.kind!r} needs a metric and a value: {names}")
        if not (0 < self.value <= metrics[self.metric] and math.isfinite(self.value)):
            most = metrics[self.metric]
            bounds = "larger than 0" if math.isinf(most) else f"larger than 0 and at most {most:g}"
            raise BadArgument(f"{self.kind}:{self.metric} must be {bounds}, found {self.value!r}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The contract written as `text`. Raises BadArgument with the sentence a person needs."""
        kind, colon, rest = text.partition(":")
        if not colon:
            return cls(cast("Kind", kind))
        metric, equals, number = rest.partition("=")
        if not equals or not _NUMBER.fullmatch(number):
            raise BadArgument(f"contract {text!r:.80} is not understood; try one of {_EXAMPLES}")
        return cls(cast("Kind", kind), metric, float(number))

    def __str__(self) -> str:
        """The one canonical spelling; `parse` gives the contract back."""
        if self.value is None:
            return self.kind
        return f"{self.kind}:{self.metric}={repr(float(self.value)).removesuffix('.0')}"

    def satisfied_by(self, fidelity: "Contract") -> bool:
        """Whether an encoding that keeps `fidelity` keeps this contract.

        Exact satisfies everything and content everything but exact. Between metrics there is no general rule (a
        relative bound becomes an absolute one only with the data's range): those answer False, and the caller measures.
        """
        if fidelity.kind == "exact" or self == fidelity:
            return True
        if fidelity.kind == "content":
            return self.kind != "exact"
        if self.value is None or fidelity.value is None or (self.kind, self.metric) != (fidelity.kind, fidelity.metric):
            return False
        return fidelity.value <= self.value if self.kind == "bounded" else fidelity.value >= self.value


EXACT = Contract("exact")
CONTENT = Contract("content")
