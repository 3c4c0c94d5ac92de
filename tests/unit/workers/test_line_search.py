"""A search finds what grep finds, wherever the chunks of a frame were cut, and opens no more than it must."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.lines import Candidates, ChunkLines, Needle, PlainLines
from lithify.errors import BadArgument, LimitExceeded
from lithify.workers.found import Query
from lithify.workers.frame_lines import FrameLines
from lithify.workers.line_search import LineSearch
from tests.examples import examples
from tests.searched import LOGS, WORDS, frame_of, grep, lines_of

EXPRESSIONS = (
    *(b"", b"error", b"^$", b"^a", b"7$", b".", b"a.b", b"[0-9]", b"[^a]", b"(error|ERR)7?", b"a+b?7", b"^(a|b)*$"),
    *(b"e.*r", b"E(rr|R)", b"\xff", b"  *7", b"a{2}", b"(a|)b", b"[[]|[]:.]"),
)


def found(lines: FrameLines, query: Query, newest: float | None = None) -> list[tuple[int, bool, bytes]]:
    """Everything that a query shows: number, whether it was found itself, text."""
    search = LineSearch(lines, query, newest, lambda: None)
    return [
        (number + 1, shown.matched, text)
        for shown in search.shown()
        for number, text in zip(shown.numbers, shown.texts, strict=True)
    ]


def as_grep_prints(shown: Sequence[tuple[int, bool, bytes]]) -> bytes:
    return b"".join(b"%d%s%s\n" % (number, b":" if matched else b"-", text) for number, matched, text in shown)


@settings(max_examples=examples(400), deadline=None)
@given(
    LOGS,
    st.lists(st.integers(1, 120), max_size=12),
    st.one_of(
        st.tuples(st.just("-F"), st.sampled_from([word for word in WORDS if word != b"\0"])),
        st.tuples(st.just("-E"), st.sampled_from(EXPRESSIONS)),
    ),
    st.booleans(),
    st.booleans(),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(1, 4) | st.none(),
)
def test_a_search_shows_what_grep_prints(  # noqa: PLR0917 - what varies
    data: bytes,
    cuts: list[int],
    what: tuple[str, bytes],
    ignore_case: bool,
    invert: bool,
    before: int,
    after: int,
    most: int | None,
) -> None:
    kind, pattern = what
    query = Query(pattern, kind == "-F", ignore_case, invert, before, after, most)
    frame = frame_of(data, cuts)
    flags = [kind, *["-i"] * ignore_case, *["-v"] * invert, *([] if most is None else ["-m", str(most)])]
    context = ["--no-group-separator", "-B", str(before), "-A", str(after)]

    assert grep("-n", *flags, *context, b"-e", pattern, data=data)[1] == as_grep_prints(found(lines_of(frame), query))

    counting = LineSearch(lines_of(frame), replace(query, answer="count"), None, lambda: None)
    count = sum(len(batch.numbers) for batch in counting.found())
    printed = grep("-c", *flags, b"-e", pattern, data=data)[1] or b"0"  # GNU grep says nothing to -v with ""
    assert int(printed) == count == counting.count


def test_a_line_over_many_chunks_is_one_line() -> None:
    data = b"first\n" + b"x" * 5000 + b"needle" + b"y" * 5000 + b"\nlast"
    for size in (1, 7, 1000):
        lines = lines_of(frame_of(data, range(size, len(data), size)))
        assert [(2, True, data.split(b"\n")[1])] == found(lines, Query(b"needle", fixed=True))


def test_a_line_longer_than_any_memory_should_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LINE_BYTES_MAX", 1000)
    data = b"x" * 3000
    with pytest.raises(LimitExceeded, match="1000 bytes"):
        found(lines_of(frame_of(data, range(100, 3000, 100))), Query(b"x", fixed=True))


def test_nothing_has_no_lines() -> None:
    assert [] == found(lines_of(frame_of(b"", [])), Query(b""))
    assert [] == found(lines_of(frame_of(b"", [])), Query(b"x", invert=True))


def test_a_pattern_that_cannot_be_read_is_refused_before_anything_is_opened() -> None:
    with pytest.raises(BadArgument):
        LineSearch(FrameLines(Counted([])), Query(b"("), None, lambda: None)  # type: ignore[arg-type]


# --- what is opened ---------------------------------------------------------------------------------------


class Counted:
    """Chunks that know what was asked of them."""

    def __init__(self, chunks: Sequence[bytes], ranges: Sequence[tuple[int, int] | None] = ()) -> None:
        self._chunks = chunks
        self._ranges = ranges or [None] * len(chunks)
        self.opened: list[int] = []
        self.decoded: list[int] = []

    def __len__(self) -> int:
        return len(self._chunks)

    def lines(self, index: int) -> ChunkLines:
        self.opened.append(index)
        return CountedLines(self, index, self._chunks[index], self._ranges[index])


class CountedLines(PlainLines):
    def __init__(self, chunks: Counted, index: int, data: bytes, times: tuple[int, int] | None) -> None:
        super().__init__(data)
        self._all, self._index, self._times = chunks, index, times

    def candidates(self, needle: Needle) -> Candidates:
        return super().candidates(needle)

    def text(self, numbers: Sequence[int]) -> list[bytes]:
        if len(numbers):
            self._all.decoded.append(self._index)
        return super().text(numbers)

    def time_range(self) -> tuple[int, int] | None:
        return self._times


def counted(chunks: Counted) -> FrameLines:
    return FrameLines(chunks)  # type: ignore[arg-type] # it has what is asked for


def test_only_what_can_match_is_decoded() -> None:
    chunks = Counted([b"a\nb\n", b"c\nneedle\n", b"d\n"])
    assert [(4, True, b"needle")] == found(counted(chunks), Query(b"n.*edle"))
    assert ([0, 1, 2], [1]) == (chunks.opened, chunks.decoded)


def test_a_count_of_what_does_not_match_decodes_what_may_match() -> None:
    chunks = Counted([b"a\nb\n", b"c\nneedle\n", b"d\n"])
    search = LineSearch(counted(chunks), Query(b"need.e", invert=True, answer="count"), None, lambda: None)
    assert sum(len(batch.numbers) for batch in search.found()) == search.count == 4
    assert [1] == chunks.decoded


@pytest.mark.parametrize("invert", [False, True])
def test_a_count_of_what_is_sure_to_match_decodes_nothing(invert: bool) -> None:
    chunks = Counted([b"a\nb\n", b"c\nneedle\n", b"d\n"])
    search = LineSearch(counted(chunks), Query(b"needle", invert=invert, answer="count"), None, lambda: None)
    assert sum(len(batch.numbers) for batch in search.found()) == search.count == (4 if invert else 1)
    assert [] == chunks.decoded


def test_whoever_has_enough_opens_nothing_more() -> None:
    chunks = Counted([b"a\n" * 100] * 50)
    assert 3 == len(found(counted(chunks), Query(b"a", max_count=3)))
    assert [0] == chunks.opened
    search = LineSearch(counted(chunks), Query(b"a", answer="names"), None, lambda: None)
    assert 1 == len(list(islice((batch for batch in search.found() if batch.numbers), 5)))
    assert [0, 0] == chunks.opened


def test_lines_around_are_found_in_chunks_that_were_closed() -> None:
    chunks = Counted([b"%d\n" % number for number in range(30)])
    shown = found(counted(chunks), Query(b"^20$", before=12, after=4))
    assert [b"%d" % number for number in range(8, 25)] == [text for _, _, text in shown]


def test_a_sign_of_life_comes_with_every_chunk_and_every_few_thousand_lines() -> None:
    signs = 0

    def alive() -> None:
        nonlocal signs
        signs += 1

    search = LineSearch(counted(Counted([b"a\n" * 20_000] * 3)), Query(b"a"), None, alive)
    assert 60_000 == sum(len(batch.numbers) for batch in search.found())
    assert signs > 3 + 3 * 20_000 // limits.SEARCH_LINES_AT_ONCE


# --- times ------------------------------------------------------------------------------------------------


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


TRACE = (
    b"nothing is known of this line\n"
    b"2026-11-21 01:00:00 one\n"
    b"2026-11-21 02:00:00 two failed\n"
    b"  at somewhere\n"
    b"  at somewhere else\n"
    b"2026-11-21 03:00:00 three\n"
    b"2026-11-21 01:30:00 late\n"
    b"  at its place"
)


@pytest.mark.parametrize(
    ("since", "until", "numbers"),
    [
        ("2026-11-21T02:00", None, [3, 4, 5, 6]),
        (None, "2026-11-21T01:30", [2, 7, 8]),
        ("2026-11-21T01:15", "2026-11-21T02:15", [3, 4, 5, 7, 8]),
        ("2027-01-01", None, []),
    ],
)
@pytest.mark.parametrize("size", [5, 11, 40, 1000])
def test_lines_without_a_time_belong_to_the_line_before(
    since: str | None, until: str | None, numbers: list[int], size: int
) -> None:
    frame = frame_of(TRACE, range(size, len(TRACE), size))
    query = Query(b"", since=at(since) if since else None, until=at(until) if until else None)
    assert numbers == [number for number, _, _ in found(lines_of(frame), query)]

    traces = replace(query, pattern=b"^  at")
    assert [n for n in numbers if n in {4, 5, 8}] == [number for number, _, _ in found(lines_of(frame), traces)]

    others = LineSearch(lines_of(frame), replace(traces, invert=True, answer="count"), None, lambda: None)
    assert len([n for n in numbers if n not in {4, 5, 8}]) == sum(len(batch.numbers) for batch in others.found())


def test_a_year_that_is_not_written_is_that_of_when_the_log_came() -> None:
    data = b"Jun  9 06:06:51 combo one\nDec 30 06:06:51 combo two\n"
    query = Query(b"", since=at("2025-12-01"), until=at("2025-12-31"))
    assert [2] == [number for number, _, _ in found(lines_of(frame_of(data, [])), query, at("2026-06-10"))]
    assert [] == found(lines_of(frame_of(data, [])), query)


def test_chunks_of_another_time_are_passed_over() -> None:
    parts = [b"2026-11-%02d 00:00:00 day\n  and more\n" % day for day in range(1, 21)]
    days = [int(at(f"2026-11-{day:02d}") * 10**9) for day in range(1, 21)]
    chunks = Counted(parts, [(day, day) for day in days])
    query = Query(b"", since=at("2026-11-15"), until=at("2026-11-16"))
    assert [29, 30, 31, 32] == [number for number, _, _ in found(counted(chunks), query)]
    # The first is looked at for what the lines before it belong to, the one behind for what still belongs to it.
    assert {14, 15} <= set(chunks.decoded) <= {13, 14, 15, 16}


def test_lines_at_the_head_of_a_passed_over_chunk_belong_to_the_one_before() -> None:
    parts = [b"2026-11-01 00:00:00 failed\n", b"  at once\n2026-11-09 00:00:00 other\n", b"2026-11-10 00:00:00 more\n"]
    days = [int(at(f"2026-11-{day}") * 10**9) for day in ("01", "09", "10")]
    chunks = Counted(parts, [(day, day) for day in days])
    query = Query(b"", until=at("2026-11-02"))
    assert [1, 2] == [number for number, _, _ in found(counted(chunks), query)]
    assert [1, 2, 3] == [
        number
        for number, _, _ in found(
            counted(Counted(parts, chunks._ranges)), Query(b"once|failed", until=at("2026-11-02"), after=1)
        )
    ]
