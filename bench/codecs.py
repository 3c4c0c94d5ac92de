"""What the raw codecs make of files at each effort, beside what people use today."""

import lzma
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import brotli
import zstandard

from bench.figures import table
from bench.samples import log_lines
from lithify.codecs.codec import EFFORTS, Codec
from lithify.codecs.frame import FrameWriter, decode_frame
from lithify.codecs.registry import all_codecs
from lithify.workers.sources import FileSource

MEASURED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_BYTES_MAX = 4_000_000
Pack = Callable[[bytes], bytes]


def _zstd(level: int, *, long: bool = False) -> tuple[Pack, Pack]:
    window = 27 if long else 0
    settings = zstandard.ZstdCompressionParameters.from_level(level, window_log=window, enable_ldm=long)
    unpack = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompress
    return zstandard.ZstdCompressor(compression_params=settings).compress, unpack


RIVALS: dict[str, tuple[Pack, Pack]] = {
    "zstd -3": _zstd(3),
    "zstd -19 --long": _zstd(19, long=True),
    "xz -9e": (lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME), lzma.decompress),
    "brotli -11": (lambda data: brotli.compress(data, quality=11, lgwin=24), brotli.decompress),
}


def ours(codec: type[Codec], effort: str) -> tuple[Pack, Pack]:
    """A codec as a frame of its own: what it costs on disk, envelope and all."""

    def pack(data: bytes) -> bytes:
        out = BytesIO()
        writer = FrameWriter(out)
        chosen = codec(codec.params_for(effort, len(data)))  # type: ignore[arg-type] # one of EFFORTS
        chosen.encode(FileSource(BytesIO(data)), writer.sink(chosen))
        writer.finish()
        return out.getvalue()

    return pack, lambda frame: b"".join(decode_frame(BytesIO(frame)))


def measured(data: bytes, ways: tuple[Pack, Pack]) -> tuple[str, str, str]:
    """Ratio, and megabytes a second in and out."""
    pack, unpack = ways
    started = time.perf_counter()
    packed = pack(data)
    middle = time.perf_counter()
    assert unpack(packed) == data
    seconds = middle - started, time.perf_counter() - middle
    return f"{len(data) / len(packed):.3f}", *(f"{len(data) / 1e6 / spent:.1f}" for spent in seconds)  # type: ignore[return-value]


def samples(paths: list[Path]) -> Iterator[tuple[str, bytes]]:
    """The files given; else some of each kind from the data to measure with; else lines made here."""
    if paths:
        yield from ((path.name, path.read_bytes()) for path in paths)
    elif MEASURED_DATA.is_dir():
        yield from _measured_data()
    else:
        yield "log lines made here", log_lines(_BYTES_MAX, 1)


def _measured_data() -> Iterator[tuple[str, bytes]]:
    for path in sorted(MEASURED_DATA.glob("logs/*.xz"))[:3]:
        with lzma.open(path) as log:
            yield path.stem, log.read(_BYTES_MAX)
    for path in sorted(MEASURED_DATA.glob("text/*.tar.xz")):
        with tarfile.open(path) as tar, tempfile.TemporaryFile() as joined:
            for member in tar:
                if (file := tar.extractfile(member)) is not None:
                    joined.write(file.read())
            joined.seek(0)
            yield path.stem, joined.read(_BYTES_MAX)
    for pattern in ("arrays/*.nc", "arrays/*f32.npy"):
        for path in sorted(MEASURED_DATA.glob(pattern))[:2]:
            yield path.name, path.read_bytes()[:_BYTES_MAX]


def main(arguments: list[str]) -> None:
    """One block of rows for each file; files may be given by name."""
    rows: list[tuple[str, ...]] = []
    for name, data in samples([Path(argument) for argument in arguments]):
        print(f"{name}: {len(data):,} bytes", file=sys.stderr)
        rows.append((f"{name}, {len(data) / 1e6:.2f} MB", "", "", ""))
        ways = dict(RIVALS)
        for codec in all_codecs():
            ways |= {f"{codec.facts.id} {effort}": ours(codec, effort) for effort in EFFORTS}
        rows += [(f"  {title}", *measured(data, way)) for title, way in ways.items()]
    table(("file and codec", "ratio", "in, MB/s", "out, MB/s"), rows)
