"""What people type: read as meant, or refused with one sentence."""

import time

import pytest

from lithify.api.commands.values import (
    COUNT,
    DURATION,
    EFFORT,
    FRACTION,
    JSON,
    KEEP,
    MOMENT,
    NAME,
    PATH,
    PREFIX,
    RANGE,
    SIZE,
    TEXT,
    Value,
)


@pytest.mark.parametrize(
    ("typed", "count"),
    [
        ("0", 0),
        ("10", 10),
        ("10B", 10),
        ("64k", 64_000),
        ("64kB", 64_000),
        ("64KiB", 65_536),
        ("1.5MiB", 1_572_864),
        ("2GB", 2_000_000_000),
        ("1 TiB", 1 << 40),
    ],
)
def test_a_size_is_read_in_the_unit_it_names(typed: str, count: int) -> None:
    assert count == SIZE.read(typed)


@pytest.mark.parametrize(
    ("typed", "seconds"), [("45s", 45), ("30m", 1800), ("12h", 43_200), ("90d", 7_776_000), ("2w", 1_209_600)]
)
def test_a_duration_is_read_in_the_unit_it_names(typed: str, seconds: float) -> None:
    assert seconds == DURATION.read(typed)


def test_keeping_for_ever_lifts_the_rule() -> None:
    assert KEEP.read("forever") == 0
    assert KEEP.read("1d") == 86_400


def test_a_date_is_utc_unless_it_says_otherwise() -> None:
    assert MOMENT.read("1970-01-02") == 86_400
    assert MOMENT.read("1970-01-01T01:00:00Z") == 3600
    assert MOMENT.read("1970-01-01T01:00:00+01:00") == 0


def test_an_age_is_counted_back_from_now() -> None:
    assert abs(time.time() - 7 * 86_400 - MOMENT.read("7d")) < 5


@pytest.mark.parametrize(
    ("typed", "part"),
    [("0-99", (0, 100)), ("10-", (10, 1000)), ("-10", (990, 1000)), ("990-5000", (990, 1000)), ("-5000", (0, 1000))],
)
def test_a_range_includes_both_ends(typed: str, part: tuple[int, int]) -> None:
    assert part == RANGE.read(typed).within(1000)


def test_a_name_is_split_at_its_first_slash() -> None:
    assert NAME.read("logs/2026/a.log") == ("logs", "2026/a.log")
    assert PREFIX.read("logs") == ("logs", "")
    assert PREFIX.read("logs/2026/") == ("logs", "2026/")


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        (TEXT, ""),
        (TEXT, "a\0b"),
        (TEXT, "two\nlines"),
        (TEXT, "\x1b[31mred"),
        (TEXT, "caf\udce9"),
        (NAME, "no-slash"),
        (NAME, "/leading"),
        (NAME, "trailing/"),
        (PREFIX, "/x"),
        (SIZE, "-1"),
        (SIZE, "ten"),
        (SIZE, "1e9"),
        (SIZE, "9" * 19 + "TiB"),
        (SIZE, "٣"),
        (COUNT, "0"),
        (COUNT, "-1"),
        (COUNT, "1.0"),
        (COUNT, "9" * 19),
        (COUNT, "9" * 5000),
        (FRACTION, "0"),
        (FRACTION, "1.01"),
        (FRACTION, "nan"),
        (FRACTION, "1e-3"),
        (DURATION, "7"),
        (DURATION, "d"),
        (DURATION, "nan"),
        (DURATION, "999999999y"),
        (MOMENT, "yesterday"),
        (MOMENT, "0000-00-00"),
        (MOMENT, "99999-01-01"),
        (MOMENT, "999999999y"),
        (RANGE, "-"),
        (RANGE, "5-1"),
        (RANGE, "a-b"),
        (RANGE, "1-2-3"),
        (RANGE, "9" * 100 + "-"),
        (JSON, "{"),
        (JSON, "[]"),
        (JSON, '{"a": NaN}'),
        (JSON, "[" * 100_000),
        (PATH, ""),
        (PATH, "a\0b"),
    ],
)
def test_garbage_is_refused_with_a_sentence(kind: Value, typed: str) -> None:
    with pytest.raises(ValueError) as refused:
        kind.read(typed)
    assert 10 < len(str(refused.value)) < 300


def test_the_efforts_are_those_of_the_codecs() -> None:
    from lithify.codecs.codec import EFFORTS

    assert tuple(EFFORT.choices) == EFFORTS
