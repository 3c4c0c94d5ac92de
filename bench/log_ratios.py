"""How small and how fast the logs codec is, beside general coders in the same run and a published log compressor."""

import gzip
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import geometric_mean, median

import pyppmd

from bench.bars import Bar, mean_of_quotients
from bench.codecs import RIVALS, Pack, ours
from bench.figures import table
from bench.log_files import LogFile
from lithify.codecs.codec import EFFORTS
from lithify.codecs.logs.codec import Logs
from lithify.codecs.raw.ppmd import Ppmd
from lithify.limits import MIB

ROUNDS = 3
_ENOUGH_SECONDS = 30.0  # a way that took so long on a file is not run again: its figures no longer hang on chance
_WARM_BYTES = 256 * 1024
_SPEED_BYTES_MIN = 10_000_000  # bars of speed hold for files of at least this size
_PPMD_ORDER, _PPMD_MEMORY_BYTES = 8, 256 * MIB
_PPMD_PIECE_BYTES = 8 * 1024  # pyppmd 1.3.1 loses bytes when one call gives more than 32 KiB
_PPMD_LENGTH_BYTES = 8
_SLOW = "brotli -11"
_TITLES = ("ratio", "in, MB/s cpu", "out, MB/s cpu", "in, wall", "out, wall")
BEST_OF = ("xz -9e", "zstd -19 --long", "ppmd -o8")

LOGFOLD = {
    ("Proxifier.log", 2_541_814): 29.18,
    ("ali_LogD.log", 3_456_199): 6.13,
    ("cowrie2_text.log", 11_999_080): 35.0,
    ("cowrie_json.log", 11_999_617): 37.24,
    ("nginx_json.log", 2_784_760): 193.87,
    ("pg_text.log", 11_999_963): 35.96,
    ("web_access.log", 10_654_833): 24.8,
}
"""Ratios of LogFold from a study of these very files, known by their names and lengths."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One way of packing one file; speeds in MB a second of processor time, and of the clock."""

    ratio: float
    pack: float
    unpack: float
    pack_wall: float
    unpack_wall: float


Results = dict[LogFile, dict[str, Figures]]
Ways = dict[str, tuple[Pack, Pack]]


def ways(*, slow: bool) -> Ways:
    """Ours, then the rivals. All of them pack a file as a whole, in one thread."""
    found: Ways = {f"logs {effort}": ours(Logs, effort) for effort in EFFORTS}
    found |= {name: RIVALS[name] for name in RIVALS if slow or name != _SLOW}
    found["ppmd -o8"] = _ppmd, _unppmd
    found["raw.ppmd"] = ours(Ppmd, "default")
    found["gzip -6"] = (lambda data: gzip.compress(data, 6), gzip.decompress)
    return found


def _ppmd(data: bytes) -> bytes:
    encoder = pyppmd.Ppmd7Encoder(_PPMD_ORDER, _PPMD_MEMORY_BYTES)
    starts = range(0, len(data), _PPMD_PIECE_BYTES)
    parts = [encoder.encode(data[start : start + _PPMD_PIECE_BYTES]) for start in starts]
    return b"".join([len(data).to_bytes(_PPMD_LENGTH_BYTES, "little"), *parts, encoder.flush()])


def _unppmd(packed: bytes) -> bytes:
    decoder = pyppmd.Ppmd7Decoder(_PPMD_ORDER, _PPMD_MEMORY_BYTES)
    length = int.from_bytes(packed[:_PPMD_LENGTH_BYTES], "little")
    data: bytes = decoder.decode(packed[_PPMD_LENGTH_BYTES:] + bytes(8), length)
    return data


# --- measuring --------------------------------------------------------------------------------------------


def measure(files: Sequence[LogFile], *, slow: bool) -> Results:
    """Every way on every file; prints a table of each file as soon as it is done."""
    results: Results = {}
    chosen = ways(slow=slow)
    for file in files:
        data = file.read()
        for way in chosen.values():
            _figures(data[:_WARM_BYTES], way, rounds=1)
        results[file] = {name: _named(name, data, way) for name, way in chosen.items()}
        _print_file(file, results[file])
    return results


def _named(name: str, data: bytes, way: tuple[Pack, Pack]) -> Figures:
    print(f"{name}: {len(data):,} bytes", file=sys.stderr)
    return _figures(data, way, ROUNDS)


def _figures(data: bytes, way: tuple[Pack, Pack], rounds: int) -> Figures:
    """Medians of some rounds; what comes back is compared each time."""
    pack, unpack = way
    spent: list[tuple[float, ...]] = []
    packed = b""
    started = time.perf_counter()
    while len(spent) < rounds and time.perf_counter() - started < _ENOUGH_SECONDS:
        packed, *packing = _timed(pack, data)
        unpacked, *unpacking = _timed(unpack, packed)
        assert unpacked == data, "a way that loses bytes has no figures"
        spent.append((packing[0], unpacking[0], packing[1], unpacking[1]))
    speeds = [len(data) / 1e6 / max(median(column), 1e-9) for column in zip(*spent, strict=True)]
    return Figures(len(data) / len(packed), *speeds)


def _timed(work: Callable[[bytes], bytes], data: bytes) -> tuple[bytes, float, float]:
    """What `work` gives, and its seconds of processor time and of the clock."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = work(data)
    return found, time.process_time() - cpu, time.perf_counter() - wall


# --- what comes out ---------------------------------------------------------------------------------------


def _print_file(file: LogFile, figures: dict[str, Figures]) -> None:
    table(
        (f"{file.name}, {file.length / 1e6:.2f} MB", *_TITLES),
        [(name, *_row(found)) for name, found in figures.items()],
    )


def _row(found: Figures) -> tuple[str, ...]:
    speeds = (found.pack, found.unpack, found.pack_wall, found.unpack_wall)
    return f"{found.ratio:.2f}", *(f"{speed:,.1f}" for speed in speeds)


def print_summary(results: Results) -> None:
    """The ratios of all files side by side, and the geometric means."""
    rows = [_beside(file, figures) for file, figures in results.items()]
    table(("ratios", *EFFORTS, "best rival", "", "/ best", "LogFold (published study)", "/ LogFold"), rows)
    means = [(name, *_row(_means([figures[name] for figures in results.values()]))) for name in _names(results)]
    table(("geometric means", *_TITLES), means)


def _beside(file: LogFile, figures: dict[str, Figures]) -> tuple[str, ...]:
    """Ours, the best rival's, and how many times as good our default is."""
    name, best = best_of(figures)
    ratios = [figures[f"logs {effort}"].ratio for effort in EFFORTS]
    default = figures["logs default"].ratio
    published = LOGFOLD.get((file.name, file.length))
    known = () if published is None else (f"{published:.2f}", f"{default / published:.2f}")
    cells = (*(f"{ratio:.2f}" for ratio in ratios), name, f"{best:.2f}", f"{default / best:.2f}", *known)
    return file.name, *cells


def best_of(figures: dict[str, Figures]) -> tuple[str, float]:
    """The best of the rivals that the bar names, and its ratio."""
    name = max(BEST_OF, key=lambda rival: figures[rival].ratio)
    return name, figures[name].ratio


def _names(results: Results) -> list[str]:
    return list(next(iter(results.values())))


def _means(found: Sequence[Figures]) -> Figures:
    columns = zip(*((one.ratio, one.pack, one.unpack, one.pack_wall, one.unpack_wall) for one in found), strict=True)
    return Figures(*map(geometric_mean, columns))


def bars(results: Results) -> list[Bar]:
    """What the table of the logs family asks for; bars for which no file was given are left out."""
    return [*_ratio_bars(results), *_logfold_bars(results), *_speed_bars(results)]


def _ratio_bars(results: Results) -> list[Bar]:
    def ratios(name: str) -> list[float]:
        return [figures[name].ratio for figures in results.values()]

    best = [best_of(figures)[1] for figures in results.values()]
    fast, default, max_ = (ratios(f"logs {effort}") for effort in EFFORTS)
    return [
        Bar("default: ratio / best of xz, zstd -19, ppmd", 1.5, mean_of_quotients(default, best)),
        Bar("default: the same on the worst file", 1.0, min(map(float.__truediv__, default, best))),
        Bar("fast: ratio / xz -9e", 1.5, mean_of_quotients(fast, ratios("xz -9e"))),
        Bar("max: ratio / default", 1.08, mean_of_quotients(max_, default)),
    ]


def _logfold_bars(results: Results) -> list[Bar]:
    known = {file: LOGFOLD[file.name, file.length] for file in results if (file.name, file.length) in LOGFOLD}
    if not known:
        return []
    ours_ = [results[file]["logs default"].ratio for file in known]
    return [Bar("default: ratio / LogFold, as published", 1.2, mean_of_quotients(ours_, list(known.values())))]


def _speed_bars(results: Results) -> list[Bar]:
    large = [figures for file, figures in results.items() if file.length >= _SPEED_BYTES_MIN]
    wanted = {"default": (25, 60), "fast": (60, 200), "max": (2, 2)}
    found = []
    for effort, (pack, unpack) in wanted.items() if large else ():
        mine = [figures[f"logs {effort}"] for figures in large]
        found += [
            Bar(f"{effort}: compress, MB/s cpu, slowest file ≥ 10 MB", pack, min(one.pack for one in mine)),
            Bar(f"{effort}: decompress, MB/s cpu, slowest file ≥ 10 MB", unpack, min(one.unpack for one in mine)),
        ]
    return found
