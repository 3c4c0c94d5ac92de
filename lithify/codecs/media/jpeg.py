"""JPEG: every picture of a file as its coefficients, by a coder of our own; all else by the best general codec.

What does not come back from its coefficients goes to Lepton or JPEG XL, whichever makes it smaller.
"""

from collections.abc import Set
from typing import ClassVar, NamedTuple

from lithify import limits
from lithify.codecs.codec import Effort, Estimate, Facts, Format
from lithify.codecs.inside import Inside
from lithify.codecs.media import general
from lithify.codecs.media.fields import Fields, piece, varint
from lithify.codecs.media.jpeg_coders import CODER_NAMES, JXL, LEPTON, RECODED, decode_jpeg, encode_jpeg
from lithify.codecs.media.jpeg_recoded import recode, restore, smallest_jpeg
from lithify.codecs.media.jpeg_scan import Found, Run, find_jpegs, put_together
from lithify.codecs.media.whole_file import WholeFile
from lithify.codecs.reasons import give_reason
from lithify.errors import Corrupt

_JPEGS = 0x10
"""First byte of a payload that is taken apart; below it stand the methods of `general`."""
_CODERS: dict[Effort, tuple[int, ...]] = {
    "fast": (RECODED, LEPTON),
    "default": (RECODED, LEPTON, JXL),
    "max": (RECODED, LEPTON, JXL),
}
_WHOLE_BYTES_MAX = 64 * limits.KIB
_FOREIGN_SHARE = 8
"""Up to here a file of which more than an eighth is in no picture is tried with its foreign segments left where they
are, too: JPEG XL knows some by heart."""
_DRAWN, _DOUBTFUL = 0.5, 0.98
"""What is not smaller is compared with what the general codecs make of it, and what is much smaller: it was drawn, and
bytes that repeat tell more of it than coefficients. A short one is worth the general codecs at their best."""
_SMALL_BYTES = 4 * limits.KIB
"""So is a file that is no longer: half of it may be names and numbers."""
_HEAD_METHODS: dict[Effort, tuple[int, ...]] = {
    "fast": general.METHODS,
    "default": (general.XZ, general.PPMD),
    "max": general.METHODS,
}
"""Of 38 heads the others packed four smaller, by 0.8 % of all, and took three fifths of the time."""
_STREAMS_MAX = 4096
_RUNS_MAX = 65_536
_START = b"\xff\xd8\xff"
_RATIO = 1.36  # what 24 files of cameras came to; a taste of a JPEG says nothing
_BYTES_PER_SECOND: dict[Effort, tuple[float, float]] = {"fast": (5e6, 6e6), "default": (5e6, 6e6), "max": (1.5e6, 6e6)}
"""In and out."""
_PEAK_BYTES = 256 * limits.MIB
_PEAK_BYTES_PER_BYTE = 24


class Jpeg(WholeFile):
    """A payload is one file, or one part of a file: the rest of it, and its JPEGs (FORMAT.md)."""

    facts: ClassVar[Facts] = Facts(
        family="media",
        name="jpeg",
        format=Format(0x0501, 1, 0),
        kinds=frozenset({"image"}),
        needs=("media",),
        seams="whole",
        bytes_max=limits.PART_BYTES,
        kernels=True,
        papers=(
            "Mahoney, Adaptive Weighing of Context Models for Lossless Data Compression, TR CS-2005-16",
            "Horn et al., The Design, Implementation, and Deployment of a System to Transparently Compress Hundreds of "
            "Petabytes of Image Files for a File-Storage Service, NSDI 2017",
            "ISO/IEC 18181-1, JPEG XL image coding system",
        ),
    )
    holds = "JPEGs"

    @classmethod
    def warm(cls) -> None:
        """A picture of a few pixels, there and back: the kernels have one set of types."""
        made = recode(smallest_jpeg())
        assert made is not None, "a sound JPEG can be recoded"
        restore(made.stream, Fields(made.head), len(smallest_jpeg()))

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """Only whether it begins like a JPEG: coding a piece of one would say nothing about the whole."""
        if not sample.startswith(_START):
            return None
        encode_speed, decode_speed = _BYTES_PER_SECOND[effort]
        return Estimate(
            ratio=_RATIO,
            encode_bytes_per_second=encode_speed,
            decode_bytes_per_second=decode_speed,
            peak_memory_bytes=_PEAK_BYTES + _PEAK_BYTES_PER_BYTE * length,
            confidence=0.5,
        )

    def encode_file(self, data: bytes) -> bytes:
        """The smallest payload of a file of at least one byte."""
        effort = self._effort
        if _START not in data:
            return general.pack(data, "fast")  # others are made for it
        found = find_jpegs(data)
        payloads = [take_apart(found, _CODERS[effort], effort)]
        if len(data) <= _WHOLE_BYTES_MAX and _FOREIGN_SHARE * len(found.streams[0]) > len(data):
            payloads.append(take_apart(find_jpegs(data, strip=False), (LEPTON if effort == "fast" else JXL,), effort))
        made = [payload for payload in payloads if payload is not None]
        shares = [len(payload) / len(data) for payload in made]
        if not made or len(data) <= _SMALL_BYTES or not _DRAWN < min(shares) < _DOUBTFUL:
            drawn = len(data) <= _WHOLE_BYTES_MAX and min(shares, default=1) <= _DRAWN
            made.append(general.pack(data, "max" if drawn and effort == "default" else effort))
        return min(made, key=len)

    def decode_file(self, payload: bytes, length: int) -> bytes:
        return _restored(payload, length) if payload[0] == _JPEGS else general.unpack(payload, length)

    def contents(self, payload: bytes, *, shared: bytes, length: int) -> list[Inside]:
        """Each picture with its coder: the photograph, and thumbnails in it."""
        return _inside(payload, length)


def _inside(payload: bytes, length: int) -> list[Inside]:
    """The pictures of a payload and their coders, and the rest."""
    if payload[:1] != bytes([_JPEGS]):
        return general.as_it_was(payload, length)
    fields, rows, left = Fields(payload[1:]), [], length
    for _ in range(fields.number(_STREAMS_MAX, "the number of JPEGs")):
        coder, size = fields.byte(), fields.number(left, "the length of a JPEG")
        rows.append(Inside("JPEG", CODER_NAMES.get(coder, f"0x{coder:02x}"), size, len(fields.piece("a JPEG"))))
        left -= size
    fields.number(left + 20 * _RUNS_MAX, "the length of the rest")
    rest = fields.rest()
    return [*rows, Inside("what stands around", general.name_of(rest), left, len(rest))]


def take_apart(found: Found, coders: tuple[int, ...], effort: Effort) -> bytes | None:
    """The payload of a file as its pictures and the rest; None if no picture in it can be coded."""
    coded = {
        number: code for number, jpeg in enumerate(found.streams) if number and (code := _coded(jpeg, coders, effort))
    }
    if not coded:
        return None
    renumbered = {number: at for at, number in enumerate(coded, 1)}
    runs = _joined([Run(renumbered.get(run.stream, 0), run.length) for run in found.runs])
    out = [bytes([_JPEGS]), varint(len(coded))]
    for number, code in coded.items():
        out += [bytes([code.coder]), varint(len(found.streams[number])), piece(code.stream)]
    layout = b"".join(varint(run.stream) + varint(run.length) for run in runs)
    heads = b"".join(code.head for code in coded.values())
    head = varint(len(runs)) + layout + heads + _rest(found, coded.keys())
    return b"".join([*out, varint(len(head)), general.pack(head, effort, _HEAD_METHODS[effort])])


class _Code(NamedTuple):
    """A JPEG by one of the coders."""

    coder: int
    stream: bytes
    head: bytes
    """What is packed with the rest of the file."""


def _coded(jpeg: bytes, coders: tuple[int, ...], effort: Effort) -> _Code | None:
    """By our own coder if it can be, which effort `max` compares with others; else by the smallest of them."""
    made = recode(jpeg) if RECODED in coders else None
    own = made and _Code(RECODED, *made)
    if own is not None and effort != "max":
        return own
    if RECODED in coders and own is None:
        give_reason(
            "a JPEG is not what its coefficients say, or of a kind that is not read: Lepton or JPEG XL may keep it"
        )
    found = encode_jpeg(jpeg, tuple(coder for coder in coders if coder != RECODED))
    if own is None and found is None:
        give_reason("a JPEG is kept as any other bytes: no coder gives back every byte of it")
    other = found and _Code(*found, b"")
    return min(filter(None, (own, other)), key=lambda one: len(one.stream) + len(one.head), default=None)


def _joined(runs: list[Run]) -> list[Run]:
    """The same with neighbours of one stream made one."""
    out: list[Run] = []
    for run in runs:
        if out and out[-1].stream == run.stream:
            out[-1] = Run(run.stream, out[-1].length + run.length)
        else:
            out.append(run)
    return out


def _rest(found: Found, kept: Set[int]) -> bytes:
    """What is in no picture that is kept as one."""
    places = [0] * len(found.streams)
    out = []
    for stream, length in found.runs:
        if stream not in kept:
            out.append(found.streams[stream][places[stream] : places[stream] + length])
        places[stream] += length
    return b"".join(out)


class _Kept(NamedTuple):
    """A JPEG as a payload names it."""

    coder: int
    length: int
    stream: bytes

    def decoded(self, head: Fields) -> bytes:
        """Its bytes."""
        if self.coder == RECODED:
            return restore(self.stream, head, self.length)
        return decode_jpeg(self.coder, self.stream, self.length)


def _restored(payload: bytes, length: int) -> bytes:
    fields = Fields(payload[1:])
    kept, left = [], length
    for _ in range(fields.number(_STREAMS_MAX, "the number of JPEGs")):
        coder, size = fields.byte(), fields.number(left, "the length of a JPEG")
        kept.append(_Kept(coder, size, fields.piece("a JPEG")))
        left -= size
    head_length = fields.number(2 * length + 20 * _RUNS_MAX, "the length of the rest")
    head = Fields(general.unpack(fields.rest(), head_length))
    runs = _read_runs(head, 1 + len(kept), length)
    streams = [b"", *(one.decoded(head) for one in kept)]
    streams[0] = head.rest()
    for number, stream in enumerate(streams):
        said = sum(run.length for run in runs if run.stream == number)
        if said != len(stream):
            raise Corrupt(f"stream {number} has {len(stream)} bytes, its runs have {said}")
    data = put_together(runs, streams)
    if len(data) != length:
        raise Corrupt(f"a file has {len(data)} bytes, the chunk table says {length}")
    return data


def _read_runs(head: Fields, streams: int, length: int) -> list[Run]:
    runs = []
    for _ in range(head.number(_RUNS_MAX, "the number of runs")):
        stream = head.number(streams - 1, "the stream of a run")
        runs.append(Run(stream, head.number(length, "the length of a run")))
    return runs
