"""What cannot get smaller: something compressed already, and something random. Neither may grow."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from pydoc_data import topics


def write_noise(folder: Path) -> Iterator[Path]:
    """`manual.txt.gz` and one megabyte of random bytes."""
    packed = folder / "manual.txt.gz"
    packed.write_bytes(gzip.compress("\n\n".join(topics.topics.values()).encode()))
    yield packed
    random = folder / "random.bin"
    random.write_bytes(os.urandom(1_000_000))
    yield random
