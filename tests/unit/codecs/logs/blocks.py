"""Blocks of logs taken apart: their streams in the plain, and put together again as a forger would."""

from collections.abc import Mapping, Sequence

import numpy as np

from lithify.codecs.codec import Effort
from lithify.codecs.lines import Template
from lithify.codecs.logs.codec import Logs
from lithify.codecs.logs.decode import decode_block
from lithify.codecs.logs.encode import encode_block
from lithify.codecs.logs.following import Following, Leader
from lithify.codecs.logs.index import Index, pack_index
from lithify.codecs.logs.layout import Layout
from lithify.codecs.logs.numbers import PLAN_WIDTH
from lithify.codecs.logs.order import code_segments, number_segments, plane_segments
from lithify.codecs.logs.primer import Teacher
from lithify.codecs.logs.search import BlockLines, templates
from lithify.codecs.logs.streams import Coder, Packed, Stream, Unpacked, put_varint

Streams = dict[Stream, bytes]


def encoded(block: bytes, effort: Effort = "fast") -> bytes:
    """The streams of a block, packed."""
    streams = encode_block(block, effort)
    assert streams is not None, "the streams do not give the block back"
    return streams


def decoded(payload: bytes, length: int) -> bytes:
    """What such streams give."""
    return decode_block(Packed(payload, 0, length), length)


def lines(payload: bytes, length: int) -> BlockLines:
    """The lines of such streams, for a search."""
    return BlockLines(Packed(payload, 0, length), length)


def shapes(payload: bytes, length: int) -> list[Template]:
    """The templates of such streams, for people."""
    return templates(Packed(payload, 0, length), length)


def teacher(*samples: bytes) -> Teacher:
    """What a primer made of these teaches."""
    primer = Logs.make_primer(samples)
    assert primer is not None
    return Teacher(primer)


def unpacked(block: bytes) -> Streams:
    """The streams of a block as they are before the last stage."""
    packed = Packed(encoded(block, "fast"), 0, len(block))  # fast packs without looking at columns
    return {stream: packed.get(stream) for stream in Stream if packed.has(stream)}


def unpacked_behind(following: bytes, length: int, leader: Leader) -> Streams:
    """The streams of a block that goes on behind a primer's as they are before the last stage."""
    packed = Packed(following, 0, length, leader)
    layout = Following(packed, length, leader)
    widths, counts = layout.numbers.plans[:, PLAN_WIDTH], np.diff(layout.numbers.at)
    columns = number_segments(widths, counts, layout.number_names)
    columns[Stream.CODES] = code_segments(layout.shapes, layout.role, np.diff(layout.slot_at), layout.columns.told)
    columns[Stream.FAR] = plane_segments(len(layout.coded.far), 4)
    return {one: packed.get(one, columns.get(one)) for one in Stream if packed.has(one)}


def with_index(streams: Streams, length: int) -> Streams:
    """The same with the index that a large block has."""
    layout = Layout(Unpacked(streams, length), length)
    columns, kind = layout.columns, layout.shapes.kind
    index = Index(layout.lines.counts, layout.coded.new, np.full(len(kind), 18))
    return {**streams, Stream.INDEX: pack_index(index, kind, columns.told, columns.equal)}


def stored(streams: Mapping[Stream, bytes]) -> bytes:
    """A payload that holds the streams as they are, so that a decoder sees every byte of them."""
    return table([(stream, Coder.STORED, len(data), data) for stream, data in sorted(streams.items())])


def table(entries: Sequence[tuple[int, int, int, bytes]], count: int | None = None) -> bytes:
    """A payload of these entries: stream, coder, bytes it claims to hold, bytes."""
    head = bytearray()
    put_varint(head, len(entries) if count is None else count)
    for stream, coder, claimed, data in entries:
        head += bytes((stream, coder))
        put_varint(head, claimed)
        put_varint(head, len(data))
    return bytes(head) + b"".join(data for *_, data in entries)


def varint(value: int) -> bytes:
    """LEB128."""
    out = bytearray()
    put_varint(out, value)
    return bytes(out)
