"""Moving pictures: raw video without loss beside its rivals, and films above a floor.

python -m bench media_video [--only exact|floor] [--effort EFFORT] [--floor CONTRACT] [FILE...]

Without files: the raw video and the films of ../shared/data/media; films are decoded to Y4M first, up to 48 pictures,
since nothing else there is long enough. Everything that is ours is decoded and compared. Rivals are those of ffmpeg, in
one thread: x264 at preset veryslow, SVT-AV1 without loss. Seconds are of processor time, and of the clock for floors.
Ten minutes on two cores.
"""

import argparse
import io
import lzma
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bench.codecs import MEASURED_DATA
from bench.figures import table
from lithify import limits
from lithify.codecs.codec import EFFORTS, Effort
from lithify.codecs.frame import FrameWriter, decode_frame
from lithify.codecs.media.ffmpeg.program import program
from lithify.codecs.media.pixels import Pixels
from lithify.codecs.media.video import MovingPictures
from lithify.workers.pack import pack_file
from lithify.workers.sources import FileSource

_RIVALS = {
    "FFV1": ["-c:v", "ffv1", "-level", "3", "-coder", "1", "-context", "1", "-g", "300"],
    "x264 qp 0": ["-c:v", "libx264", "-qp", "0", "-preset", "veryslow"],
    "SVT-AV1": ["-c:v", "libsvtav1", "-preset", "5", "-svtav1-params", "lossless=1"],
}


def main(arguments: list[str]) -> None:
    """Both tables, or one."""
    parser = argparse.ArgumentParser(prog="python -m bench media_video")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--only", choices=("exact", "floor"))
    parser.add_argument("--effort", choices=EFFORTS, default="default")
    parser.add_argument("--pictures", type=int, default=48, help="of each film that is decoded to raw video")
    parser.add_argument("--floor", default="floor:vmaf=93")
    asked = parser.parse_args(arguments)
    folder = MEASURED_DATA / "media"
    films = [path for path in asked.files or sorted(folder.glob("video/*")) if path.suffix in {".mp4", ".mkv"}]
    raws = [path for path in asked.files or sorted(folder.glob("y4m/*")) if path.suffix in {".yuv", ".y4m"}]
    if asked.only != "floor":
        clips = {path.name: path.read_bytes() for path in raws} | {
            path.name: _clip(path, asked.pictures) for path in films
        }
        head = ("raw video, bytes", "original", "lithify", "in, s", "out, s", "pixels", "xz -6", *_RIVALS)
        table(head, _exact(clips, asked.effort))
    if asked.only != "exact":
        head = (asked.floor, "original", "packed", "codec", "measured", "low 1 %", "s")
        table(head, [_floor(path, asked.floor, asked.effort) for path in films])


def _clip(film: Path, pictures: int) -> bytes:
    """The first pictures of a film, as Y4M."""
    run = [program(), "-v", "error", "-i", str(film), "-frames:v", str(pictures), "-pix_fmt", "yuv420p"]
    return subprocess.run([*run, "-f", "yuv4mpegpipe", "-"], capture_output=True, check=True).stdout


def _exact(clips: dict[str, bytes], effort: Effort) -> list[Sequence[object]]:
    rows: list[Sequence[object]] = []
    for name, data in clips.items():
        frame, into = _timed(partial(_framed, data, effort))
        back, out = _timed(partial(_unframed, frame))
        assert back == data, f"{name} did not come back"
        fits = len(data) <= limits.PART_BYTES
        others = [len(Pixels().encode_file(data)) if fits else 0, len(lzma.compress(data, preset=6))]
        sizes = [*others, *(_rival(data, options) for options in _RIVALS.values())]
        told = (f"{size:,}" if size else "-" for size in sizes)
        rows.append((name[-16:], f"{len(data):,}", f"{len(frame):,}", f"{into:.1f}", f"{out:.1f}", *told))
    return rows


def _framed(data: bytes, effort: Effort) -> bytes:
    writer = FrameWriter(file := io.BytesIO())
    codec = MovingPictures(MovingPictures.params_for(effort, len(data)))
    codec.encode(FileSource(io.BytesIO(data)), writer.sink(codec))
    writer.finish()
    return file.getvalue()


def _unframed(frame: bytes) -> bytes:
    return b"".join(decode_frame(io.BytesIO(frame)))


def _timed(work: Callable[[], bytes]) -> tuple[bytes, float]:
    started = time.process_time()
    return work(), time.process_time() - started


def _rival(data: bytes, options: Sequence[str]) -> int:
    """Bytes that an encoder of ffmpeg makes of a Y4M file; 0: it cannot read it."""
    if not data.startswith(b"YUV4MPEG2"):
        return 0
    run = [program(), "-v", "error", "-f", "yuv4mpegpipe", "-i", "-", "-threads", "1", *options, "-f", "matroska", "-"]
    return len(subprocess.run(run, input=data, capture_output=True, check=True).stdout)


def _floor(path: Path, contract: str, effort: str) -> Sequence[object]:
    with path.open("rb") as original, tempfile.TemporaryFile() as frame:
        started = time.perf_counter()
        made = pack_file(original, frame, contract=contract, effort=effort)
        seconds = time.perf_counter() - started
    metric = contract.partition(":")[2].partition("=")[0]
    figures = made["fidelity"]
    return (
        path.name[-40:],
        f"{made['original_bytes']:,}",
        f"{made['packed_bytes']:,}",
        figures.get("codec", made["codec"]),
        *(figures.get(name, "-") for name in (metric, f"{metric}_low_1_percent")),
        f"{seconds:.0f}",
    )
