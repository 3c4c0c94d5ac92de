"""By how much the values of each array of a file may differ, by its contract.

A part of a range is one of all pieces of the file. Variables that a contract names are loosened though they hold whole
numbers, coordinates or counts: whoever names one asks for it. What would break the container is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log10, prod
from typing import Any, cast

import numpy as np

from lithify.codecs.array_types import Bools, Values
from lithify.codecs.arrays.containers.left import some_of
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.pieces import Piece, Structure, read_piece
from lithify.codecs.arrays.settings import looseness
from lithify.codecs.arrays.specials import classes_of, find_specials
from lithify.codecs.arrays.values import Bound, Floor, Looseness
from lithify.codecs.codec import Source
from lithify.codecs.fidelity import Contract
from lithify.errors import BadArgument

_WHOLE_BYTES_MAX = 4
"""Of whole numbers that are loosened: doubles, in which errors are measured, hold them."""


def bound_of(variable: Variable, contract: Contract) -> Looseness | None:
    """By how much the stored values of a variable may differ; None: not at all."""
    name = variable.known_as
    is_named = name in dict(contract.variables)
    own = contract.of_variable(name)
    dtype = variable.extent.element.native
    if not (variable.data or (is_named and not variable.sealed)):
        return None
    if own.kind == "floor":
        found = looseness(own)
        return _of_inside(found, variable) if isinstance(found, Floor) and dtype.kind == "f" else None
    if own.kind != "bounded" or own.value is None:
        return None
    if dtype.kind != "f" and (not is_named or own.metric == "pwrel" or dtype.itemsize > _WHOLE_BYTES_MAX):
        return None
    value = own.value / abs(unit_told(variable, contract)) if own.metric == "abs" else own.value
    return Bound(cast("Any", own.metric), value) if np.isfinite(value) and value > 0 else None


def _of_inside(floor: Floor, variable: Variable) -> Floor:
    """The floor over all stored values that keeps one over those inside, where chunks reach over the end of an array.

    What lies outside comes back as good as exactly, and would make up for what is worse than allowed inside.
    """
    share = prod(variable.shape) / max(1, prod(variable.extent.shape))
    if not 0 < share < 1:
        return floor
    if floor.metric == "psnr":
        return replace(floor, value=floor.value - 10 * log10(share))
    return replace(floor, value=1 - (1 - floor.value) * share)


def unit_told(variable: Variable, contract: Contract) -> float:
    """What 1 more in what is stored is in the unit that the contract, and figures of it, are told in."""
    is_named = variable.known_as in dict(contract.variables)
    return variable.unit if is_named or variable.extent.element.scale is not None else 1.0


def check_names(structure: Structure, contract: Contract) -> None:
    """Raise BadArgument if the contract names a variable that is not in the file."""
    known = {variable.known_as for variable in structure.variables}
    for name, _ in contract.variables:
        if name not in known:
            there = ", ".join(sorted(known)) or "none"
            raise BadArgument(f"the contract names {name!r:.80}; the variables of the file are {there[:400]}")


def why_exact(structure: Structure, contract: Contract, *, loosened: int) -> str | None:
    """Why all values come back as they were, though a contract lets some differ; None: they need not, or do not."""
    if loosened or contract.kind not in {"bounded", "floor"}:
        return None
    if not structure.variables:
        return "no arrays were found in it"
    packed = {one.known_as: _naming(one, contract) for one in structure.variables if _is_packed(one)}
    helped = [(name, how) for name, how in packed.items() if how is not None]
    if helped:
        names, how = some_of([name for name, _ in helped]), helped[0][1]
        return f"{names} are whole numbers with a scale_factor: exact unless they are named, as in '{how}'"
    sealed = [one.known_as for one in structure.variables if one.sealed and one.extent.element.native.kind == "f"]
    if sealed:
        return f"{some_of(sealed)} lie compressed or under a checksum of the file's own: other values would break it"
    return f"none of its {len(structure.variables)} arrays holds measurements that {contract} loosens"


def _naming(variable: Variable, contract: Contract) -> Contract | None:
    """The contract that loosens this variable too, by its name; None: it was named, or would stay as it is."""
    name, own = variable.known_as, replace(contract, variables=())
    if name in dict(contract.variables):
        return None
    try:
        found = replace(contract, variables=tuple(sorted((*contract.variables, (name, own)))))
    except BadArgument:  # not every name can be spelled in a contract
        return None
    bound = bound_of(variable, found)
    steps = bound.value if isinstance(bound, Bound) and bound.kind == "abs" else 1.0
    return found if bound is not None and steps >= 1 else None


def _is_packed(variable: Variable) -> bool:
    """Whether it is measurements told as whole numbers, as far as one can see."""
    long = [side for side in variable.shape if side > 1]
    return (
        abs(variable.unit) != 1.0
        and len(long) > 1
        and not variable.sealed
        and variable.extent.element.native.kind in "iu"
    )


def bounds_of(
    source: Source, structure: Structure, pieces: Sequence[Piece], contract: Contract
) -> Mapping[int, Looseness]:
    """The bound of each variable that has one, by its number; a part of a range becomes what that is for all of it."""
    found = {number: bound_of(one, contract) for number, one in enumerate(structure.variables)}
    bounds = {number: bound for number, bound in found.items() if bound is not None}
    parts = {
        number: bound
        for number, bound in bounds.items()
        if _is_of_range(bound) and (len(pieces) > 1 or structure.variables[number].extent.element.native.kind != "f")
    }
    ranges = _ranges(source, structure, pieces, parts) if parts else {}
    for number, bound in parts.items():
        low, high = ranges.get(number, (0.0, 0.0))
        span = high - low
        by = bound.value * span
        if not (by > 0 and np.isfinite(by)):
            del bounds[number]
        else:
            bounds[number] = replace(bound, span=span) if isinstance(bound, Floor) else Bound("abs", by)
    return bounds


def _is_of_range(bound: Looseness) -> bool:
    """Whether it means a part of the range that values have."""
    return isinstance(bound, Floor) or bound.kind == "rel"


def _ranges(
    source: Source, structure: Structure, pieces: Sequence[Piece], wanted: Mapping[int, Looseness]
) -> dict[int, tuple[float, float]]:
    """The least and the largest value of each of these variables, of those that are coded as values."""
    found: dict[int, tuple[float, float]] = {}
    for piece in pieces:
        data = read_piece(source, piece)
        for number, part in structure.parts(piece, None):
            if number not in wanted:
                continue
            values = part.extent.gather(data)
            inside = values[_measurements(values, structure.variables[number])]
            if inside.size:
                low, high = found.get(number, (np.inf, -np.inf))
                found[number] = min(low, float(inside.min())), max(high, float(inside.max()))
    return found


def _measurements(values: Values, variable: Variable) -> Bools:
    """Which of the values are numbers that mean something, as far as one can see."""
    specials = find_specials(values, variable.own_fills, zeros=False)
    found: Bools = (classes_of(values, specials) == 0) & np.isfinite(values)
    return found


def rounded(values: Values, bound: Bound, fills: Sequence[np.generic]) -> Values:
    """Whole numbers, each within an absolute bound of what it was, on as few different ones as can be; fills stay."""
    step = 2 * int(bound.value) + 1
    if bound.kind != "abs" or step < 3:
        return values
    limits = np.iinfo(cast("Any", values.dtype))
    wide = values.astype(np.int64)
    near = (wide + step // 2) // step * step
    special = np.isin(wide, np.asarray(fills, np.int64)) | np.isin(near, np.asarray(fills, np.int64))
    kept = special | (near < limits.min) | (near > limits.max)
    return np.where(kept, wide, near).astype(values.dtype)
