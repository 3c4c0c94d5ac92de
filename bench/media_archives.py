"""Deflate streams by every encoder at hand, and archives and documents as people send them."""

import lzma
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import brotli
import imagecodecs

from bench.bars import Bar
from bench.codecs import MEASURED_DATA
from bench.figures import table
from bench.media_encoders import encoders_at_hand
from bench.text_files import text_files
from lithify import limits
from lithify.codecs.media.containers.codec import Deflate
from lithify.codecs.media.containers.find import Walk
from lithify.codecs.media.containers.recalled import NEW, Recalled
from lithify.codecs.media.deflate.engine import open_stream, rebuild, warm
from lithify.codecs.media.whole_file import EffortParams

_DOCUMENTS = MEASURED_DATA / "media" / "docs"
_PICTURES = MEASURED_DATA / "media" / "kodak"
_PLAIN_BYTES = 400_000
_TEXTS = ("json/twitter.json", "calgary/book1", "code/zstd.c")
_CHEAP = 0.02
"""Corrections, as a part of the plain bytes, below which a stream counts as predicted."""
_BROTLI_BYTES_MAX = 4 * limits.MIB


@dataclass
class _Speeds:
    """Bytes and seconds, each way."""

    plain: int = 0
    opening: float = 0.0
    closing: float = 0.0


# --- encoders ---------------------------------------------------------------------------------------------


def encoders(paths: Sequence[Path]) -> list[Bar]:
    """What corrections cost, by who deflated, of some texts and an image's rows."""
    samples = {path.name: path.read_bytes()[:_PLAIN_BYTES] for path in paths} or _samples()
    warm()
    speeds, shares, rows = _Speeds(), [], []
    for name, deflate in encoders_at_hand().items():
        cells = []
        for plain in samples.values():
            share = _cost(plain, deflate(plain), speeds)
            shares.append(share)
            cells.append("not opened" if share is None else f"{100 * share:.3f}")
        rows.append((name, *cells))
    table(("corrections, % of plain bytes", *samples), rows)
    if not shares:
        return []
    return [
        Bar("streams told in less than 2 % corrections, %", 90, 100 * mean(_is_cheap(share) for share in shares)),
        Bar("opening, MB/s of plain bytes", 5, speeds.plain / speeds.opening / 1e6),
        Bar("closing, MB/s of plain bytes", 5, speeds.plain / speeds.closing / 1e6),
    ]


def _is_cheap(share: float | None) -> bool:
    return share is not None and share < _CHEAP


def _cost(plain: bytes, stream: bytes, speeds: _Speeds) -> float | None:
    started = time.process_time()
    opened = open_stream(stream)
    middle = time.process_time()
    if opened is None:
        return None
    assert stream[: opened.end] == rebuild(opened.plain, opened.recipe)
    assert plain == opened.plain
    speeds.plain += len(plain)
    speeds.opening += middle - started
    speeds.closing += time.process_time() - middle
    return len(opened.recipe) / len(plain)


def _samples() -> dict[str, bytes]:
    found = {file.name: file.data[:_PLAIN_BYTES] for file in text_files([]) if file.name in _TEXTS}
    for path in sorted(_PICTURES.glob("*.png"))[:1]:
        rows = imagecodecs.png_decode(path.read_bytes()).astype("int16")
        found[path.name] = (rows[1:] - rows[:-1]).astype("uint8").tobytes()[:_PLAIN_BYTES]
    return found


# --- archives ---------------------------------------------------------------------------------------------


def archives(paths: Sequence[Path]) -> list[Bar]:
    """What is saved of whole files, at each effort, beside the best general coder."""
    files = list(paths) or sorted(path for path in _DOCUMENTS.glob("*") if path.is_file())
    rows, pdfs, shares, out, wrong = [], [], [], _Speeds(), 0
    warm()
    for path in files:
        original = path.read_bytes()
        costs = list(_stream_costs(original))
        shares += costs
        saved, into, back = _saved(original, "default")
        fast, _, fast_back = _saved(original, "fast")
        out.plain += len(original)
        out.closing += fast_back
        wrong += saved is None or fast is None
        if path.suffix == ".pdf":
            pdfs.append(saved or 0.0)
        rows.append(
            (
                path.name[:36],
                f"{len(original):,}",
                len(costs),
                f"{100 * sum(map(_is_cheap, costs)) / len(costs):.0f}" if costs else "-",
                f"{_best_general(original):.1f}",
                f"{fast or 0:.1f}",
                f"{saved or 0:.1f}",
                f"{len(original) / into / 1e6:.2f}",
                f"{len(original) / back / 1e6:.2f}",
                f"{len(original) / fast_back / 1e6:.2f}",
            )
        )
    titles = (
        "file",
        "bytes",
        "streams",
        "% under 2 %",
        "general, % saved",
        "fast",
        "default",
        "in MB/s",
        "out",
        "fast out",
    )
    table(titles, rows)
    if not rows:
        return []
    bars = [Bar("files that came back wrong", 0, wrong, at_most=True)]
    if shares:
        bars.append(Bar("their streams in less than 2 %, %", 90, 100 * mean(_is_cheap(share) for share in shares)))
    if pdfs:
        bars.append(Bar("PDF, % saved, mean", 15, mean(pdfs)))
    return [*bars, Bar("decoding at effort fast, MB/s of files", 8, out.plain / out.closing / 1e6)]


def _stream_costs(original: bytes) -> Iterator[float]:
    """Of each stream the bytes of its recipe, if it is the first to have it: whoever has the same names it by rank."""
    recalled = Recalled()
    for found in Walk(original, limits.OPENED_BYTES_MAX).found():
        if found.opened is not None:
            told = recalled.rank(found.opened.recipe) == NEW
            yield told * len(found.opened.recipe) / len(found.opened.plain)


def _saved(original: bytes, effort: str) -> tuple[float | None, float, float]:
    """Percent saved (None: another file came back), and seconds each way."""
    started = time.process_time()
    payload = Deflate(EffortParams(effort)).encode_file(original)
    middle = time.process_time()
    again = Deflate().decode(payload, shared=b"", length=len(original))
    ended = time.process_time()
    saved = 100 - 100 * len(payload) / len(original)
    return (saved if again == original else None), middle - started, ended - middle


def _best_general(original: bytes) -> float:
    packed = [len(lzma.compress(original, preset=9))]
    if len(original) <= _BROTLI_BYTES_MAX:
        packed.append(len(brotli.compress(original, quality=11)))
    return 100 - 100 * min(packed) / len(original)
