"""Pictures with a floor: bytes at the same measured quality, beside other encoders and our exact codecs.

python -m bench media_floor [--contract floor:ssim=0.98]... [--effort EFFORT] [FILE...]

Without files, photographs (PNG), camera JPEGs and screenshots in ../shared/data/media. Each rival gets the same search
on the same measure: the lowest quality that keeps the floor. Everything runs in one thread. Five minutes.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path

from PIL import Image

from bench.codecs import MEASURED_DATA
from bench.figures import table
from lithify.codecs.codec import EFFORTS, Effort
from lithify.codecs.fidelity import Contract
from lithify.codecs.media.jpeg import Jpeg
from lithify.codecs.media.png import PngCodec
from lithify.codecs.media.stills import targets
from lithify.codecs.media.stills.measuring import distance
from lithify.codecs.media.stills.reaching import smallest
from lithify.codecs.media.stills.reading import read_still
from lithify.codecs.media.stills.still import Still
from lithify.codecs.media.whole_file import EffortParams
from lithify.errors import LithifyError

SETS = {"photographs": "kodak/*.png", "camera JPEGs": "jpeg/*.jpg", "screenshots": "screens/*.png"}
FLOORS = ("floor:ssim=0.98", "floor:psnr=40")
_BYTES_MAX = 800_000
"""Longer files are left out: a search takes a minute for each ten megapixels."""
Encode = Callable[[Still, int], bytes]


def main(arguments: list[str]) -> None:
    """One table for each contract and set."""
    parser = argparse.ArgumentParser(prog="python -m bench media_floor")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--contract", action="append")
    parser.add_argument("--effort", choices=EFFORTS, default="default")
    asked = parser.parse_args(arguments)
    sets = {"files": asked.files} if asked.files else {name: _files(glob) for name, glob in SETS.items()}
    for spelled in asked.contract or FLOORS:
        for name, files in sets.items():
            _measure(name, files, Contract.parse(spelled), asked.effort)


def _files(glob: str) -> list[Path]:
    found = sorted((MEASURED_DATA / "media").glob(glob))
    return [path for path in found if path.stat().st_size <= _BYTES_MAX]


def _measure(name: str, files: list[Path], contract: Contract, effort: Effort) -> None:
    sums: dict[str, list[float]] = {}
    before = left_out = 0
    for path in files:
        data = path.read_bytes()
        try:
            still = read_still(data).upright()
            found = dict(_found(data, still, contract, effort))
        except LithifyError:
            left_out += 1
            continue
        before += len(data)
        for way, (size, seconds) in found.items():
            kept = sums.setdefault(way, [0.0, 0.0])
            kept[0] += size
            kept[1] += seconds
    told = f"{name}: {len(files) - left_out} files, {before:,} bytes; {contract}, effort {effort}; {left_out} left out"
    rows = [
        [way, f"{size:,.0f}", f"{100 * (1 - size / before):.1f}", f"{before / size:.2f}", f"{seconds:.1f}"]
        for way, (size, seconds) in sorted(sums.items(), key=lambda item: item[1][0])
    ]
    table((told, "bytes", "saved %", "ratio", "CPU s"), rows)


def _found(data: bytes, still: Still, contract: Contract, effort: Effort) -> Iterator[tuple[str, tuple[int, float]]]:
    """Bytes and seconds of each way that keeps the floor; what does not is counted as the original."""
    yield "lithify", _timed(lambda: smallest(data, contract, effort), len(data))
    for name, encode in _RIVALS.items():
        yield f"{name}, searched", _timed(partial(_lowest, still, encode, contract), len(data))
    exact = Jpeg(EffortParams(effort)) if still.media_type == "image/jpeg" else PngCodec(EffortParams(effort))
    yield f"exactly, by {exact.facts.id}", _timed(lambda: exact.encode_file(data), len(data))


def _timed(make: Callable[[], bytes | None], otherwise: int) -> tuple[int, float]:
    started = time.process_time()
    made = make()
    return otherwise if made is None else min(otherwise, len(made)), time.process_time() - started


def _lowest(still: Still, encode: Encode, contract: Contract) -> bytes | None:
    """The file at the lowest quality of 1 to 100 that keeps the floor."""
    low, high, best = 1, 101, None
    while low < high:
        quality = (low + high) // 2
        made = encode(still, quality)
        again = read_still(made).picture
        same = again.shape == still.picture.shape
        reached = distance(still.picture, again, wanted=contract.metric).by(str(contract.metric)) if same else 0.0
        if reached >= (contract.value or 0):
            best, high = made, quality
        else:
            low = quality + 1
    return best


def _by_pillow(form: str, still: Still, quality: int) -> bytes:
    picture, out = still.picture, BytesIO()
    notes = {"icc_profile": still.notes.profile, "exif": still.notes.exif, "xmp": still.notes.xmp}
    more = {"optimize": True, "progressive": True} if form == "JPEG" else {"method": 6}
    Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture).save(
        out, form, quality=quality, **notes, **more
    )
    return out.getvalue()


def _jxl(still: Still, quality: int) -> bytes:
    return targets.jxl(still, targets.JXL_LEVELS[min(63, quality * 63 // 100)], effort="default")


_RIVALS: dict[str, Encode] = {
    "JPEG (libjpeg-turbo)": partial(_by_pillow, "JPEG"),
    "WebP": partial(_by_pillow, "WEBP"),
    "JPEG XL": _jxl,
}
