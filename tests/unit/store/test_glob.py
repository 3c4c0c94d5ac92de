"""Name patterns, and that the questions asked of the database first never lose a name."""

import fnmatch
import sqlite3

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lithify.errors import BadArgument
from lithify.store.glob import ESCAPE, Glob, after_prefix

CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"])
NAMES = st.text(st.one_of(st.sampled_from("aAbB/[]!-%_*?\\"), CHARACTERS), max_size=6)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*.log", "app/2026.log", True),
        ("*.log", "app/2026.log.gz", False),
        ("app/?.log", "app/é.log", True),
        ("app/[0-9]*", "app/7", True),
        ("app/[!0-9]*", "app/7", False),
        ("100%_sure", "100%_sure", True),
        ("100%_sure", "100 and surely", False),
        ("[unclosed", "[unclosed", True),
        ("APP/*", "app/x", False),
    ],
)
def test_a_pattern_means_what_a_shell_means(pattern: str, name: str, matches: bool) -> None:
    assert matches is bool(Glob(pattern).matches(name))


@given(NAMES, NAMES)
@example("[]", "[]")
@example("[!]", "[!]")
@example("[]a]x", "]x")
@example("a\\*", "a\\b")
def test_no_match_is_lost_to_the_prefix_or_to_like(pattern: str, name: str) -> None:
    glob = Glob(pattern)
    assert bool(glob.matches(name)) is fnmatch.fnmatchcase(name, pattern)
    if glob.matches(name):
        assert name.startswith(glob.prefix)
        like = sqlite3.connect(":memory:").execute("SELECT ? LIKE ? ESCAPE ?", (name, glob.like, ESCAPE)).fetchone()
        assert like == (1,)


def test_like_narrows_what_it_can() -> None:
    assert r"a\%b_%\_" == Glob("a%b?*_").like


@given(NAMES, NAMES)
@example("퟿", "퟿\U0010ffff")
@example("\U0010ffff", "\U0010ffffa")
def test_names_with_a_prefix_are_exactly_those_between_it_and_its_end(prefix: str, name: str) -> None:
    end = after_prefix(prefix)
    inside = prefix.encode() <= name.encode() and (end is None or name.encode() < end.encode())
    assert name.startswith(prefix) is inside


def test_nothing_sorts_after_every_name_that_begins_with_the_last_character() -> None:
    assert after_prefix("\U0010ffff") is None
    assert "b" == after_prefix("a\U0010ffff")


def test_a_pattern_longer_than_any_name_is_refused() -> None:
    with pytest.raises(BadArgument, match="at most 1024"):
        Glob("*" * 1025)
