"""What a codec's process can be asked about lines: the tasks `search` and `templates`, and how found lines travel.

A frame is the first descriptor, at args' `input`; primers that it needs are attached, its models are the descriptors
behind it.
"""

import struct
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from lithify import limits
from lithify.codecs.frame import read_frame
from lithify.codecs.frame.search import FrameChunks
from lithify.codecs.lines import Template
from lithify.errors import CodecCrashed
from lithify.workers import kernels
from lithify.workers.child import Call, Reply
from lithify.workers.found import FoundLines, Query, Where
from lithify.workers.frame_lines import FrameLines
from lithify.workers.line_search import LineSearch, Shown
from lithify.workers.sources import Place, brought, open_slice

_HEAD = struct.Struct("<IQ")
"""Lines in a batch, and bytes of their text; then a number of 8 bytes and a flag of 1 for each, then the text."""
_NUMBER_BYTES = 8


def search(call: Call) -> Reply:
    """Send the lines that a query finds, in batches; see `batches`.

    args     input, query, newest (see LineSearch)
    answer   matches: lines found
    """
    chunks = _chunks(call)
    query = Query.from_json(call.args["query"])
    steps = count(1)
    found = LineSearch(FrameLines(chunks), query, call.args["newest"], lambda: call.progress(next(steps)))
    if query.answer == "lines":
        for shown in found.shown():
            _send(call, shown)
    else:
        for _ in found.found():
            pass
    return Reply({"matches": found.count})


def templates(call: Call) -> Reply:
    """The templates of all chunks, put together by their pattern.

    args     input, most: how many to tell of, the most frequent first
    answer   known: whether any codec of this frame knows templates; lines: that have one; templates: how many there
             are; items: pattern and count; attached: an example for each
    """
    known = False
    counts: Counter[str] = Counter()
    examples: dict[str, bytes] = {}
    lines = 0
    for step, found in enumerate(_chunks(call).templates()):
        known = True
        lines += sum(template.count for template in found)
        _add(counts, examples, found)
        call.progress(step)
    told = counts.most_common(call.args["most"])
    items = [{"pattern": pattern, "count": count} for pattern, count in told]
    document = {"known": known, "lines": lines, "templates": len(counts), "items": items}
    return Reply(document, [examples[pattern] for pattern, _ in told])


def _add(counts: "Counter[str]", examples: dict[str, bytes], found: Sequence[Template]) -> None:
    for template in found:
        counts[template.pattern] += template.count
        examples.setdefault(template.pattern, template.example[: limits.COPY_BYTES // limits.LIST_PAGE_MAX])
    if len(counts) > limits.TEMPLATES_MAX:
        for pattern, _ in counts.most_common()[limits.TEMPLATES_MAX // 2 :]:
            del counts[pattern], examples[pattern]


def _chunks(call: Call) -> FrameChunks:
    file = open_slice(call.fds[0], Place(**call.args["input"]))
    frame = read_frame(file)
    kernels.require_for(frame)
    return FrameChunks(file, frame, brought(call))


# --- batches on their way ---------------------------------------------------------------------------------


def _send(call: Call, shown: Shown) -> None:
    for start, stop in _short(shown.texts):
        texts = shown.texts[start:stop]
        text = b"\n".join((*texts, b""))
        numbers = array("Q", [number + 1 for number in shown.numbers[start:stop]])
        head = _HEAD.pack(len(texts), len(text)) + numbers.tobytes() + bytes([shown.matched]) * len(texts)
        call.data(head + text)


def _short(texts: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Stretches of lines with about as many bytes as travel at once; one line may be longer than that."""
    start, length = 0, 0
    for place, text in enumerate(texts):
        length += len(text)
        if length > limits.COPY_BYTES:
            yield start, place + 1
            start, length = place + 1, 0
    if start < len(texts):
        yield start, len(texts)


def batches(blocks: Iterable[bytes], where: Where) -> Iterator[FoundLines]:
    """What `search` sends, put together again. Trusts nothing: raises CodecCrashed when it does not add up."""
    incoming = _Incoming(blocks)
    while head := incoming.take(_HEAD.size, may_end=True):
        lines, text_length = _HEAD.unpack(head)
        if not 0 < lines <= limits.SEARCH_LINES_AT_ONCE or text_length > limits.LINE_BYTES_MAX + 2 * limits.COPY_BYTES:
            raise CodecCrashed(f"search: a batch of {lines} lines and {text_length} bytes")
        numbers = array("Q", incoming.take(lines * _NUMBER_BYTES))
        matched, text = incoming.take(lines), incoming.take(text_length)
        if text.count(b"\n") != lines or not text.endswith(b"\n"):
            raise CodecCrashed(f"search: a batch of {lines} lines that has {text.count(10)}")
        yield FoundLines(where, numbers, matched, text)


class _Incoming:
    """Blocks of any size, taken in pieces of a known one."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._held = b""
        self._at = 0

    def take(self, length: int, *, may_end: bool = False) -> bytes:
        """The next `length` bytes; none at the end, where that may come. Raises CodecCrashed elsewhere."""
        if len(self._held) - self._at < length:
            self._hold(length, may_end=may_end)
        taken = self._held[self._at : self._at + length]
        self._at += len(taken)
        return taken

    def _hold(self, length: int, *, may_end: bool) -> None:
        pieces: list[Any] = [self._held[self._at :]]
        held = len(pieces[0])
        while held < length:
            block = next(self._blocks, b"")
            if not block:
                if held or not may_end:
                    raise CodecCrashed("search: it stopped in the middle of a batch")
                break
            pieces.append(block)
            held += len(block)
        self._held, self._at = b"".join(pieces), 0
