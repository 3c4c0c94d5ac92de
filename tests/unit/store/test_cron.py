"""Cron lines in UTC."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from lithify.errors import BadArgument
from lithify.store import cron


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("line", "now", "last", "following"),
    [
        ("17 2 * * *", "2026-11-21T02:16:59", "2026-11-20T02:17", "2026-11-21T02:17"),
        ("17 2 * * *", "2026-11-21T02:17:00", "2026-11-21T02:17", "2026-11-22T02:17"),
        ("17 2 * * *", "2026-11-21T02:17:00.5", "2026-11-21T02:17", "2026-11-22T02:17"),
        ("37 5 * * sun", "2026-11-21T00:00", "2026-11-15T05:37", "2026-11-22T05:37"),
        ("0 0 29 2 *", "2026-11-21T00:00", "2024-02-29T00:00", "2028-02-29T00:00"),
        ("@daily", "2026-12-31T23:59:59", "2026-12-31T00:00", "2027-01-01T00:00"),
    ],
)
def test_due_times_lie_on_both_sides_of_now(line: str, now: str, last: str, following: str) -> None:
    cron.check(line)
    assert (at(last), at(following)) == (cron.last_due(line, at(now)), cron.next_due(line, at(now)))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_every_hour_of_a_day_with_summer_time_comes_once(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    times = [at("2026-10-24T12:00")]
    while times[-1] < at("2026-10-26T12:00"):
        times.append(cron.next_due("30 * * * *", times[-1]))
    assert {3600.0} == {later - earlier for earlier, later in pairwise(times[1:])}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("60 * * * *", "minute '60' is not understood"),
        ("0 25 * * *", "hour '25' is not understood"),
        ("0 0 32 * *", "day of month '32' is not understood"),
        ("0 0 * jan,foo *", "month 'jan,foo' is not understood"),
        ("0 0 * * 8", "day of week '8' is not understood"),
        ("R * * * *", "minute 'R' is not understood"),
        ("H(0-5) * * * *", r"minute 'H\(0-5\)' is not understood"),
        ("* * * * * *", "has 6 fields; expected 5"),
        ("daily", "has 1 fields; expected 5"),
        ("", "has 0 fields; expected 5"),
        ("@reboot", "has 1 fields; expected 5"),
        ("0 0 30 2 *", "never comes due"),
        ("\ud800 * * * *", r"minute '\\ud800' is not understood"),
    ],
)
def test_a_bad_line_is_refused_naming_the_field_and_an_example(line: str, complaint: str) -> None:
    with pytest.raises(BadArgument, match=f"{complaint}.*17 3"):
        cron.check(line)
