"""Frames kept for ever: written once, by the version in the file's name, and decoded the same in every run since.

A file is written only if it is absent and the running version is the one in its name; a released one never again.
(Until 0.1.0 is declared the formats are open: a file may be deleted, and is then written anew.)
"""

import hashlib
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import zstandard

from lithify import __version__
from lithify.codecs.arrays.codec import Arrays
from lithify.codecs.arrays.extents import TYPES, contiguous
from lithify.codecs.arrays.payload import open_payload
from lithify.codecs.codec import Codec
from lithify.codecs.fidelity import EXACT, Contract
from lithify.codecs.frame import Frame, FrameWriter, decode_frame, join_frames, read_frame
from lithify.codecs.logs.codec import FOLLOWING, RAW, RAW_CODECS, TEMPLATES, Logs
from lithify.codecs.logs.order import HEAD_SPAN, HEAD_UNFINISHED
from lithify.codecs.logs.streams import Coder, Packed, Stream, get_varint
from lithify.codecs.raw.block import BlockCodec
from lithify.codecs.raw.brotli import Brotli
from lithify.codecs.raw.ppmd import Ppmd, PpmdParams
from lithify.codecs.raw.stored import Stored
from lithify.codecs.raw.xz import Xz
from lithify.codecs.raw.zstd import Zstd
from lithify.codecs.registry import FORMATS
from lithify.codecs.text.classes import FIRST_CLASSES, TextClass
from lithify.codecs.text.codec import MIXED, PPMD, PRIMED, READ, STORED, ZSTD, Text
from lithify.codecs.text.lm.codec import TOLD, TextLm
from tests.golden import lm_frames, logs_frames, text_frames
from tests.golden.arrays_frames import ARRAYS
from tests.golden.container_frames import CONTAINERS, GZIP
from tests.golden.lm_frames import LM
from tests.golden.logs_frames import LOGS
from tests.golden.media_frames import MEDIA
from tests.golden.primers import golden_primers
from tests.golden.text_frames import TEXT
from tests.suites.codec_suite import framed, log_lines

HERE = Path(__file__).parent
TWO = [log_lines(4), log_lines(7)[200:]]
NOISE = b"".join(hashlib.sha256(bytes([i])).digest() for i in range(3))
MEASURED = b"20.25 20.50 20.75\n", b"20.2497 20.5001 20.7502\n"


def chunked(codecs: Sequence[BlockCodec], pieces: Sequence[bytes]) -> bytes:
    """One chunk per piece, each by its codec."""
    writer = FrameWriter(file := io.BytesIO())
    for codec, piece in zip(codecs, pieces, strict=True):
        writer.sink(codec).chunk(codec.encode_block(piece), piece)
    writer.finish()
    return file.getvalue()


def bounded() -> bytes:
    decoded, original = MEASURED
    writer = FrameWriter(file := io.BytesIO())
    writer.sink(Stored()).chunk(decoded, decoded)
    writer.finish(
        contract=Contract.parse("bounded:abs=0.001"),
        original_length=len(original),
        original_digest=hashlib.sha256(original).digest(),
    )
    return file.getvalue()


def joined() -> bytes:
    parts = [io.BytesIO(framed(codec, piece)) for codec, piece in zip((Zstd(), Xz()), TWO, strict=True)]
    join_frames(parts, out := io.BytesIO(), digest=hashlib.sha256(b"".join(TWO)).digest())
    return out.getvalue()


def shared_dictionary() -> bytes:
    """Two short chunks that lean on a dictionary trained elsewhere, so that the file stays small."""
    samples: list[bytes | bytearray | memoryview] = [log_lines(i)[-300:] for i in range(10, 60)]
    dictionary = zstandard.train_dictionary(512, samples)
    settings = zstandard.ZstdCompressionParameters(write_dict_id=False, write_content_size=True)
    zstd = zstandard.ZstdCompressor(dict_data=dictionary, compression_params=settings)
    writer = FrameWriter(file := io.BytesIO())
    sink = writer.sink(Zstd())
    sink.share(dictionary.as_bytes())
    for piece in TWO:
        sink.chunk(zstd.compress(piece), piece)
    writer.finish()
    return file.getvalue()


# name: how it was made, and what it decodes to
GOLDEN: dict[str, tuple[Callable[[], bytes], bytes]] = {
    "v0_1_0__raw_stored__empty": (lambda: framed(Stored(), b""), b""),
    "v0_1_0__raw_stored__one_chunk": (lambda: framed(Stored(), NOISE), NOISE),
    "v0_1_0__raw_stored__two_chunks": (lambda: chunked([Stored()] * 2, [NOISE, b"\n"]), NOISE + b"\n"),
    "v0_1_0__raw_zstd__two_chunks": (lambda: chunked([Zstd()] * 2, TWO), b"".join(TWO)),
    "v0_1_0__raw_zstd__shared_dictionary": (shared_dictionary, b"".join(TWO)),
    "v0_1_0__raw_brotli__two_chunks": (lambda: chunked([Brotli()] * 2, TWO), b"".join(TWO)),
    "v0_1_0__raw_xz__two_chunks": (lambda: chunked([Xz()] * 2, TWO), b"".join(TWO)),
    "v0_1_0__raw_ppmd__two_chunks": (lambda: chunked([Ppmd()] * 2, TWO), b"".join(TWO)),
    "v0_1_0__raw_ppmd__order_2_and_as_it_is": (
        lambda: chunked([Ppmd(PpmdParams(order=2)), Ppmd()], [TWO[0], NOISE]),
        TWO[0] + NOISE,
    ),
    "v0_1_0__frame__three_formats": (
        lambda: chunked([Zstd(), Stored(), Ppmd(), Stored()], [*TWO, NOISE, b"\0"]),
        b"".join(TWO) + NOISE + b"\0",
    ),
    "v0_1_0__frame__joined_parts": (joined, b"".join(TWO)),
    "v0_1_0__frame__bounded_contract": (bounded, MEASURED[0]),
    **{f"v0_1_0__logs_template__{name}": golden for name, golden in LOGS.items()},
    **{f"v0_1_0__text_mixing__{name}": golden for name, golden in TEXT.items()},
    **{f"v0_1_0__media_deflate__{name}": golden for name, golden in CONTAINERS.items()},
    **{f"v0_1_0__media_gzip__{name}": golden for name, golden in GZIP.items()},
    **{f"v0_1_0__{name}": golden for name, golden in MEDIA.items()},
    **{f"v0_1_0__arrays_values__{name}": golden for name, golden in ARRAYS.items()},
    **{f"v0_1_0__text_lm__{name}": golden for name, golden in LM.items()},
}


def path_of(name: str) -> Path:
    return HERE / f"{name}.lith"


def version_of(name: str) -> str:
    return name.split("__", maxsplit=1)[0].removeprefix("v").replace("_", ".")


@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_frame_decodes_to_what_it_always_did(name: str) -> None:
    make, decoded = GOLDEN[name]
    path = path_of(name)
    if not path.exists():
        assert version_of(name) == __version__.split(".dev")[0], (
            f"{name} is missing, and is not this version's to write"
        )
        path.write_bytes(make())
        golden_primers.cache_clear()
    with path.open("rb") as file:
        assert decoded == b"".join(decode_frame(file, primers=golden_primers()))


def test_every_golden_file_has_a_test_and_every_test_a_file() -> None:
    assert {path.stem for path in HERE.glob("*.lith")} == GOLDEN.keys()
    assert {logs_frames.PRIMER, logs_frames.LEADER, text_frames.PRIMER} == set(HERE.glob("*.primer"))
    assert {lm_frames.MODEL} == set(HERE.glob("*.lithlm"))


def golden_frames() -> list[Frame]:
    return [read_frame(io.BytesIO(path_of(name).read_bytes())) for name in GOLDEN]


def test_every_format_has_a_golden_file() -> None:
    assert {entry.format.id for frame in golden_frames() for entry in frame.formats} == FORMATS.keys()


def test_every_feature_of_the_frame_has_a_golden_file() -> None:
    frames = golden_frames()

    assert any(frame.contract != EXACT for frame in frames)
    assert any(not frame.chunks for frame in frames)
    assert any(len(frame.chunks) == 1 and frame.chunks.checksums is None for frame in frames)
    assert any(entry.shared_length for frame in frames for entry in frame.formats)
    assert any(len(frame.formats) > 1 for frame in frames)


def test_every_feature_of_logs_has_a_golden_file() -> None:
    methods: set[int] = set()
    entries: set[tuple[int, int]] = set()
    heads: set[int] = set()
    for name in LOGS:
        for payload, length in payloads(f"v0_1_0__logs_template__{name}", Logs):
            methods.add(payload[0])
            if payload[0] in (TEMPLATES, FOLLOWING):
                entries |= streams(payload)
                heads.add(Packed(payload, 1, length).get(Stream.HEAD)[0])

    assert methods == {*range(RAW + len(RAW_CODECS)), FOLLOWING}
    assert heads == {0, HEAD_UNFINISHED, HEAD_SPAN}
    assert {stream for stream, _ in entries} == set(Stream)
    assert {coder for _, coder in entries} == set(Coder)


def test_every_method_of_text_has_a_golden_file() -> None:
    heads = {payload[0] for name in TEXT for payload, _ in payloads(f"v0_1_0__text_mixing__{name}", Text)}

    assert heads >= {STORED, ZSTD, PPMD, *(MIXED + one for one in TextClass), *(READ + one for one in FIRST_CLASSES)}
    assert any(head & ~0xF == PRIMED for head in heads)


def test_every_way_of_keeping_a_file_of_arrays_has_a_golden_file() -> None:
    heads: set[int] = set()
    elements = set()
    strange = set()
    for name in ARRAYS:
        for payload, length in payloads(f"v0_1_0__arrays_values__{name}", Arrays):
            heads.add(payload[0])
            for extent in open_payload(payload, length).extents:
                elements.add(extent.element)
                strange |= {"grid"} if len(extent.offsets) > 1 else set()
                strange |= {"gaps"} if extent.strides != contiguous(extent.tile, extent.strides[-1]) else set()

    assert heads == {*range(5), 0x10, 0x11}
    assert {element.type for element in elements} == set(TYPES)
    assert {element.big for element in elements} == {False, True}
    assert {element.scale and element.scale.ibm for element in elements} == {None, False, True}
    assert any(element.bits and element.scale is None for element in elements)
    assert strange == {"grid", "gaps"}


def test_every_method_of_language_models_has_a_golden_file() -> None:
    heads = {payload[0] for name in LM for payload, _ in payloads(f"v0_1_0__text_lm__{name}", TextLm)}

    assert heads == {STORED, ZSTD, PPMD, TOLD}


def payloads(name: str, codec: type[Codec]) -> list[tuple[bytes, int]]:
    """The payloads of a golden frame of one codec, one after another, and how long their chunks are."""
    data = path_of(name).read_bytes()
    frame = read_frame(io.BytesIO(data))
    assert {codec.facts.format} == {entry.format for entry in frame.formats}
    return [(data[chunk.offset : chunk.offset + chunk.stored_length], chunk.length) for chunk in frame.chunks]


def streams(payload: bytes) -> set[tuple[int, int]]:
    """Which streams a block of logs has, and their coders."""
    found = set()
    count, at = get_varint(payload, 1)
    for _ in range(count):
        found.add((payload[at], payload[at + 1]))
        _, at = get_varint(payload, at + 2)
        _, at = get_varint(payload, at)
    return found


def test_the_documents_name_every_golden_file_there_is() -> None:
    codecs = HERE.parent.parent / "lithify/codecs"
    documents = "".join(path.read_text("utf-8") for path in codecs.rglob("F*.md"))

    assert set(re.findall(r"v\d+_\d+_\d+__\w+", documents)) == GOLDEN.keys()
