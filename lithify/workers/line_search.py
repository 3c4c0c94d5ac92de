"""Which lines of a frame a query finds, and what stands around them. Knows lines and patterns, no codec and no store.

Chunks are walked in order. Each is asked for the lines that may match (codecs/lines.py), and only those are decoded
and compared; the lines that lie in two chunks are put together and always compared.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from lithify import limits
from lithify.codecs.line_times import line_time
from lithify.codecs.lines import Candidates, ChunkLines
from lithify.codecs.needle import matcher, needle_for
from lithify.workers.found import Query
from lithify.workers.frame_lines import FrameLines, Pieces, within

_FIRST_LINES = 64
"""Compared before a chunk's first answer: whoever wants one line should not wait for thousands."""
_LOOK_BACK_LINES = 32


class Batch(NamedTuple):
    """Lines found, and how far the search has come."""

    numbers: Sequence[int]
    """From 0."""
    texts: Sequence[bytes]
    """Their text; empty where only the count is asked for."""
    upto: int
    """Every line before this one has been looked at; 0: no news."""


class Shown(NamedTuple):
    """Lines as they are to be shown."""

    numbers: Sequence[int]
    matched: bool
    texts: Sequence[bytes]


class LineSearch:
    """One query on one frame. `found` and `shown` are read once."""

    def __init__(self, frame: FrameLines, query: Query, newest: float | None, alive: Callable[[], None]) -> None:
        """Raises BadArgument for a pattern that cannot be read.

        newest  when the original came in, in seconds since 1970, for times without a year
        alive   called often, to say that the search goes on
        """
        terms = {"fixed": query.fixed, "ignore_case": query.ignore_case}
        self._needle = needle_for(query.pattern, **terms)
        self._matching = matcher(query.pattern, **terms)
        self._frame = frame
        self._query = query
        self._alive = alive
        timed = query.since is not None or query.until is not None
        self._window = Window(frame, query, newest) if timed else None
        self.count = 0
        """Lines found so far."""

    def shown(self) -> Iterator[Shown]:
        """The lines found and their neighbours, in order, each once."""
        before, after = self._query.before, self._query.after
        done = 0  # every line before this one was shown, or is not to be
        due = 0  # lines before this one stand behind one that was found
        upto = 0
        for batch in self.found():
            for numbers, texts in _together(batch) if before or after else _whole(batch):
                first, last = numbers[0], numbers[-1]
                yield from self._around(done, min(due, first))
                yield from self._around(max(done, min(due, first), first - before), first)
                yield Shown(numbers, True, texts)
                done = last + 1
                due = done + after
            upto = max(upto, batch.upto)
            yield from self._around(done, min(due, upto))
            done = max(done, min(due, upto))
        if self._stopped:
            yield from self._around(done, due)

    def _around(self, start: int, stop: int) -> Iterator[Shown]:
        if start < stop:
            for texts in self._frame.texts(start, stop):
                yield Shown(range(start, start + len(texts)), False, texts)
                start += len(texts)

    # --- what is found ---------------------------------------------------------------------------------------

    def found(self) -> Iterator[Batch]:
        """What the query finds, in order, up to as many lines as it wants."""
        most = 1 if self._query.answer == "names" else self._query.max_count
        for batch in self._walk():
            kept = batch if self._window is None else self._window.kept(batch)
            if most is not None and self.count + len(kept.numbers) >= most:
                left = most - self.count
                kept = Batch(kept.numbers[:left], kept.texts[:left], kept.numbers[left - 1] + 1)
            self.count += len(kept.numbers)
            yield kept
            if self.count == most:
                return

    @property
    def _stopped(self) -> bool:
        return self.count == self._query.max_count

    def _walk(self) -> Iterator[Batch]:
        rest = Pieces()
        number = 0
        for index in range(len(self._frame.chunks)):
            self._alive()
            lines, first = self._frame.open(index)
            # Nothing goes on behind the last chunk: its last line need not be decoded to be put together.
            stop = lines.count if index + 1 == len(self._frame.chunks) else lines.newlines
            number = first + lines.newlines
            start = 0
            if rest and lines.count:
                rest.add(lines.text([0])[0])
                if not lines.newlines:
                    continue
                yield self._judged(rest.take(), first)
                start = 1
            if self._window is None or start or not self._window.passes_over(lines, first):
                found = lines.candidates(self._needle)
                candidates = Candidates(within(found.numbers, start, stop), found.sure and self._needle.exact)
                yield from self._inside(lines, first, candidates, range(start, stop))
            yield Batch([], [], first + stop)
            if stop < lines.count:
                rest.add(lines.text([lines.newlines])[0])
        if rest:
            yield self._judged(rest.take(), number)

    def _judged(self, line: bytes, number: int) -> Batch:
        wanted = bool(self._matching([line])) != self._query.invert
        return Batch([number], [line], number + 1) if wanted else Batch([], [], number + 1)

    def _inside(
        self, lines: ChunkLines, first: int, candidates: Candidates, everything: Sequence[int]
    ) -> Iterator[Batch]:
        """What is found among the lines that begin and end in this chunk; `first` is the number of its line 0."""
        if not self._query.invert:
            for part in self._parts(candidates.numbers):
                # Whoever only counts lines that match for sure need not have them decoded.
                texts = [b""] * len(part) if candidates.sure and not self._shows_text else lines.text(part)
                places = range(len(part)) if candidates.sure else self._matching(texts)
                yield _batch(first, part, texts, places)
            return
        for part in self._parts(everything):
            suspects = within(candidates.numbers, part[0], part[-1] + 1)
            if not candidates.sure:
                suspects = [suspects[place] for place in self._matching(lines.text(suspects))]
            others = _without(part, suspects)
            texts = lines.text(others) if self._shows_text else [b""] * len(others)
            yield _batch(first, others, texts, range(len(others)))

    @property
    def _shows_text(self) -> bool:
        return self._query.answer == "lines" or self._window is not None

    def _parts(self, numbers: Sequence[int]) -> Iterator[Sequence[int]]:
        at, size = 0, _FIRST_LINES
        while at < len(numbers):
            yield numbers[at : at + size]
            self._alive()
            at, size = at + size, limits.SEARCH_LINES_AT_ONCE


def _batch(first: int, numbers: Sequence[int], texts: Sequence[bytes], places: Sequence[int]) -> Batch:
    found = [first + numbers[place] for place in places]
    return Batch(found, [texts[place] for place in places], found[-1] + 1 if found else 0)


def _without(numbers: Sequence[int], taken: Iterable[int]) -> Sequence[int]:
    gone = set(taken)
    return [number for number in numbers if number not in gone] if gone else numbers


def _whole(batch: Batch) -> Iterator[tuple[Sequence[int], Sequence[bytes]]]:
    if batch.numbers:
        yield batch.numbers, batch.texts


def _together(batch: Batch) -> Iterator[tuple[Sequence[int], Sequence[bytes]]]:
    """Runs of lines that follow one another."""
    places = enumerate(batch.numbers)
    for _, run in groupby(places, key=lambda place: place[1] - place[0]):
        start, *more = (place for place, _ in run)
        stop = (more[-1] if more else start) + 1
        yield batch.numbers[start:stop], batch.texts[start:stop]


# --- times ------------------------------------------------------------------------------------------------


class Window:
    """A stretch of time. A line without a time, as in a stack trace, belongs to the line before it that has one."""

    def __init__(self, frame: FrameLines, query: Query, newest: float | None) -> None:
        self._frame = frame
        self._since = _exactly(query.since)
        self._until = _exactly(query.until)
        self._newest = _exactly(newest)
        self._known: tuple[int, int | None] = (-1, None)
        """A line, and when it was written; lines before the first time were written at none."""

    def kept(self, batch: Batch) -> Batch:
        """The lines of the batch that were written in this time."""
        pairs = zip(batch.numbers, batch.texts, strict=True)
        kept = [(number, text) for number, text in pairs if self._holds(self._written(number, text))]
        return Batch([number for number, _ in kept], [text for _, text in kept], batch.upto)

    def passes_over(self, lines: ChunkLines, first: int) -> bool:
        """Whether no line of this chunk, which begins with line `first`, was written in this time."""
        found = lines.time_range()
        if found is None or not lines.whole or self._overlaps(*found):
            return False
        before = None if first == 0 else self._before(first)
        if self._holds(before):
            return False  # the lines before its first time belong to a line that is found
        self._known = (first + lines.newlines - 1, found[1])
        return True

    def _overlaps(self, earliest: int, latest: int) -> bool:
        return (self._since is None or self._since <= latest) and (self._until is None or earliest <= self._until)

    def _holds(self, time: int | None) -> bool:
        return time is not None and self._overlaps(time, time)

    def _written(self, number: int, text: bytes) -> int | None:
        time = line_time(text, self._newest)
        if time is None:
            time = self._before(number)
        self._known = (number, time)
        return time

    def _before(self, number: int) -> int | None:
        """When the lines before `number` were written last; looks back no further than to what is known."""
        stop = number
        while stop - 1 > self._known[0]:
            start = max(self._known[0] + 1, stop - _LOOK_BACK_LINES)
            texts = [text for some in self._frame.texts(start, stop) for text in some]
            for text in reversed(texts):
                if (time := line_time(text, self._newest)) is not None:
                    return time
            stop = start
        return self._known[1]


def _exactly(seconds: float | None) -> int | None:
    """In nanoseconds, to the microsecond: more a float does not tell."""
    return None if seconds is None else round(seconds * 1_000_000) * 1000
