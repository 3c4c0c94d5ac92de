"""The variables of a file as JSON, for whoever opens it from afar: nothing that the file says is lost on the way.

Numbers keep their type: an attribute of numbers is `{"type": "f4", "numbers": [1.5, "nan"]}`, texts are texts.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lithify.errors import Corrupt

if TYPE_CHECKING:
    from lithify.codecs.arrays.containers.description import Attribute, Attributes
    from lithify.codecs.arrays.labelled import Labelled, LabelledFile

_TEXTS = "text"
"""The type of variables that hold texts of any length."""


def told(file: "LabelledFile") -> dict[str, Any]:
    """Container, attributes by group, and the variables: what `ArraysView` holds."""
    return {
        "container": file.container,
        "attributes": {path: _all(attributes) for path, attributes in file.attributes.items()},
        "unlimited": sorted(file.unlimited),
        "variables": [_variable(one) for one in file.variables.values()],
    }


def _variable(one: "Labelled") -> dict[str, Any]:
    return {
        "name": one.name,
        "dimensions": list(one.dimensions),
        "shape": list(one.shape),
        "type": _TEXTS if one.dtype.hasobject else one.stored.str.lstrip("<|="),
        "blocks": None if one.blocks is None else list(one.blocks),
        "attributes": _all(one.attributes),
    }


def _all(attributes: "Attributes") -> dict[str, Any]:
    return {name: _attribute(value) for name, value in attributes.items()}


def _attribute(value: "Attribute") -> Any:
    if not isinstance(value, np.ndarray):
        return value
    numbers = value.reshape(-1).tolist()
    plain = [str(number) if isinstance(number, float) and not np.isfinite(number) else number for number in numbers]
    return {"type": value.dtype.str[1:], "numbers": plain}


def attributes_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as xarray has them: numbers as NumPy's, one number by itself. Raises Corrupt for anything else."""
    return {str(name): _read(value) for name, value in document.items()}


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    try:
        kind = dtype_of(value["type"])
        numbers = np.asarray([float(one) if isinstance(one, str) else one for one in value["numbers"]], kind)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Corrupt(f"an attribute that is no number: {value!r:.100}") from error
    return numbers[0] if numbers.size == 1 else numbers


def dtype_of(text: Any) -> np.dtype[Any]:
    """The type of a variable or attribute. Raises Corrupt."""
    if text == _TEXTS:
        return np.dtype(object)
    try:
        found = np.dtype(text) if isinstance(text, str) else None
    except (TypeError, ValueError, SyntaxError):
        found = None
    if found is None or found.kind not in "biufcS" or found.names is not None:
        raise Corrupt(f"a variable of type {text!r:.40}")
    return found
