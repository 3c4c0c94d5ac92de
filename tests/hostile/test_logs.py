"""Logs made to hurt: lines that no template fits, tables that lie, streams that do not fit together.

Why: whoever sends logs decides what is in them, and what a template codec costs depends on that; whoever sends frames
decides what a decoder is told, and this codec's inner loops run without bounds checks.
"""

import random
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import zstandard

from lithify import limits
from lithify.codecs.codec import Effort
from lithify.codecs.lines import Needle
from lithify.codecs.logs.codec import Logs
from lithify.codecs.logs.primer import MAGIC, TEXT_BYTES_MAX, Teacher
from lithify.codecs.logs.streams import Coder, Stream
from lithify.errors import BadBytes, Corrupt, LimitExceeded
from tests.hostile.mutants import changed_bytes
from tests.unit.codecs.logs.blocks import (
    Streams,
    decoded,
    encoded,
    lines,
    shapes,
    stored,
    table,
    teacher,
    unpacked,
    unpacked_behind,
    varint,
)
from tests.unit.codecs.logs.corpus import EXAMPLES, MAKERS, everything, log, mixture

# --- logs that no template fits -------------------------------------------------------------------------

BYTES = limits.MIB
TIMES_SLOWER = 3 * 2  # than zstd -19; twice what is promised, for a busy machine
MEMORY_BYTES = 96 * limits.MIB
MEMORY_BYTES_PER_BYTE = limits.CHILD_MEMORY_BYTES // limits.CHUNK_BYTES_MAX
"""A child that may take 3 GiB is to bear a block of 64 MiB, whatever is in it."""
MARKS = b"!#$%&()*+-.:;<=>?@^`{|}~,'"


def filled(lines: Callable[[random.Random, int], bytes], length: int) -> bytes:
    """As many lines as there is room for."""
    chance, size = random.Random(1), 0
    out: list[bytes] = []
    while size < length:
        out.append(lines(chance, len(out)) + b"\n")
        size += len(out[-1])
    return b"".join(out)


def marks(chance: random.Random, count: int) -> bytes:
    return bytes(chance.choice(MARKS) for _ in range(count))


ADVERSARIES: dict[str, Callable[[random.Random, int], bytes]] = {
    "a template for every line": lambda chance, n: marks(chance, 6) + b" user %d" % n,
    "a template for every four lines": lambda chance, n: marks(random.Random(n // 4), 6) + b" user %d" % n,
    "other marks between the same words": lambda chance, n: b"".join(b"ab%c12" % mark for mark in marks(chance, 9)),
    "as many words as a line may have": lambda chance, n: b"ab 1 " * 2048,
    "one word more, and all differ": lambda chance, n: b" ".join(b"%x" % chance.getrandbits(20) for _ in range(4097)),
    "words that vary in every place": lambda chance, n: b" ".join(marks_of_words(chance) for _ in range(60)),
    "brackets": lambda chance, n: b"[" * 200,
    "brackets that end late": lambda chance, n: b"[" * 200 + b"]" + marks(chance, 4),
    "quotes": lambda chance, n: b'"' * (200 + n % 40),
    "quotes that never end": lambda chance, n: b'"' + b'\\"' * 20_000,
    "empty strings, and marks that differ": lambda chance, n: marks(chance, 6) + b'""' * 60,
    "strings of a thousand shapes": lambda chance, n: b'say "%s"' % marks(chance, 8),
    "paths": lambda chance, n: b" ".join(b"/a/%d" % chance.getrandbits(9) for _ in range(50)),
    "kinds in turn": lambda chance, n: (b'7 ab a1 1.2.3.4 10:00:00 "x" [y] /z ' * 20)[: n % 600],
    "identifiers that all differ": lambda chance, n: b"id %032x" % chance.getrandbits(128),
    "values that come back from far": lambda chance, n: (
        b"id z%d y%d" % (chance.getrandbits(13), chance.getrandbits(13))
    ),
    "times of all formats": lambda chance, n: b"%02d:%02d:%02d.%s x" % (n % 24, n % 60, n % 60, b"1" * (n % 12)),
    "almost times": lambda chance, n: b"2026-11-21 10:00:6 20261121T10000 Jan  1 10:00 11/Jan/2026:10:00:0 " * 4,
    "digits": lambda chance, n: b"1." * 300,
    "line ends": lambda chance, n: b"",
    "lines of two bytes": lambda chance, n: b"%c" % chance.choice(MARKS),
    "noise": lambda chance, n: chance.randbytes(40),
}


def marks_of_words(chance: random.Random) -> bytes:
    return bytes(97 + chance.randrange(4) for _ in range(2))


def spelled(number: int) -> bytes:
    """Thirteen marks, as the search for lines of one hash wrote its numbers."""
    return bytes(b"!#$%&'()*+,-.:;<=>?@]^`|}~ \\{\t\r\x7f"[number >> 5 * place & 31] for place in range(13))


def test_lines_of_one_hash_and_different_shapes_come_back() -> None:
    """The hash of skeletons is known and of 64 bits: Pollard's rho finds such a pair in 16 s on one core."""
    many = b'""' * 20_000 + spelled(5622574756754785993) + b"\n"
    none = spelled(3229748124143605878) + b"\n"
    for block in (none * 10 + many * 3 + none * 10, many * 10 + none * 9 + b"x 1\n" * 50):
        assert block == decoded(encoded(block), len(block))


@pytest.fixture(scope="module")
def zstd_seconds() -> float:
    """What zstd -19 takes for BYTES of ordinary logs."""
    block = mixture(9000)[:BYTES]
    encoded(block), decoded(encoded(block), len(block))  # makes the machine code
    started = time.process_time()
    zstandard.compress(block, 19)
    return (time.process_time() - started) * BYTES / len(block)


def memory(field: str) -> int:
    """A line of the kernel's account of this process, in bytes."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status[field].split()[0]) * limits.KIB


@contextmanager
def cost(*, seconds: float, memory_bytes: int) -> Iterator[None]:
    """Fails if more CPU time or more memory was taken; numba's arrays, which Python does not trace, included."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, started = memory("VmRSS"), time.process_time()
    yield
    assert time.process_time() - started < seconds
    assert memory("VmHWM") - before < memory_bytes


@pytest.mark.parametrize("name", ADVERSARIES)
def test_no_log_costs_more_than_it_may(name: str, zstd_seconds: float) -> None:
    block = filled(ADVERSARIES[name], BYTES)
    with cost(seconds=TIMES_SLOWER * zstd_seconds, memory_bytes=MEMORY_BYTES + MEMORY_BYTES_PER_BYTE * len(block)):
        payload = encoded(block)
    with cost(seconds=TIMES_SLOWER * zstd_seconds, memory_bytes=MEMORY_BYTES + MEMORY_BYTES_PER_BYTE * len(block)):
        assert block == decoded(payload, len(block))


@pytest.mark.parametrize("name", ADVERSARIES)
def test_no_log_is_made_bigger_and_all_come_back(name: str) -> None:
    block = filled(ADVERSARIES[name], BYTES // 8)
    codec = Logs(Logs.params_for("default", len(block)))
    payload = codec.encode_block(block)

    assert block == codec.decode(payload, shared=b"", length=len(block))
    assert len(payload) < len(zstandard.compress(block, 9)) + 64
    found = codec.lines(payload, shared=b"", length=len(block)).text(range(block.count(b"\n")))
    assert block.split(b"\n")[:-1] == found


# --- streams that do not fit together -------------------------------------------------------------------


def _decode(payload: bytes, length: int) -> None:
    assert length == len(decoded(payload, length))


def _search(payload: bytes, length: int) -> None:
    found = lines(payload, length)
    for literal in (b"7", b"face", b"abc"):
        found.text(found.candidates(Needle(((literal,),), ignore_case=True)).numbers)


def _list(payload: bytes, length: int) -> None:
    shapes(payload, length)


READS = (_decode, _search, _list)


def bears(payload: bytes, length: int, reads: Sequence[Callable[[bytes, int], None]] = READS) -> None:
    """Decoding, searching and listing give something of the right length or refuse; nothing else."""
    for read in reads:
        try:
            read(payload, length)
        except BadBytes:
            continue


SMALL = everything()
STREAMS = unpacked(SMALL)


@pytest.mark.parametrize("effort", ["fast", "max"])
def test_every_cut_and_every_changed_byte_of_a_payload_is_borne(effort: Effort) -> None:
    block = log("access", 6)
    payload = encoded(block, effort)
    for at in range(len(payload)):
        bears(payload[:at], len(block))
        for number, wrong in enumerate(changed_bytes(payload, at)):
            bears(wrong, len(block), reads=READS if number == at % 8 else READS[:1])


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_a_stream_that_is_cut_doubled_or_left_out_is_borne(stream: Stream) -> None:
    data = STREAMS[stream]
    cuts = sorted({0, 1, len(data) // 2, len(data) - 1})
    for wrong in (*(data[:cut] for cut in cuts), data + data, data + b"\0", data + b"\n", data[::-1]):
        bears(stored({**STREAMS, stream: wrong}), len(SMALL))
    bears(stored({**STREAMS, stream: b""}), len(SMALL))


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_a_stream_full_of_one_byte_is_borne(stream: Stream) -> None:
    for byte in (0, 1, 5, 6, 7, 10, 127, 128, 246, 247, 253, 254, 255):
        bears(stored({**STREAMS, stream: bytes([byte]) * len(STREAMS[stream])}), len(SMALL))


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_changed_bytes_in_one_stream_are_borne(stream: Stream) -> None:
    chance = random.Random(stream.name)
    for _ in range(40):
        wrong = bytearray(STREAMS[stream])
        for _ in range(chance.choice((1, 1, 2, 9))):
            wrong[chance.randrange(len(wrong))] = chance.choice((0, 1, 6, 7, 10, 128, 255, chance.randrange(256)))
        bears(stored({**STREAMS, stream: bytes(wrong)}), len(SMALL))


# --- behind a primer ------------------------------------------------------------------------------------

LEADER = teacher(log("access", 30), everything())
BEHIND = LEADER.follow(SMALL + log("access", 20)) or b""
BEHIND_BYTES = len(SMALL + log("access", 20))


def follows(streams: bytes, length: int, leader: Teacher = LEADER) -> None:
    leader.unfollow(streams, length)


def test_cuts_and_changed_bytes_of_what_follows_a_primer_are_borne() -> None:
    leader, block = teacher(log("access", 12)), log("access", 6, seed=2)
    following = leader.follow(block)
    assert following is not None
    for at in range(len(following)):
        for wrong in (following[:at], *list(changed_bytes(following, at))[at % 4 :: 4]):
            bears(wrong, len(block), reads=(partial(follows, leader=leader),))


def behind(stream: Stream, data: bytes) -> bytes:
    """The same with one stream as somebody made it up."""
    return stored({**unpacked_behind(BEHIND, BEHIND_BYTES, LEADER.leader), stream: data})


@pytest.mark.parametrize("stream", sorted(set(Stream) - {Stream.FILTER}), ids=lambda stream: stream.name)
def test_what_follows_a_primer_is_borne_with_any_stream(stream: Stream) -> None:
    chance = random.Random(stream.name)
    for length in (0, 1, 2, 7, 100, 1000):
        for data in (bytes(length), b"\xff" * length, chance.randbytes(length), STREAMS.get(stream, b"\n") * 2):
            bears(behind(stream, data), BEHIND_BYTES, reads=(follows,))


@pytest.mark.parametrize("coder", [Coder.PRIMED, Coder.PRIMED_TEXT, Coder.PRIMED_RECORDS])
def test_a_coder_for_another_stream_than_it_may_pack_is_refused_behind_a_primer(coder: Coder) -> None:
    with pytest.raises(Corrupt):
        LEADER.unfollow(table([(Stream.HEAD, coder, 3, b"abc")]), 100)
    with pytest.raises(Corrupt):
        decoded(table([(Stream.HEAD, coder, 3, b"abc")]), 100)


def test_a_primer_with_changed_bytes_is_borne_with_what_follows_it() -> None:
    """Whoever may name a primer may name one that was never written by us."""
    primer = Logs.make_primer([log("access", 12)])
    assert primer is not None
    block = log("access", 5, seed=2)
    following = Teacher(primer).follow(block)
    assert following is not None
    for at in range(5, len(primer)):
        for wrong in list(changed_bytes(primer, at))[at % 8 :: 8]:
            try:
                forged = Teacher(wrong)
            except BadBytes:
                continue
            bears(following, len(block), reads=(partial(follows, leader=forged),))
            if at % 16 == 0:
                assert forged.follow(block) != b""


@pytest.mark.parametrize("name", ADVERSARIES)
def test_a_log_made_to_hurt_is_borne_behind_a_primer_of_its_kind(name: str) -> None:
    data = filled(ADVERSARIES[name], BYTES // 4)
    cut = data.rfind(b"\n", 0, len(data) // 2) + 1
    leader, block = teacher(data[:cut]), data[cut:]
    started = time.process_time()
    following = leader.follow(block)
    if following is not None:  # else more templates than a block may have
        assert block == leader.unfollow(following, len(block))
    assert time.process_time() - started < 8


def test_a_primer_of_more_text_than_the_limit_is_refused_at_once() -> None:
    with refused_at_once(LimitExceeded):
        Teacher(MAGIC + varint(TEXT_BYTES_MAX + 1) + encoded(SMALL))


def test_more_templates_than_a_block_may_have_are_refused_behind_a_primer() -> None:
    with refused_at_once(LimitExceeded):
        LEADER.unfollow(stored({Stream.HEAD: head(9000, 8192), Stream.LINES: bytes(9000)}), 100_000)


# --- streams together -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAKERS)
def test_streams_of_different_logs_are_borne_together(name: str) -> None:
    for stream in STREAMS:
        bears(stored({**unpacked(log(name, 60)), stream: STREAMS[stream]}), len(SMALL))


def test_a_wrong_length_is_refused() -> None:
    payload = stored(STREAMS)
    for length in (1, len(SMALL) - 1, len(SMALL) + 1, 10 * len(SMALL)):
        with pytest.raises(BadBytes):
            decoded(payload, length)


# --- tables that lie ------------------------------------------------------------------------------------

HUGE = 1 << 62


@contextmanager
def refused_at_once(*errors: type[BadBytes]) -> Iterator[None]:
    """Fails if the payload is not refused, or only after much work."""
    started = time.process_time()
    with cost(seconds=1.0, memory_bytes=24 * limits.MIB), pytest.raises(errors or BadBytes):
        yield
    assert time.process_time() - started < 1


def head(lines: int, templates: int) -> bytes:
    return b"\0" + varint(lines) + varint(templates)


FORGED: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 10),
    "no streams": (table([]), 10),
    "more streams than there are bytes": (table([], count=HUGE), 10),
    "a stream nobody knows": (table([(200, Coder.STORED, 1, b"x")]), 10),
    "a coder nobody knows": (table([(Stream.HEAD, 200, 1, b"x")]), 10),
    "a stream twice": (table([(Stream.HEAD, Coder.STORED, 3, head(1, 0))] * 2), 10),
    "a stream of 4 EiB": (table([(Stream.HEAD, Coder.STORED, HUGE, head(1, 0))]), 10),
    "streams of more than a block may have": (
        table([(stream, Coder.ZSTD, limits.CHUNK_BYTES_MAX, b"x") for stream in Stream]),
        limits.CHUNK_BYTES_MAX,
    ),
    "more lines than bytes": (stored({**STREAMS, Stream.HEAD: head(HUGE, 1)}), len(SMALL)),
    "more lines than are told": (stored({**STREAMS, Stream.HEAD: head(len(SMALL), 1)}), len(SMALL)),
    "more templates than lines": (stored({**STREAMS, Stream.HEAD: head(SMALL.count(b"\n"), HUGE)}), len(SMALL)),
    "more templates than a block may have": (
        stored({Stream.HEAD: head(100_000, 50_000), Stream.LINES: bytes(100_000)}),
        limits.CHUNK_BYTES_MAX,
    ),
    "more columns than a block may have": (
        stored({Stream.HEAD: head(9, 1), Stream.LINES: bytes(9), Stream.TEMPLATES: b"\x02" * 40_000 + b"\n"}),
        limits.CHUNK_BYTES_MAX,
    ),
    "more slots than bytes": (
        stored({Stream.HEAD: head(60_000, 1), Stream.LINES: bytes(60_000), Stream.TEMPLATES: b"\x02" * 30_000 + b"\n"}),
        limits.CHUNK_BYTES_MAX,
    ),
    "a number that never ends": (table([(Stream.HEAD, Coder.STORED, 20, b"\0" + b"\xff" * 19)]), 100),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_table_that_lies_is_refused_at_once(name: str) -> None:
    payload, length = FORGED[name]
    with refused_at_once():
        decoded(payload, length)


def test_a_table_of_millions_of_streams_is_not_read() -> None:
    payload = varint(1_000_000) + bytes([Stream.HEAD, Coder.STORED, 0, 0]) * 1_000_000
    with refused_at_once(Corrupt, LimitExceeded):
        decoded(payload, 1000)


def one_column(kind: int, mode: int, rest: bytes, lines: int, **streams: bytes) -> Streams:
    """A block of one template with one slot."""
    made = {
        Stream.HEAD: head(lines, 1),
        Stream.LINES: bytes(lines),
        Stream.TEMPLATES: bytes([kind]) + b"\n",
        Stream.COLUMNS: bytes([mode]) + rest,
    }
    return made | {Stream[name]: data for name, data in streams.items()}


def test_hexadecimal_digits_that_are_not_there_are_refused() -> None:
    """On a long evening so many that where they should begin does not fit in 32 bits."""
    count = 17_000_000 if EXAMPLES >= 10_000 else 70_000
    streams = one_column(3, 5, bytes([254]), count + 1, CODES=b"\6" * (count + 1), HEX=b"\xab" * 1000)
    streams |= {
        Stream.HEAD: head(count + 1, 2),
        Stream.LINES: b"\1" + bytes(count),
        Stream.TEMPLATES: b"\3\n\3\n",
        Stream.COLUMNS: bytes([5, 5, 254, 254]),
    }
    packed = [(stream, Coder.ZSTD, len(data), zstandard.compress(data, 1)) for stream, data in sorted(streams.items())]
    with pytest.raises(BadBytes):
        decoded(table(packed), limits.CHUNK_BYTES_MAX)


def test_references_to_what_is_not_there_are_refused() -> None:
    """In the first slot of a block nothing was before: no guess, no ring, nothing far."""
    for kind in (1, 3, 4, 6):
        for code in {*range(256)} - {6}:
            far = {"FAR": bytes(4)} if code == 255 else {}
            with pytest.raises(BadBytes):
                decoded(stored(one_column(kind, 1, b"", 1, CODES=bytes([code]), WORDS=b"x\n", GROUPS=b"x\n", **far)), 2)


def test_references_farther_back_than_the_first_value_are_refused() -> None:
    for far in (1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        streams = one_column(3, 1, b"", 2, CODES=b"\6\xff", WORDS=b"x7\n", FAR=far.to_bytes(4, "big"))
        with pytest.raises(BadBytes):
            decoded(stored(streams), 6)


def test_a_negative_number_is_refused() -> None:
    streams = one_column(2, 0, bytes([0]) + varint(2 * 5 - 1), 1)
    with pytest.raises(Corrupt):
        decoded(stored(streams), 3)


def test_a_time_of_a_format_that_does_not_exist_is_refused() -> None:
    for fraction in (10, 20, 30, 31):
        for length in range(18, 26):
            form = fraction.to_bytes(2, "big")
            with pytest.raises(BadBytes):
                decoded(stored(one_column(5, 0, form + b"\0" + varint(0), 1)), length)


def test_streams_that_give_other_lines_than_they_count_are_refused() -> None:
    """A line end within a template, and a line of no template that goes on in the next line."""
    two_in_one = one_column(2, 0, b"\0" + varint(0), 2) | {Stream.TEMPLATES: b"a\7\n\2\n"}
    joined: Streams = {
        Stream.HEAD: head(3, 1),
        Stream.LINES: b"\1\0\0",
        Stream.TEMPLATES: b"b\n",
        Stream.LEFT: b"left",
    }
    for streams, length in ((two_in_one, 8), (joined, 8), (joined | {Stream.LINES: b"\0\0\1"}, 8)):
        with pytest.raises(BadBytes):
            decoded(stored(streams), length)
        bears(stored(streams), length)


def test_a_block_without_its_texts_is_refused_by_a_search_too() -> None:
    for missing in (Stream.WORDS, Stream.GROUPS, Stream.LEFT, Stream.HEX):
        wrong = STREAMS[missing][: len(STREAMS[missing]) // 2]
        found = lines(stored({**STREAMS, missing: wrong}), len(SMALL))
        for literal in (b"face", b"a", b"e", b"7", b"000000"):
            try:
                found.candidates(Needle(((literal,),)))
            except BadBytes:
                continue


def test_peak_memory_of_python_objects_stays_low_for_a_payload_of_noise() -> None:
    tracemalloc.start()
    try:
        for seed in range(300):
            bears(random.Random(seed).randbytes(60), limits.CHUNK_BYTES_MAX)
        assert tracemalloc.get_traced_memory()[1] < 8 * limits.MIB
    finally:
        tracemalloc.stop()
