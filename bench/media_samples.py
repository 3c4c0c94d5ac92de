"""The codecs of pictures and sound beside their rivals: bytes saved, speed, what is proved.

python -m bench media_samples [--only SECTION]... [--effort EFFORT] [FILE...]

Without files, those in ../shared/data/media; a file goes to the section of its kind. Everything runs in one thread,
rivals and ours in the same run; speeds are megabytes (1,000,000 bytes) of files a second of processor time. Two
minutes.
"""

import argparse
import lzma
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import brotli

from bench.bars import Bar, print_bars
from bench.codecs import MEASURED_DATA, Pack
from bench.figures import table
from lithify.codecs.codec import EFFORTS, Codec
from lithify.codecs.frame import FrameWriter, decode_frame
from lithify.codecs.media.audio import Audio
from lithify.codecs.media.gif import Gif
from lithify.codecs.media.jpeg import Jpeg
from lithify.codecs.media.pixels import Pixels
from lithify.codecs.media.png import PngCodec
from lithify.workers.sources import FileSource

OURS = "lithify"
_FLAC_HEAD = struct.Struct("<IIB")
Ways = dict[str, tuple[Pack, Pack]]


class Lost(Exception):
    """A rival could not pack a file, or gave other bytes back: it is counted as stored."""


@dataclass(frozen=True)
class Section:
    """One codec, on the files of its kind."""

    codec: type[Codec]
    folders: tuple[str, ...]
    suffixes: tuple[str, ...]
    rivals: Callable[[], Ways]
    bars: dict[str, float]
    """By folder: per cent that must be saved."""


@dataclass
class Figures:
    """One way of packing, on all files."""

    packed: dict[Path, int] = field(default_factory=dict)
    bytes: int = 0
    """Of files that came back."""
    seconds_in: float = 0.0
    seconds_out: float = 0.0
    lost: int = 0


def main(arguments: list[str]) -> None:
    """Each section prints its tables when it is done; the bars come last."""
    parser = argparse.ArgumentParser(prog="python -m bench media_samples")
    parser.add_argument("files", nargs="*", type=Path, help="pictures and sound")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="one section; may be given again")
    parser.add_argument("--effort", choices=EFFORTS, default="default", help="of ours")
    asked = parser.parse_args(arguments)
    bars: list[Bar] = []
    for name in asked.only or SECTIONS:
        files = _files(SECTIONS[name], asked.files)
        if files:
            bars += _measure(name, SECTIONS[name], files, asked.effort)
        else:
            print(f"{name}: nothing to measure with")
    print_bars(bars)


def _files(section: Section, named: Sequence[Path]) -> list[Path]:
    folders = [MEASURED_DATA / "media" / folder for folder in section.folders]
    paths = named or [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]
    return [path for path in paths if path.suffix.lower() in section.suffixes]


def _measure(name: str, section: Section, files: Sequence[Path], effort: str) -> Iterable[Bar]:
    section.codec.warm()
    ways = {OURS: _ours(section.codec, effort), "xz -9e": _xz(), "brotli -11": _brotli(), **section.rivals()}
    figures = {way: _figures(files, packers, f"{name}: {way}") for way, packers in ways.items()}
    rows = [
        (path.name[-44:], f"{path.stat().st_size:,}", *(_saved(figures[way], [path]) for way in ways)) for path in files
    ]
    groups = {folder: [path for path in files if path.parent.name == folder] for folder in section.folders}
    for folder, found in groups.items():
        if found:
            rows.append((f"all of {folder}", f"{_bytes(found):,}", *(_saved(figures[way], found) for way in ways)))
    table((f"{name}: per cent saved", "bytes", *ways), rows)
    speeds = [
        (way, *(f"{one.bytes / 1e6 / max(spent, 1e-6):.2f}" for spent in (one.seconds_in, one.seconds_out)), one.lost)
        for way, one in figures.items()
    ]
    table((name, "in, MB/s cpu", "out, MB/s cpu", "files lost"), speeds)
    return _bars(name, section, groups, figures)


def _bars(name: str, section: Section, groups: dict[str, list[Path]], figures: dict[str, Figures]) -> Iterable[Bar]:
    for folder, bound in section.bars.items():
        if groups.get(folder):
            yield Bar(f"{name}, {folder}: per cent saved", bound, float(_saved(figures[OURS], groups[folder])))
    files = list(figures[OURS].packed)
    rivals = [one for way, one in figures.items() if way != OURS]
    worst = max(figures[OURS].packed[path] / min(one.packed[path] for one in rivals) for path in files)
    yield Bar(f"{name}, worst file: bytes / those of the best rival", 1.0, worst, at_most=True)
    yield Bar(f"{name}: files that did not come back", 0, figures[OURS].lost, at_most=True)


def _bytes(files: Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in files)


def _saved(figures: Figures, files: Sequence[Path]) -> str:
    return f"{100 * (1 - sum(figures.packed[path] for path in files) / _bytes(files)):.2f}"


def _figures(files: Sequence[Path], way: tuple[Pack, Pack], name: str) -> Figures:
    """What comes back is compared; a file that a way loses counts as stored."""
    print(name, file=sys.stderr)
    found = Figures()
    for path in files:
        data = path.read_bytes()
        started = _processor_seconds()
        try:
            packed = way[0](data)
            middle = _processor_seconds()
            again = way[1](packed)
        except Lost:
            packed, again = data, b""
        found.lost += again != data
        found.packed[path] = len(packed) if again == data else len(data)
        if again == data:
            found.bytes += len(data)
            found.seconds_in += middle - started
            found.seconds_out += _processor_seconds() - middle
    return found


def _processor_seconds() -> float:
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


# --- ways -------------------------------------------------------------------------------------------------


def _ours(codec: type[Codec], effort: str) -> tuple[Pack, Pack]:
    """A codec as a frame of its own: what it costs on disk, envelope and all."""

    def pack(data: bytes) -> bytes:
        writer = FrameWriter(out := BytesIO())
        chosen = codec(codec.params_for(cast("Any", effort), len(data)))
        chosen.encode(FileSource(BytesIO(data)), writer.sink(chosen))
        writer.finish()
        return out.getvalue()

    return pack, lambda frame: b"".join(decode_frame(BytesIO(frame)))


def _xz() -> tuple[Pack, Pack]:
    return partial(lzma.compress, preset=9 | lzma.PRESET_EXTREME), lzma.decompress


def _brotli() -> tuple[Pack, Pack]:
    return lambda data: brotli.compress(data, quality=11, lgwin=24), brotli.decompress


def _jpeg_rivals() -> Ways:
    from lithify.codecs.media.jpeg_coders import JXL, LEPTON, decode_jpeg, encode_jpeg
    from lithify.errors import BadBytes

    def pack(coder: int, data: bytes) -> bytes:
        found = encode_jpeg(data, (coder,))
        if found is None:
            raise Lost
        return len(data).to_bytes(4, "little") + found[1]

    def unpack(coder: int, packed: bytes) -> bytes:
        try:
            return decode_jpeg(coder, packed[4:], int.from_bytes(packed[:4], "little"))
        except BadBytes as error:
            raise Lost from error

    names = {"Lepton": LEPTON, "JPEG XL": JXL}
    return {name: (partial(pack, coder), partial(unpack, coder)) for name, coder in names.items()}


def _sound_rivals() -> Ways:
    """FLAC as its densest level makes it, where ffmpeg is installed; a file whose samples it cannot keep is lost."""
    try:
        import imageio_ffmpeg
    except ModuleNotFoundError:
        return {}
    program: str = imageio_ffmpeg.get_ffmpeg_exe()
    return {"FLAC -12": (partial(_flac, program), partial(_unflac, program))}


def _flac(program: str, data: bytes) -> bytes:
    """The FLAC without its padding, with what stands around the samples packed by xz."""
    from lithify.codecs.media.sound_files import Kind, find_sound

    layout = find_sound(data)
    if layout is None or layout.kind in {Kind.F32LE, Kind.F32BE}:
        raise Lost
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "in.wav"), Path(folder, "out.flac")
        source.write_bytes(data)
        strictness = ("-strict", "experimental") if layout.kind in {Kind.S32LE, Kind.S32BE} else ()
        _run(program, source, "-map", "0:a:0", "-c:a", "flac", *strictness, "-compression_level", "12", made)
        flac = made.read_bytes()
    around = lzma.compress(data[: layout.start] + data[layout.end :], preset=9)
    head = _FLAC_HEAD.pack(len(around), layout.start, layout.frame_bytes // layout.channels)
    return head + around + _without_padding(flac)


def _unflac(program: str, packed: bytes) -> bytes:
    size, start, width = _FLAC_HEAD.unpack_from(packed)
    around = lzma.decompress(packed[_FLAC_HEAD.size : _FLAC_HEAD.size + size])
    with tempfile.TemporaryDirectory() as folder:
        source, raw = Path(folder, "in.flac"), Path(folder, "out.raw")
        source.write_bytes(packed[_FLAC_HEAD.size + size :])
        _run(program, source, "-f", {1: "u8", 2: "s16le", 3: "s24le", 4: "s32le"}[width], raw)
        return around[:start] + raw.read_bytes() + around[start:]


def _without_padding(flac: bytes) -> bytes:
    kept, at, last = [flac[:4]], 4, False
    while not last:
        head, size = flac[at], int.from_bytes(flac[at + 1 : at + 4], "big")
        last = bool(head & 0x80)
        if head & 0x7F == 0:
            kept.append(bytes([head | 0x80]) + flac[at + 1 : at + 4 + size])
        at += 4 + size
    return b"".join([*kept, flac[at:]])


def _run(program: str, source: Path, *words: str | Path) -> None:
    try:
        subprocess.run([program, "-v", "quiet", "-nostdin", "-y", "-threads", "1", "-i", source, *words], check=True)
    except subprocess.CalledProcessError as error:
        raise Lost from error


SECTIONS = {
    "jpeg": Section(Jpeg, ("jpeg",), (".jpg", ".jpeg"), _jpeg_rivals, {"jpeg": 23.5}),
    "audio": Section(Audio, ("audio",), (".wav", ".aif", ".aiff", ".au"), _sound_rivals, {"audio": 55}),
    "png": Section(PngCodec, ("kodak", "screens", "png_misc"), (".png",), dict, {"kodak": 28, "screens": 25}),
    "gif": Section(
        Gif, ("gif",), (".gif",), lambda: {"brotli -6": (partial(brotli.compress, quality=6), brotli.decompress)}, {}
    ),
    "pixels": Section(
        Pixels,
        ("dicom", "tiff", "y4m"),
        (".dcm", ".tif", ".tiff", ".bmp", ".ppm", ".pgm", ".y4m", ".yuv"),
        lambda: {"brotli -6": (lambda data: brotli.compress(data, quality=6), brotli.decompress)},
        {},
    ),
}
