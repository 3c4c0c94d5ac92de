"""Blocks behind their primer's: what the primer knows is not told again, and what it does not know comes back too."""

import random

import pytest

from lithify.codecs.logs.primer import Teacher, choose_lines
from lithify.codecs.logs.streams import Packed, Stream
from tests.unit.codecs.logs.blocks import encoded, teacher
from tests.unit.codecs.logs.corpus import MAKERS, log


def follows(leader: Teacher, block: bytes) -> Packed:
    """The streams of a block, which is seen to come back."""
    following = leader.follow(block)
    assert following is not None
    assert block == leader.unfollow(following, len(block))
    return Packed(following, 0, len(block), leader.leader)


def counters(day: int, lines: int = 200) -> bytes:
    """A counter that grows, another that stands still all day, and users who come back."""
    chance = random.Random(day)
    return b"".join(
        b"2026-11-%02d 10:%02d:%02d total %d since %d of user u%dx\n"
        % (day, n // 60, n % 60, 1_000_000 * day + 17 * n, day, chance.randrange(9))
        for n in range(lines)
    )


@pytest.mark.parametrize("name", MAKERS)
def test_behind_its_primer_a_log_is_smaller_than_alone(name: str) -> None:
    block = log(name, 150, seed=3)
    following = teacher(log(name, 400), log(name, 400, seed=2)).follow(block)
    assert following is not None
    assert len(following) < len(encoded(block, "max"))


def test_templates_and_values_of_the_primer_are_not_told_again() -> None:
    streams = follows(teacher(counters(1)), counters(2))
    assert not streams.has(Stream.TEMPLATES, Stream.LEFT, Stream.WORDS, Stream.GROUPS)
    assert 1 == len(streams.get(Stream.HEAD)[3:])  # no template of its own


def test_numbers_go_on_from_where_the_primer_ended() -> None:
    """The least value of the day's counter is near the last of the day before."""
    alone, behind = encoded(counters(2, 16), "max"), teacher(counters(1)).follow(counters(2, 16))
    assert behind is not None
    assert len(behind) < len(alone) // 2


def test_a_number_that_stood_still_may_change_another_day() -> None:
    assert not follows(teacher(counters(3)), counters(9)).has(Stream.TEMPLATES)


def test_numbers_that_do_not_fit_as_the_primer_writes_them_come_back() -> None:
    earlier = b"".join(b"took %03d of %d ms, id %08x\n" % (n, n * n, n * 2654435761 % 2**32) for n in range(90))
    for block in (
        b"".join(b"took %d of %d ms, id %x\n" % (n % 7, 10**17 - n, n) for n in range(50)),
        b"".join(b"took %05d of %d ms, id %08X\n" % (n, 5, n * 2654435761 % 2**32) for n in range(50)),
        b"took 000 of 18446744073709551616 ms, id 00000000\n" * 5 + b"took 1 of 999999999999999999 ms, id zz",
    ):
        follows(teacher(earlier), block)


def test_a_block_of_other_lines_comes_back() -> None:
    leader = teacher(*(log(name, 60) for name in MAKERS))
    for block in (b"\n", b"x", b"\0\1\2\n" * 9, bytes(range(256)) * 20, b"word " * 5000 + b"\n"):
        follows(leader, block)


def test_more_templates_than_a_byte_counts_come_back() -> None:
    shapes = [bytes((33 + n // 16, 58 + n % 6, 42 + n // 6 % 3)) for n in range(262)]
    leader = teacher(b"".join(shape + b" %d\n" % n for shape in shapes[:258] for n in range(4)))
    block = b"".join(shape + b" %d\n" % (n * n) for n in range(6) for shape in shapes) + b"a line like no other\n"
    assert follows(leader, block).has(Stream.LINES_FAR)


def test_values_far_back_in_the_primer_come_back() -> None:
    leader = teacher(b"".join(b"id z%d\n" % n for n in range(700)))
    streams = follows(leader, b"".join(b"id z%d\n" % (n * 7) for n in range(90)))
    assert streams.has(Stream.FAR)
    assert not streams.has(Stream.WORDS, Stream.HEX)


def test_the_same_bytes_give_the_same_streams() -> None:
    assert teacher(counters(1)).follow(counters(2)) == teacher(counters(1)).follow(counters(2))


def test_the_newest_lines_of_a_primer_are_its_last() -> None:
    assert b"old\nolder, but short\nnew\n" == choose_lines([b"new\n", b"older, but short\n", b"old\n"])
