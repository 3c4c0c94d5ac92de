"""From a pattern to its `Needle`: the literals that a line must contain before it is worth decoding.

A regular expression is taken apart as Python's own parser reads it, so a needle cannot misunderstand a pattern that
the matcher understands. What cannot be said is left out: a needle may let lines through that do not match, and never
keeps back one that does. The idea is RE2's prefilter (Russ Cox, "Regular Expression Matching with a Trigram Index").
"""

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from re import _constants as op  # type: ignore[attr-defined] # the parser has no public name; test_needle.py guards it
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from lithify import limits
from lithify.codecs.lines import Needle
from lithify.errors import BadArgument

Groups = tuple[tuple[bytes, ...], ...]

_NOTHING: Groups = ((),)
"""Says nothing: every line may match."""
_GROUPS_MAX = 16
"""Alternatives of one needle; a pattern with more is searched for by what its parts have in common, or by nothing."""
_LITERALS_MAX = 4
_LITERAL_BYTES_MAX = 256
_REPEATED_IN = {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}


def check_pattern(pattern: bytes) -> None:
    """Raise BadArgument for a pattern that no line can be compared with."""
    if len(pattern) > limits.PATTERN_BYTES_MAX:
        raise BadArgument(f"a pattern of {len(pattern)} bytes; at most {limits.PATTERN_BYTES_MAX} are taken")
    if b"\n" in pattern:
        raise BadArgument(
            f"the pattern has a line end at byte {pattern.index(10)}; lines are searched one by one, without their ends"
        )


def matcher(pattern: bytes, *, fixed: bool, ignore_case: bool) -> Callable[[Sequence[bytes]], list[int]]:
    """What finds the places, in a list of lines, of those that match. Raises BadArgument, naming the place."""
    if not fixed:
        search = _compiled(pattern, ignore_case=ignore_case).search
        return lambda lines: [place for place, line in enumerate(lines) if search(line)]
    if ignore_case:
        lowered = pattern.lower()
        return lambda lines: [place for place, line in enumerate(lines) if lowered in line.lower()]
    return lambda lines: [place for place, line in enumerate(lines) if pattern in line]


def needle_for(pattern: bytes, *, fixed: bool, ignore_case: bool) -> Needle:
    """What every line that matches must contain. Raises BadArgument, naming the place."""
    check_pattern(pattern)
    if fixed or pattern.isalnum():
        return Needle(((pattern,) if pattern else (),), ignore_case, exact=True)
    _compiled(pattern, ignore_case=ignore_case)
    tree = _explained(pattern, lambda: parser.parse(pattern, re.IGNORECASE if ignore_case else 0))
    walk = _Walk()
    groups = walk.requirement(tree)
    return Needle(tuple(map(_tidy, groups)), bool(tree.state.flags & re.IGNORECASE) or walk.ignores_case)


def _compiled(pattern: bytes, *, ignore_case: bool) -> "re.Pattern[bytes]":
    check_pattern(pattern)
    found: re.Pattern[bytes] = _explained(pattern, lambda: re.compile(pattern, re.IGNORECASE if ignore_case else 0))
    if found.flags & re.LOCALE:
        raise BadArgument("the pattern asks for the letters of a locale, (?L); only ASCII letters are known here")
    return found


def _explained(pattern: bytes, work: Callable[[], Any]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what may mean something else in a later Python still means this one
            return work()
    except re.error as error:
        place = "" if error.pos is None else f" at byte {error.pos}"
        raise BadArgument(f"pattern {_shown(pattern)}: {error.msg}{place}") from error
    except (RecursionError, OverflowError, MemoryError) as error:
        raise BadArgument(f"pattern {_shown(pattern)}: {error or 'too deep or too large'}") from error


def _shown(pattern: bytes) -> str:
    return repr(pattern[:80].decode("utf-8", "backslashreplace"))


class _Walk:
    """One way through a parse tree, gathering what must be there."""

    def __init__(self) -> None:
        self.ignores_case = False
        """Whether any part of the pattern ignores case; then its needle does for all."""

    def requirement(self, items: Iterable[Any]) -> Groups:
        """What must occur wherever these items match, one after another."""
        run = _Run()
        self._follow(items, run)
        return run.finished()

    def _follow(self, items: Iterable[Any], run: "_Run") -> None:
        for what, arg in items:
            if what is op.LITERAL:
                run.add(bytes([arg]))
            elif what is op.SUBPATTERN:
                _, added, _, inner = arg
                self.ignores_case |= bool(added & re.IGNORECASE)
                self._follow(inner, run)
            elif what is op.ATOMIC_GROUP:
                self._follow(arg, run)
            elif what in _REPEATED_IN:
                least, most, repeated = arg
                self._repeat(least, most, repeated, run)
            elif what is op.BRANCH:
                run.interrupt()
                run.require(_either(self.requirement(branch) for branch in arg[1]))
            elif what is op.ASSERT:
                run.require(self.requirement(arg[1]))  # takes no room: what is around it stays together
            elif what is not op.AT and what is not op.ASSERT_NOT:
                run.interrupt()

    def _repeat(self, least: int, most: int, items: Iterable[Any], run: "_Run") -> None:
        inner = _Run()
        self._follow(items, inner)
        text = inner.only_text()
        if least == 0:
            run.interrupt()
        elif text is None:
            run.interrupt()
            run.require(inner.finished())
        else:
            once = text * min(least, 1 + _LITERAL_BYTES_MAX // max(len(text), 1))
            run.add(once)
            if most != least or len(once) < least * len(text):
                run.interrupt()
                run.add(text)  # the last time it is there, whatever follows stands right behind it


class _Run:
    """Literal bytes that stand together, and all that was required before them."""

    def __init__(self) -> None:
        self._text = b""
        self._required = _NOTHING
        self._interrupted = False

    def add(self, text: bytes) -> None:
        self._text += text
        if len(self._text) > 2 * _LITERAL_BYTES_MAX:
            self.interrupt()

    def interrupt(self) -> None:
        """Something unknown stands here."""
        self._interrupted = True
        if self._text:
            self.require(((self._text,),))
            self._text = b""

    def require(self, groups: Groups) -> None:
        self._interrupted |= groups != _NOTHING
        self._required = _both(self._required, groups)

    def only_text(self) -> bytes | None:
        """The bytes, if these are all there is."""
        return None if self._interrupted else self._text

    def finished(self) -> Groups:
        return _both(self._required, ((self._text,),)) if self._text else self._required


def _both(some: Groups, others: Groups) -> Groups:
    """Either's demands together, or the better one's where that would be too many alternatives."""
    if len(some) * len(others) > _GROUPS_MAX:
        return max(some, others, key=_worth)
    return tuple(dict.fromkeys(group + other for group in some for other in others))


def _either(branches: Iterable[Groups]) -> Groups:
    groups = tuple(dict.fromkeys(group for branch in branches for group in branch))
    return groups if len(groups) <= _GROUPS_MAX and () not in groups else _NOTHING


def _worth(groups: Groups) -> int:
    """How much a needle keeps back, roughly: its weakest alternative's longest literal."""
    return min((max(map(len, group), default=0) for group in groups), default=0)


def _tidy(group: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The longest literals, none of which is part of another, and each within one line."""
    kept: list[bytes] = []
    for literal in sorted({_within_a_line(literal) for literal in group} - {b""}, key=lambda text: (-len(text), text)):
        if len(kept) < _LITERALS_MAX and not any(literal in longer for longer in kept):
            kept.append(literal)
    return tuple(kept)


def _within_a_line(literal: bytes) -> bytes:
    """A pattern may spell a line end, which no line has; the longest rest still has to be there."""
    return max(literal.split(b"\n"), key=len)[:_LITERAL_BYTES_MAX]
