"""A search of a block finds what a look through all of its lines finds, and unpacks little for it."""

import random
from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.codec import EFFORTS, Effort
from lithify.codecs.lines import Needle
from lithify.codecs.logs import encode
from lithify.codecs.logs.filter import FILTERED, make_filter, may_have
from lithify.codecs.logs.pieces import Piece, pieces
from lithify.codecs.logs.search import BlockLines
from lithify.codecs.logs.streams import Packed, Stream
from lithify.errors import Corrupt, Truncated
from tests.unit.codecs.logs.blocks import decoded, encoded, lines, stored, unpacked, varint
from tests.unit.codecs.logs.corpus import EXAMPLES, MAKERS, everything, log, mixture

BLOCKS = {**{name: log(name, 200) for name in MAKERS}, "mixture": mixture(300), "everything": everything()}
LARGE_LINES = 12_000


def truly(block: bytes, literals: Sequence[bytes], *, ignore_case: bool) -> list[int]:
    """The numbers of the lines that have all of these."""
    folded = block.lower() if ignore_case else block
    every = [literal.lower() if ignore_case else literal for literal in literals]
    return [n for n, line in enumerate(folded.split(b"\n")) if all(literal in line for literal in every)]


def check(found: BlockLines, block: bytes, literals: tuple[bytes, ...], *, ignore_case: bool = False) -> None:
    """All lines that have the literals are candidates, sure ones have them, and they read as they were written."""
    candidates = found.candidates(Needle((literals,), ignore_case))
    wanted = truly(block, literals, ignore_case=ignore_case)

    assert set(wanted) <= set(candidates.numbers)
    assert list(candidates.numbers) == sorted(candidates.numbers)
    if candidates.sure:
        assert wanted == [n for n in candidates.numbers if n < len(block.split(b"\n")) - block.endswith(b"\n")]
    texts = block.split(b"\n")
    assert [texts[n] for n in candidates.numbers] == found.text(candidates.numbers)


@cache
def packed(name: str, effort: Effort) -> bytes:
    return encoded(BLOCKS[name], effort)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(sorted(BLOCKS)), st.sampled_from(EFFORTS), st.data(), st.booleans())
def test_any_part_of_a_log_is_found_wherever_it_is(
    name: str, effort: Effort, data: st.DataObject, ignore_case: bool
) -> None:
    block = BLOCKS[name]
    line = data.draw(st.sampled_from([line for line in block.split(b"\n") if line]))
    start = data.draw(st.integers(0, len(line) - 1))
    end = data.draw(st.integers(start + 1, len(line)))
    part = line[start:end].swapcase() if ignore_case else line[start:end]
    check(lines(packed(name, effort), len(block)), block, (part,), ignore_case=ignore_case)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.sampled_from(sorted(BLOCKS)),
    st.text("0123456789abcdefTZ_.: ", min_size=1, max_size=9).map(str.encode),
    st.text("0123456789./", max_size=4).map(str.encode),
)
def test_what_may_not_be_there_is_found_only_where_it_is(name: str, first: bytes, second: bytes) -> None:
    check(lines(packed(name, "default"), len(BLOCKS[name])), BLOCKS[name], (first, second))


@pytest.mark.parametrize(
    "literal",
    [
        b"0",
        b"7",
        b"00",
        b"007",
        b"1234",
        b"99999",
        b"10.0",
        b"10.0.0.7",
        b"0.0.0.7",
        b"10.1.2.3",
        b"a1",
        b"1a",
        b"Z",
        b"45Z",
    ],
    ids=repr,
)
def test_digits_are_found_in_numbers_of_every_form(literal: bytes) -> None:
    made = random.Random(3)
    block = b"".join(
        b"n %d fixed %05d mixed %s%d at 10.%d.0.%d took %d.%03d id %s 2026-11-21T01:15:%02dZ v10.0.0.%d.9\n"
        % (
            *(made.randrange(10 ** made.randrange(1, 8)), made.randrange(99_999), b"0" * (n % 4), made.randrange(999)),
            *(made.randrange(256), made.randrange(256), made.randrange(99), made.randrange(999)),
            *(b"%08x" % made.getrandbits(32), n % 60, n % 9),
        )
        for n in range(400)
    )
    for effort in EFFORTS:
        check(lines(encoded(block, effort), len(block)), block, (literal,))
        check(lines(encoded(block, effort), len(block)), block, (literal,), ignore_case=True)


def test_lines_are_given_in_any_order_the_unfinished_one_too() -> None:
    block = log("syslog", 50) + b"the end"
    found = lines(encoded(block), len(block))
    texts = block.split(b"\n")

    assert [texts[n] for n in (50, 3, 49, 0)] == found.text([50, 3, 49, 0])
    assert texts == found.text(range(51))


# --- what is not unpacked -------------------------------------------------------------------------------


class Watched(Packed):
    """Notes which streams are unpacked."""

    def __init__(self, payload: bytes, length: int) -> None:
        super().__init__(payload, 0, length)
        self.unpacked: set[Stream] = set()

    def get(self, stream: Stream, columns: object = None) -> bytes:
        self.unpacked.add(stream)
        return super().get(stream, columns)  # type: ignore[arg-type] # passed on as it came


@pytest.fixture(scope="module")
def large() -> bytes:
    """More than a mebibyte, with texts enough for a filter."""
    made = random.Random(9)
    words = b"granite gneiss basalt schist quartz failed settled opened closed 8.8.4.4 of 77123".split()
    said = (b'app: said "%s" to %d\n' % (b" ".join(made.choices(words, k=7)), n * n) for n in range(LARGE_LINES // 2))
    return log("syslog", LARGE_LINES // 2) + log("access", LARGE_LINES // 3) + b"".join(said)


@pytest.fixture(scope="module")
def large_packed(large: bytes) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encode, "BLOCK_BYTES_MIN", len(large))
        return encoded(large, "default")


@pytest.mark.parametrize(
    "literal", [b"marble floor", b"chalcedony", b"[unsaid]", b"203.0.113.77", b"Zeolite7"], ids=repr
)
def test_a_word_that_is_not_there_costs_a_look_at_the_filter(large: bytes, large_packed: bytes, literal: bytes) -> None:
    watched = Watched(large_packed, len(large))
    assert watched.has(Stream.FILTER)
    assert [] == BlockLines(watched, len(large)).candidates(Needle(((literal,),))).numbers
    assert not watched.unpacked & {Stream.GROUPS, Stream.WORDS, Stream.LEFT, Stream.LINES, Stream.CODES}


def test_a_number_that_is_not_there_spares_codes_and_texts(large: bytes, large_packed: bytes) -> None:
    watched = Watched(large_packed, len(large))
    assert [] == BlockLines(watched, len(large)).candidates(Needle(((b"98765432109876543",),))).numbers
    assert not watched.unpacked & {Stream.GROUPS, Stream.WORDS, Stream.LEFT, Stream.LINES, Stream.CODES}


def test_a_large_block_is_searched_like_a_small_one(large: bytes, large_packed: bytes) -> None:
    assert large == decoded(large_packed, len(large))
    for literal in (b"quartz", b"10.1.", b"Failed password", b"4711", b"granite", b"no such words", b"503"):
        check(lines(large_packed, len(large)), large, (literal,))


# --- the parts ------------------------------------------------------------------------------------------


def texts_of(literals: Sequence[bytes], *, ignore_case: bool = False) -> list[bytes]:
    return [piece.text for piece in pieces(literals, ignore_case=ignore_case)]


def test_a_text_is_cut_where_slots_may_begin_and_end() -> None:
    assert [b"4831245", b"user_7", b"id"] == texts_of([b"user_7 id=4831245"])
    assert [b"45.227.255.98", b"from"] == texts_of([b"from 45.227.255.98:"])
    assert [b"deadbeef", b"error"] == texts_of([b"ERROR", b"DeadBeef"], ignore_case=True)
    assert [] == texts_of([b" - "])


def test_a_time_may_end_within_a_piece() -> None:
    assert Piece(b"45Z", ignore_case=False).is_cut_before(b"Z")
    assert Piece(b"25T10", ignore_case=False).is_cut_before(b"T10x")
    assert not Piece(b"3Z9", ignore_case=False).is_cut_before(b"Z")
    assert not Piece(b"x3Z", ignore_case=False).is_cut_before(b"Z")
    assert Piece(b"45z", ignore_case=True).is_cut_before(b"Z")


def test_a_piece_may_be_in_a_time_that_has_such_digits_and_letters() -> None:
    for text in (b"7", b"2026", b"25T1", b"123"):
        assert Piece(text, ignore_case=False).fits(b"1970-01-01T00:00:00.000")
    assert Piece(b"nov", ignore_case=True).fits(b"Jan  1 00:00:00")
    assert not Piece(b"Nov", ignore_case=False).fits(b"1970-01-01 00:00:00")
    assert not Piece(b"12345", ignore_case=False).fits(b"1970-01-01T00:00:00.000")


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.text("abXY_\xe9 0123.-\n", max_size=40), max_size=20), st.data())
def test_a_filter_has_whatever_its_texts_have(texts: list[str], data: st.DataObject) -> None:
    text = "\n".join(texts).encode() + b"x" * (1 << 17)
    bitmap = make_filter(text)
    start = data.draw(st.integers(0, len(text) - (1 << 17)))
    end = data.draw(st.integers(start, start + 20))
    assert bitmap
    assert b"\n" in text[start:end] or may_have(bitmap, text[start:end])


def test_a_filter_knows_letters_numbers_and_addresses_apart() -> None:
    bitmap = make_filter(b"granite 20261 45.227.255.98 " * 10_000)
    for piece in (b"GRANITE", b"rani", b"2026", b"227.25", b"x9y", b"227", b"gran8"):
        assert may_have(bitmap, piece)
    for piece in (b"basalt", b"granites", b"2027", b"227.26"):
        assert not may_have(bitmap, piece)


def test_random_texts_have_no_filter() -> None:
    made = random.Random(5)
    assert b"" == make_filter(bytes(made.choice(b"abcdefghijklmnopqrstuvwxyz") for _ in range(1 << 18)))
    assert b"" == make_filter(b"too short")
    assert {Stream.TEMPLATES, Stream.GROUPS, Stream.WORDS, Stream.LEFT} == set(FILTERED)


@pytest.mark.parametrize(
    ("index", "error"),
    [
        (b"", None),
        (b"\xc8", Truncated),
        (varint(3), Corrupt),
        (varint(200) + b"\x12" * 90, Corrupt),
        (varint(1 << 40) + b"\x12" * 2, Corrupt),
    ],
    ids=repr,
)
def test_an_index_of_another_block_is_refused(index: bytes, error: type[Exception] | None) -> None:
    block = b"".join(b"depth %d of %d\n" % (n, n * n) for n in range(200))
    payload = stored({**unpacked(block), Stream.INDEX: index})
    if error is None:
        assert block == decoded(payload, len(block))
        return
    with pytest.raises(error):
        decoded(payload, len(block))
    with pytest.raises(error):
        lines(payload, len(block)).candidates(Needle(((b"17",),)))
