"""How jpeg_taught.bin is made of pictures: `python -m lithify.codecs.media.jpeg_teach FOLDER`. No codec needs it.

Every picture of the folder becomes some JPEGs, of sizes, qualities and samplings that cameras, editors and web sites
use; the cells learn from all of them twice, in an order shuffled with a fixed seed, and what they were on average
during the second time is kept. FORMAT.md says which pictures these were. Half a minute.
"""

import random
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from lithify.codecs.array_types import I16, I32
from lithify.codecs.media.jpeg_blocks import encode_run
from lithify.codecs.media.jpeg_header import Picture, read_header
from lithify.codecs.media.jpeg_model import CELLS, fixed, new_plane
from lithify.codecs.media.jpeg_recoded import parted
from lithify.codecs.media.jpeg_scans import new_coefficients, read_data
from lithify.codecs.media.jpeg_taught import TAUGHT, packed
from lithify.codecs.span_coder import room

_SEED = 5
_PASSES = 2
_SHARES = (1.0, 1.0, 0.7, 0.5, 0.35, 0.25, 0.12)
_SHARES_AGAIN = (0.5, 0.5, 0.35, 0.25, 0.12)
"""Of pictures that were JPEGs before: smaller, so that no blocks of theirs are left."""
_QUALITIES = (50, 65, 75, 75, 80, 85, 85, 88, 90, 92, 94, 95, 97)
_SAMPLINGS = (0, 1, 2, 2)
_TURNS = (Image.Transpose.ROTATE_90, Image.Transpose.FLIP_LEFT_RIGHT)
_TURNED, _GREY = 0.3, 0.1
_EACH = 8
_SIDE_MIN = 16
_UNITS_PER_COEFFICIENT = 2


def _jpegs(path: Path, chance: random.Random) -> list[bytes]:
    """JPEGs of a picture."""
    made = []
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    for _ in range(_EACH):
        share = chance.choice(_SHARES_AGAIN if path.suffix == ".jpg" else _SHARES)
        width, height = (max(_SIDE_MIN, int(side * share)) for side in picture.size)
        one = picture.resize((width, height), Image.Resampling.LANCZOS)
        if chance.random() < _TURNED:
            one = one.transpose(chance.choice(_TURNS))
        if chance.random() < _GREY:
            one = one.convert("L")
        out = BytesIO()
        one.save(out, "JPEG", quality=chance.choice(_QUALITIES), subsampling=chance.choice(_SAMPLINGS), optimize=True)
        made.append(out.getvalue())
    return made


def _coefficients(jpeg: bytes) -> tuple[Picture, I16]:
    segments, scans = parted(jpeg)
    picture = read_header(segments, len(jpeg))
    coefficients = new_coefficients(picture)
    for scan, data in zip(picture.scans, scans, strict=True):
        assert read_data(picture, scan, data, coefficients) is not None, "Pillow wrote a sound JPEG"
    return picture, coefficients


def teach(jpegs: list[bytes], chance: random.Random) -> I32:
    """The cells that these JPEGs make."""
    read = [_coefficients(jpeg) for jpeg in jpegs]
    cells, total = np.zeros(CELLS, np.int32), np.zeros(CELLS, np.int64)
    for again in range(_PASSES):
        chance.shuffle(read)
        for picture, coefficients in read:
            padded = np.concatenate([coefficients, np.zeros(64, np.int16)])
            units = room(_UNITS_PER_COEFFICIENT * len(padded) + 64 * 64)
            loose = np.zeros(len(padded), np.uint32)
            assert encode_run(cells, fixed(), new_plane(picture), padded, units, loose)[1] >= 0, "there is room"
            total += cells * (again == _PASSES - 1)
    return (total // len(read)).astype(np.int32)


def main(folder: Path) -> None:
    """Write the file."""
    chance = random.Random(_SEED)  # noqa: S311 - the same file every time
    jpegs = [jpeg for path in sorted(folder.iterdir()) for jpeg in _jpegs(path, chance)]
    TAUGHT.write_bytes(packed(teach(jpegs, chance)))
    print(f"{TAUGHT.name}: {TAUGHT.stat().st_size:,} bytes of {len(jpegs)} JPEGs, {sum(map(len, jpegs)):,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
