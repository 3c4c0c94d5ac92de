"""What must be shown, beside what was measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import geometric_mean

from bench.figures import table


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure and its bound: at least that much, or at most."""

    what: str
    bound: float
    measured: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether it is as good as it must be."""
        return self.measured <= self.bound if self.at_most else self.measured >= self.bound


def print_bars(bars: Iterable[Bar]) -> None:
    """The last table of a bench."""
    rows = [
        (bar.what, f"{'≤' if bar.at_most else '≥'} {bar.bound:g}", f"{bar.measured:.3g}", "yes" if bar.met else "NO")
        for bar in bars
    ]
    table(("bar", "wanted", "measured", "met"), rows)


def mean_of_quotients(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The geometric mean of how many times as good we are, file by file."""
    return geometric_mean(mine / other for mine, other in zip(ours, theirs, strict=True))
