"""What the codecs for other people's containers can be told: effort, bound, fills, as their metadata spell them."""

from collections.abc import Sequence
from typing import Any, cast

from lithify.codecs.arrays.values import Bound, Floor, Looseness
from lithify.codecs.codec import Effort, effort
from lithify.codecs.fidelity import Contract
from lithify.errors import BadArgument


def known_effort(text: str) -> Effort:
    """`fast`, `default` or `max`. Raises BadArgument for another word."""
    return effort(text)


def looseness(contract: Contract) -> Looseness | None:
    """What a contract lets become of the values of an array; None: nothing that arrays could make use of."""
    if contract.kind == "bounded" and contract.metric in ("abs", "rel", "pwrel"):
        return Bound(cast("Any", contract.metric), cast("float", contract.value))
    if contract.kind == "floor" and contract.metric in ("psnr", "ssim"):
        return Floor(cast("Any", contract.metric), cast("float", contract.value))
    return None


def looseness_of(contract: str) -> Looseness | None:
    """The same of a contract as it is spelled; None for `exact`. Raises BadArgument for one that means nothing here."""
    parsed = Contract.parse(contract)
    if parsed.variables:
        raise BadArgument(
            f"contract {contract!r:.200}: what is coded here has no name, so that no exceptions can be made; give "
            f"{parsed.variables[0][0]} a codec of its own"
        )
    found = looseness(parsed)
    if found is None and parsed.kind != "exact":
        raise BadArgument(
            f"contract {contract!r:.80}: arrays are kept exact, bounded by abs, rel or pwrel, or above a floor "
            "of psnr or ssim"
        )
    return found


def checked_fills(fills: Sequence[float]) -> tuple[float, ...]:
    """Numbers that mean *missing*. Raises BadArgument for anything else."""
    if isinstance(fills, str) or not all(isinstance(fill, int | float) for fill in fills):
        raise BadArgument(f"fills {fills!r:.80}: a list of numbers was expected")
    return tuple(fills)
