"""What a decode may differ by: the contract promised for an object, and the fidelity an encoding keeps.

Both are values of one type, written the same way everywhere (command line, HTTP header, catalog, frame):
`exact`, `content`, `bounded:abs=0.01`, `bounded:rel=0.001`, `bounded:pwrel=0.001`, `floor:psnr=60`, `floor:ssim=0.98`,
`floor:vmaf=95`. A contract is kept when the encoding's fidelity satisfies it.

A bounded contract, or a floor, may make exceptions for variables by their names:
`bounded:rel=0.001;count=bounded:abs=2`, `floor:psnr=50;rain=exact;wind=bounded:abs=0.1`.
"""

import math
import re
from dataclasses import dataclass, replace
from typing import Literal, Self, cast

from lithify.errors import BadArgument, Corrupt

Kind = Literal["exact", "content", "bounded", "floor"]

# Largest value that means something, per metric. An error bound of the whole range or more keeps nothing;
# 200 dB is finer than the rounding of a double.
METRICS: dict[str, dict[str, float]] = {
    "exact": {},
    "content": {},
    "bounded": {"abs": math.inf, "rel": 1.0, "pwrel": 1.0},
    "floor": {"psnr": 200.0, "ssim": 1.0, "vmaf": 100.0},
}
_OF_FILMS = "vmaf"
"""A metric that no variable has."""
VARIABLES_MAX = 32
SPELLING_BYTES_MAX = 1024
"""Of a contract with all its exceptions."""
_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_./+-]{0,63}", re.ASCII)
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
    variables  only of bounded contracts and floors: what holds for variables of these names instead, sorted: exact,
               bounded, or a floor

    Raises BadArgument for a combination that means nothing, so that no such contract can exist.
    """

    kind: Kind
    metric: str | None = None
    value: float | None = None
    variables: "tuple[tuple[str, Contract], ...]" = ()

    def __post_init__(self) -> None:
        if self.kind not in METRICS:
            raise BadArgument(f"contract {self.kind!r:.80} is not known; try one of {_EXAMPLES}")
        metrics = METRICS[self.kind]
        if not metrics and (self.metric is not None or self.value is not None):
            raise BadArgument(f"contract {self.kind!r} takes no value")
        if metrics:
            self._check_value(metrics)
        if self.variables:
            self._check_variables()

    def _check_variables(self) -> None:
        names = [name for name, _ in self.variables]
        loose = [self, *(one for _, one in self.variables if one.kind != "exact")]
        if any(one.kind not in ("bounded", "floor") or one.metric == _OF_FILMS for one in loose) or any(
            one.variables for _, one in self.variables
        ):
            raise BadArgument(
                f"contract {self.kind!r}: only bounded ones and floors of psnr or ssim make exceptions, which are "
                "exact, bounded, or floors of psnr or ssim"
            )
        if names != sorted(set(names)):
            raise BadArgument(f"contract {self.kind!r}: a variable is named twice, in {', '.join(names)!r:.200}")
        if wrong := [name for name in names if not _NAME.fullmatch(name)]:
            raise BadArgument(
                f"contract {self.kind!r}: {wrong[0]!r:.80} cannot be named: a name here has letters of ASCII, digits "
                "and _ . / + -, and 64 of them at most"
            )
        if len(names) > VARIABLES_MAX or len(str(self)) > SPELLING_BYTES_MAX:
            raise BadArgument(
                f"contract {self.kind!r}: {len(names)} exceptions; the limit is {VARIABLES_MAX}, or 1 KiB"
            )

    def _check_value(self, metrics: dict[str, float]) -> None:
        if self.metric not in metrics or self.value is None:
            names = ", ".join(f"{self.kind}:{metric}=VALUE" for metric in metrics)
            found = "nothing" if self.metric is None else repr(self.metric)[:80]
            raise BadArgument(f"contract {self.kind!r} needs a metric and a value: {names}; found {found}")
        if not (0 < self.value <= metrics[self.metric] and math.isfinite(self.value)):
            most = metrics[self.metric]
            bounds = "larger than 0" if math.isinf(most) else f"larger than 0 and at most {most:g}"
            raise BadArgument(f"{self.kind}:{self.metric} must be {bounds}, found {self.value!r}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The contract written as `text`. Raises BadArgument with the sentence a person needs."""
        base, *exceptions = text.split(";")
        if exceptions:
            named = [one.partition("=") for one in exceptions]
            if wrong := [one for one, (_, equals, own) in zip(exceptions, named, strict=True) if not equals or not own]:
                raise BadArgument(f"contract {text!r:.200}: behind ; comes VARIABLE=CONTRACT, found {wrong[0]!r:.80}")
            found = sorted(((name, cls.parse(own)) for name, _, own in named), key=lambda pair: pair[0])
            return replace(cls.parse(base), variables=tuple(found))
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
        exceptions = "".join(f";{name}={own}" for name, own in self.variables)
        return f"{self.kind}:{self.metric}={repr(float(self.value)).removesuffix('.0')}{exceptions}"

    def of_variable(self, name: str) -> "Contract":
        """What holds for the variable of this name."""
        return dict(self.variables).get(name, replace(self, variables=()))

    def satisfied_by(self, fidelity: "Contract") -> bool:
        """Whether an encoding that keeps `fidelity` keeps this contract.

        Exact satisfies everything and content everything but exact. Between metrics there is no general rule (a
        relative bound becomes an absolute one only with the data's range): those answer False, and the caller measures.
        """
        if fidelity.kind == "exact" or self == fidelity:
            return True
        if fidelity.kind == "content":
            return self.kind != "exact"
        if self.variables != fidelity.variables:
            return False
        if self.value is None or fidelity.value is None or (self.kind, self.metric) != (fidelity.kind, fidelity.metric):
            return False
        return fidelity.value <= self.value if self.kind == "bounded" else fidelity.value >= self.value


def kept_contract(text: str) -> Contract:
    """The contract that something stored spells. Raises Corrupt, for nobody asked for it just now."""
    try:
        return Contract.parse(text)
    except BadArgument as error:
        raise Corrupt(error.message) from error


EXACT = Contract("exact")
CONTENT = Contract("content")
