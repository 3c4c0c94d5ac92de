"""The densest coder of log streams: what goes in comes out, and bytes that nobody wrote do no harm."""

import hashlib
import lzma
import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.array_types import I32, U8
from lithify.codecs.logs.mixing import WIDTH_MAX, decode_records, decode_text, encode_records, encode_text
from lithify.errors import BadBytes, Corrupt
from tests.elsewhere import INTERPRETED, printed
from tests.examples import examples
from tests.house import ROOT

DOCUMENT = ROOT / "lithify/codecs/logs/MIXING.md"


def array(data: bytes) -> U8:
    return np.frombuffer(data, np.uint8)


def no_sides(rows: int) -> U8:
    return np.zeros(rows, np.uint8)


# --- round trips --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\0",
        b"\xff",
        b"\n",
        b"a\n",
        bytes(range(256)) * 3,
        b"\0" * 5000,
        b"\xff" * 5000,
        b"GET /index.html HTTP/1.1\n" * 200,
        random.Random(1).randbytes(5000),
    ],
    ids=lambda text: f"{len(text)} bytes {text[:4].hex()}",
)
def test_a_text_comes_back(text: bytes) -> None:
    assert text == decode_text(encode_text(array(text)), len(text)).tobytes()


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"user-", b"/var/log/", b"12", b"\n"])), max_size=60)
)
def test_any_text_comes_back(pieces: list[bytes]) -> None:
    text = b"".join(pieces)
    assert text == decode_text(encode_text(array(text)), len(text)).tobytes()


@st.composite
def records(draw: st.DrawFn) -> tuple[bytes, int, U8 | None, I32 | None]:
    width = draw(st.integers(1, WIDTH_MAX))
    some = draw(st.lists(st.binary(min_size=width, max_size=width), min_size=1, max_size=6))
    rows = draw(st.lists(st.sampled_from(some), max_size=80))
    side = draw(st.none() | st.binary(min_size=len(rows), max_size=len(rows)).map(array))
    beside = None
    if draw(st.booleans()):
        beside = np.array([draw(st.integers(-1, row - 1)) for row in range(len(rows))], np.int32)
    return b"".join(rows), width, side, beside


@settings(max_examples=examples(80), deadline=None)
@given(records())
def test_any_records_come_back(made: tuple[bytes, int, U8 | None, I32 | None]) -> None:
    data, width, side, beside = made
    stream = encode_records(array(data), width, side, beside)
    assert data == decode_records(stream, len(data), width, side, beside).tobytes()


@pytest.mark.parametrize("width", range(1, WIDTH_MAX + 1))
def test_random_records_come_back_and_cost_little_more_than_they_are(width: int) -> None:
    data = random.Random(width).randbytes(3000 * width)
    stream = encode_records(array(data), width, no_sides(3000))
    assert len(stream) <= len(data) * 1.03
    assert data == decode_records(stream, len(data), width, no_sides(3000)).tobytes()


def test_a_text_longer_than_the_tables_comes_back() -> None:
    source = random.Random(7)
    text = b"".join(b"%d %x\n" % (source.randrange(1 << 20), source.randrange(1 << 30)) for _ in range(20_000))
    assert text == decode_text(encode_text(array(text)), len(text)).tobytes()


def test_the_same_bytes_give_the_same_stream() -> None:
    text = b"one two three\none two four\n" * 20
    first = encode_text(array(text))
    encode_text(array(b"something else"))
    assert first == encode_text(array(text))


# --- what it wins -------------------------------------------------------------------------------------


def test_what_repeats_costs_next_to_nothing() -> None:
    assert encode_text(array(b"")) == b""
    assert len(encode_text(array(b"\0" * 100_000))) < 40
    assert len(encode_records(array(b"\0\1\2\3" * 25_000), 4, None)) < 60


def test_texts_of_one_shape_get_smaller_than_xz_makes_them() -> None:
    source = random.Random(3)
    hosts = [b"web-%02d.example.org" % n for n in range(40)]
    lines = [b"%s:%d /srv/app/%x.log" % (source.choice(hosts), source.randrange(9000), n) for n in range(2000)]
    text = b"\n".join(lines)
    assert len(encode_text(array(text))) < 0.8 * len(lzma.compress(text, preset=9))


def test_what_a_neighbour_tells_is_not_told_again() -> None:
    source = random.Random(4)
    left = source.randbytes(4000)
    data = array(left + bytes(byte ^ 0x5A for byte in left))
    beside = np.concatenate((np.full(4000, -1), np.arange(4000))).astype(np.int32)
    alone, told = encode_records(data, 1, None), encode_records(data, 1, None, beside)
    assert len(told) < 0.75 * len(alone)
    assert data.tobytes() == decode_records(told, 8000, 1, None, beside).tobytes()


# --- wrong bytes --------------------------------------------------------------------------------------


def wrong_streams(stream: bytes) -> Iterator[bytes]:
    """Every prefix, every byte changed, some garbage."""
    yield from (stream[:end] for end in range(len(stream)))
    yield from (
        stream[:at] + bytes([stream[at] ^ flip]) + stream[at + 1 :] for at in range(len(stream)) for flip in (1, 255)
    )
    source = random.Random(6)
    yield from (source.randbytes(source.randrange(80)) for _ in range(50))
    yield stream + b"more"


def test_wrong_streams_of_text_decode_to_something_of_the_right_length() -> None:
    text = b"INFO worker-1 done in 17 ms\nINFO worker-2 done in 9 ms\nWARN disk \xff\0 full\n" * 2
    for stream in wrong_streams(encode_text(array(text))):
        assert len(text) == len(decode_text(stream, len(text)))


def test_wrong_streams_of_records_decode_to_something_of_the_right_length() -> None:
    rows = np.arange(60, dtype=np.int32)
    data = (rows * rows).astype(">u4").tobytes()
    side = (rows % 3).astype(np.uint8)
    for stream in wrong_streams(encode_records(array(data), 4, side, rows - 1)):
        assert len(data) == len(decode_records(stream, len(data), 4, side, rows - 1))


def test_what_follows_a_stream_does_not_matter() -> None:
    text = b"zeros are not written, and more is not read\n" * 3
    assert text == decode_text(encode_text(array(text)) + b"\0\0\0", len(text)).tobytes()


@pytest.mark.parametrize(
    ("length", "width", "side", "beside"),
    [
        (10, 3, None, None),
        (10, 0, None, None),
        (9, 9, None, None),
        (10, -1, None, None),
        (10, 2, no_sides(4), None),
        (10, 2, None, np.full(4, -1, np.int32)),
        (10, 2, None, np.array([-1, 0, 2, 2, 3], np.int32)),
        (10, 2, None, np.array([-1, 9, 0, 0, 0], np.int32)),
    ],
    ids=["torn", "no width", "too wide", "less than none", "sides", "neighbours", "itself", "later"],
)
def test_records_that_do_not_fit_are_refused(length: int, width: int, side: U8 | None, beside: I32 | None) -> None:
    with pytest.raises(ValueError, match="record"):
        encode_records(array(bytes(length)), width, side, beside)
    with pytest.raises(Corrupt):
        decode_records(b"\1\2\3", length, width, side, beside)
    assert issubclass(Corrupt, BadBytes)


# --- the format ---------------------------------------------------------------------------------------


def written_examples() -> dict[str, bytes]:
    """Streams that stay what they are; MIXING.md shows the first two."""
    source = random.Random(8)
    rows = np.arange(40, dtype=np.int32)
    text = b"GET /a/7 HTTP\n" * 6 + source.randbytes(40) + bytes(20)
    triples = array(bytes(source.randrange(3) for _ in range(120)))
    return {
        "text": encode_text(array(b"ssh-2.0-go\nssh-2.0-libssh\n")),
        "records": encode_records(array(bytes((0, 7, 1, 0, 0, 7, 1, 0))), 2, array(bytes((0, 0, 1, 1)))),
        "mixed": encode_text(array(text)),
        "neighbours": encode_records(triples, 3, (rows % 5).astype(np.uint8), np.maximum(rows - 20, -1)),
    }


def test_streams_are_what_the_document_shows() -> None:
    shown = DOCUMENT.read_text(encoding="utf-8")
    made = written_examples()
    assert made["text"].hex(" ") in shown
    assert made["records"].hex(" ") in shown


def test_streams_are_what_they_were() -> None:
    made = b"".join(written_examples().values())
    assert "76557a32e34a0b40" == hashlib.sha256(made).hexdigest()[:16]


_SCRIPT = """
import warnings
warnings.simplefilter("error")
from tests.unit.codecs import test_mixing
for name, stream in test_mixing.written_examples().items():
    print(name, stream.hex())
text = test_mixing.decode_text(bytes(range(255, 0, -7)), 150).tobytes()
neighbours = test_mixing.np.arange(-1, 9, dtype=test_mixing.np.int32)
print("wrong", text.hex(), test_mixing.decode_records(text, 80, 8, None, neighbours).tobytes().hex())
"""


def test_the_kernel_gives_the_same_where_every_index_and_every_overflow_is_checked() -> None:
    text = decode_text(bytes(range(255, 0, -7)), 150).tobytes()
    wrong = decode_records(text, 80, 8, None, np.arange(-1, 9, dtype=np.int32)).tobytes()
    lines = [f"{name} {stream.hex()}" for name, stream in written_examples().items()]
    assert [*lines, f"wrong {text.hex()} {wrong.hex()}"] == printed(_SCRIPT, INTERPRETED).splitlines()
