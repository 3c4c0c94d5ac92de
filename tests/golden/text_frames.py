"""How the golden frames of the text family were made: short groups, each for one part of its format."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from lithify.codecs.frame import FrameWriter
from lithify.codecs.frame.primers import digest_of
from lithify.codecs.raw.ppmd import Ppmd
from lithify.codecs.raw.zstd import Zstd
from lithify.codecs.text.classes import FIRST_CLASSES, TextClass
from lithify.codecs.text.codec import MIXED, PPMD, PRIMED, READ, STORED, ZSTD, Text, TextParams
from lithify.codecs.text.mixing import encode_read, encode_text
from lithify.codecs.text.primer import Teacher
from lithify.codecs.text.proof import proved, proved_for, proved_network
from tests.unit.codecs.text.corpus import CODE, DOCS, FOREIGN, MARKUP, PROSE

PRIMER = Path(__file__).parent / "v0_1_0__text_mixing__primed.primer"

BY_CLASS = PROSE, DOCS, CODE, MARKUP, FOREIGN + bytes(range(256)), FOREIGN
"""One group of each class."""
BEGINNINGS = tuple(group[:20] for group in BY_CLASS[: len(FIRST_CLASSES)])
"""Short, because every byte of a golden frame is changed in many ways, and a network takes its time."""
WHOLE = b"\xff\x00 noise", b"rock " * 30, PROSE[:200]
BEHIND = PROSE[:150] + b"\r\n", PROSE[200:320]


def _framed(payloads: Sequence[bytes], groups: Sequence[bytes], codec: Text | None = None) -> bytes:
    writer = FrameWriter(file := io.BytesIO())
    sink = writer.sink(codec or Text())
    for payload, group in zip(payloads, groups, strict=True):
        sink.chunk(payload, group)
    writer.finish()
    return file.getvalue()


def by_class() -> bytes:
    """Each group mixed in the class that it is of."""
    payloads = []
    for text_class, group in zip(TextClass, BY_CLASS, strict=True):
        stream = encode_text(group, proved_for(text_class), text_class)
        assert stream is not None
        payloads.append(bytes([MIXED + text_class]) + proved_for(text_class).name + stream)
    return _framed(payloads, BY_CLASS)


def read() -> bytes:
    """The beginnings of the same, with a network reading along."""
    payloads = []
    for text_class, group in zip(FIRST_CLASSES, BEGINNINGS, strict=True):
        stream = encode_read(group, proved_network(), text_class)
        assert stream is not None
        payloads.append(bytes([READ + text_class]) + proved().name + proved_network().name + stream)
    return _framed(payloads, BEGINNINGS)


def by_general_methods() -> bytes:
    """Each group by another of the methods that mix nothing."""
    stored, packed, predicted = WHOLE
    payloads = [
        bytes([STORED]) + stored,
        bytes([ZSTD]) + Zstd().encode_block(packed),
        bytes([PPMD]) + Ppmd().encode_block(predicted),
    ]
    return _framed(payloads, WHOLE)


def primed() -> bytes:
    """Groups that go on behind a primer."""
    if not PRIMER.exists():
        made = Text.make_primer([PROSE])
        assert made is not None
        PRIMER.write_bytes(made)
    primer = PRIMER.read_bytes()
    teacher = Teacher(primer, proved_for)
    payloads = []
    for group in BEHIND:
        stream = teacher.encode(group)
        assert stream is not None
        payloads.append(bytes([PRIMED + teacher.text_class]) + proved().name + stream)
    return _framed(payloads, BEHIND, Text(TextParams(primer=digest_of(primer))))


TEXT: dict[str, tuple[Callable[[], bytes], bytes]] = {
    "every_class": (by_class, b"".join(BY_CLASS)),
    "general_methods": (by_general_methods, b"".join(WHOLE)),
    "primed": (primed, b"".join(BEHIND)),
    "read": (read, b"".join(BEGINNINGS)),
}
"""Name: how it was made, and what it decodes to."""
