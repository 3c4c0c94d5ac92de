"""One array that a container was found to hold: where its values lie, and what is known of them."""

from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, cast

import numpy as np

from lithify.codecs.arrays.extents import Element, Extent, one_tile, stacked

Fill = int | float


@dataclass(frozen=True, slots=True)
class Variable:
    """An array in a file.

    name    its own name in the container, with its path; empty where there is none
    extent  where its values lie
    fills   values that mean *missing*; they come back exactly whatever the contract
    data    whether it is data that a contract may loosen, rather than coordinates, bounds, counts or masks
    sealed  whether other values would break the container: its bytes have a checksum, or are not the values themselves
    unit    by how much a number is above another, if they are stored as 1 and 0
    sides   its shape by its container, where chunks reach over its end; None: that of `extent`
    turned  whether its users name the fastest axis first
    merges  what arrays have in common that belong together as frames of one; None: stands alone
    """

    name: str
    extent: Extent
    fills: tuple[Fill, ...] = ()
    data: bool = False
    sides: tuple[int, ...] | None = None
    turned: bool = False
    merges: object = None
    sealed: bool = False
    unit: float = 1.0

    @property
    def known_as(self) -> str:
        """The name that people use."""
        return self.name.lstrip("/") or "values"

    @property
    def shape(self) -> tuple[int, ...]:
        """As its users see it."""
        found = self.extent.shape if self.sides is None else self.sides
        return found[::-1] if self.turned else found

    @property
    def own_fills(self) -> tuple[np.generic, ...]:
        """The fills as its elements can be; NaN is missing anyway, and no whole number is."""
        dtype = self.extent.element.native
        usable = [fill for fill in self.fills if isfinite(fill)]
        if dtype.kind in "iu":
            limits = np.iinfo(cast("Any", dtype))
            usable = [fill for fill in usable if limits.min <= fill <= limits.max and fill == int(fill)]
        with np.errstate(over="ignore"):  # a fill beyond a float's range is its infinity
            return tuple(cast("np.generic", np.asarray(fill).astype(dtype)[()]) for fill in usable)


def of_dtype(dtype: np.dtype[np.void] | np.dtype[np.generic], variable: Variable) -> list[Variable]:
    """`variable`, whose elements are as long as those of `dtype`, as arrays of plain numbers; none if it has none.

    Complex numbers become a last axis of two, fields of structured types arrays of their own whose strides leap over
    the others; booleans are bytes. Text, times and objects are no numbers.
    """
    if dtype.names is not None and dtype.fields is not None:
        fields = [(name, *dtype.fields[name][:2]) for name in dtype.names]
        return [one for name, inner, at in fields for one in of_dtype(inner, _moved(variable, name, at))]
    if dtype.subdtype is not None:
        inner, shape = dtype.subdtype
        return of_dtype(inner, _with_axes(variable, shape, inner.itemsize))
    if dtype.kind == "c":
        half = np.dtype(f"{dtype.byteorder}f{dtype.itemsize // 2}")
        return of_dtype(half, _with_axes(variable, (2,), half.itemsize))
    kind = {"b": "u", "?": "u"}.get(dtype.kind, dtype.kind)
    if kind not in "uif" or f"{kind}{dtype.itemsize}" not in _PLAIN:
        return []
    big = dtype.newbyteorder("S").byteorder == "<" if dtype.byteorder == "=" else dtype.byteorder == ">"
    element = Element(f"{kind}{dtype.itemsize}", big=big)
    return [replace(variable, extent=replace(variable.extent, element=element), data=variable.data and kind == "f")]


_PLAIN = frozenset({"u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"})


def _moved(variable: Variable, name: str, at: int) -> Variable:
    extent = replace(variable.extent, offsets=tuple(offset + at for offset in variable.extent.offsets))
    return replace(variable, name=f"{variable.name}.{name}" if variable.name else name, extent=extent, merges=None)


def _with_axes(variable: Variable, shape: tuple[int, ...], size: int) -> Variable:
    """The same with more axes inside of each element, whose innermost elements have `size` bytes."""
    steps = []
    for side in reversed(shape):
        steps.append(size)
        size *= side
    found = variable.extent
    extent = replace(
        found,
        tile=(*found.tile, *shape),
        strides=(*found.strides, *reversed(steps)),
        grid=(*found.grid, *(1 for _ in shape)),
    )
    sides = None if variable.sides is None else (*variable.sides, *shape)
    return replace(variable, extent=extent, sides=sides, turned=False)


def bytes_at(shape: tuple[int, ...], itemsize: int, offset: int) -> Extent:
    """Elements of `itemsize` bytes without gaps, of a type still to be given by `of_dtype`."""
    steps = []
    for side in reversed(shape):
        steps.append(itemsize)
        itemsize *= side
    return one_tile(Element("u1"), shape, offset, tuple(reversed(steps)))


def merged(variables: list[Variable]) -> list[Variable]:
    """The same, with those that belong together as one: in the place of the first, under its name."""
    groups: dict[object, list[Variable]] = {}
    for number, variable in enumerate(variables):
        extent = variable.extent
        alike = (variable.merges, extent.element, extent.tile, extent.strides, extent.grid)
        groups.setdefault(number if variable.merges is None else alike, []).append(variable)
    return [
        replace(group[0], extent=stacked([one.extent for one in group]), merges=None) if len(group) > 1 else group[0]
        for group in groups.values()
    ]
