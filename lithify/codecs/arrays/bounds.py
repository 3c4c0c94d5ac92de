"""By how much the values of each array of a file may differ: a part of its range, as large as that is in all pieces."""

from collections.abc import Mapping, Sequence

import numpy as np

from lithify.codecs.array_types import Bools, Values
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.pieces import Piece, Structure, read_piece
from lithify.codecs.arrays.specials import classes_of, find_specials
from lithify.codecs.arrays.values import Bound
from lithify.codecs.codec import Source


def bounds_of(
    source: Source, structure: Structure, pieces: Sequence[Piece], bound: Bound | None
) -> Mapping[int, Bound]:
    """The bound of each variable that has one, by its number; a part of a range becomes what that is for all of it."""
    numbers = [number for number, one in enumerate(structure.variables) if one.data] if bound is not None else []
    if bound is None or not numbers:
        return {}
    if bound.kind != "rel" or len(pieces) == 1:
        return dict.fromkeys(numbers, bound)
    ranges = _ranges(source, structure, pieces)
    wide = {number: bound.value * (high - low) for number, (low, high) in ranges.items()}
    return {number: Bound("abs", by) for number, by in wide.items() if by > 0 and np.isfinite(by)}


def _ranges(source: Source, structure: Structure, pieces: Sequence[Piece]) -> dict[int, tuple[float, float]]:
    """The least and the largest value of each variable that may be loosened, of those that are coded as values."""
    found: dict[int, tuple[float, float]] = {}
    for piece in pieces:
        data = read_piece(source, piece)
        for number, part in structure.parts(piece, None):
            if not structure.variables[number].data:
                continue
            values = part.extent.gather(data)
            inside = values[measurements(values, structure.variables[number])]
            if inside.size:
                low, high = found.get(number, (np.inf, -np.inf))
                found[number] = min(low, float(inside.min())), max(high, float(inside.max()))
    return found


def measurements(values: Values, variable: Variable) -> Bools:
    """Which of the values are numbers that mean something, as far as one can see."""
    found: Bools = (classes_of(values, find_specials(values, variable.own_fills, zeros=False)) == 0) & np.isfinite(
        values
    )
    return found
