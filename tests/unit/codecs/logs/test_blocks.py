"""Whole blocks of logs: whatever lines there are, at every effort, they come back without help from a general codec."""

import datetime
import random
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.codec import EFFORTS, Effort
from lithify.codecs.logs.codec import Logs
from lithify.codecs.logs.scan import LINE_BYTES_MAX
from tests.unit.codecs.logs.blocks import decoded, encoded, lines, teacher
from tests.unit.codecs.logs.corpus import EXAMPLES, MAKERS, log, mixture

QUICK = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def comes_back(block: bytes, effort: Effort = "fast") -> int:
    """The block, through its streams and back; gives their length."""
    payload = encoded(block, effort)
    assert block == decoded(payload, len(block))
    return len(payload)


# --- logs as they are -----------------------------------------------------------------------------------


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("name", [*MAKERS, "mixture"])
def test_a_log_comes_back_and_is_small(name: str, effort: Effort) -> None:
    block = mixture(1100) if name == "mixture" else log(name, 800)

    assert comes_back(block, effort) < len(block) // 3


@pytest.mark.parametrize("name", MAKERS)
def test_a_log_cut_anywhere_comes_back(name: str) -> None:
    block, chance = log(name, 60), random.Random(name)
    for _ in range(6):
        start, end = sorted(chance.randrange(len(block) + 1) for _ in range(2))
        if start < end:
            comes_back(block[start:end])


@pytest.mark.parametrize("name", [*MAKERS, "mixture"])
def test_the_same_bytes_give_the_same_streams(name: str) -> None:
    block = mixture(600) if name == "mixture" else log(name, 300)

    assert encoded(block, "default") == encoded(bytes(bytearray(block)), "default")


@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\0\n", b" \n", b"\n\n", b"\n\r", b"\x07\n", b"\xff\n"], ids=repr)
def test_any_line_end_comes_back(end: bytes) -> None:
    for name in ("syslog", "json_lines", "traces"):
        comes_back(log(name, 80).replace(b"\n", end))
        comes_back(log(name, 80).replace(b"\n", end).removesuffix(end))


# --- lines made up --------------------------------------------------------------------------------------

DIGITS = st.text(string.digits, min_size=1, max_size=24)
HEXES = st.binary(min_size=1, max_size=12).flatmap(
    lambda raw: st.sampled_from((raw.hex(), raw.hex().upper(), raw.hex()[1:], raw.hex().title()))
)
TIMES = st.datetimes(datetime.datetime(1690, 1, 1), datetime.datetime(2210, 1, 1)).flatmap(
    lambda when: st.sampled_from(
        (
            *(
                f"{when:%Y-%m-%dT%H:%M:%S.%f}",
                f"{when:%d/%b/%Y:%H:%M:%S} +0000",
                f"{when:%b} {when.day:2} {when:%H:%M:%S}",
            ),
            *(f"{when:%b %d %H:%M:%S}", f"{when:%y/%m/%d %H:%M:%S}", f"{when:%H:%M:%S},{when.microsecond // 1000:03}"),
            *(
                f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond:06}999",
                f"{when:%Y%m%d-%H:%M:%S}:{when.microsecond % 1000}",
            ),
        )
    )
)
ADDRESSES = st.lists(st.integers(0, 270), min_size=3, max_size=5).map(lambda parts: ".".join(map(str, parts)))
WORDS = st.sampled_from(("rock", "vein", "ERROR", "Jan", "e", "x_y", "naïve", "true", "null", "T", "Z"))
VALUES = (DIGITS | HEXES | TIMES | ADDRESSES | WORDS).map(str.encode) | st.binary(max_size=4)
MARKS = st.sampled_from(
    [bytes([c]) for c in b" \t:;,.=-+/\\\"'[](){}<>|&%$#@!?*^~`\0\x01\x02\x03\x04\x05\x06\x07\r\x80\xff"]
)


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    """Lines of a few shapes: marks that stay, values that change from line to line or come back."""
    shapes = draw(st.lists(st.lists(st.tuples(MARKS, VALUES), max_size=7), min_size=1, max_size=4))
    pool = draw(st.lists(VALUES, min_size=1, max_size=12))
    chance = random.Random(draw(st.integers(0, 2**32)))
    made = []
    for number in range(draw(st.integers(1, 40))):
        line = b""
        for mark, value in chance.choice(shapes):
            found = (value, chance.choice(pool), b"%d" % (number * chance.choice((1, 1, -7))), b"")
            line += mark + chance.choice(found)
        made.append(line)
    return b"\n".join(made) + draw(st.sampled_from((b"\n", b"")))


@given(logs().filter(bool), st.sampled_from(EFFORTS))
@QUICK
def test_any_lines_come_back(block: bytes, effort: Effort) -> None:
    comes_back(block, effort)


@given(logs().filter(lambda block: b"\n" in block), logs().filter(bool))
@QUICK
def test_any_lines_come_back_behind_any_others(earlier: bytes, block: bytes) -> None:
    leader = teacher(earlier)
    for one in (block, earlier + block, earlier[::-1]):
        following = leader.follow(one)
        assert following is not None
        assert one == leader.unfollow(following, len(one))


@given(
    st.lists(TIMES | st.just("no time"), min_size=1, max_size=30), st.sampled_from(("%s", "[%s] x", 'a "%s"', "%s %s"))
)
@QUICK
def test_times_of_any_order_come_back(times: list[str], form: str) -> None:
    count = form.count("%s")
    comes_back("".join(form % ((time,) * count) + "\n" for time in times for _ in range(3)).encode())


@given(st.lists(DIGITS, min_size=1, max_size=60), st.booleans())
@QUICK
def test_numbers_of_any_length_come_back(numbers: list[str], repeated: bool) -> None:
    comes_back("".join(f"n={number};\n" for number in numbers for _ in range(1 + 3 * repeated)).encode())


@given(st.lists(HEXES, min_size=1, max_size=40), st.booleans())
@QUICK
def test_hexadecimal_numbers_of_any_case_come_back(numbers: list[str], repeated: bool) -> None:
    comes_back("".join(f"0x{number} {number}z\n" for number in numbers for _ in range(1 + 3 * repeated)).encode())


@given(st.binary(min_size=1, max_size=400), st.sampled_from(EFFORTS))
@QUICK
def test_any_bytes_come_back(block: bytes, effort: Effort) -> None:
    comes_back(block, effort)
    comes_back((block + b"\n") * 9, effort)


# --- lines that were thought of -------------------------------------------------------------------------


def repeated(*shapes: bytes, times: int = 12) -> bytes:
    """Lines that come often enough to be templates, a number in each."""
    return b"".join(line + b" %d\n" % (n * n) for n in range(times) for line in shapes)


THOUGHT_OF: dict[str, bytes] = {
    "one line": b"one line\n",
    "one line without its end": b"one line",
    "one byte": b"x",
    "one line end": b"\n",
    "marks of templates": repeated(
        b"\x01 \x02 \x03", b"\x04\x05\x06\x07", b"\x07\x07 \x07", b'"\x01" [\x02] /\x03', b"\0"
    ),
    "marks of templates in values": b"".join(b'"%s" a%d\x07b [\x01%d]\n' % (bytes([n % 8]), n, n) for n in range(50)),
    "leading zeros": b"".join(b"%05d %d 0%d 00%d\n" % (n * 7, n, n, n * n) for n in range(200)),
    "zeros": b"".join(b"%s.%s\n" % (b"0" * (n % 20), b"0" * (n % 3 + 1)) for n in range(200)),
    "numbers of 18 and 19 digits": b"".join(b"%d %d\n" % (10**18 - 1 - n, 10**18 + n) for n in range(100)),
    "numbers of 18 digits, some with leading zeros": b"".join(
        b"%018d x%s\n" % (n**9, b"9" * (n % 19)) for n in range(99)
    ),
    "long numbers": b"".join(b"blk_-%d id %d\n" % (2**63 - n * n, 3**60 + n) for n in range(100)),
    "hexadecimal numbers of mixed case": b"".join(b"%x %X %08x 0x%x\n" % (n, n, n * 7919, n**5) for n in range(300)),
    "hexadecimal numbers of one length": b"".join(
        b"%08x-%012X z\n" % (n * 2654435761 % 2**32, n**7) for n in range(300)
    ),
    "digits only in a hexadecimal column": b"".join(b"id %020d\n" % n for n in range(100)),
    "times that go back": b"".join(b"2026-11-21 01:%02d:%02d.5 x\n" % (n * 37 % 60, n * 31 % 60) for n in range(99)),
    "times without a year": b"".join(b"Feb %2d 23:59:59 x\nFeb 29 00:00:00 y\n" % (n % 28 + 1) for n in range(60)),
    "times far from now": b"".join(b"%d-12-31T23:59:59.%09d z\n" % (1700 + n * 5, n**5 % 10**9) for n in range(100)),
    "times at both ends": b"".join(b"%d-06-30 00:00:00.%09d z\n" % (1700 + 499 * (n % 2), n) for n in range(50)),
    "times far ahead": b"".join(b"2199-01-02T03:04:05.%09d x\n" % (n * 7919) for n in range(50)),
    "years that are no years": b"".join(b"9999-12-31 23:59:59.999 %d\n0000-00-00 00:00:00 x\n" % n for n in range(50)),
    "times of many formats": b"".join(
        b"%02d:%02d:%02d%s\n" % (n % 24, n % 60, n * 7 % 60, b".123456789"[: n % 12]) for n in range(300)
    ),
    "two times in a line": b"".join(b"10:00:%02d 2026-11-21 09:59:%02d\n" % (n % 60, n * 7 % 60) for n in range(99)),
    "addresses": b"".join(b"%d.%d.%d.%d:80 1.2.3.%d\n" % (n % 300, n % 256, n % 7, n, n % 260) for n in range(260)),
    "empty strings": b"".join(b'"" "%s" [] [%s]\n' % (b"ab"[: n % 3], b"x"[: n % 2]) for n in range(100)),
    "quotes that never end": b"".join(b'say "%d and \\" [%d\n' % (n, n) for n in range(50)),
    "brackets": b"[" * 300 + b"\n" + b"[1] " * 500 + b"\n" + b"]" * 90 + b"\n" + repeated(b"[[[[[[ ]", b"][ [a]"),
    "every word different": b"".join(
        b"user %s left\n" % bytes(97 + (n // 7**k) % 26 for k in range(4)) for n in range(500)
    ),
    "nearly the same word": b"".join(b"w%s z\n" % (b"ab" * (n % 40)) for n in range(400)),
    "one value everywhere": b"x7 x7 x7 x7\n" * 300 + b"7 7.7 77\n" * 300,
    "all lines the same": b"the same line, n=4, at 10:00:00\n" * 1000,
    "a hundred thousand line ends": b"\n" * 100_000,
    "line ends and one line": b"\n" * 1000 + b"x" + b"\n" * 1000,
    "two long lines among short ones": repeated(b"short")
    + b"long 1 " * 20_000
    + b"\n"
    + repeated(b"short")
    + b"y" * 100_000,
    "lines as long as can be": b"".join(b"%d %s\n" % (n % 10, b"ab " * 21_844) for n in range(6)),
    "one line of 5 MB": b"".join(b"%d, " % n for n in range(700_000)),
    "binary": random.Random(1).randbytes(100_000),
    "binary lines": b"".join(random.Random(n).randbytes(30) + b"\n" for n in range(900)),
    "all bytes": bytes(range(256)) * 40,
    "UTF-16": "".join(f"zeile {n} läuft\r\n" for n in range(200)).encode("utf-16"),
    "Latin-1 and UTF-8": b"".join(f"größe {n}\n".encode(("latin-1", "utf-8")[n % 2]) for n in range(200)),
    "NUL": b"".join(b"a\0%d\0\0\n" % n for n in range(200)) + b"\0" * 5000,
    "a value in each line that came long ago": b"".join(b"id z%d\n" % (n * 7919 % 1000) for n in range(4000)),
    "all codes far": b"".join(b"id z%d\n" % (n % 700) for n in range(7000)),
}


@pytest.mark.parametrize("name", THOUGHT_OF)
def test_what_was_thought_of_comes_back(name: str) -> None:
    block = THOUGHT_OF[name]
    for effort in EFFORTS if len(block) < 200_000 else ("fast",):
        comes_back(block, effort)


def test_lines_of_the_greatest_length_are_given_as_they_are() -> None:
    line = b"%d " + (b"a" * 300 + b" ") * 300
    block = b"".join((line % (n % 10))[:LINE_BYTES_MAX] + b"\n" for n in range(100))
    found = lines(encoded(block), len(block))

    assert block.splitlines() == found.text(range(100))


def test_a_block_that_templates_do_not_help_is_packed_whole() -> None:
    for block in (random.Random(3).randbytes(5000), bytes(limits.MIB), b"x"):
        codec = Logs(Logs.params_for("default", len(block)))
        payload = codec.encode_block(block)

        assert block == codec.decode(payload, shared=b"", length=len(block))
        assert len(payload) < len(block) + 20
