"""The calendars of CF: models of climate count in years of 365, 366 or 360 days as well as in ours.

Times are seconds from the begin of the year 0 of a calendar, which mean something within that calendar only.
"""

import re
from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

_DAY, _HOUR, _MINUTE = 86400.0, 3600.0, 60.0
_YEAR_MAX = 9999
_PLAIN = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LEAP = (31, 29, *_PLAIN[2:])
_EVEN = (30,) * 12


@dataclass(frozen=True, slots=True)
class Calendar:
    """One of them.

    months       days of the months of a year
    days_before  of all years from the year 0 up to this one
    since        the first year that there is
    """

    months: Callable[[int], Sequence[int]]
    days_before: Callable[[int], int]
    since: int = 0

    def seconds(self, year: int, month: int = 1, day: int = 1, rest: float = 0.0) -> float:
        """Of a date, and `rest` seconds. Raises ValueError for one that is not in the calendar."""
        months = self.months(year)
        if year < self.since or not (1 <= month <= len(months) and 1 <= day <= months[month - 1]):
            raise ValueError(f"there is no {year:04}-{month:02}-{day:02} in this calendar")
        days = self.days_before(year) + list(accumulate(months, initial=0))[month - 1] + day - 1
        return days * _DAY + rest


def _is_gregorian_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


_PROLEPTIC = Calendar(
    lambda year: _LEAP if _is_gregorian_leap(year) else _PLAIN,
    lambda year: 365 * year + (year - 1) // 4 - (year - 1) // 100 + (year - 1) // 400 + 1,
)
_STANDARD = replace(_PROLEPTIC, since=1)
_JULIAN = Calendar(lambda year: _PLAIN if year % 4 else _LEAP, lambda year: 365 * year + (year - 1) // 4 + 1, since=1)
_NO_LEAP = Calendar(lambda _: _PLAIN, lambda year: 365 * year)
_ALL_LEAP = Calendar(lambda _: _LEAP, lambda year: 366 * year)
_THIRTIES = Calendar(lambda _: _EVEN, lambda year: 360 * year)
_NAMED = {
    "proleptic_gregorian": _PROLEPTIC,
    "standard": _STANDARD,
    "gregorian": _STANDARD,
    "julian": _JULIAN,
    "noleap": _NO_LEAP,
    "365_day": _NO_LEAP,
    "all_leap": _ALL_LEAP,
    "366_day": _ALL_LEAP,
    "360_day": _THIRTIES,
}
_SINCE_CHANGE = _STANDARD.seconds(1582, 10, 15)
"""Before it, the standard calendar is Julian."""
_INSTANT = re.compile(
    r"(\d{1,4})-(\d{1,2})-(\d{1,2})(?:[T ]+(\d{1,2})(?::(\d{1,2})(?::(\d{1,2}(?:\.\d*)?))?)?)?"
    r"\s*(?:UTC|GMT|Z|([+-])(\d{1,2})(?::?(\d\d))?)?",
    re.I,
)
_TIME = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d(?:\.\d{1,6})?))?)?)?)?)?Z?")


def calendar_of(name: object) -> Calendar | None:
    """By the name that CF gives it; None: there is none of that name."""
    return _NAMED.get(str(name).strip().lower())


def instant(calendar: Calendar, text: str) -> float | None:
    """Of what units count from; UTC unless an offset is told. None: it is none, or before the standard one began."""
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, sign, hours, minutes = found.groups()
    ahead = (int(hours or 0) * _HOUR + int(minutes or 0) * _MINUTE) * (-1 if sign == "-" else 1)
    try:
        begin = calendar.seconds(int(year), int(month), int(day), _rest(hour, minute, second) - ahead)
    except ValueError:
        return None
    return begin if _is_told(calendar, begin) else None


def span(calendar: Calendar, text: str) -> tuple[float, float] | None:
    """What a time covers, as precisely as it is told: from its begin to that of the next.

    None: it is no time, or before the standard calendar began.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = found.groups()
    try:
        begin = calendar.seconds(int(year), int(month or 1), int(day or 1), _rest(hour, minute, second))
        if not _is_told(calendar, begin):
            return None
        if month is None:
            return begin, calendar.seconds(int(year) + 1)
        if day is None:
            months = int(year) * 12 + int(month)
            return begin, calendar.seconds(months // 12, months % 12 + 1)
    except ValueError:
        return None
    return begin, begin + (1.0 if second else _MINUTE if minute else _HOUR if hour else _DAY)


def text_of(calendar: Calendar, seconds: float) -> str | None:
    """A time as `span` reads it, to the minute; None: before the year 1 or the standard calendar, or behind 9998."""
    if not (calendar.seconds(1) <= seconds < calendar.seconds(_YEAR_MAX) and _is_told(calendar, seconds)):
        return None
    minutes = round(seconds / _MINUTE)
    day, minute = divmod(minutes, 1440)
    year = day // 366  # the longest year there is: never too late a year
    while day >= calendar.days_before(year + 1):
        year += 1
    day -= calendar.days_before(year)
    begins = list(accumulate(calendar.months(year), initial=0))
    month = bisect(begins, day)
    return f"{year:04}-{month:02}-{day - begins[month - 1] + 1:02}T{minute // 60:02}:{minute % 60:02}"


def _is_told(calendar: Calendar, begin: float) -> bool:
    """Whether a time is not one of the standard calendar when that was another."""
    return calendar is not _STANDARD or begin >= _SINCE_CHANGE


def _rest(hour: str | None, minute: str | None, second: str | None) -> float:
    """Seconds of a day. Raises ValueError for a time that no day has."""
    told = (int(hour or 0), int(minute or 0), float(second or 0))
    if not (told[0] < 24 and told[1] < 60 and told[2] < 60):
        raise ValueError("no day has such a time")
    return told[0] * _HOUR + told[1] * _MINUTE + told[2]
