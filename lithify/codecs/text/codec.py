"""Text: every group of bytes mixed by what many texts taught, beside the general coders; the smallest form is kept."""

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, cast

from lithify import limits
from lithify.codecs.codec import ChunkSink, Effort, Estimate, Facts, Format, Params, Source
from lithify.codecs.primed import PrimedCodec, PrimedParams
from lithify.codecs.raw.block import BlockCodec, blocks, taste
from lithify.codecs.raw.ppmd import Ppmd
from lithify.codecs.raw.zstd import Zstd
from lithify.codecs.signs import Told, nobody, tell
from lithify.codecs.text.classes import FIRST_CLASSES, TextClass
from lithify.errors import Corrupt, LimitExceeded, Truncated, Unsound

if TYPE_CHECKING:
    from lithify.codecs.text.learnt import Learnt
    from lithify.codecs.text.primer import Teacher

STORED, ZSTD, PPMD = 0, 1, 2
MIXED, PRIMED, READ = 0x10, 0x20, 0x30
"""First byte of a payload: how the group is kept; to the last three the number of its class is added."""
_RAW_CODECS: dict[int, type[BlockCodec]] = {ZSTD: Zstd, PPMD: Ppmd}
_CLASS_BITS = 0x0F
_PRIMED_BYTES_MAX = limits.MIB  # a longer group has enough of its own to learn from
_GROUP_BYTES: dict[Effort, int] = {"fast": limits.MIB, "default": limits.MIB, "max": limits.TEXT_GROUP_BYTES_MAX}
"""A range costs its group at half a megabyte a second; larger ones win 0.6 % of prose, less of the rest (FORMAT.md)."""
_PIECE_BYTES: dict[Effort, int] = {"fast": limits.KIB, "default": limits.KIB, "max": 8 * limits.KIB}
"""What is mixed in each class to see in which a group belongs."""
_REPETITIVE, _HARD = 8.0, 1.1
"""Between these ratios of the mixed form zstd never was the smallest, and is not tried: it takes as long as mixing."""
_PEAK_BYTES = 256 * limits.MIB
_PEAK_BYTES_PER_BYTE = 24

_WARMING = b"The quick brown fox jumps over the lazy dog; the lazy dog does not jump.\n" * 3


@dataclass(frozen=True)
class TextParams(PrimedParams):
    """As every codec's that takes primers, and how much at a time."""

    group_bytes: int = _GROUP_BYTES["default"]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.group_bytes <= limits.TEXT_GROUP_BYTES_MAX:
            raise LimitExceeded(f"group_bytes is {self.group_bytes}; the limit is {limits.TEXT_GROUP_BYTES_MAX}")


class Text(PrimedCodec):
    """A payload is one group of bytes, each decoded alone (FORMAT.md)."""

    facts: ClassVar[Facts] = Facts(
        family="text",
        name="mixing",
        format=Format(0x0300, 1, 0),
        kinds=frozenset({"prose", "text", "code", "markup", "json", "csv"}),
        kinds_if_short=frozenset({"log", "json-lines"}),
        kernels=True,
        falls_back=True,
        takes_primer=True,
        default_bytes_max=limits.TEXT_DEFAULT_BYTES_MAX,
        papers=(
            "Mahoney, Adaptive Weighing of Context Models for Lossless Data Compression, TR CS-2005-16",
            "Mattern, Mixing Strategies in Data Compression, DCC 2012",
        ),
    )
    params_type: ClassVar[type[Params]] = TextParams
    _teacher: "Teacher | None" = None

    @property
    def _own(self) -> TextParams:
        return cast("TextParams", self.params)

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> TextParams:
        return TextParams(effort=effort, group_bytes=_GROUP_BYTES[effort])

    @staticmethod
    def teacher_of(digest: str, primer: bytes) -> "Teacher":
        return _teacher(digest, primer)

    @classmethod
    def make_primer(cls, samples: Sequence[bytes]) -> bytes | None:
        from lithify.codecs.text.primer import choose_text, pack_primer

        text = choose_text(samples)
        return pack_primer(text, class_of(text, "max")) if text else None

    @classmethod
    def warm(cls) -> None:
        """Encode and decode a little. An installation that is unsound says so to who needs it, and to nobody else."""
        for effort in ("default", "max"):
            codec = cls(TextParams(effort=effort))
            with suppress(Unsound):
                codec.decode(codec.encode_group(_WARMING), shared=b"", length=len(_WARMING))

    @classmethod
    def probe(cls, sample: bytes, length: int, effort: Effort) -> Estimate | None:
        """Encode a taste of the sample, and decode it again."""
        piece = taste(sample)
        if not piece:
            return None
        codec = cls(cls.params_for(effort, length))
        started = time.perf_counter()
        payload = codec.encode_group(piece, stands_for=min(length, codec._own.group_bytes))
        encoded = time.perf_counter()
        codec.decode(payload, shared=b"", length=len(piece))
        decoded = time.perf_counter()
        return Estimate(
            ratio=len(piece) / len(payload),
            encode_bytes_per_second=len(piece) / (encoded - started),
            decode_bytes_per_second=len(piece) / (decoded - encoded),
            peak_memory_bytes=_PEAK_BYTES + _PEAK_BYTES_PER_BYTE * min(length, codec._own.group_bytes),
            confidence=0.5 + 0.5 * len(piece) / length,
        )

    def encode(self, source: Source, sink: ChunkSink) -> None:
        """One chunk per group."""
        for group in blocks(source, self._own.group_bytes):
            sink.chunk(self.encode_group(group), group)

    def encode_group(self, group: bytes, *, stands_for: int = 0) -> bytes:
        """The smallest payload of one group of at least one byte; of a piece, tried as so many bytes would be."""
        effort = cast("Effort", self._own.effort)
        payloads = [bytes([STORED]) + group]
        if effort != "fast":
            payloads += self._mixed(group, effort, max(stands_for, len(group)))
        ratio = len(group) / min(map(len, payloads))
        for method, codec in _RAW_CODECS.items():
            if codec is Zstd and _HARD < ratio < _REPETITIVE:
                continue
            payloads.append(bytes([method]) + codec(codec.params_for(effort, len(group))).encode_block(group))
        return min(payloads, key=len)

    def _mixed(self, group: bytes, effort: Effort, length: int) -> list[bytes]:
        """The group mixed, behind the primer if there is one; what it gives without was or will be tried beside it."""
        reads = effort == "max" and length <= limits.TEXT_NETWORK_BYTES_MAX
        if self._teacher is not None and len(group) <= _PRIMED_BYTES_MAX:
            text_class, stream = self._teacher.text_class, self._teacher.encode(group)
            payloads = [] if stream is None else [bytes([PRIMED | text_class]) + _ready(text_class).name + stream]
        else:
            text_class = class_of(group, effort)
            payloads = _in_class(group, text_class, nobody if reads else tell)
        if text_class not in FIRST_CLASSES:
            # Its middle is in another language, but the rest may be JSON with such texts inside; no network knows it.
            text_class = class_of(group, effort, FIRST_CLASSES)
            payloads += _in_class(group, text_class, nobody)
        if reads:
            payloads += _read(group, text_class)
        return payloads

    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        if shared:
            raise Corrupt(f"texts have no use for {len(shared)} shared bytes")
        if not payload:
            raise Truncated("a group of text has no bytes")
        if length > limits.TEXT_GROUP_BYTES_MAX:
            raise LimitExceeded(f"a group of {length} bytes; the limit is {limits.TEXT_GROUP_BYTES_MAX}")
        head, body = payload[0], payload[1:]
        if head == STORED:
            return _same_length(body, length)
        if head in _RAW_CODECS:
            return _RAW_CODECS[head]().decode(body, shared=b"", length=length)
        method, text_class = head & ~_CLASS_BITS, head & _CLASS_BITS
        if method not in (MIXED, PRIMED, READ) or text_class not in set(TextClass):
            raise Corrupt(f"a group of text is kept by method 0x{head:02x}, which does not exist")
        if method == READ:
            if text_class not in FIRST_CLASSES:
                raise Corrupt(f"a group of text is kept by method 0x{head:02x}: no network knows its class")
            return _unread(TextClass(text_class), body, length)
        return self._unmixed(method, TextClass(text_class), body, length)

    def _unmixed(self, method: int, text_class: TextClass, body: bytes, length: int) -> bytes:
        from lithify.codecs.text.mixing import decode_text

        learnt = _ready(text_class)
        stream = _behind_names(body, ("tables",), (learnt.name,))
        if method == MIXED:
            return decode_text(stream, length, learnt, text_class, tell)
        if self._teacher is None or self._teacher.text_class != text_class:
            raise Corrupt("a group of text needs a primer of its class, and the frame names none")
        if length > _PRIMED_BYTES_MAX:
            raise LimitExceeded(f"a group of {length} bytes behind a primer; the limit is {_PRIMED_BYTES_MAX}")
        return self._teacher.decode(stream, length)


def _ready(text_class: TextClass) -> "Learnt":
    from lithify.codecs.text.proof import proved_for

    return proved_for(text_class)


def _in_class(group: bytes, text_class: TextClass, told: Told) -> list[bytes]:
    """The group mixed in one class; `told` hears how far that is."""
    from lithify.codecs.text.mixing import encode_text

    learnt = _ready(text_class)
    stream = encode_text(group, learnt, text_class, told)
    return [] if stream is None else [bytes([MIXED | text_class]) + learnt.name + stream]


def _read(group: bytes, text_class: TextClass) -> list[bytes]:
    """The group mixed, with the network reading along."""
    from lithify.codecs.text.mixing import encode_read
    from lithify.codecs.text.proof import proved_network

    trained = proved_network()
    stream = encode_read(group, trained, text_class, tell)
    return [] if stream is None else [bytes([READ | text_class]) + trained.learnt.name + trained.name + stream]


def _unread(text_class: TextClass, body: bytes, length: int) -> bytes:
    from lithify.codecs.text.mixing import decode_read
    from lithify.codecs.text.proof import proved_network

    if length > limits.TEXT_NETWORK_BYTES_MAX:
        raise LimitExceeded(
            f"a group of {length} bytes that a network read; the limit is {limits.TEXT_NETWORK_BYTES_MAX}"
        )
    trained = proved_network()
    stream = _behind_names(body, ("tables", "network"), (trained.learnt.name, trained.name))
    return decode_read(stream, length, trained, text_class, tell)


def _behind_names(body: bytes, what: Sequence[str], names: Sequence[bytes]) -> bytes:
    """The stream behind the names of all that decoding needs. Raises Truncated, or Corrupt if we have others."""
    at = 0
    for one, name in zip(what, names, strict=True):
        found = body[at : at + len(name)]
        at += len(name)
        if len(found) < len(name):
            raise Truncated(f"a mixed group of text ends before the name of its {one}")
        if found != name:
            raise Corrupt(
                f"a group of text needs the {one} whose SHA-256 begins with {found.hex()}; this release has "
                f"{name.hex()}"
            )
    return body[at:]


@lru_cache(maxsize=2)
def _teacher(digest: str, primer: bytes) -> "Teacher":
    """A primer, unpacked; the last ones are kept, because small originals come in crowds."""
    from lithify.codecs.text.primer import Teacher

    return Teacher(primer, _ready)


def class_of(text: bytes, effort: Effort, classes: Iterable[TextClass] = TextClass) -> TextClass:
    """The class in which a piece from the middle becomes smallest."""
    from lithify.codecs.text.mixing import encode_text

    start = max(0, (len(text) - _PIECE_BYTES[effort]) // 2)
    piece = text[start : start + _PIECE_BYTES[effort]]
    return min(classes, key=lambda one: len(encode_text(piece, _ready(one), one) or piece))


def _same_length(data: bytes, length: int) -> bytes:
    if len(data) != length:
        raise Corrupt(f"a stored group has {len(data)} bytes, the chunk table says {length}")
    return data
