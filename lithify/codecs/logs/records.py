"""Columns of bytes as the coder for effort `max` takes them: whole records, and what stands beside each."""

import numpy as np

from lithify.codecs.array_types import I32, I64, U8
from lithify.codecs.logs.mixing import LearntRecords, decode_records, encode_records
from lithify.codecs.logs.symbols import Segments


def mix_records(data: bytes, segments: Segments) -> bytes:
    """A stream of columns, coded."""
    array = np.frombuffer(data, np.uint8)
    return encode_records(array[_places(segments)], segments.width, _sides(segments), _neighbours(segments))


def unmix_records(stream: bytes, length: int, segments: Segments) -> bytes:
    """The inverse. Raises Corrupt."""
    out = np.empty(length, np.uint8)
    records = decode_records(stream, length, segments.width, _sides(segments), _neighbours(segments))
    out[_places(segments)] = records
    return out.tobytes()


class TaughtColumns:
    """A stream of columns that both sides know, for streams of columns of the same names that go on behind it."""

    def __init__(self, data: bytes, segments: Segments) -> None:
        known = np.frombuffer(data, np.uint8)[_places(segments)]
        self._learnt = LearntRecords(known, segments.width, _sides(segments), _neighbours(segments))

    def encode(self, data: bytes, segments: Segments) -> bytes:
        """A stream of columns, coded."""
        array = np.frombuffer(data, np.uint8)
        return self._learnt.encode(array[_places(segments)], _sides(segments), _neighbours(segments))

    def decode(self, stream: bytes, length: int, segments: Segments) -> bytes:
        """The inverse. Raises Corrupt."""
        out = np.empty(length, np.uint8)
        out[_places(segments)] = self._learnt.decode(stream, length, _sides(segments), _neighbours(segments))
        return out.tobytes()


def _places(segments: Segments) -> I64:
    """For each byte of the records where it stands in the stream: planes become rows."""
    if segments.width == 1:
        return np.arange(segments.at[-1])
    starts = segments.at[: -1 : segments.width]
    rows = (segments.at[segments.width :: segments.width] - starts) // segments.width
    column = np.repeat(np.arange(len(rows)), rows)
    row = np.arange(int(rows.sum())) - np.repeat(np.cumsum(rows) - rows, rows)
    first = starts[column] + row
    places: I64 = (first[:, None] + np.arange(segments.width) * rows[column][:, None]).reshape(-1)
    return places


def _sides(segments: Segments) -> U8:
    """A byte for each record that tells columns apart, most of the time."""
    names = segments.name[:: segments.width].astype(np.uint64)
    marks = ((names * np.uint64(0x9E3779B1)) >> np.uint64(12)).astype(np.uint8)
    rows = np.diff(segments.at)[:: segments.width]
    return np.repeat(marks, rows)


def _neighbours(segments: Segments) -> I32 | None:
    """For each byte of a column the byte beside it."""
    if segments.width > 1 or (segments.beside_at < 0).all():
        return None
    rows = np.diff(segments.at)
    beside = np.repeat(segments.beside_at, rows)
    here = np.arange(int(segments.at[-1])) - np.repeat(segments.at[:-1], rows)
    return np.where(beside < 0, -1, beside + here).astype(np.int32)
