"""The units that a stream of H.264 is made of (ITU-T H.264, annex B), as far as pictures without loss need them."""

import re
from collections.abc import Iterable

from lithify.errors import Corrupt

_START = re.compile(rb"\0{2,}\x01")
_START_CODE = b"\0\0\0\x01"
_TYPE = 0x1F
_SLICES = {1, 5}
_SETS = {7, 8}
_UNITS_MAX = 16


def split_units(stream: bytes) -> list[bytes]:
    """The units of a stream, without the codes they begin with."""
    return [unit for unit in _START.split(stream) if unit]


def join_units(units: Iterable[bytes]) -> bytes:
    """The stream of these units."""
    return b"".join(_START_CODE + unit for unit in units)


def parameter_sets(stream: bytes) -> list[bytes]:
    """The units of a stream that say what pictures are like. Raises Corrupt if they are too many."""
    found = [unit for unit in split_units(stream) if unit[0] & _TYPE in _SETS]
    if len(found) > _UNITS_MAX:
        raise Corrupt(f"a stream of pictures has {len(found)} sets of parameters, at most {_UNITS_MAX} can be")
    return found


def only_slice(units: list[bytes]) -> bytes:
    """The one unit with samples: a picture is never more. Raises Corrupt for none, or several."""
    slices = [unit for unit in units if unit and unit[0] & _TYPE in _SLICES]
    if len(slices) != 1 or _START.search(slices[0]):
        raise Corrupt(f"a picture is made of {len(slices)} slices where one was expected")
    return slices[0]
