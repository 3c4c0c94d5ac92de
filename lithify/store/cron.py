"""Cron lines, read in UTC: what is wrong with one, and when it comes due.

UTC has no summer time, so every due time exists exactly once.
"""

import math
import re
from typing import TYPE_CHECKING

from lithify.errors import BadArgument

if TYPE_CHECKING:
    from croniter import croniter

FIELDS = ("minute", "hour", "day of month", "month", "day of week")
EXAMPLE = "'17 3 * * *' for every day at 03:17 UTC"

_NAMED = frozenset({"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"})

# croniter also takes seconds, years, and R and H fields that mean another time in every process: not here.
_FIELD = re.compile(r"(?:[0-9*,/#?-]|[A-Za-z]{3}|L)+")


def check(cron: str) -> None:
    """Raise BadArgument, naming the field, unless the line is understood and ever comes due."""
    fields = cron.split()
    if cron in _NAMED:
        return
    if len(fields) != len(FIELDS):
        raise BadArgument(f"cron {cron!r} has {len(fields)} fields; expected {len(FIELDS)}, like {EXAMPLE}")
    for place, (name, field) in enumerate(zip(FIELDS, fields, strict=True)):
        alone = ["*"] * len(FIELDS)
        alone[place] = field
        if not _FIELD.fullmatch(field) or _reads(" ".join(alone)) is not None:
            raise BadArgument(f"cron {cron!r}: {name} {field!r} is not understood; expected something like {EXAMPLE}")
    if (reason := _reads(cron)) is not None:
        raise BadArgument(f"cron {cron!r} never comes due ({reason}); expected something like {EXAMPLE}")


def next_due(cron: str, after: float) -> float:
    """The first due time later than `after`, in seconds since 1970 UTC."""
    return float(_iterator(cron, math.floor(after)).get_next(float))


def last_due(cron: str, at: float) -> float:
    """The last due time not later than `at`."""
    return float(_iterator(cron, math.floor(at) + 1).get_prev(float))


def _iterator(cron: str, start: int) -> "croniter":
    from croniter import croniter

    return croniter(cron, float(start))


def _reads(cron: str) -> str | None:
    """None when croniter finds a due time, else its reason."""
    from croniter import CroniterError

    try:
        next_due(cron, 0.0)
    except (CroniterError, ValueError, KeyError, TypeError, AttributeError) as error:
        return str(error)
    return None
