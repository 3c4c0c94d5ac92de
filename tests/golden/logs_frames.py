"""How the golden frames of the logs family were made: small blocks, each for one part of its format."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from lithify.codecs.codec import Effort
from lithify.codecs.frame import FrameWriter
from lithify.codecs.frame.primers import digest_of
from lithify.codecs.logs.codec import FOLLOWING, PRIMED, PRIMED_TEXT, RAW, RAW_CODECS, TEMPLATES, Logs, LogsParams
from lithify.codecs.logs.encode import encode_as_text, encode_block
from lithify.codecs.logs.primer import Teacher
from lithify.codecs.logs.streams import Coder, Stream
from lithify.codecs.raw.ppmd import Ppmd
from lithify.codecs.raw.xz import Xz
from lithify.codecs.raw.zstd import Zstd
from tests.unit.codecs.logs.blocks import encoded, stored, table, unpacked
from tests.unit.codecs.logs.blocks import with_index as indexed
from tests.unit.codecs.logs.corpus import log

PRIMER = Path(__file__).parent / "v0_1_0__logs_template__primed.primer"
LEADER = Path(__file__).parent / "v0_1_0__logs_template__behind_a_primer.primer"


def _framed(payloads: Sequence[bytes], blocks: Sequence[bytes], codec: Logs | None = None) -> bytes:
    writer = FrameWriter(file := io.BytesIO())
    sink = writer.sink(codec or Logs())
    for payload, block in zip(payloads, blocks, strict=True):
        sink.chunk(payload, block)
    writer.finish()
    return file.getvalue()


def by_streams(block: bytes, effort: Effort = "fast") -> bytes:
    """A frame of one block, by its streams even where a general codec would do better."""
    return _framed([bytes([TEMPLATES]) + encoded(block, effort)], [block])


def as_text(block: bytes) -> bytes:
    """The same without templates."""
    return _framed([bytes([TEMPLATES]) + encode_as_text(block, "max")], [block])


def with_filter(block: bytes) -> bytes:
    """With a filter that says that anything may occur; a real one comes with more text than a golden file has."""
    return _framed([bytes([TEMPLATES]) + stored({**unpacked(block), Stream.FILTER: b"\xff" * 128})], [block])


def with_index(block: bytes) -> bytes:
    """With the index that a large block has."""
    streams = indexed(unpacked(block), len(block))
    return _framed([bytes([TEMPLATES]) + stored(streams)], [block])


def by_raw_methods(blocks: Sequence[bytes]) -> bytes:
    """Each block by another general codec."""
    payloads = [bytes([RAW + n]) + codec().encode_block(blocks[n]) for n, codec in enumerate(RAW_CODECS)]
    return _framed(payloads, blocks)


_PACKERS = {Coder.ZSTD: Zstd(), Coder.XZ: Xz(), Coder.PPMD: Ppmd()}


def by_coders(block: bytes, coders: Sequence[Coder]) -> bytes:
    """Streams packed by these coders in turn, however little that wins."""
    entries = []
    for n, (stream, data) in enumerate(unpacked(block).items()):
        coder = coders[n % len(coders)]
        entries.append((stream, coder, len(data), _PACKERS[coder].encode_block(data)))
    return _framed([bytes([TEMPLATES]) + table(entries)], [block])


def primed() -> bytes:
    """Blocks that lean on a primer: two by their streams, one with its text as dictionary, one mixed behind it."""
    if not PRIMER.exists():
        made = Logs.make_primer([log("syslog", 12), log("access", 6)])
        assert made is not None
        PRIMER.write_bytes(made)
    primer = PRIMER.read_bytes()
    teacher, (first, second, third, fourth) = Teacher(primer), PRIMED_BLOCKS
    payloads = [bytes([PRIMED]) + teacher.pack(third), bytes([PRIMED_TEXT]) + teacher.mix(fourth)]
    for block, effort in ((second, "max"), (first, "default")):
        streams = encode_block(block, cast("Effort", effort), teacher.packed)
        assert streams
        payloads.insert(0, bytes([TEMPLATES]) + streams)
    return _framed(payloads, PRIMED_BLOCKS, Logs(LogsParams(primer=digest_of(primer))))


def behind_a_primer() -> bytes:
    """Blocks that go on behind a primer: numbers, codes and far values of the primer's, and templates it lacks."""
    if not LEADER.exists():
        made = Logs.make_primer([log("syslog", 40), KINDS * 3, MAGNITUDES, FAR])
        assert made is not None
        LEADER.write_bytes(made)
    primer = LEADER.read_bytes()
    payloads = []
    for block in BEHIND:
        following = Teacher(primer).follow(block)
        assert following is not None
        payloads.append(bytes([FOLLOWING]) + following)
    return _framed(payloads, BEHIND, Logs(LogsParams(primer=digest_of(primer))))


KINDS = b"".join(
    b'10:00:%02d %s n=%d f=%04d z=%s id=%sz%d %s-%s 10.%d.0.%d say "%s"\n'
    % (
        *(n, (b"rock", b"vein")[n % 2], n * 37, n * 1009 % 9999, b"0" * (n % 3) + b"7", b"q" * (n % 4), n % 3),
        *(b"%08x" % (n * 2654435761 % 2**32), b"%06X" % (n * 9_999_991 % 2**24)),
        *(n % 3, n, (b"a b", b"c; d", b"e!")[n % 3]),
    )
    for n in range(12)
)
COLUMNS = b"".join(
    b"seam %d, again %d, v%d and v%d\nopened z%d\nclosed, at once: z%d\n" % (n * n, n * n, n % 4, n % 4, n % 3, n % 3)
    for n in range(9)
)
WIDTHS = b"".join(
    b"".join(b"*" * width + b" %d\n" % (((n * 4 % 9) << 8 * (width - 1)) + n % 2 + 1) for n in range(9))
    for width in range(1, 9)
) + b"".join(b"mostly %d\n" % (n * 89 % 200 if n % 20 else 10**17 + n) for n in range(40))
MAGNITUDES = b"".join(
    b"2026-11-21T01:15:%02d+01:00 took %d us of %d\n" % (n, n**6 * 2654435761 % 10 ** (n % 9 + 1), n**9 % 10**7)
    for n in range(24)
)
FAR = b"".join(b"id z%d\n" % (n % 260) for n in range(263))
TIMES = (
    b"".join(
        b"2026-11-21T01:15:%02d.%03d a\nNov %2d 01:15:%02d b, then 17/06/09 20:10:%02d\n"
        % (n, n * 77 % 1000, n, n, 59 - n)
        for n in range(1, 12)
    )
    + b"a line that no other is like\n2026-11-21T01:15:59"
)
MANY = b"".join(
    bytes((33 + n // 16, 58 + n % 6, 42 + n // 6 % 3)) + b" %d\n" % (n % 2) for n in range(258) for _ in range(4)
)
ESCAPED = b"".join(b"\x01\x07 %d \x02\n" % n for n in range(5))
WHOLE = KINDS[:300], COLUMNS[:100], TIMES[:100]
PRIMED_BLOCKS = tuple(
    log(kind, lines, seed=2) for kind, lines in (("syslog", 16), ("syslog", 12), ("access", 2), ("access", 3))
)
BEHIND = (
    log("syslog", 20, seed=2) + KINDS[100:900] + MAGNITUDES[:600],
    b"".join(b"id z%d\n" % (n * 7 % 300) for n in range(60)) + TIMES + COLUMNS,
)

LOGS: dict[str, tuple[Callable[[], bytes], bytes]] = {
    "slots_of_every_kind": (lambda: by_streams(KINDS), KINDS),
    "equal_and_guessed_columns": (lambda: by_streams(COLUMNS), COLUMNS),
    "numbers_of_every_width": (lambda: by_streams(WIDTHS, "default"), WIDTHS),
    "magnitudes_and_a_span": (lambda: by_streams(MAGNITUDES), MAGNITUDES),
    "far_values": (lambda: by_streams(FAR, "max"), FAR),
    "two_series_and_an_unfinished_line": (lambda: by_streams(TIMES), TIMES),
    "rare_templates": (lambda: by_streams(MANY, "max"), MANY),
    "escaped_templates_and_a_filter": (lambda: with_filter(ESCAPED), ESCAPED),
    "an_index": (lambda: with_index(COLUMNS), COLUMNS),
    "without_templates": (lambda: as_text(TIMES), TIMES),
    "general_coders": (lambda: by_coders(COLUMNS, list(_PACKERS)), COLUMNS),
    "mixing_coders": (lambda: by_streams(KINDS, "max"), KINDS),
    "whole_blocks": (lambda: by_raw_methods(WHOLE), b"".join(WHOLE)),
    "primed": (primed, b"".join(PRIMED_BLOCKS)),
    "behind_a_primer": (behind_a_primer, b"".join(BEHIND)),
}
"""Name: how it was made, and what it decodes to."""
