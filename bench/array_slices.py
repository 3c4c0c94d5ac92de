"""A long cube: what encoding takes of memory, and one step of it beside decoding it whole.

python -m bench array_slices [--mib N] [--side N] [--effort NAME]

The cube is made: fractal noise that drifts, in 512ths, as models of weather pack theirs. Seconds are of one processor;
memory is what the process grew by while it encoded.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path
from statistics import mean, median
from typing import Any, BinaryIO, cast

import numpy as np

from bench.figures import table
from lithify import limits
from lithify.codecs.arrays.codec import Arrays
from lithify.codecs.arrays.opened import LazyArray, open_arrays
from lithify.codecs.codec import effort
from lithify.codecs.frame import FrameWriter, decode_frame
from lithify.workers.sources import FileSource

_STEPS = 12


def main(arguments: list[str]) -> None:
    """Print one row: seconds, milliseconds of a step (median, mean), and their part of decoding the whole."""
    parser = argparse.ArgumentParser(prog="python -m bench array_slices")
    parser.add_argument("--mib", type=int, default=128, help="length of the cube")
    parser.add_argument("--side", type=int, default=512, help="rows and columns of a frame")
    parser.add_argument("--effort", default="fast")
    wanted = parser.parse_args(arguments)
    Arrays.warm()
    with tempfile.TemporaryDirectory() as folder:
        original, frame = Path(folder, "cube.npy"), Path(folder, "cube.lith")
        _make(original, wanted.mib * limits.MIB // (4 * wanted.side**2), wanted.side)
        before, started = _resident(), time.process_time()
        with original.open("rb") as source, frame.open("wb") as out:
            writer = FrameWriter(out)
            codec = Arrays(Arrays.params_for(effort(wanted.effort), original.stat().st_size))
            codec.encode(FileSource(cast("BinaryIO", source)), writer.sink(codec))
            chunks = len(writer.finish().chunks)
        encoding, grown = time.process_time() - started, _resident() - before
        started = time.process_time()
        with frame.open("rb") as file:
            length = sum(map(len, decode_frame(file)))
        whole = time.process_time() - started
        with open_arrays(frame.open("rb")) as opened:
            steps = _steps(opened.arrays["values"], np.load(original, mmap_mode="r"))
        ratio = length / frame.stat().st_size
    table(
        (
            "effort",
            "MiB",
            "chunks",
            "ratio",
            "in, s",
            "grew, MiB",
            "out, s",
            "a step, ms",
            "mean, ms",
            "of the whole",
            "at worst",
        ),
        [
            (
                wanted.effort,
                length >> 20,
                chunks,
                f"{ratio:.2f}",
                f"{encoding:.1f}",
                grown >> 20,
                f"{whole:.1f}",
                f"{1000 * median(steps):.0f}",
                f"{1000 * mean(steps):.0f}",
                f"{mean(steps) / whole:.2%}",
                f"{max(steps) / whole:.2%}",
            )
        ],
    )


def _steps(array: LazyArray, original: Any) -> list[float]:
    """What some frames take, each compared: the first and the last, those of two chunks, and some by chance."""
    frames = array.shape[0]
    middle = [frames // 2 + step for step in range(-_STEPS, _STEPS)]
    chosen = [0, frames - 1, *middle, *np.random.default_rng(5).integers(0, frames, _STEPS)]
    found = []
    for step in chosen:
        started = time.process_time()
        values = array[int(step)]
        found.append(time.process_time() - started)
        assert np.array_equal(values, original[step]), "a slice that differs has no figures"
    return found


def _make(path: Path, frames: int, side: int) -> None:
    chance = np.random.default_rng(3)
    y, x = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    falling = np.maximum(np.hypot(y, x), 1 / side) ** -1.7
    drift = 0.995 * np.exp(-2j * np.pi * (0.7 * x + 0.2 * y))

    def noise() -> Any:
        return (chance.normal(size=falling.shape) + 1j * chance.normal(size=falling.shape)) * falling

    spectrum = noise()
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (frames, side, side)}
        np.lib.format.write_array_header_1_0(file, header)
        for _ in range(frames):
            field = np.fft.irfft2(spectrum, s=(side, side))
            file.write((np.rint((field / field.std() * 12 + 285) * 512) / 512).astype("<f4").tobytes())
            spectrum = spectrum * drift + 0.1 * noise()


def _resident() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * limits.KIB
