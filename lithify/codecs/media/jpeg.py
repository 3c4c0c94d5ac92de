"""JPEG: every picture of a file by Lepton or JPEG XL, whichever is smaller; all else by the best general codec."""

from typing import ClassVar

from lithify import limits
from lithify.codecs.codec import Effort, Estimate, Facts, Format
from lithify.codecs.media import general
from lithify.codecs.media.fields import Fields, piece, varint
from lithify.codecs.media.jpeg_coders import JXL, LEPTON, decode_jpeg, encode_jpeg
from lithify.codecs.media.jpeg_scan import Found, Run, find_jpegs, put_together
from lithify.codecs.media.whole_file import WholeFile
from lithify.errors import Corrupt

_JPEGS = 0x10
"""First byte of a payload that is taken apart; below it stand the methods of `general`."""
_CODERS: dict[Effort, tuple[int, ...]] = {"fast": (LEPTON,), "default": (LEPTON, JXL), "max": (LEPTON, JXL)}
_WHOLE_BYTES_MAX = 64 * limits.KIB
"""Up to here a file is tried with its foreign segments left where they are, too: JPEG XL knows some by heart. And the
general codecs are tried, for half of it may be names and numbers."""
_DOUBTFUL = 0.98
"""Of a longer file: what is not smaller is compared with what the general codecs make of it."""
_STREAMS_MAX = 4096
_RUNS_MAX = 65_536
_START = b"\xff\xd8\xff"
_RATIO, _BYTES_PER_SECOND = 1.28, 6e6  # what 24 files of cameras came to; a taste of a JPEG says nothing
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
        papers=(
            "Horn et al., The Design, Implementation, and Deployment of a System to Transparently Compress Hundreds of "
            "Petabytes of Image Files for a File-Storage Service, NSDI 2017",
            "ISO/IEC 18181-1, JPEG XL image coding system",
        ),
    )
    holds = "JPEGs"

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """Only whether it begins like a JPEG: coding a piece of one would say nothing about the whole."""
        if not sample.startswith(_START):
            return None
        return Estimate(
            ratio=_RATIO,
            encode_bytes_per_second=_BYTES_PER_SECOND / (1 + len(_CODERS[effort])),
            decode_bytes_per_second=_BYTES_PER_SECOND,
            peak_memory_bytes=_PEAK_BYTES + _PEAK_BYTES_PER_BYTE * length,
            confidence=0.5,
        )

    def encode_file(self, data: bytes) -> bytes:
        """The smallest payload of a file of at least one byte."""
        effort = self._effort
        if _START not in data:
            return general.pack(data, "fast")  # others are made for it
        coders = _CODERS[effort]
        payloads = [take_apart(find_jpegs(data), coders, effort)]
        if len(data) <= _WHOLE_BYTES_MAX:
            payloads.append(take_apart(find_jpegs(data, strip=False), coders, effort))
        made = [payload for payload in payloads if payload is not None]
        if not made or len(data) <= _WHOLE_BYTES_MAX or min(map(len, made)) > _DOUBTFUL * len(data):
            made.append(general.pack(data, effort))
        return min(made, key=len)

    def decode_file(self, payload: bytes, length: int) -> bytes:
        return _restored(payload, length) if payload[0] == _JPEGS else general.unpack(payload, length)


def take_apart(found: Found, coders: tuple[int, ...], effort: Effort) -> bytes | None:
    """The payload of a file as its pictures and the rest; None if no picture in it can be coded."""
    coded = [encode_jpeg(stream, coders) for stream in found.streams[1:]]
    kept = [number for number, code in enumerate(coded, 1) if code is not None]
    if not kept:
        return None
    renumbered = {number: at for at, number in enumerate(kept, 1)}
    runs = _joined([Run(renumbered.get(run.stream, 0), run.length) for run in found.runs])
    rest = _rest(found, set(kept))
    out = [bytes([_JPEGS]), varint(len(kept))]
    for number in kept:
        code = coded[number - 1]
        assert code is not None, "only coded streams are kept"
        out += [bytes([code[0]]), varint(len(found.streams[number])), piece(code[1])]
    layout = b"".join(varint(run.stream) + varint(run.length) for run in runs)
    head = varint(len(runs)) + layout + rest
    return b"".join([*out, varint(len(head)), general.pack(head, effort)])


def _joined(runs: list[Run]) -> list[Run]:
    """The same with neighbours of one stream made one."""
    out: list[Run] = []
    for run in runs:
        if out and out[-1].stream == run.stream:
            out[-1] = Run(run.stream, out[-1].length + run.length)
        else:
            out.append(run)
    return out


def _rest(found: Found, kept: set[int]) -> bytes:
    """What is in no picture that is kept as one."""
    places = [0] * len(found.streams)
    out = []
    for stream, length in found.runs:
        if stream not in kept:
            out.append(found.streams[stream][places[stream] : places[stream] + length])
        places[stream] += length
    return b"".join(out)


def _restored(payload: bytes, length: int) -> bytes:
    fields = Fields(payload[1:])
    streams = [b""]
    left = length
    for _ in range(fields.number(_STREAMS_MAX, "the number of JPEGs")):
        coder, size = fields.byte(), fields.number(left, "the length of a JPEG")
        streams.append(decode_jpeg(coder, fields.piece("a JPEG"), size))
        left -= size
    head_length = fields.number(left + 20 * _RUNS_MAX, "the length of the rest")
    head = Fields(general.unpack(fields.rest(), head_length))
    runs = _read_runs(head, len(streams), length)
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
