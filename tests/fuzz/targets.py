"""Everything that reads bytes it cannot trust, each with whole inputs to start from.

A target's `run` gives whether the input was accepted. It may refuse by the errors it promises; anything else that it
raises, or an answer that breaks its promise, is a finding.
"""

import json
import struct
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from lithify import limits
from lithify.codecs.arrays.codec import Arrays, ArraysParams
from lithify.codecs.arrays.containers.find import arrays_in
from lithify.codecs.arrays.extents import skeleton_mask
from lithify.codecs.arrays.labelled import label_source
from lithify.codecs.arrays.opened import open_arrays
from lithify.codecs.arrays.payload import encode_file, open_payload
from lithify.codecs.arrays.telling import told
from lithify.codecs.arrays.values import Bound, decode_values, encode_values
from lithify.codecs.arrays.wish import Cut
from lithify.codecs.arrays.written import FORMS, write
from lithify.codecs.codec import Buffer, Codec, Effort
from lithify.codecs.fidelity import Contract
from lithify.codecs.frame import Frame, FrameWriter, decode_frame, read_frame
from lithify.codecs.frame.search import FrameChunks
from lithify.codecs.frame.trailer import FOOTER, pack_footer
from lithify.codecs.in_memory import MemorySource
from lithify.codecs.lines import Needle
from lithify.codecs.logs.primer import Teacher
from lithify.codecs.logs.streams import Stream
from lithify.codecs.media.deflate.engine import open_stream, rebuild
from lithify.codecs.media.stills.reading import read_still
from lithify.codecs.needle import needle_for
from lithify.codecs.registry import all_codecs, by_id
from lithify.codecs.text.lm.engine import Engine
from lithify.codecs.text.lm.model import ExactModel, read_model
from lithify.codecs.text.lm.proof import told_digest
from lithify.codecs.text.lm.stream import decode_text, encode_symbols
from lithify.errors import (
    BadArgument,
    Corrupt,
    LimitExceeded,
    MissingModel,
    MissingPrimer,
    Refused,
    Truncated,
    UnknownFormat,
)
from lithify.store import records
from lithify.store.blobs import Entry
from lithify.store.packs import (
    ENTRY_HEADER_BYTES,
    ENTRY_MAGIC,
    PACK_HEADER_BYTES,
    PackReader,
    encode_group,
    pack_header,
)
from lithify.store.records import Record
from lithify.workers.found import Query
from lithify.workers.frame_lines import FrameLines
from lithify.workers.line_search import LineSearch
from tests.fuzz.packing import pack_here
from tests.golden import lm_frames
from tests.golden.primers import golden_primers
from tests.suites.codec_suite import framed
from tests.unit.codecs.arrays import fields
from tests.unit.codecs.arrays.test_containers import FILES
from tests.unit.codecs.logs import blocks, corpus
from tests.unit.codecs.media import clips, stills
from tests.unit.codecs.media import corpus as corpus_of_media
from tests.unit.codecs.media import films as films_of_tests
from tests.unit.codecs.media.archives import small_archives
from tests.unit.codecs.media.corpus import aiff, sample_bytes, tone, wav
from tests.unit.codecs.media.films import raw_films
from tests.unit.codecs.media.gifs import GIFS

Found = TypeVar("Found")
REFUSALS = (Truncated, Corrupt, UnknownFormat, LimitExceeded, MissingPrimer, MissingModel)
GOLDEN = Path(__file__).resolve().parents[1] / "golden"
_PACK = "c0ffee00c0ffee00c0ffee00c0ffee00"
_LENGTHS = struct.Struct("<II")
_DECODED_BYTES_MAX = 4 * limits.MIB
"""Claims above this are cut: decoders are slow by nature, and a campaign is to try many inputs, not long ones."""
_SLOWLY_DECODED_BYTES_MAX = 64 * limits.KIB
"""The same for codecs that decode half a megabyte a second, or three."""
_SLOW = ("media.audio",)
_SEED_BYTES_MAX = 64 * limits.KIB
_VARIABLES_MAX = 4
_PLAIN = (
    b"rock",
    b"2026-11-21 01:15:59 worker[7] done item=4f1c bytes=1048576\n" * 40,
    bytes(range(256)) * 12,
    b"\0" * 5000,
    bytes((index * index * 31 >> 3) % 251 for index in range(4000)),
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + zlib.compress(b"sand settles, and turns to sandstone\n" * 30)[2:-4],
)


def _as_it_is(data: bytes) -> bytes:
    return data


@dataclass(frozen=True)
class Target:
    """One reader of bytes."""

    name: str
    run: Callable[[bytes], bool]
    seeds: Callable[[], list[bytes]]
    mend: Callable[[bytes], bytes] = field(default=_as_it_is)
    """Makes checksums right again, so that damage gets past the first door."""


# --- frames -------------------------------------------------------------------------------------------


def decode_whole(data: bytes) -> bool:
    """Read a frame and decode all of it, and then a part again."""
    try:
        frame = read_frame(BytesIO(data))
        pieces = b"".join(decode_frame(BytesIO(data), frame=frame, primers=golden_primers()))
        middle = len(pieces) // 2
        part = b"".join(decode_frame(BytesIO(data), frame=frame, start=middle, primers=golden_primers()))
    except REFUSALS:
        return False
    assert frame.decoded_length == len(pieces), f"{len(pieces)} bytes came, {frame.decoded_length} were announced"
    assert part == pieces[middle:], "a range is not what the whole has there"
    return True


def search_whole(data: bytes) -> bool:
    """Search a frame; of one that decodes, all lines are what stands there, and what is found is among them."""
    try:
        frame = read_frame(BytesIO(data))
        everything = _found(data, frame, Query(b""))
        some = _found(data, frame, Query(b"item=.*1048576|^$", ignore_case=True, before=1))
        whole = b"".join(decode_frame(BytesIO(data), frame=frame, primers=golden_primers()))
    except REFUSALS:
        return False
    assert (whole.removesuffix(b"\n") if whole else b"") == b"\n".join(everything), "lines are not those of the whole"
    assert set(some) <= set(everything)
    return True


def _found(data: bytes, frame: Frame, query: Query) -> list[bytes]:
    lines = FrameLines(FrameChunks(BytesIO(data), frame, golden_primers()))
    return [text for shown in LineSearch(lines, query, None, lambda: None).shown() for text in shown.texts]


def read_pattern(data: bytes) -> bool:
    """Make a needle of a pattern."""
    try:
        needle = needle_for(data, fixed=False, ignore_case=False)
    except BadArgument:
        return False
    assert all(b"\n" not in literal for group in needle.any_of for literal in group)
    return True


def pattern_seeds() -> list[bytes]:
    """What people look for."""
    return [
        *(rb"timeout after \d+ ms", rb"(?i)(error|warn(ing)?): [^ ]{2,8}$", rb"a(?=b|cd)(?<!x)(c)?+"),
        *(rb"^\[[0-9]{4}-\d\d\] (GET|PUT|DELETE) /v1/", rb"(?P<n>x)(?P=n)(?(n)y|z)", rb"\x00[\xf0-\xff]*?"),
    ]


def frame_seeds() -> list[bytes]:
    """The golden frames that are not too long, and one of each codec."""
    golden = [path.read_bytes() for path in sorted(GOLDEN.glob("*.lith")) if path.stat().st_size < 64 * limits.KIB]
    return [*golden, *(_frame(codec) for codec in all_codecs()), _frame(*all_codecs())]


def _frame(*codecs: type[Codec]) -> bytes:
    out = BytesIO()
    writer = FrameWriter(out)
    for codec in codecs:
        sink = writer.sink(codec(codec.params_for("fast", 4000)))
        for plain in _PLAIN:
            codec(codec.params_for("fast", 4000)).encode(MemorySource(plain), sink)
    writer.finish()
    return out.getvalue()


def mend_frame(data: bytes) -> bytes:
    """The same with a footer that fits, as far as there is a trailer for one."""
    if len(data) < FOOTER.size:
        return data
    length, _, magic = FOOTER.unpack(data[-FOOTER.size :])
    start = len(data) - FOOTER.size - length
    return data if start < 0 else data[: -FOOTER.size] + pack_footer(data[start : -FOOTER.size])[:8] + magic


# --- codecs -------------------------------------------------------------------------------------------


@dataclass
class _Chunks:
    """A sink that keeps what it is given as inputs for a codec's target."""

    shared: bytes = b""
    inputs: list[bytes] = field(default_factory=list)

    def share(self, data: bytes) -> None:
        self.shared = data

    def chunk(self, payload: Buffer, decoded: Buffer) -> None:
        self.inputs.append(_LENGTHS.pack(len(decoded), len(self.shared)) + self.shared + bytes(payload))


def decode_chunk(codec_id: str, data: bytes) -> bool:
    """Decode one payload. The input: u32 decoded length, u32 length of the shared block, shared block, payload."""
    length, shared_length = _LENGTHS.unpack(data[: _LENGTHS.size].ljust(_LENGTHS.size, b"\0"))
    codec = by_id(codec_id)
    is_slow = codec.facts.default_bytes_max or codec_id in _SLOW
    most = _SLOWLY_DECODED_BYTES_MAX if is_slow else _DECODED_BYTES_MAX
    length = min(length, most) or 1
    shared, payload = data[8 : 8 + shared_length], data[8 + shared_length :] or b"\0"
    try:
        decoded = codec().decode(payload, shared=shared, length=length)
    except REFUSALS:
        return False
    assert len(decoded) <= length, f"{len(decoded)} bytes came, {length} were allowed"
    return True


def chunk_seeds(codec_id: str) -> list[bytes]:
    """Payloads at two efforts."""
    chunks, codec = _Chunks(), by_id(codec_id)
    for plain in (*_PLAIN, *MEDIA.get(codec_id, ())):
        for effort in ("fast", "default"):
            codec(codec.params_for(effort, len(plain))).encode(MemorySource(plain), chunks)
    return chunks.inputs


_STREAM = b"\0STREAM"
"""Stands before each stream, so that bytes lost or added in one do not move the others."""


MEDIA = {
    "media.jpeg": (corpus_of_media.camera_jpeg(), corpus_of_media.two_jpegs(), corpus_of_media.PROGRESSIVE),
    "media.audio": (
        wav(sample_bytes(tone(150, 2, 9000), 2), 2, 2, tail=b"tail"),
        aiff(sample_bytes(tone(60, 1, 99), 3, big=True), 1, 3),
    ),
    "media.png": corpus_of_media.PNGS,
    "media.pixels": (
        corpus_of_media.bmp(),
        corpus_of_media.tiff(24, 20),
        corpus_of_media.dicom(),
        corpus_of_media.y4m(),
    ),
    "media.gif": GIFS,
    "media.video": (clips.y4m(3, 16, 18), clips.y4m(2, 16, 18, "444", bits=12), clips.avi(2, 12, 14), *raw_films()),
    "media.deflate": small_archives(),
    "media.gzip": small_archives()[:3],
}
"""Files that the codecs of media take apart."""


def pack_file(data: bytes) -> bool:
    """Pack a damaged file by whoever the route chooses: whatever the damage, it comes back."""
    return bool(data and pack_here(data))


def packed_seeds() -> list[bytes]:
    """Files of all kinds of media, and of the neighbours that they are mistaken for."""
    films = (films_of_tests.film(frames=3, sound=None), films_of_tests.film("ffv1", "matroska", frames=2, options=()))
    arrays = [FILES[name] for name in sorted(FILES) if len(FILES[name]) < 16 * limits.KIB]
    return [*(one for files in MEDIA.values() for one in files), *films, *arrays, *_PLAIN]


def packed_seeds_and(folder: Path) -> list[bytes]:
    """The same, and the files of a folder that are not too long: what real programs wrote."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size <= _SEED_BYTES_MAX]
    return [*packed_seeds(), *(path.read_bytes() for path in found)]


def keep_file(codec_id: str, data: bytes) -> bool:
    """Encode a damaged file and decode it: whatever the damage, it comes back. Accepted are those taken apart."""
    codec, chunks = by_id(codec_id), _Chunks()
    if not data:
        return False
    effort: Effort = "default" if codec_id == "media.jpeg" or not zlib.crc32(data) % 8 else "fast"
    if codec.may_suit(data, len(data)):
        codec.probe(data, len(data), effort)
    codec(codec.params_for(effort, len(data))).encode(MemorySource(data), chunks)
    came = b""
    for one in chunks.inputs:
        length, shared_length = _LENGTHS.unpack(one[: _LENGTHS.size])
        came += codec().decode(one[8 + shared_length :], shared=one[8 : 8 + shared_length], length=length)
    assert data == came, "another file came back"
    return chunks.inputs[0][8] >= _TAKEN_APART.get(codec_id, 0x10)


_TAKEN_APART = {"media.jpeg": 0, "media.deflate": 1, "media.gzip": 0}
"""The least first byte of payloads that are; small JPEGs need not be."""


def mend_png(data: bytes) -> bytes:
    """The same with right checksums, as far as there are chunks."""
    out, at = bytearray(data[:8]), 8
    while at + 12 <= len(data) and at + 12 + (size := int.from_bytes(data[at : at + 4], "big")) <= len(data):
        out += corpus_of_media.png_chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + size])
        at += 12 + size
    return bytes(out) + data[at:]


def decode_streams(data: bytes) -> bool:
    """Decode, search and list a block of logs whose streams are not packed: damage gets past the entropy coders.

    The input: u32 decoded length, then for each stream a mark, its number, its bytes.
    """
    payload, length = _stored(data)
    whole = _or_refused(blocks.decoded, payload, length)
    texts = _or_refused(_lines_of, payload, length)
    templates = _or_refused(blocks.shapes, payload, length)
    if whole is None or texts is None or templates is None:
        return False
    assert length == len(whole), f"{len(whole)} bytes came, {length} were asked for"
    assert whole == b"\n".join([*texts, b""] if whole.endswith(b"\n") else texts), "lines are not those of the whole"
    return True


def _stored(data: bytes) -> tuple[bytes, int]:
    head, *pieces = data.split(_STREAM)
    numbered = {piece[0]: piece[1:] for piece in pieces if piece}
    payload = blocks.stored({Stream(number): numbered[number] for number in numbered if number < len(Stream)})
    return payload, min(int.from_bytes(head[:4], "little"), _DECODED_BYTES_MAX) or 1


def _marked(streams: blocks.Streams, length: int) -> bytes:
    return length.to_bytes(4, "little") + b"".join(_STREAM + bytes([one]) + data for one, data in streams.items())


def _lines_of(payload: bytes, length: int) -> list[bytes]:
    found = blocks.lines(payload, length)
    for literal in (b"7", b"face", b"ana"):
        found.text(found.candidates(Needle(((literal,),), ignore_case=literal == b"face")).numbers)
    return found.text(range(found.count))


def _or_refused(read: Callable[[bytes, int], Found], payload: bytes, length: int) -> Found | None:
    try:
        return read(payload, length)
    except REFUSALS:
        return None


def stream_seeds() -> list[bytes]:
    """Short logs of all kinds, and one with something in nearly every stream."""
    logs = [corpus.everything(), *(corpus.log(name, 25) for name in corpus.MAKERS), corpus.log("access", 25)[:-1]]
    plain = [(blocks.unpacked(log), len(log)) for log in logs]
    return [_marked(*one) for one in (*plain, *((blocks.with_index(*one), one[1]) for one in plain))]


@cache
def _teacher() -> Teacher:
    return blocks.teacher(corpus.log("access", 30), corpus.everything())


def decode_arrays(data: bytes) -> bool:
    """Decode a file as its arrays. The input: u32 decoded length, then the payload."""
    length, payload = min(int.from_bytes(data[:4], "little"), _DECODED_BYTES_MAX) or 1, data[4:]
    try:
        opened = open_payload(payload, length)
        decoded = opened.decoded()
    except REFUSALS:
        return False
    assert length == len(decoded)
    assert sum(extent.value_bytes for extent in opened.extents) <= 8 * length
    return True


def arrays_seeds() -> list[bytes]:
    """A file of each container."""
    found = [(data, encode_file(data, "fast", None).payload) for data in FILES.values()]
    return [len(data).to_bytes(4, "little") + payload for data, payload in found]


def read_container(data: bytes) -> bool:
    """Find the arrays of a file: all within it, none over another."""
    found = arrays_in(data)
    for variable in found:
        variable.extent.checked(len(data)).gather(data)
    apart = int(skeleton_mask([variable.extent for variable in found], len(data)).sum())
    assert apart + sum(variable.extent.stored_bytes for variable in found) == len(data), "arrays share bytes"
    return bool(found)


def read_slices(data: bytes) -> bool:
    """Open the file of arrays that a frame keeps, and read some of each of its arrays."""
    try:
        file = open_arrays(BytesIO(data), primers=golden_primers())
        for array in file.arrays.values():
            part = tuple(slice(side // 2, side // 2 + 3) for side in array.shape)
            assert array[part].shape == tuple(min(3, side - side // 2) for side in array.shape)
    except REFUSALS:
        return False
    return bool(file.arrays)


def slices_seeds() -> list[bytes]:
    """A frame of a file of each container."""
    return [framed(Arrays(ArraysParams(effort="fast")), data) for data in FILES.values()]


def container_seeds() -> list[bytes]:
    """A file of each container that is read by ourselves."""
    return list(FILES.values())


def slice_file(data: bytes) -> bool:
    """Tell what the variables of a file are, and write a little of each."""
    try:
        file = label_source(MemorySource(data))
        json.dumps(told(file), allow_nan=False)
        for name in list(file.variables)[:_VARIABLES_MAX]:
            for form in FORMS:
                written = write(file, Cut((name,)), form)
                assert written.length == sum(map(len, written.blocks)), f"{form} of {name} has another length"
    except (*REFUSALS, Refused):
        return False
    return True


def decode_following(data: bytes) -> bool:
    """Decode a block of logs behind a primer; the input is as for decode_streams."""
    payload, length = _stored(data)
    whole = _or_refused(_teacher().unfollow, payload, length)
    assert whole is None or length == len(whole)
    return whole is not None


def following_seeds() -> list[bytes]:
    """Logs that have lines of the primer's templates and others."""
    made = []
    for log in (corpus.log("access", 25, seed=2), corpus.log("syslog", 9) + corpus.log("access", 20)):
        following = _teacher().follow(log)
        assert following is not None
        made.append(_marked(blocks.unpacked_behind(following, len(log), _teacher().leader), len(log)))
    return made


@cache
def _language_model() -> ExactModel:
    return read_model(memoryview(lm_frames.model_bytes()))


def decode_told(data: bytes) -> bool:
    """Decode what a language model told. The input: u32 decoded length, the stream."""
    length = min(int.from_bytes(data[:4], "little"), limits.KIB) or 1
    try:
        decoded = decode_text(data[4:], length, _language_model())
    except REFUSALS:
        return False
    assert length == len(decoded), f"{len(decoded)} bytes came, {length} were asked for"
    return True


def told_seeds() -> list[bytes]:
    """Short texts in one stream and in several, and bytes that no token has."""
    symbols = [np.frombuffer(plain[:150], np.uint8).astype(np.int32) & 127 for plain in _PLAIN]
    symbols.append(np.full(9, len(_language_model().tokens) + 200, np.int32))
    return [
        len(one).to_bytes(4, "little") + encode_symbols(one, _language_model(), streams=streams)
        for one in symbols
        for streams in (1, 4)
    ]


def read_language_model(data: bytes) -> bool:
    """Read a model file, and let what is accepted say something."""
    try:
        model = read_model(memoryview(data))
    except REFUSALS:
        return False
    told_digest(Engine(model, 1), model.shape.vocabulary)
    return True


def language_model_seeds() -> list[bytes]:
    """The golden model."""
    return [lm_frames.model_bytes()]


def read_params(data: bytes) -> bool:
    """Read params as every codec's."""
    accepted = False
    for codec in all_codecs():
        try:
            codec(codec.params_type.from_json(data))
        except REFUSALS:
            continue
        accepted = True
    return accepted


def params_seeds() -> list[bytes]:
    """The params of every codec at two efforts."""
    return [codec.params_for(effort, 5000).to_json() for codec in all_codecs() for effort in ("fast", "max")]


# --- arrays -------------------------------------------------------------------------------------------

_ARRAY_SHAPE = (3, 10, 12)


def decode_array(data: bytes) -> bool:
    """One array: its dtype is the first byte, the rest its payload."""
    dtype = np.dtype(_ARRAY_DTYPES[data[0] % len(_ARRAY_DTYPES)] if data else "f4")
    try:
        values = decode_values(data[1:], _ARRAY_SHAPE, dtype)
    except REFUSALS:
        return False
    assert (values.shape, values.dtype) == (_ARRAY_SHAPE, dtype)
    return True


_ARRAY_DTYPES = ("f4", "f8", "i2", "u8")


def array_seeds() -> list[bytes]:
    """Fields of every kind of these dtypes, exact and bounded, quick and dense."""
    found: list[bytes] = []
    efforts: tuple[Effort, ...] = ("fast", "default")
    for make in fields.FIELDS.values():
        values = make(_ARRAY_SHAPE)
        if values.dtype.str[1:] in _ARRAY_DTYPES:
            head = bytes([_ARRAY_DTYPES.index(values.dtype.str[1:])])
            found += [head + encode_values(values, bound=None, effort=effort) for effort in efforts]
            found.append(head + encode_values(values, bound=Bound("rel", 0.05), effort="default"))
    return found


# --- the store ----------------------------------------------------------------------------------------


def read_pack(data: bytes) -> bool:
    """List a pack, look for damage, and find its last entry."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            pack = PackReader(file.fileno(), _pack_id(data))
            entries = list(pack.entries())
            clean = not pack.damage()
            pack.last_entry()
        except REFUSALS:
            return False
    for entry in entries:
        assert entry.address.offset + entry.address.length <= len(data), f"{entry} reaches over the end"
    return clean and bool(entries)


def _pack_id(data: bytes) -> str:
    """What the pack calls itself, so that its file would have that name."""
    return data[5:PACK_HEADER_BYTES][:16].ljust(16, b"\0").hex()


def pack_seeds() -> list[bytes]:
    """The golden packs; and packs of some blobs and records, in one group and in two."""
    golden = [path.read_bytes() for path in sorted(GOLDEN.glob("*.pack"))]
    blobs = [Entry("blob", plain) for plain in _PLAIN]
    facts = [Record("tombstone", number, 1.5, {"revision_id": "ab" * 16}).entry() for number in range(3)]
    one, _ = encode_group(_PACK, PACK_HEADER_BYTES, [*blobs, *facts])
    two, _ = encode_group(_PACK, PACK_HEADER_BYTES + len(one), [*facts, blobs[0]])
    return [*golden, pack_header(_PACK) + one, pack_header(_PACK) + one + two]


def mend_pack(data: bytes) -> bytes:
    """The same with a right checksum in every entry's header."""
    mended, place = bytearray(data), data.find(ENTRY_MAGIC)
    seed = zlib.crc32(bytes.fromhex(_pack_id(data)))
    while place >= 0:
        fields = bytes(mended[place : place + ENTRY_HEADER_BYTES - 4])
        check = zlib.crc32(fields, zlib.crc32(place.to_bytes(4, "little"), seed))
        mended[place + ENTRY_HEADER_BYTES - 4 : place + ENTRY_HEADER_BYTES] = check.to_bytes(4, "little")
        place = data.find(ENTRY_MAGIC, place + 1)
    return bytes(mended)


def read_record(data: bytes) -> bool:
    """Read a record."""
    try:
        records.parse(data)
    except REFUSALS:
        return False
    return True


def record_seeds() -> list[bytes]:
    """One of each kind that is short."""
    key = {"id": "k1", "secret_digest": "00" * 32, "label": "ä", "scopes": ["read"], "expires_at": None}
    made = [Record("tombstone", 7, 1.25, {"revision_id": "ab" * 16}), Record("key", 8, 2, key)]
    return [record.entry().payload for record in made]


def read_contract(data: bytes) -> bool:
    """Read a contract as people spell it; what is accepted has one spelling."""
    try:
        contract = Contract.parse(data.decode("utf-8", "replace"))
    except BadArgument:
        return False
    assert Contract.parse(str(contract)) == contract, f"{contract} reads back differently"
    return True


def contract_seeds() -> list[bytes]:
    """One of each kind."""
    return [b"exact", b"content", b"bounded:abs=0.01", b"bounded:pwrel=1e-3", b"floor:psnr=60", b"floor:vmaf=95.5"]


# --- deflate streams ----------------------------------------------------------------------------------


def open_and_rebuild(data: bytes) -> bool:
    """Open whatever begins as a deflate stream, and close it again."""
    opened = open_stream(data, plain_max=_DECODED_BYTES_MAX)
    if opened is None:
        return False
    assert data[: opened.end] == rebuild(opened.plain, opened.recipe), "another stream came back"
    return True


def rebuild_only(data: bytes) -> bool:
    """Make a stream of some text by a recipe that cannot be trusted."""
    try:
        rebuild(_PLAIN[1], data)
    except REFUSALS:
        return False
    return True


def stream_seeds_of_zlib() -> list[bytes]:
    """Some bytes at some levels."""
    return [zlib.compress(plain, level)[2:-4] for plain in _PLAIN for level in (0, 1, 6, 9)]


def recipe_seeds() -> list[bytes]:
    """How the text was deflated, at some levels."""
    opened = (open_stream(zlib.compress(_PLAIN[1], level), 2) for level in (1, 3, 6, 9))
    return [one.recipe for one in opened if one is not None]


def read_picture(data: bytes) -> bool:
    """Read a file of one picture."""
    try:
        picture = read_still(data).picture
    except (BadArgument, *REFUSALS):
        return False
    assert 1 <= picture.shape[2] <= 4
    return True


def picture_seeds() -> list[bytes]:
    """One of each form."""
    pixels = stills.photo(9, 12)
    forms: tuple[tuple[str, dict[str, Any]], ...] = (
        ("PNG", {"exif": stills.exif(6), "icc_profile": stills.PROFILE}),
        ("JPEG", {"exif": stills.exif(6), "icc_profile": stills.PROFILE}),
        ("WEBP", {"lossless": True, "xmp": stills.XMP}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("BMP", {}),
        ("AVIF", {"xmp": stills.XMP}),
    )
    return [stills.SEDIMENT, stills.netpbm(pixels), *(stills.saved(pixels, form, **said) for form, said in forms)]


def targets() -> dict[str, Target]:
    """All of them by name."""
    decoders = [
        Target(codec.facts.id, partial(decode_chunk, codec.facts.id), partial(chunk_seeds, codec.facts.id))
        for codec in all_codecs()
    ]
    files = [
        Target(
            f"files.{name}",
            partial(keep_file, name),
            partial(list, MEDIA[name]),
            mend_png if name == "media.png" else _as_it_is,
        )
        for name in MEDIA
    ]
    others = [
        *files,
        Target("frame", decode_whole, frame_seeds, mend_frame),
        Target("search", search_whole, frame_seeds, mend_frame),
        Target("pattern", read_pattern, pattern_seeds),
        Target("streams", decode_streams, stream_seeds),
        Target("arrays", decode_arrays, arrays_seeds),
        Target("slices", read_slices, slices_seeds, mend_frame),
        Target("container", read_container, container_seeds),
        Target("sliced", slice_file, container_seeds),
        Target("following", decode_following, following_seeds),
        Target("told", decode_told, told_seeds),
        Target("language_model", read_language_model, language_model_seeds),
        Target("params", read_params, params_seeds),
        Target("array", decode_array, array_seeds),
        Target("pack", read_pack, pack_seeds, mend_pack),
        Target("record", read_record, record_seeds),
        Target("deflate", open_and_rebuild, stream_seeds_of_zlib),
        Target("recipe", rebuild_only, recipe_seeds),
        Target("picture", read_picture, picture_seeds),
        Target("packed", pack_file, packed_seeds),
        Target("contract", read_contract, contract_seeds),
    ]
    return {target.name: target for target in (*others, *decoders)}
