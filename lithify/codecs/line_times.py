"""The time that a line of a log says it was written, for searches between two moments.

What is understood, wherever it stands first in the head of a line:

    2026-11-21T01:15:59.123Z    2026-11-21 01:15:59,123    2026/11/21 01:15    20261121-01:15:59:123    ISO 8601 and kin
    10/Oct/2000:13:55:36 -0700                                                 access logs
    Sun Dec 04 04:47:44 2005    Jun  9 06:06:51                                ctime, syslog
    03-17 16:13:38.702    [10.30 16:49:06]                                     month and day, at the very beginning

at its very beginning seconds, ms, µs or ns since 1970 (`1117838570`, `1700000000.25`) and `081109 203615`; in a JSON
object the value of its first "@timestamp", "timestamp", "time", "ts" or "datetime". An offset (`Z`, `+01:00`, `-0700`)
is applied; a time without one is taken as it is written, as if it were UTC. `06/09/17` could be any of three dates and
is not guessed at.
"""

import re
from datetime import date
from functools import lru_cache

_HEAD_BYTES = 256
"""How far into a line a time is looked for."""
_JSON_BYTES = 16 * 1024
_SECOND = 1_000_000_000
_DAY = 86_400 * _SECOND
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MONTHS = {
    name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)
}
_MONTH = rb"(?:%s)" % b"|".join(_MONTHS)
_CLOCK = rb"(?P<clock%d>\d\d:\d\d(?::\d\d(?:[.,:]\d{1,9})?)?)"
_OFFSET = rb"(?P<offset%d>Z|\ ?[+-]\d\d:?\d\d(?![\d:]))?"
_WRITTEN = re.compile(
    rb"(?<!\d)(?:"
    + rb"(?P<iso>\d{4}([-/])\d\d\2\d\d)[T \t]"
    + (_CLOCK + _OFFSET) % (1, 1)
    + rb"|(?P<access>\d\d/"
    + _MONTH
    + rb"/\d{4}):"
    + (_CLOCK + _OFFSET) % (2, 2)
    + rb"|(?P<syslog>"
    + _MONTH
    + rb"\ [ \d]\d|"
    + _MONTH
    + rb"\ \d)\ "
    + _CLOCK % 3
    + rb"(?:\ (?P<year>\d{4})(?!\d))?"
    + rb"|(?P<compact>\d{8})[T-](?P<clock4>\d\d:?\d\d:?\d\d(?:[.,:]\d{1,9})?)"
    + _OFFSET % 4
    + rb"|\A\[?(?P<android>\d\d[-.]\d\d)\ "
    + _CLOCK % 5
    + rb"|\A(?P<hdfs>\d{6})\ (?P<clock6>\d{6})(?!\d)"
    + rb")"
)
_EPOCH = re.compile(rb"[\[\s]*(?:-\ )?(\d{9,10}|\d{13}|\d{16}|\d{19})(?:\.(\d{1,9}))?(?![\d.:/-])")
_JSON = re.compile(
    rb'"(?:@timestamp|timestamp|time|ts|datetime)"\s*:\s*(?:"([^"\\]{1,64})"|(\d{1,19})(?:\.(\d{1,9}))?(?=[\s,}\]]))'
)


def line_time(line: bytes, newest: int | None = None) -> int | None:
    """Nanoseconds since 1970 UTC that the line says, or None if it says none.

    newest  the time before which the line was surely written (when its log came in). A time without a year is given
            the last year that is not after it, with a day to spare for clocks and offsets; unknown: such a time says
            nothing.
    """
    if line.lstrip()[:1] == b"{":
        found = _JSON.search(line, 0, _JSON_BYTES)
        if found is None:
            return None
        return _epoch(found[2], found[3]) if found[2] else _written(found[1], newest)
    return _written(line, newest)


def _written(text: bytes, newest: int | None) -> int | None:
    if epoch := _EPOCH.match(text, 0, _HEAD_BYTES):
        return _epoch(epoch[1], epoch[2])
    at = 0
    while found := _WRITTEN.search(text, at, _HEAD_BYTES):
        day = _day(found, newest)
        clock = _clock(found)
        if day is not None and clock is not None:
            return day * _DAY + clock
        at = found.start() + 1  # it only looked like one
    return None


def _epoch(whole: bytes, fraction: bytes | None) -> int:
    """Seconds, ms, µs or ns, whichever makes it a time of our age."""
    count, digits = int(whole), len(whole)
    unit = 1_000_000_000 if digits < 12 else 1_000_000 if digits < 15 else 1000 if digits < 18 else 1
    return count * unit + int((fraction or b"").ljust(9, b"0")[:9]) * unit // 1_000_000_000


def _day(found: "re.Match[bytes]", newest: int | None) -> int | None:
    """Days since 1970; None for a date that no calendar has, or that lacks its year."""
    kind = next(kind for kind in _DATES if found[kind])
    parts = [_MONTHS.get(part) or int(part) for part in _DATES[kind].findall(found[kind])]
    if kind == "syslog" and found["year"]:
        parts = [int(found["year"]), *parts]
    if kind == "access":
        parts.reverse()
    if kind == "hdfs":
        parts[0] += 2000
    return _days(*parts) if len(parts) == 3 else _last(parts[0], parts[1], newest)


_WORDS = re.compile(rb"\w+")
_DATES = {
    "iso": _WORDS,
    "access": _WORDS,
    "syslog": _WORDS,
    "compact": re.compile(rb"\A\d{4}|\d\d"),
    "android": _WORDS,
    "hdfs": re.compile(rb"\d\d"),
}
"""How a date of each kind falls into year, month and day, or into what it has of them."""


@lru_cache(256)
def _days(year: int, month: int, day: int) -> int | None:
    try:
        return date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        return None


def _last(month: int, day: int, newest: int | None) -> int | None:
    """The last such day that is not after `newest` and a day."""
    if newest is None:
        return None
    latest = newest // _DAY + 1
    year = date.fromordinal(max(1, min(latest + _EPOCH_DAY, date.max.toordinal()))).year
    days = (_days(each, month, day) for each in range(year, year - 9, -1))  # 29 February: eight years at most
    return next((found for found in days if found is not None and found <= latest), None)


def _clock(found: "re.Match[bytes]") -> int | None:
    """Nanoseconds since midnight, less the offset from UTC."""
    number = next(number for number in range(1, 7) if found[f"clock{number}"])
    digits = re.split(rb"[:.,]", found[f"clock{number}"])
    if len(digits[0]) > 2:  # 203615
        digits = [digits[0][:2], digits[0][2:4], digits[0][4:], *digits[1:]]
    hour, minute, second = (int(part) for part in (*digits, b"0")[:3])
    if hour > 23 or minute > 59 or second > 60:
        return None
    fraction = int(digits[3].ljust(9, b"0")) if len(digits) > 3 else 0
    offset = found[f"offset{number}"] if number in {1, 2, 4} else None
    return ((hour * 60 + minute - _minutes(offset)) * 60 + second) * _SECOND + fraction


def _minutes(offset: bytes | None) -> int:
    if offset is None or offset == b"Z":
        return 0
    text = offset.strip().replace(b":", b"")
    minutes = int(text[1:3]) * 60 + int(text[3:5])
    return -minutes if text[:1] == b"-" else minutes
