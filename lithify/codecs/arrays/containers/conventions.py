"""What the attributes of a variable say about it, by the conventions of NetCDF and CF (cfconventions.org, 1.11)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from lithify.codecs.arrays.containers.variable import Fill

_FILLS = ("_FillValue", "missing_value")
_REFERENCES = ("bounds", "climatology", "coordinates", "grid_mapping", "cell_measures", "formula_terms")
_COORDINATES = re.compile(
    r"(lat|lon|latitude|longitude|time|x|y|xlat|xlong|nav_lat|nav_lon)([_0-9].*)?|.*_(bnds|bounds)", re.I
)
_COORDINATE_NAMES = frozenset({"latitude", "longitude", "time", "grid_latitude", "grid_longitude"})
_DEGREES = re.compile(r"degrees?_?(n|s|e|w|north|south|east|west|true)", re.I)


def fills_of(attributes: Mapping[str, Any]) -> tuple[Fill, ...]:
    """The values that mean *missing*."""
    found: list[Fill] = []
    for name in _FILLS:
        values = attributes.get(name, ())
        for value in values if isinstance(values, tuple) else (values,):
            if isinstance(value, int | float):
                found.append(value)
    return tuple(found)


def unit_of(attributes: Mapping[str, Any]) -> float:
    """By how much a variable grows when what is stored grows by one, below 0 if it falls; 1 if that means nothing."""
    factor = attributes.get("scale_factor")
    return float(factor) if isinstance(factor, int | float) and factor and isfinite(factor) else 1.0


def named_by_others(attributes: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Names of variables that other variables need to be understood: bounds, auxiliary coordinates, cell areas."""
    texts = (one.get(reference) for one in attributes for reference in _REFERENCES)
    return frozenset(word.rstrip(":") for text in texts if isinstance(text, str) for word in text.split())


def is_data(
    name: str, dimensions: Sequence[str], element: str, attributes: Mapping[str, Any], others: frozenset[str]
) -> bool:
    """Whether a variable holds measured or modelled values in two dimensions or more, as floating-point numbers."""
    own = name.rsplit("/", 1)[-1]
    if not element.startswith("f") or len(dimensions) < 2 or own in dimensions or own in others:
        return False
    if _COORDINATES.fullmatch(own) or attributes.get("standard_name") in _COORDINATE_NAMES:
        return False
    units = attributes.get("units")
    return not (isinstance(units, str) and (_DEGREES.match(units) or " since " in units)) and "axis" not in attributes
