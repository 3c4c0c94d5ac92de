"""Times: every text that is taken for one comes back from its integer, and nothing else is taken for one."""

import datetime

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lithify.codecs.logs.times import (
    FRACTION_DIGITS_MAX,
    PATTERNS,
    civil_from_days,
    days_from_civil,
    read_time,
    write_time,
)
from tests.unit.codecs.logs.corpus import EXAMPLES

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
FRACTIONS = [("", ""), *((mark, "0" * n) for mark in ".," for n in range(1, FRACTION_DIGITS_MAX + 1))]
ROOM_BYTES = 64
"""More than any time takes; a writer is to keep to it whatever it is told."""
COLONS = PATTERNS.index(b"Ymd-H:M:S")
"""The only pattern whose fraction may stand behind a colon."""


def read(text: bytes, *, at: int = 0, end: int | None = None) -> tuple[int, int, int]:
    """Where a time that begins at `at` ends, its format, its value."""
    return read_time(np.frombuffer(text, np.uint8), at, len(text) if end is None else end)


def written(form: int, value: int) -> bytes:
    """The text of a format and a value, which leaves what is behind its end alone."""
    out = np.full(ROOM_BYTES, 33, np.uint8)
    end = write_time(out, 0, form, value)
    assert (out[end:] == 33).all()
    return out[:end].tobytes()


def spelled(pattern: bytes, when: datetime.datetime) -> str:
    """A time as a pattern has it, spelled by Python."""
    fields = {
        "Y": f"{when.year:04}", "y": f"{when.year % 100:02}", "m": f"{when.month:02}", "b": MONTHS[when.month - 1],
        "d": f"{when.day:02}", "e": f"{when.day:2}", "D": str(when.day),
        "H": f"{when.hour:02}", "M": f"{when.minute:02}", "S": f"{when.second:02}",
    }  # fmt: skip
    return "".join(fields.get(letter, letter) for letter in pattern.decode())


def years(pattern: bytes) -> tuple[int, int]:
    """The years that a pattern can say."""
    if b"Y" in pattern:
        return 1700, 2200
    return (1970, 2069) if b"y" in pattern else (2000, 2000)


@st.composite
def times(draw: st.DrawFn) -> tuple[int, str]:
    """Number of a pattern, and a text of it."""
    number = draw(st.integers(0, len(PATTERNS) - 1))
    pattern = PATTERNS[number]
    first, last = years(pattern)
    when = draw(st.datetimes(datetime.datetime(first, 1, 1), datetime.datetime(last, 12, 31, 23, 59, 59)))
    if b"D" in pattern:
        when = when.replace(day=draw(st.integers(1, 9)))
    mark, zeros = draw(st.sampled_from(FRACTIONS + [(":", "000")] * (number == COLONS)))
    digits = draw(st.integers(0, 10 ** len(zeros) - 1))
    return number, spelled(pattern, when) + mark + (f"{digits:0{len(zeros)}}" if zeros else "")


@given(times())
@settings(max_examples=2 * EXAMPLES, deadline=None)
@example((0, "1700-01-01T00:00:00.000000000"))
@example((0, "2200-12-31T23:59:59.999999999"))
@example((3, "Feb 29 23:59:59"))
@example((12, "00:00:00"))
@example((12, "23:59:59,999999999"))
def test_a_time_comes_back_from_its_integer(number_and_text: tuple[int, str]) -> None:
    text = number_and_text[1].encode()
    end, form, value = read(text)

    assert len(text) == end
    assert text == written(form, value)


@pytest.mark.parametrize("mark_and_zeros", FRACTIONS, ids="".join)
@pytest.mark.parametrize("pattern", PATTERNS, ids=bytes.decode)
def test_every_pattern_has_every_fraction(pattern: bytes, mark_and_zeros: tuple[str, str]) -> None:
    when = datetime.datetime(2000 if b"Y" not in pattern and b"y" not in pattern else 2026, 11, 7, 13, 14, 15)
    text = (spelled(pattern, when) + mark_and_zeros[0] + "123456789"[: len(mark_and_zeros[1])]).encode()
    end, form, value = read(text + b" and more")

    assert len(text) == end
    assert text == written(form, value)


def test_times_of_one_format_are_in_the_order_of_their_integers() -> None:
    texts = [b"1700-01-01 00:00:00.1", b"1969-12-31 23:59:59.9", b"1970-01-01 00:00:00.0", b"2026-02-28 23:59:59.9"]
    found = [read(text) for text in texts]

    assert [found[0][1]] * 4 == [form for _, form, _ in found]
    assert [value for *_, value in found] == sorted(value for *_, value in found)
    assert (-1, 0) == (found[1][2], found[2][2])


@pytest.mark.parametrize(
    "text",
    [
        *(b"2025-02-29T00:00:00", b"1900-02-29 00:00:00", b"2026-04-31 10:00:00", b"2026-13-01 10:00:00"),
        *(b"2026-00-10 10:00:00", b"2026-01-00 10:00:00", b"2026-01-32 10:00:00", b"9999-12-31 23:59:59.999999999"),
        *(b"0001-01-01T00:00:00", b"1699-12-31 23:59:59", b"2201-01-01 00:00:00", b"2026-11-21 24:00:00"),
        *(b"2026-11-21 23:60:00", b"2026-11-21 23:59:61", b"24:00:00", b"12:60:00", b"12:00:60", b"12:00:0"),
        *(b"Feb 30 12:00:00", b"Jan 01 12:00:00", b"Jan  0 12:00:00", b"jan  1 12:00:00", b"Jax  1 12:00:00"),
        *(b"31/Apr/2026:10:00:00", b"30/02/2026 10:00:00", b"00-10 10:00:00.000", b"1:00:00", b"12:00:001"),
        *(b"20261341T101010", b"261341 101010", b"", b"J", b"1", b"2026-11-21"),
    ],
)
def test_what_only_looks_like_a_time_is_none(text: bytes) -> None:
    if text:
        end, form, value = read(text)
        assert end < 0 or (end < len(text) and text[:end] == written(form, value))
    for fill in (b"0", b"9", b" "):
        padded = text + fill * 30  # a reader that looks beyond the end would see these
        if text:
            assert read(text) == read(padded, end=len(text))


def test_ten_digits_are_no_fraction() -> None:
    end, form, value = read(b"2026-11-21 10:00:00.0123456789")

    assert b"2026-11-21 10:00:00" == written(form, value)
    assert len(b"2026-11-21 10:00:00") == end


@given(st.binary(max_size=40) | st.text("0123456789:-/., TJanFebMrDec", max_size=36).map(str.encode))
@settings(max_examples=2 * EXAMPLES, deadline=None)
def test_whatever_is_taken_for_a_time_comes_back(text: bytes) -> None:
    for at in range(len(text)):
        end, form, value = read(text, at=at)
        assert end < 0 or text[at:end] == written(form, value)


@given(st.dates(datetime.date(1, 1, 1), datetime.date(9999, 12, 31)))
@settings(max_examples=EXAMPLES, deadline=None)
def test_days_are_those_of_the_calendar(day: datetime.date) -> None:
    number = days_from_civil(day.year, day.month, day.day)

    assert (day - datetime.date(1970, 1, 1)).days == number
    assert (day.year, day.month, day.day) == civil_from_days(number)


@given(st.integers(0, 2**16 - 1), st.integers(-(2**63), 2**63 - 1))
@settings(max_examples=2 * EXAMPLES, deadline=None)
def test_any_integer_of_any_format_is_written_within_the_room_or_refused(form: int, value: int) -> None:
    out = np.full(2 * ROOM_BYTES, 33, np.uint8)
    try:
        end = write_time(out, 0, form % (len(PATTERNS) * 32), value)
    except IndexError:
        return
    assert end < ROOM_BYTES
    assert (out[ROOM_BYTES:] == 33).all()
