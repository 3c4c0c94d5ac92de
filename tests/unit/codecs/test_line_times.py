"""The time that a line says it was written, in the forms that people's logs have."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.line_times import line_time
from tests.examples import examples

CAME = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"2026-11-21T01:15:59.123Z start", "2026-11-21T01:15:59.123"),
        (b"2026-11-21 01:15:59,123 INFO start", "2026-11-21T01:15:59.123"),
        (b"INFO [2026-11-21 01:15:59] start", "2026-11-21T01:15:59"),
        (b"2026/11/21 01:15 start", "2026-11-21T01:15:00"),
        (b"2026-11-21T01:15:59+01:30 start", "2026-11-20T23:45:59"),
        (b"2026-11-21 01:15:59 -0700 start", "2026-11-21T08:15:59"),
        (b"20171223-22:15:29:606|Step_LSC|30002312|", "2017-12-23T22:15:29.606"),
        (b"20261121T011559Z", "2026-11-21T01:15:59"),
        (b'10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200', "2000-10-10T20:55:36"),
        (b"[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init()", "2005-12-04T04:47:44"),
        (b"Jun  9 06:06:51 combo syslogd 1.4.1: restart.", "2026-06-09T06:06:51"),
        (b"<13>Nov 22 23:00:00 host app: within the day to spare", "2026-11-22T23:00:00"),
        (b"Nov 24 06:06:51 host app: of last year", "2025-11-24T06:06:51"),
        (b"Feb 29 00:00:01 host app: of a leap year", "2024-02-29T00:00:01"),
        (b"03-17 16:13:38.702  1702  2395 D PowerManagerService", "2026-03-17T16:13:38.702"),
        (b"[2018-01-12\t08:53:12.188370] [10593]\tproject:393", "2018-01-12T08:53:12.188370"),
        (b"[10.30 16:49:06] chrome.exe - proxy.cse.cuhk.edu.hk:5070 open", "2026-10-30T16:49:06"),
        (b"081109 203615 148 INFO dfs.DataNode$PacketResponder", "2008-11-09T20:36:15"),
        (b"1117838570 2005.06.03 R02-M1-N0-C:J12-U11", "2005-06-03T22:42:50"),
        (b"- 1131566461 2005.11.09 dn228", "2005-11-09T20:01:01"),
        (b"1700000000.25 up", "2023-11-14T22:13:20.250"),
        (b"1700000000123 up", "2023-11-14T22:13:20.123"),
        (b"1700000000123456789 up", "2023-11-14T22:13:20.123456789"),
        (b"nova.log.2017-05-16_13:53:08 2017-05-16 00:00:00.008 25746 INFO", "2017-05-16T00:00:00.008"),
        (b'{"level":"info","@timestamp":"2026-11-21T01:15:59+01:00"}', "2026-11-21T00:15:59"),
        (b'{"msg":"at 2020-01-01 00:00:00","ts":1700000000.5}', "2023-11-14T22:13:20.5"),
        (b'  {"time": 1700000000123}', "2023-11-14T22:13:20.123"),
        (b"2026-13-41 01:15:59 then 2026-11-21 01:15:59", "2026-11-21T01:15:59"),
        (b"2026-11-21 01:15:60 a leap second", "2026-11-21T01:16:00"),
    ],
)
def test_a_time_is_read_as_it_is_written(line: bytes, expected: str) -> None:
    whole, _, fraction = expected.partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    assert seconds * 10**9 + int(fraction.ljust(9, "0")) == line_time(line, CAME)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\tat java.base/java.lang.Thread.run(Thread.java:840)",
        b"06/09/17 10:00:00 could be three dates",
        b"2026-11-21 is a day, not a time",
        b"2026-11-21 25:00:00",
        b"version 10.20.30.40:8080",
        b"12345678901 has a length between two units",
        b'{"message":"2026-11-21 01:15:59"}',
        b'{"time":"soon"}',
        b"Feb 30 10:00:00 host",
        b"x" * 300 + b"2026-11-21 01:15:59",
        b"\xff\x00" * 100,
    ],
)
def test_what_says_no_time_has_none(line: bytes) -> None:
    assert line_time(line, CAME) is None


def test_a_time_without_a_year_says_nothing_to_who_does_not_know_when_it_came() -> None:
    assert line_time(b"Jun  9 06:06:51 combo") is None
    assert line_time(b"03-17 16:13:38.702 x") is None
    assert line_time(b"2026-11-21 01:15:59 x") is not None


@settings(max_examples=examples(500), deadline=None)
@given(st.binary(max_size=80), st.integers(-(10**19), 10**20) | st.none())
def test_any_bytes_at_any_time_are_read_without_an_error(line: bytes, newest: int | None) -> None:
    assert isinstance(line_time(line, newest), int | None)
    line_time(b"Jun  9 06:06:51" + line, newest)
    line_time(b'{"ts":' + line, newest)
