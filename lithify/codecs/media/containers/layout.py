"""The table of an opened original: its pieces in order, and from which group the bytes of each are taken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lithify.codecs.media.containers.find import GZIP
from lithify.codecs.media.containers.recalled import NEW
from lithify.codecs.varints import take_varint, varint
from lithify.errors import Corrupt, LimitExceeded, UnknownFormat

_RAW = 0
_STREAM = 1
_TRAILERS = 8
"""Room for what else may follow a stream."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes that lie together in one group."""

    group: int
    length: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes as they are, of one segment; or a deflate stream of one or more."""

    segments: tuple[Segment, ...]
    recipe_length: int | None = None
    """None: bytes as they are; 0 where the recipe is repeated."""
    trailer: int = 0
    recipe_rank: int = NEW
    """Which earlier recipe is repeated (recalled.py)."""

    @property
    def length(self) -> int:
        """Plain bytes."""
        return sum(segment.length for segment in self.segments)


def pack_table(pieces: Sequence[Piece]) -> bytes:
    """The table as bytes: five columns of numbers, each without gaps."""
    segments = [segment for piece in pieces for segment in piece.segments]
    columns = (
        [_tag(piece) for piece in pieces],
        [piece.recipe_rank for piece in pieces if piece.recipe_length is not None],
        [piece.recipe_length for piece in pieces if piece.recipe_length is not None and piece.recipe_rank == NEW],
        [segment.group for segment in segments],
        [segment.length for segment in segments],
    )
    return varint(len(pieces)) + b"".join(varint(number) for column in columns for number in column)


def unpack_table(data: bytes) -> list[Piece]:
    """The table that was packed. Raises Truncated, Corrupt or LimitExceeded."""
    count, at = take_varint(data, 0)
    if count > len(data):
        raise Corrupt(f"a table of {len(data)} bytes says it has {count} pieces")
    tags, at = _column(data, at, count)
    counts = [0 if tag == _RAW else (tag - _STREAM) // _TRAILERS for tag in tags]
    if sum(counts) + count > len(data):
        raise Corrupt(f"a table of {len(data)} bytes says it has {sum(counts) + count} segments")
    ranks, at = _column(data, at, sum(tag != _RAW for tag in tags))
    recipes, at = _column(data, at, ranks.count(NEW))
    groups, at = _column(data, at, sum(counts) + count)
    lengths, at = _column(data, at, sum(counts) + count)
    if at != len(data):
        raise Corrupt(f"a table goes on for {len(data) - at} bytes behind its end")
    segments = map(Segment, groups, lengths)
    return list(_pieces(tags, counts, iter(ranks), iter(recipes), segments))


def group_lengths(pieces: Sequence[Piece]) -> list[int]:
    """How many bytes each group has. Raises LimitExceeded if there are more groups than segments."""
    segments = [segment for piece in pieces for segment in piece.segments]
    highest = max((segment.group for segment in segments), default=-1)
    if highest >= len(segments) + 8:
        raise LimitExceeded(f"a table of {len(segments)} segments names group {highest}")
    lengths = [0] * (highest + 1)
    for segment in segments:
        lengths[segment.group] += segment.length
    return lengths


def _pieces(
    tags: Sequence[int],
    counts: Sequence[int],
    ranks: Iterator[int],
    recipes: Iterator[int],
    segments: Iterator[Segment],
) -> Iterator[Piece]:
    for tag, more in zip(tags, counts, strict=True):
        own = tuple(next(segments) for _ in range(1 + more))
        if tag == _RAW:
            yield Piece(own)
        else:
            trailer = (tag - _STREAM) % _TRAILERS
            if trailer > GZIP:
                raise UnknownFormat(f"a table names trailer {trailer}, which this release does not know")
            rank = next(ranks)
            yield Piece(own, next(recipes) if rank == NEW else 0, trailer, rank)


def _tag(piece: Piece) -> int:
    if piece.recipe_length is None:
        return _RAW
    return _STREAM + piece.trailer + _TRAILERS * (len(piece.segments) - 1)


def _column(data: bytes, at: int, count: int) -> tuple[list[int], int]:
    numbers = []
    for _ in range(count):
        number, at = take_varint(data, at)
        numbers.append(number)
    return numbers, at
