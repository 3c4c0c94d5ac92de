"""A needle is never wrong: whatever the matcher finds in a line, the needle lets through."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.lines import Needle, PlainLines
from lithify.codecs.needle import matcher, needle_for
from lithify.errors import BadArgument
from tests.examples import examples


def regex(pattern: bytes, *, ignore_case: bool = False) -> Needle:
    return needle_for(pattern, fixed=False, ignore_case=ignore_case)


@pytest.mark.parametrize(
    ("pattern", "groups"),
    [
        (rb"abc", ((b"abc",),)),
        (rb"a.c", ((b"a", b"c"),)),
        (rb"", ((),)),
        (rb".*", ((),)),
        (rb"error: \d+ of (\w+) failed", ((b" failed", b"error: ", b" of "),)),
        (rb"cat|dog", ((b"cat",), (b"dog",))),
        (rb"(cat|dog) (food|water)", ((b"cat", b"food", b" "), (b"cat", b"water"), (b"dog",))),
        (rb"cat|.*", ((),)),
        (rb"ab+c", ((b"ab", b"bc"),)),
        (rb"(ab)+c", ((b"abc",),)),
        (rb"(abc)*d", ((b"d",),)),
        (rb"a{3}b", ((b"aaab",),)),
        (rb"a{2,5}b", ((b"aa", b"ab"),)),
        (rb"^foo\bbar$", ((b"foobar",),)),
        (rb"foo(?=bar)b", ((b"foob", b"bar"),)),
        (rb"foo(?!bar)", ((b"foo",),)),
        (rb"(?>foo)bar", ((b"foobar",),)),
        (rb"(a)\1b", ((b"a", b"b"),)),
        (rb"(a)?(?(1)b|c)", ((),)),
        (rb"foo\nbarr", ((b"barr",),)),
        (rb"[e]rror", ((b"error",),)),
        (rb"(?x) foo  bar", ((b"foobar",),)),
        (rb"\x00\xff", ((b"\x00\xff",),)),
    ],
)
def test_a_needle_says_what_every_match_contains(pattern: bytes, groups: tuple[tuple[bytes, ...], ...]) -> None:
    found = regex(pattern)
    if len(groups) == len(found.any_of):
        assert [set(group) for group in groups] == [set(group) for group in found.any_of]
    for line in (b"cat water", b"foo", b"abc", b"error: 12 of them failed", b"aab", b"barr"):
        assert found.may_match(line) or not re.search(pattern, line)


def test_alternatives_under_a_case_of_their_own_are_looked_for_in_either() -> None:
    assert regex(rb"(?i:Error)x").ignore_case
    assert regex(rb"(?i)Error").ignore_case
    assert not regex(rb"Error").ignore_case
    assert regex(rb"(?i:Error)x").may_match(b"eRRoRx")


def test_too_many_alternatives_are_given_up_and_not_cut() -> None:
    many = b"|".join(b"x%d" % number for number in range(1000, 1100))
    assert regex(many).may_match(b"x1099")
    assert ((b" end", b"x10"),) == regex(b"(%s)( end)" % many).any_of
    assert regex(rb"(a|b)(c|d)(e|f)(g|h)(i|j)(k|l)").may_match(b"bdfhjl")


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        (rb"(", "at byte 0"),
        (rb"a[b", "at byte 1"),
        (rb"a{99999999999}", "repetition"),
        (rb"(?P<x", "at byte"),
        (b"\\", "at byte 0"),
        (b"(?L)a", "locale"),
        (b"(" * 3000, "pattern"),
        (b"two\nlines", "byte 3"),
        (b"x" * (limits.PATTERN_BYTES_MAX + 1), "bytes"),
    ],
)
def test_a_pattern_that_cannot_be_read_is_refused_and_its_place_is_named(pattern: bytes, sentence: str) -> None:
    for build in (needle_for, matcher):
        with pytest.raises(BadArgument, match=sentence):
            build(pattern, fixed=False, ignore_case=False)


def test_a_text_is_no_expression() -> None:
    assert Needle(((b"a.c(",),), exact=True) == needle_for(b"a.c(", fixed=True, ignore_case=False)
    assert [1] == matcher(b"a.c(", fixed=True, ignore_case=False)([b"abc(", b"xa.c(x"])
    assert [0, 1] == matcher(b"A.c(", fixed=True, ignore_case=True)([b"A.C(", b"xa.c(x"])
    assert needle_for(b"", fixed=True, ignore_case=False).may_match(b"")


# --- any pattern, any line --------------------------------------------------------------------------------

_LITERALS = st.sampled_from([rb"a", rb"b", rb"ab", rb"B", rb"\.", rb"\x00", rb"\xe9", rb" ", rb"ba"])
_SETS = st.sampled_from(
    [rb".", rb"[ab]", rb"[^a]", rb"\w", rb"\s", rb"[a]", rb"^", rb"$", rb"\b", rb"(?!a)", rb"(?<=a)"]
)
_REPEATS = st.sampled_from([rb"*", rb"+", rb"?", rb"{2}", rb"{1,3}", rb"{0,2}", rb"*?", rb"+?", rb"++", rb"{2,}"])


def _grown(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    several = st.lists(inner, min_size=1, max_size=4)
    return st.one_of(
        several.map(b"".join),
        several.map(lambda parts: b"(?:%s)" % b"|".join(parts)),
        several.map(lambda parts: b"(%s)" % b"|".join(parts)),
        st.tuples(inner, _REPEATS).map(lambda pair: b"(?:%s)%s" % pair),
        inner.map(lambda part: b"(?=%s)" % part),
        inner.map(lambda part: b"(?i:%s)" % part),
        inner.map(lambda part: b"(?>%s)" % part),
    )


PATTERNS = st.recursive(st.one_of(_LITERALS, _SETS), _grown, max_leaves=8)
LINES = st.lists(st.sampled_from(list(b"abAB.\x00\xe9 \xc9")), max_size=12).map(bytes)


@settings(max_examples=examples(1500), deadline=None)
@given(PATTERNS, st.lists(LINES, min_size=1, max_size=8), st.booleans())
def test_whatever_matches_is_let_through(pattern: bytes, lines: list[bytes], ignore_case: bool) -> None:
    needle = regex(pattern, ignore_case=ignore_case)
    matching = matcher(pattern, fixed=False, ignore_case=ignore_case)(lines)
    assert [place for place in matching if not needle.may_match(lines[place])] == []


@settings(max_examples=examples(500), deadline=None)
@given(PATTERNS, st.data(), st.booleans())
def test_what_was_made_to_match_is_let_through(pattern: bytes, data: st.DataObject, ignore_case: bool) -> None:
    # As text: Hypothesis cannot yet make bytes for a set that leaves out a letter in either case.
    compiled = re.compile(pattern.decode("latin-1"), re.ASCII | (re.IGNORECASE if ignore_case else 0))
    texts = st.from_regex(compiled, alphabet=st.characters(max_codepoint=255, blacklist_characters="\n"))
    line = data.draw(texts).encode("latin-1")
    assert re.search(pattern, line, re.IGNORECASE if ignore_case else 0)
    assert regex(pattern, ignore_case=ignore_case).may_match(line)


@settings(max_examples=examples(300), deadline=None)
@given(PATTERNS, st.lists(LINES, max_size=10), st.booleans(), st.booleans())
def test_the_lines_of_a_plain_chunk_are_all_there(
    pattern: bytes, lines: list[bytes], whole: bool, ignore_case: bool
) -> None:
    data = b"\n".join(lines) + b"\n" * whole
    chunk = PlainLines(data)
    needle = regex(pattern, ignore_case=ignore_case)
    candidates = chunk.candidates(needle)
    texts = chunk.text(range(chunk.count))

    assert data == b"\n".join(texts) + b"\n" * (chunk.whole and bool(data))
    assert data.count(b"\n") == chunk.newlines
    matching = matcher(pattern, fixed=False, ignore_case=ignore_case)(texts)
    assert set(matching) <= set(candidates.numbers)
    assert list(candidates.numbers) == sorted(candidates.numbers)
