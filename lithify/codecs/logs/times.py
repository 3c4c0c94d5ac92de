"""Times as services write them: one integer each, and back to the same bytes.

A time format is a pattern (`PATTERNS`) with, after its seconds, an optional mark and one to nine digits of a fraction.
A text is taken as a time only if every part is in range, so that integer and text say exactly the same.
"""

import numpy as np

from lithify.codecs.array_types import U8
from lithify.codecs.kernel import bare

# Y, y: year of 4 or 2 digits · m: month · b: month by name · d: day · e: day, padded with a space · D: day, unpadded
# H M S: hour, minute, second · anything else: itself. Their numbers are part of the format: only append.
PATTERNS = (
    b"Y-m-dTH:M:S",
    b"Y-m-d H:M:S",
    b"Y/m/d H:M:S",
    b"b e H:M:S",
    b"d/b/Y:H:M:S",
    b"m.d H:M:S",
    b"m-d H:M:S",
    b"y/m/d H:M:S",
    b"ymd HMS",
    b"Y-m-d-H.M.S",
    b"Ymd-H:M:S",
    b"Y-m-d\tH:M:S",
    b"H:M:S",
    b"b D H:M:S",
    b"Y.m.d H:M:S",
    b"d/b/Y H:M:S",
    b"m/d/Y H:M:S",
    b"d.m.Y H:M:S",
    b"YmdTHMS",
    b"Ymd HMS",
)
FRACTION_DIGITS_MAX = 9
FRACTIONS = 32  # codes per pattern: 0 none, 1-9 after ".", 11-19 after ",", 21-29 after ":"
FORMATS = len(PATTERNS) * FRACTIONS
_MARKS = np.frombuffer(b".,:", np.uint8)
_MONTHS = np.frombuffer(b"JanFebMarAprMayJunJulAugSepOctNovDec", np.uint8)
_WIDEST = max(map(len, PATTERNS))
_TABLE = np.array([list(p.ljust(_WIDEST, b"\0")) for p in PATTERNS], np.uint8)
_LENGTHS = np.array([len(p) for p in PATTERNS], np.int64)
_FIELD_WIDTHS = {"Y": 4, "b": 3, "D": 1, "y": 2, "m": 2, "d": 2, "e": 2, "H": 2, "M": 2, "S": 2}


def _marks_of(pattern: bytes) -> list[int]:
    """Where the first and the last of the pattern's own bytes stand, and which: a look spares most attempts."""
    at, found = 0, []
    for letter in pattern.decode():
        if letter not in _FIELD_WIDTHS:
            found.append((at, ord(letter)))
        at += _FIELD_WIDTHS.get(letter, 1)
    return [*found[0], *found[-1]]


_MARKS_OF = np.array([_marks_of(p) for p in PATTERNS], np.int64)
# The year of dates that do not name one: a leap year, so that 29 February is a day.
_NO_YEAR = 2000
_YEAR_MIN, _YEAR_MAX = 1700, 2200  # with nine digits of a fraction, years outside overflow 64 bits


@bare
def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a date of the proleptic Gregorian calendar."""
    y = year - (1 if month <= 2 else 0)
    era = y // 400
    yoe = y - era * 400
    doy = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    doe = yoe * 365 + yoe // 4 - yoe // 100 + doy
    return era * 146097 + doe - 719468


@bare
def civil_from_days(days: int) -> tuple[int, int, int]:
    """The inverse: year, month, day."""
    z = days + 719468
    era = z // 146097
    doe = z - era * 146097
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + (3 if mp < 10 else -9)
    return yoe + era * 400 + (1 if month <= 2 else 0), month, doy - (153 * mp + 2) // 5 + 1


@bare
def _digits(data: U8, at: int, count: int, end: int) -> int:
    """The number that `count` digits spell, or -1."""
    if at + count > end:
        return -1
    value = 0
    for i in range(at, at + count):
        c = data[i]
        if c < 48 or c > 57:
            return -1
        value = value * 10 + (c - 48)
    return value


@bare
def _month(data: U8, at: int, end: int) -> int:
    """The month whose name's three letters stand at `at`, or -1."""
    if at + 3 > end:
        return -1
    for month in range(12):
        if (
            data[at] == _MONTHS[3 * month]
            and data[at + 1] == _MONTHS[3 * month + 1]
            and data[at + 2] == _MONTHS[3 * month + 2]
        ):
            return month + 1
    return -1


@bare
def _match(data: U8, at: int, end: int, pattern: int) -> tuple[int, int]:
    """Where the text of `pattern` that begins at `at` ends, and its seconds; (-1, 0) if there is none."""
    year, month, day, hour, minute, second = _NO_YEAR, 1, 1, 0, 0, 0
    for i in range(_LENGTHS[pattern]):
        p = _TABLE[pattern, i]
        width = 2
        value = 0
        if p == 89:  # Y
            width = 4
            value = year = _digits(data, at, 4, end)
        elif p == 121:  # y
            value = _digits(data, at, 2, end)
            year = value + (2000 if value < 70 else 1900)
        elif p == 109:  # m
            value = month = _digits(data, at, 2, end)
        elif p == 98:  # b
            width = 3
            value = month = _month(data, at, end)
        elif p == 100:  # d
            value = day = _digits(data, at, 2, end)
        elif p == 101:  # e
            if at < end and data[at] == 32:
                value = day = _digits(data, at + 1, 1, end)
            else:
                value = day = _digits(data, at, 2, end)
                if value < 10:
                    return -1, 0
        elif p == 68:  # D: only what `e` would write otherwise
            width = 1
            value = day = _digits(data, at, 1, end)
        elif p == 72:  # H
            value = hour = _digits(data, at, 2, end)
        elif p == 77:  # M
            value = minute = _digits(data, at, 2, end)
        elif p == 83:  # S
            value = second = _digits(data, at, 2, end)
        else:
            width = 1
            if at >= end or data[at] != p:
                return -1, 0
        if value < 0:
            return -1, 0
        at += width
    if (
        year < _YEAR_MIN
        or year > _YEAR_MAX
        or month < 1
        or month > 12
        or day < 1
        or hour > 23
        or minute > 59
        or second > 59
    ):
        return -1, 0
    days = days_from_civil(year, month, day)
    back = civil_from_days(days)
    if back[1] != month or back[2] != day:
        return -1, 0
    return at, days * 86400 + hour * 3600 + minute * 60 + second


@bare
def read_time(data: U8, at: int, end: int) -> tuple[int, int, int]:
    """The longest-known time that begins at `at`: where it ends, its format, its value; (-1, 0, 0) if there is none.

    The value counts units of the last digit that is written, since 1970 (or the year 2000 where no year is written).
    """
    for pattern in range(len(_LENGTHS)):
        first = _TABLE[pattern, 0]
        c = data[at]
        if (first == 98) != (c > 57) or at + _MARKS_OF[pattern, 2] >= end:
            continue
        if data[at + _MARKS_OF[pattern, 0]] != _MARKS_OF[pattern, 1]:
            continue
        if data[at + _MARKS_OF[pattern, 2]] != _MARKS_OF[pattern, 3]:
            continue
        stop, value = _match(data, at, end, pattern)
        if stop < 0 or (stop < end and 48 <= data[stop] <= 57):
            continue
        fraction = 0
        if stop + 1 < end:
            for mark in range(3):
                if data[stop] == _MARKS[mark] and (mark < 2 or pattern == 10):
                    q = stop + 1
                    scaled = value
                    while q < end and 48 <= data[q] <= 57 and q - stop <= 10:
                        if q - stop <= 9:
                            scaled = scaled * 10 + (data[q] - 48)
                        q += 1
                    digits = q - stop - 1
                    if 1 <= digits <= 9:
                        value = scaled
                        fraction = mark * 10 + digits
                        stop = q
                    break
        return stop, pattern * 32 + fraction, value
    return -1, 0, 0


@bare
def _put(out: U8, at: int, value: int, width: int) -> int:
    for i in range(at + width - 1, at - 1, -1):
        out[i] = 48 + value % 10
        value //= 10
    return at + width


@bare
def write_time(out: U8, at: int, form: int, value: int) -> int:
    """Write the time of a format number from `out[at]` on; gives where it ends."""
    pattern, fraction = form // 32, form % 32
    digits = fraction % 10
    scale = 1
    for _ in range(digits):
        scale *= 10
    seconds = value // scale
    part = value - seconds * scale
    days = seconds // 86400
    second = seconds - days * 86400
    year, month, day = civil_from_days(days)
    for i in range(_LENGTHS[pattern]):
        p = _TABLE[pattern, i]
        if p == 89:
            at = _put(out, at, year, 4)
        elif p == 121:
            at = _put(out, at, year % 100, 2)
        elif p == 109:
            at = _put(out, at, month, 2)
        elif p == 98:
            for k in range(3):
                out[at + k] = _MONTHS[3 * (month - 1) + k]
            at += 3
        elif p == 100:
            at = _put(out, at, day, 2)
        elif p == 101:
            if day < 10:
                out[at] = 32
                at = _put(out, at + 1, day, 1)
            else:
                at = _put(out, at, day, 2)
        elif p == 68:
            at = _put(out, at, day, 1)
        elif p == 72:
            at = _put(out, at, second // 3600, 2)
        elif p == 77:
            at = _put(out, at, second % 3600 // 60, 2)
        elif p == 83:
            at = _put(out, at, second % 60, 2)
        else:
            out[at] = p
            at += 1
    if digits:
        out[at] = _MARKS[fraction // 10]
        at = _put(out, at + 1, part, digits)
    return at


def time_like(form: int) -> bytes:
    """A time as this format number has it written: one of many."""
    out = np.zeros(64, np.uint8)
    return out[: write_time(out, 0, form, 0)].tobytes()
