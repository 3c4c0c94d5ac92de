"""How like two films are, picture by picture: VMAF, structural similarity, PSNR, as ffmpeg's filters measure them."""

import json
import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from lithify.codecs.codec import Buffer
from lithify.codecs.media.ffmpeg.memory import Memory
from lithify.codecs.media.ffmpeg.program import OnFrames, run, source
from lithify.errors import Corrupt

VMAF, SSIM, PSNR = "vmaf", "ssim", "psnr"
_LINES = {SSIM: re.compile(rb"\bAll:([0-9.]+|nan)"), PSNR: re.compile(rb"\bmse_avg:([0-9.]+)")}
_DIGITS = {VMAF: 3, SSIM: 5, PSNR: 3}
_PSNR_MAX = 100.0
"""Of pictures that are the same."""
_LOW_PERCENT = 1
_THREADS = 2
_MILLISECONDS = 40
"""From picture to picture of both films while they are compared: each goes with its like, whatever their clocks say."""


class Quality(NamedTuple):
    """Of one metric."""

    mean: float
    low: float
    """Which one of a hundred pictures is below."""
    pictures: int


def measure(
    film: Buffer, other: Buffer, metrics: Sequence[str], peak: int = 255, on_frames: OnFrames | None = None
) -> dict[str, Quality]:
    """How like the pictures of `other` are to those of `film`, by each of some metrics.

    peak  the largest value of a sample

    Raises what `program.run` raises, and Corrupt if one of the two is no film.
    """
    with Memory(film) as before, Memory(other) as after:
        logs = [Memory() for _ in metrics]
        try:
            graph = _graph([source(after), source(before)], metrics, logs)
            run(graph, [before, after, *logs], on_frames=on_frames)
            return {metric: _pooled(metric, log.read(), peak) for metric, log in zip(metrics, logs, strict=True)}
        finally:
            for log in logs:
                log.__exit__(None, None, None)


def _graph(inputs: Sequence[Any], metrics: Sequence[str], logs: Sequence[Memory]) -> Any:
    import ffmpeg

    paced = [one["v:0"].filter("settb", "1/1000").filter("setpts", f"N*{_MILLISECONDS}") for one in inputs]
    copies = [one.filter_multi_output("split", len(metrics)) for one in paced]
    outputs = []
    for number, (metric, log) in enumerate(zip(metrics, logs, strict=True)):
        at = f"/proc/self/fd/{log.fd}"  # a file in memory opens under any confinement: there is no path to it
        terms: dict[str, Any] = {"stats_file": at}
        if metric == VMAF:
            terms = {"log_fmt": "json", "log_path": at, "n_threads": _THREADS}
        pair = [copy.stream(number) for copy in copies]
        name = "libvmaf" if metric == VMAF else metric
        compared = ffmpeg.filter(pair, name, shortest=1, **terms)
        outputs.append(ffmpeg.output(compared, "pipe:2", f="null", fps_mode="passthrough"))
    return ffmpeg.merge_outputs(*outputs)


def _pooled(metric: str, log: bytes, peak: int) -> Quality:
    found = _vmaf(log) if metric == VMAF else [float(text) for text in _LINES[metric].findall(log)]
    if not found:
        raise Corrupt(f"ffmpeg measured the {metric} of no picture")
    mean = sum(found) / len(found)
    if metric == PSNR:  # of the mean error, not the mean of decibels: one equal picture would outweigh all others
        mean, found = _decibels(mean, peak), [_decibels(error, peak) for error in found]
    low = sorted(found)[len(found) * _LOW_PERCENT // 100]
    digits = _DIGITS[metric]
    return Quality(_down(mean, digits), _down(low, digits), len(found))


def _vmaf(log: bytes) -> list[float]:
    try:
        return [float(frame["metrics"]["vmaf"]) for frame in json.loads(log)["frames"]]
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"the log of VMAF is not as expected: {error!r:.200}") from error


def _decibels(error: float, peak: int) -> float:
    return min(_PSNR_MAX, 10.0 * math.log10(peak * peak / error)) if error else _PSNR_MAX


def _down(value: float, digits: int) -> float:
    """Rounded down: no promise is kept by rounding."""
    return math.floor(value * float(10**digits)) / float(10**digits)
