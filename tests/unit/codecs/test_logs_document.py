"""logs/FORMAT.md is held to the code: a decoder written from it agrees with the codec, its tables are the enums."""

import re
from pathlib import Path

import pytest

from lithify import limits
from lithify.codecs import registry
from lithify.codecs.codec import EFFORTS, Effort
from lithify.codecs.frame.primers import digest_of
from lithify.codecs.logs import primer as primers
from lithify.codecs.logs import streams, times
from lithify.codecs.logs.cluster import COLUMNS_MAX, TEMPLATES_MAX
from lithify.codecs.logs.codec import FOLLOWING, PRIMED, PRIMED_TEXT, RAW, RAW_CODECS, TEMPLATES, Logs, LogsParams
from lithify.codecs.logs.encode import encode_as_text, encode_block
from lithify.codecs.logs.pool import RING_VALUES
from lithify.codecs.logs.scan import ADDRESS, GROUP, MIXED, NUMBER, NUMBER_DIGITS_MAX, TIME, WORD
from lithify.codecs.logs.symbols import Segments, decode_symbols
from tests.unit.codecs.logs import reference
from tests.unit.codecs.logs.blocks import encoded
from tests.unit.codecs.logs.corpus import MAKERS, everything, log, mixture

DOCUMENT = (Path(registry.__file__).parent / "logs/FORMAT.md").read_text("utf-8")
WORDS_OF_IT = " ".join(DOCUMENT.split())


def hexes() -> list[bytes]:
    """The bytes of each example."""
    blocks = re.findall(r"```hex\n(.*?)```", DOCUMENT, re.DOTALL)
    lines = [[re.split(r" {3,}", line)[0] for line in block.splitlines()] for block in blocks]
    return [bytes.fromhex(" ".join(columns)) for columns in lines]


def rows(head: str) -> list[list[str]]:
    """The cells of the table that begins with such a row."""
    table = DOCUMENT.split(f"\n| {head} |")[1].split("\n\n", maxsplit=1)[0]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def numbered(head: str) -> dict[int, str]:
    """Number and name in the table of such a head, but what is reserved; `7 … 14 | A … B` counts as both its ends."""
    found = {}
    for number, name, *_ in rows(head):
        pairs = zip(number.split(" … "), name.split(" … "), strict=False)
        found.update({int(n): text for n, text in pairs if text and text != "reserved"})
    return found


# --- the example ----------------------------------------------------------------------------------------


def test_the_example_decodes_to_what_it_says() -> None:
    text = re.search(r"The block of (\d+) bytes\n\n```\n(.*?)\n```\n\n.* in (\d+) bytes:", DOCUMENT, re.DOTALL)
    assert text is not None
    block, payload = text[2].encode(), hexes()[0]

    assert (len(block), len(payload)) == (int(text[1]), int(text[3]))
    assert block == Logs().decode(payload, shared=b"", length=len(block))
    assert block == reference.decode(payload, len(block))


def test_the_encoder_makes_the_example() -> None:
    block = Logs().decode(hexes()[0], shared=b"", length=146)
    assert hexes()[0] == bytes([TEMPLATES]) + encoded(block)


def test_the_example_of_symbols_decodes_to_what_it_says() -> None:
    text = re.search(r"The twelve bytes `([0-9a-f ]+)` in one segment", WORDS_OF_IT)
    assert text is not None
    data = bytes.fromhex(text[1])

    assert data == decode_symbols(hexes()[1], len(data), Segments.one(len(data)))
    assert data == reference.Symbols(hexes()[1]).decode([(len(data), 0, -1)])


# --- the second decoder ---------------------------------------------------------------------------------


def both(codec: Logs, payload: bytes, block: bytes, primer: bytes | None = None) -> None:
    """Codec and reference give the block."""
    assert block == codec.decode(payload, shared=b"", length=len(block))
    assert block == reference.decode(payload, len(block), primer)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("name", [*MAKERS, "mixture", "everything"])
def test_a_decoder_written_from_the_document_agrees(name: str, effort: Effort) -> None:
    block = mixture(150) if name == "mixture" else everything() if name == "everything" else log(name, 120)
    both(Logs(), bytes([TEMPLATES]) + encoded(block, effort), block)


@pytest.mark.parametrize(
    "block", [b"\n", b"x", b"one line\n", bytes(range(256)) * 3, b"a 1\r\n" * 9 + b"a 2\r"], ids=repr
)
def test_it_agrees_on_what_has_few_lines(block: bytes) -> None:
    for effort in EFFORTS:
        both(Logs(), bytes([TEMPLATES]) + encoded(block, effort), block)
        both(Logs(), bytes([TEMPLATES]) + encode_as_text(block, effort), block)


@pytest.mark.parametrize("method", range(len(RAW_CODECS)))
def test_it_agrees_on_whole_blocks(method: int) -> None:
    block = log("traces", 30)
    both(Logs(), bytes([RAW + method]) + RAW_CODECS[method]().encode_block(block), block)


@pytest.mark.parametrize("name", MAKERS)
def test_it_agrees_on_primed_blocks(name: str) -> None:
    primer = Logs.make_primer([log(name, 100), log(name, 60, seed=2)])
    assert primer is not None
    codec, block = Logs(LogsParams(primer=digest_of(primer))).primed(primer), log(name, 40, seed=3)

    teacher = primers.Teacher(primer)
    streams_ = encode_block(block, "default", teacher.packed)
    assert streams_
    both(codec, bytes([TEMPLATES]) + streams_, block, primer)
    both(codec, bytes([PRIMED]) + teacher.pack(block), block, primer)
    both(codec, codec.encode_block(block), block, primer)


@pytest.mark.parametrize("name", [*MAKERS, "mixture", "everything"])
def test_it_agrees_on_blocks_behind_a_primer(name: str) -> None:
    made = {"mixture": mixture(150), "everything": everything()}
    primer = Logs.make_primer([made.get(name) or log(name, 200), mixture(60)])
    assert primer is not None
    codec, teacher = Logs(LogsParams(primer=digest_of(primer))).primed(primer), primers.Teacher(primer)

    for block in (
        made.get(name) or log(name, 70, seed=3),
        mixture(40).removesuffix(b"\n"),
        log("syslog", 1),
        b"\n",
        b"x",
    ):
        following = teacher.follow(block)
        assert following is not None
        both(codec, bytes([FOLLOWING]) + following, block, primer)


# --- the tables -----------------------------------------------------------------------------------------


def test_its_streams_are_the_streams() -> None:
    found = numbered("stream | name | what")
    assert [0, 1, 2, 3, 4, 5, 6, 7, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23] == sorted(found)
    assert {number: streams.Stream(number).name for number in found} == found
    assert f"| {len(streams.Stream)} … 255 | | reserved |" in DOCUMENT


def test_its_coders_are_the_coders() -> None:
    assert {coder.value: coder.name for coder in streams.Coder} == numbered("coder | name | what")
    assert f"| {len(streams.Coder)} … 255 | | reserved |" in DOCUMENT


def test_its_methods_are_the_methods() -> None:
    names = {
        TEMPLATES: "streams",
        PRIMED: "primed zstd",
        PRIMED_TEXT: "mixed behind the primer",
        **dict(enumerate(("zstd", "xz", "PPMd"), RAW)),
        FOLLOWING: "streams behind the primer's",
    }
    assert names == numbered("method | meaning")
    assert ["zstd", "xz", "ppmd"] == [codec.facts.name for codec in RAW_CODECS]
    assert f"| {FOLLOWING + 1} … 255 | reserved |" in DOCUMENT


def test_its_kinds_are_the_kinds() -> None:
    names = {WORD: "word", NUMBER: "number", MIXED: "id", ADDRESS: "ip", TIME: "time", GROUP: "text"}
    assert names == numbered("kind | name | in a template | forms")
    assert all(int(byte, 16) == int(kind) + 1 for kind, _, byte, _ in rows("kind | name | in a template | forms"))


def test_its_time_patterns_are_the_patterns() -> None:
    cells = [cell for row in rows("time pattern | text | | time pattern | text") for cell in (row[:2], row[3:])]
    found = {int(number): text.replace("→", "\t").encode() for number, text in cells}
    assert dict(enumerate(times.PATTERNS)) == found
    assert reference.PATTERNS == [pattern.decode() for pattern in times.PATTERNS]


@pytest.mark.parametrize(
    "sentence",
    [
        f"at most L and at most {TEMPLATES_MAX:,}",
        f"At most {COLUMNS_MAX:,} slots in all",
        f"at most {RING_VALUES} values, the most recent first",
        f"(at most {NUMBER_DIGITS_MAX}) in form 1",
        f"bytes of the text, at most {primers.TEXT_BYTES_MAX:,}",
        f"behind the last {streams.LEARNT_BYTES_MAX:,} bytes",
        f"from the frame's chunk table, 1 to {limits.CHUNK_BYTES_MAX:,}",
    ],
)
def test_its_limits_are_the_limits(sentence: str) -> None:
    assert sentence in WORDS_OF_IT
