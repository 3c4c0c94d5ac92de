"""Lines and tokens: where they begin and end, whatever the bytes are."""

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.logs.scan import (
    ADDRESS,
    GROUP,
    LINE_BYTES_MAX,
    MIXED,
    NUMBER,
    NUMBER_DIGITS_MAX,
    TIME,
    WORD,
    Scan,
    find_lines,
    scan,
)
from tests.unit.codecs.logs.corpus import EXAMPLES, MAKERS, log

# What decides where a token begins and ends, and a little of everything else.
SPECIAL = st.sampled_from([bytes([c]) for c in b"\"[]/\\{}'<>(),;:=|.-_ \t\r\n\0\x07\x7f\x80\xff"])
PIECES = SPECIAL | st.sampled_from([b"12", b"7.7.7.7", b"ab", b"0x1f", b"10:20:30", b"Jan  1 00:00:00", b'\\"'])
TEXTS = st.binary(max_size=120) | st.lists(PIECES, max_size=60).map(b"".join)


def scanned(data: bytes) -> Scan:
    return scan(np.frombuffer(data, np.uint8))


def tokens(line: bytes, *kinds: int) -> list[bytes]:
    """The texts of a line's tokens, of these kinds or of all."""
    found = scanned(line)
    each = zip(found.start.tolist(), found.end.tolist(), found.kind.tolist(), strict=True)
    return [line[start:end] for start, end, kind in each if not kinds or kind in kinds]


# --- lines ----------------------------------------------------------------------------------------------


@given(TEXTS)
@settings(max_examples=EXAMPLES, deadline=None)
def test_lines_are_those_that_end_with_a_line_end(data: bytes) -> None:
    starts = find_lines(np.frombuffer(data, np.uint8)).tolist()
    lines = data.split(b"\n")
    expected = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])

    assert expected == [data[a:b] for a, b in pairwise(starts)]


def test_nothing_has_no_lines_and_no_tokens() -> None:
    found = scanned(b"")

    assert [0] == find_lines(np.zeros(0, np.uint8)).tolist()
    assert (0, 0) == (len(found.line_key), len(found.start))


def test_a_line_that_is_too_long_has_no_tokens_and_its_neighbours_have() -> None:
    for length, kept in ((LINE_BYTES_MAX, True), (LINE_BYTES_MAX + 1, False), (100_000, False)):
        long = (b"word 12 " * (length // 8 + 1))[:length]
        found = scanned(b"first 1\n" + long + b"\nlast 2\n")

        assert 3 == len(found.line_key)
        assert kept == (found.line_token[2] > found.line_token[1])
        assert kept == bool(found.line_key[1])
        assert (2, 2) == (found.line_token[1], found.line_token[3] - found.line_token[2])


@pytest.mark.parametrize("name", MAKERS)
def test_lines_of_real_logs_have_tokens_that_lie_in_them_in_order(name: str) -> None:
    check(log(name, 200))


@given(TEXTS)
@settings(max_examples=2 * EXAMPLES, deadline=None)
def test_tokens_of_any_line_lie_in_it_in_order(data: bytes) -> None:
    check(data)


def check(data: bytes) -> None:
    """What every scan keeps to."""
    found = scanned(data)
    assert len(found.line_key) + 1 == len(found.line_start) == len(found.line_token)
    for line in range(len(found.line_key)):
        at, stop = int(found.line_start[line]), int(found.line_start[line + 1])
        t, last = int(found.line_token[line]), int(found.line_token[line + 1])
        while t < last:
            inner = int(found.inner[t]) if found.kind[t] == GROUP else 0
            assert at <= found.start[t] <= found.end[t] <= stop
            check_group(found, t, inner)
            assert t + inner < last
            check_kind(data[found.start[t] : found.end[t]], int(found.kind[t]))
            at, t = int(found.end[t]), t + 1 + inner


def check_group(found: Scan, group: int, inner: int) -> None:
    at = int(found.start[group])
    for t in range(group + 1, group + 1 + inner):
        assert found.kind[t] != GROUP
        assert at <= found.start[t] <= found.end[t] <= found.end[group]
        at = int(found.end[t])


def check_kind(text: bytes, kind: int) -> None:
    if kind == NUMBER:
        assert text.isdigit()
        assert len(text) <= NUMBER_DIGITS_MAX
    elif kind == ADDRESS:
        assert all(str(int(part)).encode() == part and int(part) < 256 for part in text.split(b"."))
    elif kind in (WORD, MIXED):
        assert all(c in b"_" or c >= 128 or bytes([c]).isalnum() for c in text)
        assert kind == MIXED or not any(c in b"0123456789" for c in text)
    assert kind != TIME or len(text) >= len(b"00:00:00")


# --- tokens ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [b"0.0.0.0", b"255.255.255.255", b"1.20.103.4"])
@pytest.mark.parametrize("around", [b"%s", b"ip=%s:80", b"(%s)", b"%s.", b"[%s]", b'"%s"', b"%s,%s"])
def test_addresses_are_found(text: bytes, around: bytes) -> None:
    line = around.replace(b"%s", text)

    assert [text] * around.count(b"%s") == tokens(line, ADDRESS)


@pytest.mark.parametrize(
    "text",
    [
        *(b"256.1.1.1", b"1.1.1.256", b"01.1.1.1", b"1.1.1.00", b"1.1.1", b"1.1.1.", b"1.1..1", b"1.1.1.1.1"),
        *(b"1.1.1.1a", b"1.1.1.1_", b"1000.1.1.1", b"1.1.1.1000", b"a1.1.1.1", b".1.1.1.1", b"1.1.1.\xff"),
    ],
)
def test_what_only_looks_like_an_address_is_none(text: bytes) -> None:
    assert [] == tokens(text, ADDRESS)
    assert [] == tokens(b"x " + text + b" y", ADDRESS)


def test_numbers_have_at_most_as_many_digits_as_fit() -> None:
    most = b"9" * NUMBER_DIGITS_MAX

    assert [most] == tokens(most, NUMBER)
    assert [most + b"9"] == tokens(most + b"9", MIXED)
    assert [b"000", b"00"] == tokens(b"000.5x-00", NUMBER)


def test_a_quoted_string_ends_at_the_first_quote_that_is_not_escaped() -> None:
    assert [b'say \\"x\\" 1'] == tokens(b'a "say \\"x\\" 1" b', GROUP)
    assert [b"ends \\\\"] == tokens(b'"ends \\\\" and more', GROUP)
    assert [b"one", b"two"] == tokens(b'"one" and "two"', GROUP)
    assert [b""] == tokens(b'""', GROUP)


@pytest.mark.parametrize(
    "line", [b'"open', b"[open", b'a "b\\"', b'"\\', b"]", b"[", b"[]", b"][", b"/", b"//", b"[[[[["]
)
def test_what_is_never_closed_is_no_group(line: bytes) -> None:
    assert [] == tokens(line, GROUP)


def test_a_bracket_and_a_path_are_groups_that_hold_tokens() -> None:
    assert [b"12", b"ab"] == tokens(b"[12 ab] x", NUMBER, WORD)[:2]
    assert [b"v1/ab/12"] == tokens(b"GET /v1/ab/12 OK", GROUP)


def test_a_time_in_a_group_does_not_reach_over_its_end() -> None:
    assert [b"10:20:30"] == tokens(b'"10:20:30".5', TIME)
    assert [] == tokens(b'"10:20:3"0', TIME)


def test_line_ends_of_two_bytes_and_odd_bytes_are_like_others() -> None:
    assert [b"a", b"1"] == tokens(b"a=1\r")
    assert [b"\xe2\x82\xac", b"\xff\xfe"] == tokens(b"\xe2\x82\xac \0 \xff\xfe", WORD)


# --- skeletons ------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from([b"ab", b"12", b"a1", b"1.2.3.4", b" ", b"=", b'"', b"[", b"]", b"/"]), max_size=12))
@settings(max_examples=EXAMPLES, deadline=None)
def test_lines_that_differ_in_their_values_have_one_key(pieces: list[bytes]) -> None:
    other = {b"ab": b"xyz", b"12": b"7", b"a1": b"0f0", b"1.2.3.4": b"10.0.0.200"}
    first, second = b" ".join(pieces), b" ".join(other.get(piece, piece) for piece in pieces)
    found = scanned(first + b"\n" + second + b"\n")

    assert found.line_key[0] == found.line_key[1]


def test_lines_that_differ_between_their_values_have_different_keys() -> None:
    lines = [b"a 1", b"a-1", b"a 1 ", b"1 a", b"a a", b"a 1.2.3.4", b"a a1", b'a "1"', b"a [1]", b"a 10:20:30", b""]
    found = scanned(b"".join(line + b"\n" for line in lines))

    assert len(lines) == len(set(found.line_key.tolist()))


# --- cost -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit", [b'\\"', b'"', b"[", b"]", b"/", b"/a", b'"a', b"1.", b"1:", b"12:", b"Jan ", b'"[', b"\\"], ids=repr
)
def test_the_cost_of_a_line_follows_its_length(unit: bytes) -> None:
    scanned(b"warm 1\n")
    line = (b'"' + unit * LINE_BYTES_MAX)[:LINE_BYTES_MAX] + b"\n"
    started = time.process_time()
    scanned(line * 4)
    assert time.process_time() - started < 1, (
        "0.01 s where it was measured, 5 s where each quote looks for its end anew"
    )
