"""What the earlier files of a collection are worth to the next one: short files of each log, primed and not."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import islice
from statistics import geometric_mean

from bench.bars import Bar
from bench.figures import table
from bench.log_files import LogFile, by_bytes, by_lines
from lithify import limits
from lithify.codecs.codec import Codec
from lithify.codecs.frame import FrameWriter, at_hand, decode_frame
from lithify.codecs.frame.primers import digest_of
from lithify.codecs.logs.codec import Logs
from lithify.workers.sources import FileSource

_GAIN = 1.5


@dataclass(frozen=True, slots=True)
class Kind:
    """Files of whole lines, cut one after another: some teach, those that follow learn."""

    name: str
    cut: Callable[[bytes], Iterator[bytes]]
    teachers: int
    learners: int


KINDS = (
    Kind("2 KB", partial(by_bytes, least=2_000), limits.PRIMER_SAMPLES_MAX, 32),
    Kind("2,000 lines", partial(by_lines, count=2_000), 8, 8),
    Kind("200 KB", partial(by_bytes, least=200_000), 8, 8),
)


@dataclass(frozen=True, slots=True)
class Gain:
    """Bytes of the frames, and of the payloads in them: a frame of one small file also says what it is."""

    plain: int
    primed: int
    plain_payloads: int
    primed_payloads: int
    primer: int

    @property
    def times(self) -> float:
        """How many times smaller the frames are with the primer."""
        return self.plain / self.primed

    @property
    def payload_times(self) -> float:
        """The same of the payloads alone."""
        return self.plain_payloads / self.primed_payloads


def measure(files: Sequence[LogFile]) -> list[Bar]:
    """Every kind of each log; prints the gains, gives the bars."""
    gains: dict[str, list[Gain]] = {kind.name: [] for kind in KINDS}
    rows = []
    for file in files:
        data = file.read()
        for kind in KINDS:
            gain = _gain(data, kind)
            if gain is not None:
                gains[kind.name].append(gain)
                rows.append((f"{file.name}, {kind.name}", *_row(gain)))
    titles = ("log and file", "bytes", "primed", "gain", "payloads", "primed", "gain", "primer")
    table(titles, rows)
    return [
        Bar(f"files of {name}: primed / unprimed", _GAIN, geometric_mean(one.times for one in found))
        for name, found in gains.items()
        if found
    ]


def _row(gain: Gain) -> tuple[str, ...]:
    return (
        *(f"{gain.plain:,}", f"{gain.primed:,}", f"{gain.times:.2f}"),
        *(f"{gain.plain_payloads:,}", f"{gain.primed_payloads:,}", f"{gain.payload_times:.2f}"),
        f"{gain.primer:,}" if gain.primer else "none",
    )


def _gain(data: bytes, kind: Kind) -> Gain | None:
    """What the first pieces of a log are worth to the next; None: it is too short for two."""
    cut = list(islice(kind.cut(data), kind.teachers + kind.learners))
    teachers = min(kind.teachers, len(cut) // 2)
    if not teachers:
        return None
    primer = Logs.make_primer(cut[:teachers][::-1])  # the newest first
    learners = cut[teachers:]
    plain = [_frame(Logs, piece, None) for piece in learners]
    primed = [_frame(Logs, piece, primer) for piece in learners]
    sums = [sum(column) for frames in (plain, primed) for column in zip(*frames, strict=True)]
    return Gain(sums[0], sums[2], sums[1], sums[3], len(primer or b""))


def _frame(kind: type[Codec], piece: bytes, primer: bytes | None) -> tuple[int, int]:
    """The length of a frame of one piece and of its payloads, once it has been decoded and compared."""
    codec = kind(kind.params_for("default", len(piece)))
    if primer is not None:
        codec = kind(kind.params_with_primer(codec.params, digest_of(primer))).primed(primer)
    out = BytesIO()
    writer = FrameWriter(out)
    codec.encode(FileSource(BytesIO(piece)), writer.sink(codec))
    frame = writer.finish()
    primers = at_hand([] if primer is None else [primer])
    assert b"".join(decode_frame(out, primers=primers)) == piece
    return len(out.getvalue()), sum(frame.chunks.stored_lengths())
