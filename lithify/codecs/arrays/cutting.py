"""The pieces of variables that a wish means.

Everything that is wrong with a wish is said with what there is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from lithify import limits
from lithify.codecs.array_types import Values
from lithify.codecs.arrays.containers.description import Attributes
from lithify.codecs.arrays.labelled import Labelled, LabelledFile
from lithify.codecs.arrays.labels import chosen
from lithify.codecs.arrays.wish import Cut, Index
from lithify.errors import BadArgument, NotFound

_REFERENCES = ("coordinates", "bounds", "climatology", "grid_mapping", "ancillary_variables", "cell_measures")
_TOLD_MAX = 20


@dataclass(frozen=True)
class Piece:
    """A part of one variable.

    parts  a number, or a slice whose start and step are given, for each of its axes
    """

    variable: Labelled
    parts: tuple[Index, ...]

    @property
    def name(self) -> str:
        return self.variable.own_name

    @property
    def attributes(self) -> Attributes:
        return self.variable.attributes

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.variable.dtype

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Those that are left."""
        named = zip(self.variable.dimensions, self.parts, strict=True)
        return tuple(name for name, part in named if isinstance(part, slice))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what is left."""
        sides = zip(self.parts, self.variable.shape, strict=True)
        return tuple(len(range(side)[part]) for part, side in sides if isinstance(part, slice))

    @property
    def value_bytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize

    def blocks(self) -> Iterator[Values]:
        """Its values in order, last axis fastest, some at a time so that memory stays bounded."""
        yield from self._blocks(0)

    def whole(self) -> Values:
        """All its values at once."""
        return self.variable.read(self.parts)

    def _blocks(self, axis: int) -> Iterator[Values]:
        if axis == len(self.parts) or self.value_bytes <= limits.SLICE_BLOCK_BYTES:
            yield self.whole()
            return
        part = self.parts[axis]
        indexes = range(self.variable.shape[axis])[part] if isinstance(part, slice) else range(1)
        if len(indexes) < 2:
            yield from self._blocks(axis + 1)
            return
        at_once = max(1, limits.SLICE_BLOCK_BYTES * len(indexes) // self.value_bytes)
        for some in _stretches(indexes, at_once, self._side(axis)):
            stop = some[-1] + some.step
            short = slice(some[0], None if stop < 0 else stop, some.step)
            yield from replace(self, parts=(*self.parts[:axis], short, *self.parts[axis + 1 :]))._blocks(axis + 1)

    def _side(self, axis: int) -> int:
        return 1 if self.variable.blocks is None else self.variable.blocks[axis]


def _stretches(indexes: range, at_once: int, side: int) -> Iterator[range]:
    """Parts of some indexes, in order, about so many at a time; where they can, they end where a block does."""
    start = 0
    while start < len(indexes):
        stop = min(start + at_once, len(indexes))
        if indexes.step == 1 and stop < len(indexes) and at_once >= side:
            stop -= indexes[stop] % side
        yield indexes[start:stop]
        start = stop


def stretches(variable: Labelled) -> Iterator[tuple[int, int, tuple[Index, ...]]]:
    """A whole variable, some at a time along its first axis with a length: that axis, where they begin, their parts."""
    whole = tuple(slice(0, side, 1) for side in variable.shape)
    piece = Piece(variable, whole)
    axis = next((axis for axis, side in enumerate(variable.shape) if side > 1), 0)
    if not whole or piece.value_bytes <= limits.SLICE_BLOCK_BYTES:
        yield axis, 0, whole
        return
    side = variable.shape[axis]
    at_once = max(1, limits.SLICE_BLOCK_BYTES * side // piece.value_bytes)
    for some in _stretches(range(side), at_once, 1 if variable.blocks is None else variable.blocks[axis]):
        yield axis, some[0], (*whole[:axis], slice(some[0], some[-1] + 1, 1), *whole[axis + 1 :])


def cut_all(file: LabelledFile, wish: Cut) -> list[Piece]:
    """The pieces of every variable that is asked for (none: of all), and of those that explain them.

    Raises NotFound or BadArgument, with what there is.
    """
    asked = [_variable(file, name) for name in wish.variables] or list(file.variables.values())
    parts = _Parts(file, wish, asked)
    return [parts.of(variable) for variable in _with_references(file, asked)]


def cut_one(file: LabelledFile, wish: Cut) -> Piece:
    """The piece of the one variable that is asked for; of the only one that is no coordinate, if none is."""
    if len(wish.variables) > 1:
        raise BadArgument(f"one variable is wanted here, found {', '.join(wish.variables)}; NetCDF holds several")
    if wish.variables:
        variable = _variable(file, wish.variables[0])
    else:
        data = [one for one in _unexplaining(file) if one.dtype.kind in "iufc"]
        if len(data) != 1:
            raise BadArgument(f"say which variable is wanted: {_names(file)}")
        variable = data[0]
    return _Parts(file, wish, [variable]).of(variable)


class _Parts:
    """What a wish means for each variable."""

    def __init__(self, file: LabelledFile, wish: Cut, asked: Sequence[Labelled]) -> None:
        self._file = file
        self._indexes = wish.indexes()
        known = {name for one in asked for name in (*one.dimensions, *map(str, range(len(one.dimensions))))}
        for name in (*self._indexes, *(dimension for dimension, _ in wish.ranges())):
            if name not in known:
                raise BadArgument(f"there is no dimension {name!r:.100}; there are: {_dimensions(asked)}")
        for dimension, spelled in wish.ranges():
            owner = next(one for one in asked if dimension in one.dimensions)
            self._indexes[dimension] = chosen(file.near(dimension, owner.group), dimension, spelled)

    def of(self, variable: Labelled) -> Piece:
        """The piece of one variable."""
        axes = zip(variable.dimensions, variable.shape, strict=True)
        return Piece(variable, tuple(self._part(axis, name, side) for axis, (name, side) in enumerate(axes)))

    def _part(self, axis: int, name: str, side: int) -> Index:
        wanted = self._indexes.get(name, self._indexes.get(str(axis), slice(None)))
        if isinstance(wanted, int):
            if not -side <= wanted < side:
                raise BadArgument(f"{name}={wanted}: the dimension {name} has {side} steps, 0 to {side - 1}")
            return wanted % side
        start, stop, step = wanted.indices(side)
        if side and not range(start, stop, step):
            raise BadArgument(f"{name}={_spelled(wanted)} is empty: the dimension {name} has {side} steps, from 0")
        return slice(start, None if stop < 0 else stop, step)


def _spelled(part: slice) -> str:
    numbers = ["" if number is None else str(number) for number in (part.start, part.stop, part.step)]
    return ":".join(numbers if numbers[2] else numbers[:2])


def _variable(file: LabelledFile, name: str) -> Labelled:
    found = file.variables.get(name.lstrip("/"))
    if found is None:
        raise NotFound(f"there is no variable {name!r:.100}; there are: {_names(file)}")
    return found


def _names(file: LabelledFile) -> str:
    told = [f"{one.name}({', '.join(one.dimensions)})" for one in file.variables.values()]
    return ", ".join(told[:_TOLD_MAX]) + (f" and {len(told) - _TOLD_MAX} more" if len(told) > _TOLD_MAX else "")


def _dimensions(asked: Sequence[Labelled]) -> str:
    told = {name: side for one in asked for name, side in zip(one.dimensions, one.shape, strict=True)}
    return ", ".join(f"{name} ({side})" for name, side in list(told.items())[:_TOLD_MAX]) or "none"


def _with_references(file: LabelledFile, asked: Sequence[Labelled]) -> list[Labelled]:
    """Those that were asked for, their coordinates, and what attributes of either name."""
    found = {one.name: one for one in asked}
    waiting = list(asked)
    while waiting:
        one = waiting.pop()
        for name in (*one.dimensions, *_named_by(one)):
            other = file.near(name, one.group)
            if other is not None and other.name not in found:
                found[other.name] = other
                waiting.append(other)
    return list(found.values())


def _named_by(variable: Labelled) -> Iterator[str]:
    for reference in _REFERENCES:
        text = variable.attributes.get(reference)
        if isinstance(text, str):
            yield from (word for word in text.split() if not word.endswith(":"))


def _unexplaining(file: LabelledFile) -> list[Labelled]:
    """The variables that are no coordinates, and that no other variable names."""
    named = {name for one in file.variables.values() for name in _named_by(one)}
    return [one for one in file.variables.values() if not one.is_coordinate and one.own_name not in named]
