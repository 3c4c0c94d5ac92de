"""The lines of a whole frame, numbered across its chunks: a line may begin in one and end in another."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from lithify import limits
from lithify.codecs.frame.search import FrameChunks
from lithify.codecs.lines import ChunkLines
from lithify.errors import LimitExceeded


class Pieces:
    """A line that is not whole yet."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def add(self, piece: bytes) -> None:
        """Put the next piece behind what is there. Raises LimitExceeded for what no memory should hold."""
        self._pieces.append(piece)
        self._length += len(piece)
        if self._length > limits.LINE_BYTES_MAX:
            raise LimitExceeded(f"a line of more than {limits.LINE_BYTES_MAX} bytes; longer ones cannot be searched")

    def take(self) -> bytes:
        """The whole line; nothing is left."""
        line = b"".join(self._pieces)
        self._pieces, self._length = [], 0
        return line


class FrameLines:
    """Lines by their number in the original, from 0. Chunks are opened in order; earlier ones again when asked for."""

    def __init__(self, chunks: FrameChunks) -> None:
        self.chunks = chunks
        self._firsts = [0]

    def open(self, index: int) -> tuple[ChunkLines, int]:
        """The lines of a chunk, and the number of the first of them, which may have begun in the chunk before."""
        lines = self.chunks.lines(index)
        if index + 1 == len(self._firsts):
            self._firsts.append(self._firsts[index] + lines.newlines)
        return lines, self._firsts[index]

    def texts(self, start: int, stop: int) -> Iterator[list[bytes]]:
        """The whole lines from `start` up to `stop`, which the walk must have come by, some at a time."""
        rest = Pieces()
        for index in range(max(0, bisect_left(self._firsts, start) - 1), len(self.chunks)):
            lines, first = self.open(index)
            numbers = range(max(0, start - first), min(lines.count, stop - first))
            for at in range(0, len(numbers), limits.SEARCH_LINES_AT_ONCE):
                part = numbers[at : at + limits.SEARCH_LINES_AT_ONCE]
                texts = lines.text(part)
                if rest:
                    rest.add(texts[0])
                    texts[0] = rest.take()
                if part[-1] == lines.newlines:  # its end is not in this chunk
                    rest.add(texts.pop())
                if texts:
                    yield texts
            if first + lines.newlines >= stop:
                return
        if rest:
            yield [rest.take()]


def within(numbers: Sequence[int], start: int, stop: int) -> Sequence[int]:
    """Those of ascending `numbers` that lie from `start` up to `stop`."""
    return numbers[bisect_left(numbers, start) : bisect_left(numbers, stop)]
