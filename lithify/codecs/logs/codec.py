"""Logs: lines taken apart into templates and typed columns, block by block, each block proved before it is kept."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, cast

from lithify import limits
from lithify.codecs.codec import EFFORTS, ChunkSink, Effort, Estimate, Facts, Format, Params, Source
from lithify.codecs.lines import ChunkLines, Needle, Template
from lithify.codecs.primed import PrimedCodec, PrimedParams
from lithify.codecs.raw.block import BlockCodec
from lithify.codecs.raw.ppmd import Ppmd, PpmdParams
from lithify.codecs.raw.xz import Xz
from lithify.codecs.raw.zstd import Zstd, ZstdParams
from lithify.errors import Corrupt, LimitExceeded, Truncated

if TYPE_CHECKING:
    from lithify.codecs.logs.primer import Teacher
    from lithify.codecs.logs.streams import Packed

BLOCK_BYTES = limits.CHUNK_BYTES_MAX
"""Less would mean more memory per byte of block, for Python and numba take 165 MB by themselves."""
TEMPLATES, PRIMED, PRIMED_TEXT, RAW, FOLLOWING = 0, 1, 2, 3, 6
"""First byte of a payload: the streams of a block; the block by zstd with the primer's text as dictionary; the block
mixed behind that text; RAW + n: the block by RAW_CODECS[n]; the streams of a block that goes on behind the primer's."""
RAW_CODECS: tuple[type[BlockCodec], ...] = (Zstd, Xz, Ppmd)
_LINE_BYTES_MAX = 4 * limits.MIB  # how far before its nominal end a block looks for the end of a line
_LINE_BYTES_MEAN_MAX = 8 * limits.KIB
_PRIMED_BYTES_MAX = limits.MIB
_SHORT_BYTES = range(16 * limits.KIB, 512 * limits.KIB)
"""At effort `default` such blocks are packed as at `max`: a tenth to a third smaller, in tenths of a second. Shorter
ones have too little to learn from."""
_AS_TEXT_BYTES_MAX = 8 * limits.MIB  # at half a megabyte a second, for effort max only
_TASTE_BYTES = 512 * limits.KIB
# A block so many times smaller than zstd -3 and PPMd make a piece of it is smaller than any general coder makes it: on
# 14 logs xz -9e and zstd -19 came to 1.9 times zstd -3 at most, and PPMd gains a fifth from 1 to 32 MiB.
_SURELY_DENSER = {"zstd": 1.9, "ppmd": 1.3}
_PEAK_BYTES_PER_BYTE = 9
_PEAK_BYTES = 128 * limits.MIB


@dataclass(frozen=True)
class LogsParams(PrimedParams):
    """As every codec's that takes primers, and how much at a time."""

    block_bytes: int = BLOCK_BYTES

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.block_bytes <= limits.CHUNK_BYTES_MAX:
            raise LimitExceeded(f"block_bytes is {self.block_bytes}; the limit is {limits.CHUNK_BYTES_MAX}")


def _warming(n: int) -> bytes:
    """A line with something of every kind."""
    word = bytes(97 + n * step % 26 for step in (1, 3, 5, 7))
    return (
        b'2026-11-21 01:15:%02d host-%d sshd[%d]: session "%d of %08x" of %s opened by 10.0.%d.7 in 0.%06d s for "%s"\n'
        % (
            n % 60,
            n % 7,
            n % 97,
            n,
            n * 2654435761 % 2**32,
            word,
            n % 250,
            n * 31 % 999_999,
            b"/".join([word] * (n % 9)),
        )
    )


_WARMING = (b"".join(map(_warming, range(1000))), b"no lines at all")


class Logs(PrimedCodec):
    """A payload is one block of lines: packed streams (FORMAT.md), or the whole packed by a general codec."""

    facts: ClassVar[Facts] = Facts(
        family="logs",
        name="template",
        format=Format(0x0200, 1, 0),
        seams="lines",
        kinds=frozenset({"log", "json-lines"}),
        kernels=True,
        falls_back=True,
        takes_primer=True,
        papers=(
            "Liu et al., Logzip, ASE 2019",
            "Wei et al., LogReducer, FAST 2021",
            "Rodrigues et al., CLP, OSDI 2021",
        ),
    )
    params_type: ClassVar[type[Params]] = LogsParams
    _teacher: "Teacher | None" = None

    @property
    def _own(self) -> LogsParams:
        return cast("LogsParams", self.params)

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> LogsParams:
        return LogsParams(effort=effort, block_bytes=BLOCK_BYTES)

    @staticmethod
    def teacher_of(digest: str, primer: bytes) -> "Teacher":
        return _teacher(digest, primer)

    @classmethod
    def make_primer(cls, samples: Sequence[bytes]) -> bytes | None:
        from lithify.codecs.logs.encode import encode_block
        from lithify.codecs.logs.primer import MAGIC, choose_lines
        from lithify.codecs.logs.streams import put_varint

        text = choose_lines(samples)
        if not text:
            return None
        head = bytearray(MAGIC)
        put_varint(head, len(text))
        streams = encode_block(text, "default", as_primer=True)
        return None if streams is None else bytes(head) + streams

    @classmethod
    def warm(cls) -> None:
        """Encode, decode and search a little of everything."""
        from lithify.codecs.logs.filter import TEXT_BYTES_MIN, make_filter, may_have
        from lithify.codecs.logs.symbols import Segments, decode_symbols, encode_symbols

        may_have(make_filter(bytes(TEXT_BYTES_MIN)), b"warm")
        one = Segments.one(len(_WARMING[0]))  # so that it runs even where another coder would win
        decode_symbols(encode_symbols(_WARMING[0], one), len(_WARMING[0]), one)
        for effort_ in EFFORTS:
            codec = cls(cls.params_for(effort_, 0))
            for text in _WARMING:
                payload = codec.encode_block(text)
                codec.decode(payload, shared=b"", length=len(text))
                codec.templates(payload, shared=b"", length=len(text))
                lines = codec.lines(payload, shared=b"", length=len(text))
                for literal in (b"opened", b"2026", b"10.0.3.7", b"no such words"):
                    lines.text(lines.candidates(Needle(((literal,),))).numbers)

        primer = cls.make_primer([_WARMING[0]])
        assert primer is not None
        teacher = _teacher("", primer)
        following = teacher.follow(_WARMING[0] + _warming(1000))
        assert following is not None
        teacher.unfollow(following, len(_WARMING[0] + _warming(1000)))

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """Encode the sample, if it is lines at all."""
        if not _may_be_lines(sample):
            return None
        codec = cls(cls.params_for(effort, length))
        started = time.perf_counter()
        payload = codec.encode_block(sample)
        encoded = time.perf_counter()
        codec.decode(payload, shared=b"", length=len(sample))
        decoded = time.perf_counter()
        return Estimate(
            ratio=len(sample) / len(payload),
            encode_bytes_per_second=len(sample) / (encoded - started),
            decode_bytes_per_second=len(sample) / (decoded - encoded),
            peak_memory_bytes=_PEAK_BYTES + _PEAK_BYTES_PER_BYTE * min(length, codec._own.block_bytes),
            confidence=0.5 + 0.5 * len(sample) / length,
        )

    def encode(self, source: Source, sink: ChunkSink) -> None:
        """One chunk per block of whole lines."""
        for block in _blocks(source, self._own.block_bytes):
            sink.chunk(self.encode_block(block), block)

    def encode_block(self, block: bytes) -> bytes:
        """The payload of one block of at least one byte: streams that were seen to give it back, or a general codec's.

        That the packed form gives them back is for the second process to prove, as of any codec.
        """
        from lithify.codecs.logs.encode import encode_as_text, encode_block

        teacher, effort_ = self._teacher, self._effort(len(block))
        streams = encode_block(block, effort_, teacher.packed if teacher else None)
        candidates = [] if streams is None else [bytes([TEMPLATES]) + streams]
        if teacher is not None and len(block) <= _PRIMED_BYTES_MAX:
            candidates.append(bytes([PRIMED]) + teacher.pack(block))
            if effort_ == "max" or (effort_ == "default" and len(block) < _SHORT_BYTES.stop):
                candidates.append(bytes([PRIMED_TEXT]) + teacher.mix(block))
            following = teacher.follow(block) if effort_ != "fast" and len(block) >= _SHORT_BYTES.start else None
            if following is not None:
                candidates.append(bytes([FOLLOWING]) + following)
        smallest = min(map(len, candidates), default=len(block))
        if not _surely_densest(len(block) / smallest, block, self._own.effort):
            candidates += _raw_payloads(block, self._own.effort)
            if effort_ == "max" and len(block) <= _AS_TEXT_BYTES_MAX:
                candidates.append(bytes([TEMPLATES]) + encode_as_text(block, effort_))
        return min(candidates, key=len)

    def _effort(self, length: int) -> Effort:
        """How hard to try on a block: on a short one, time is no object."""
        effort_ = cast("Effort", self._own.effort)
        return "max" if effort_ == "default" and length in _SHORT_BYTES else effort_

    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        if shared:
            raise Corrupt(f"logs have no use for {len(shared)} shared bytes")
        if not payload:
            raise Truncated("a block of logs has no bytes")
        method = payload[0]
        if method == TEMPLATES:
            from lithify.codecs.logs.decode import decode_block

            return decode_block(self._packed(payload, length), length)
        if method in (PRIMED, PRIMED_TEXT, FOLLOWING):
            teacher = self._teacher
            if teacher is None:
                raise Corrupt("a block of logs needs a primer, and the frame names none")
            decode = {PRIMED: teacher.unpack, PRIMED_TEXT: teacher.unmix, FOLLOWING: teacher.unfollow}[method]
            return decode(payload[1:], length)
        if method - RAW >= len(RAW_CODECS):
            raise Corrupt(f"a block of logs is packed by method {method}, which does not exist")
        return RAW_CODECS[method - RAW]().decode(payload[1:], shared=b"", length=length)

    def _packed(self, payload: bytes, length: int) -> "Packed":
        from lithify.codecs.logs.streams import Packed

        return Packed(payload, 1, length, self._teacher.packed if self._teacher else None)

    def lines(self, payload: bytes, *, shared: bytes, length: int) -> ChunkLines:
        if payload[:1] != bytes([TEMPLATES]):
            return super().lines(payload, shared=shared, length=length)
        from lithify.codecs.logs.search import BlockLines

        return BlockLines(self._packed(payload, length), length)

    def templates(self, payload: bytes, *, shared: bytes, length: int) -> list[Template]:
        from lithify.codecs.logs.search import templates, templates_of_text

        found = templates(self._packed(payload, length), length) if payload[:1] == bytes([TEMPLATES]) else []
        return found or templates_of_text(self.decode(payload, shared=shared, length=length))


@lru_cache(maxsize=4)
def _teacher(digest: str, primer: bytes) -> "Teacher":
    """A primer, unpacked; the last few are kept, because small originals come in crowds."""
    from lithify.codecs.logs.primer import Teacher

    return Teacher(primer)


def _may_be_lines(sample: bytes) -> bool:
    return sample.count(b"\n") * _LINE_BYTES_MEAN_MAX >= len(sample) > 0 and sample.count(b"\0") * 64 < len(sample)


def _blocks(source: Source, block_bytes: int) -> Iterator[bytes]:
    """`source` in as few blocks of at most `block_bytes` as can be, each ending with a line where one ends in reach."""
    start = 0
    while start < source.length:
        left = source.length - start
        wanted = left // -(-left // block_bytes)
        block = source.read(start, left if left <= block_bytes else wanted)
        if not block:
            raise Truncated(f"source ends at byte {start}, its length is {source.length}")
        if len(block) < left:
            end = block.rfind(b"\n", max(0, len(block) - _LINE_BYTES_MAX)) + 1
            block = block[:end] if end else block
        start += len(block)
        yield block


def _surely_densest(ratio: float, block: bytes, effort_: str) -> bool:
    """Whether no general coder that the effort allows can come near, going by the middle of the block."""
    start = max(0, (len(block) - _TASTE_BYTES) // 2)
    piece = block[start : start + _TASTE_BYTES]
    quick = len(piece) / len(Zstd(ZstdParams(level=3)).encode_block(piece))
    if effort_ == "fast" or ratio < _SURELY_DENSER["zstd"] * quick:
        return ratio >= _SURELY_DENSER["zstd"] * quick
    dense = len(piece) / len(Ppmd(PpmdParams()).encode_block(piece))
    return ratio >= _SURELY_DENSER["ppmd"] * dense


def _raw_payloads(block: bytes, effort_: str) -> list[bytes]:
    """The block packed by each general codec that the effort allows."""
    found = []
    for number, codec in enumerate(RAW_CODECS):
        if effort_ == "fast" and codec is not Zstd:
            continue
        packer = codec(codec.params_for(cast("Effort", effort_), len(block)))
        found.append(bytes([RAW + number]) + packer.encode_block(block))
    return found
