"""What the codecs for other people's containers can be told: effort, bound, fills, as their metadata spell them."""

from collections.abc import Sequence
from typing import Any, cast

from lithify.codecs.arrays.values import Bound
from lithify.codecs.codec import Effort, effort
from lithify.codecs.fidelity import Contract
from lithify.errors import BadArgument


def known_effort(text: str) -> Effort:
    """`fast`, `default` or `max`. Raises BadArgument for another word."""
    return effort(text)


def bound_of(contract: str) -> Bound | None:
    """The bound of a contract that is `exact` or bounded. Raises BadArgument for another."""
    found = Contract.parse(contract)
    if found.kind == "exact":
        return None
    if found.kind != "bounded" or found.metric not in ("abs", "rel", "pwrel"):
        raise BadArgument(f"contract {contract!r:.80}: arrays are kept exact, or bounded by abs, rel or pwrel")
    return Bound(cast("Any", found.metric), cast("float", found.value))


def checked_fills(fills: Sequence[float]) -> tuple[float, ...]:
    """Numbers that mean *missing*. Raises BadArgument for anything else."""
    if isinstance(fills, str) or not all(isinstance(fill, int | float) for fill in fills):
        raise BadArgument(f"fills {fills!r:.80}: a list of numbers was expected")
    return tuple(fills)
