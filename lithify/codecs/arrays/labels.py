"""Steps along an axis by what its coordinate says of them: `time=2019-03`, `lat=50..60`.

A time means all that lies in it: `2019-03-01` is a day, `2019-03` a month. A number means the step that has it. Ranges
hold both of their ends.
"""

import re

import numpy as np

from lithify.codecs.array_types import Bools, Values
from lithify.codecs.arrays.calendars import calendar_of, instant, span
from lithify.codecs.arrays.labelled import Labelled
from lithify.errors import BadArgument

_SINCE = re.compile(r"(\w+)\s+since\s+(.+)", re.I)
_SECONDS = {
    "second": 1.0, "sec": 1.0, "s": 1.0, "minute": 60.0, "min": 60.0, "hour": 3600.0, "hr": 3600.0, "h": 3600.0,
    "day": 86400.0, "d": 86400.0, "millisecond": 1e-3, "msec": 1e-3, "ms": 1e-3,
}  # fmt: skip
_CLOSE = 1e-6
"""Of a number's size: what a label and a float of 32 bits may differ by and still be the same."""


def chosen(coordinate: Labelled | None, dimension: str, spelled: str) -> slice:
    """The steps that a label or a range of labels means. Raises BadArgument, with what there is."""
    if coordinate is None or not coordinate.is_coordinate or coordinate.dtype.kind not in "iuf":
        raise BadArgument(f"{dimension}={spelled:.100}: {dimension} has no coordinate of numbers; cut it by steps")
    values = _scaled(coordinate)
    first, _, last = spelled.partition("..")
    ends = (first.strip(), last.strip() or first.strip())
    units = coordinate.attributes.get("units")
    since = _SINCE.fullmatch(units.strip()) if isinstance(units, str) else None
    if since is not None:
        inside = _between_times(values, since, coordinate, ends)
    else:
        inside = _between_numbers(values, dimension, ends, is_range=bool(last))
    return _one_stretch(np.flatnonzero(inside), values, since, f"{dimension}={spelled:.100}")


def _scaled(coordinate: Labelled) -> Values:
    """Its values, as its attributes unpack them."""
    values = coordinate.read((slice(None),)).astype(np.float64)
    factor, offset = (coordinate.attributes.get(name) for name in ("scale_factor", "add_offset"))
    if isinstance(factor, np.ndarray) and factor.size == 1:
        values = values * float(factor[0])
    if isinstance(offset, np.ndarray) and offset.size == 1:
        values = values + float(offset[0])
    return values


def _between_numbers(values: Values, dimension: str, ends: tuple[str, str], *, is_range: bool) -> Bools:
    try:
        low, high = sorted(map(float, ends))
    except ValueError:
        raise BadArgument(f"{dimension}={ends[0]:.60}: {dimension} has numbers, such as {values[0]:g}") from None
    found: Bools = (values >= low - _CLOSE * abs(low)) & (values <= high + _CLOSE * abs(high))
    if not found.any() and not is_range and np.isfinite(values).any() and np.isfinite(low):
        nearest = values[np.nanargmin(np.abs(values - low))]
        raise BadArgument(f"{dimension}={ends[0]}: no step has that value; the nearest has {nearest:.9g}")
    return found


def _between_times(values: Values, since: "re.Match[str]", coordinate: Labelled, ends: tuple[str, str]) -> Bools:
    name, named = coordinate.own_name, coordinate.attributes.get("calendar", "standard")
    unit = _SECONDS.get(since[1].lower(), _SECONDS.get(since[1].lower().removesuffix("s")))
    calendar = calendar_of(named)
    begin = None if calendar is None else instant(calendar, since[2])
    if unit is None or calendar is None or begin is None:
        what = f"{since[0]!r:.80}, calendar {named!r:.40}"
        raise BadArgument(f"{name} is told as {what}, which labels are not looked up in; cut it by steps")
    spans = [one for one in (span(calendar, end) for end in ends) if one is not None]
    if len(spans) < len(ends):
        raise BadArgument(f"{name}={ends[0]:.60}: a time is spelled 2019, 2019-03, 2019-03-01 or 2019-03-01T12:30:00")
    spans.sort()
    seconds = values * unit + begin
    edge = 1e-3  # a time told in days, as a float, is not to the microsecond where it means to be
    found: Bools = (seconds >= spans[0][0] - edge) & (seconds < spans[-1][1] - edge)
    return found


def _one_stretch(found: Values, values: Values, since: "re.Match[str] | None", spelled: str) -> slice:
    if not len(found):
        unit = f" ({since[0]})" if since is not None else ""
        ends = f"{values[0]:.9g} to {values[-1]:.9g}{unit}" if len(values) else "nothing"
        raise BadArgument(f"{spelled}: no step lies there; the coordinate goes from {ends}")
    step = int(found[1] - found[0]) if len(found) > 1 else 1
    if not np.array_equal(found, found[0] + step * np.arange(len(found))):
        raise BadArgument(f"{spelled}: the steps that lie there do not follow each other; cut by steps")
    return slice(int(found[0]), int(found[-1]) + 1, step)
