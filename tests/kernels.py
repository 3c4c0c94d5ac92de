"""Makes every kernel of the house once, before the tests: `python -m tests.kernels FOLDER`.

Sandboxes find them where they are kept for the user. pytest's own processes run kernels too, where numba alone keeps
them; each would make all of them again. So FOLDER gets a copy, and tests/conftest.py gives it to them.
"""

import shutil
import sys
from contextlib import suppress
from pathlib import Path

from lithify.codecs.registry import FORMATS, codec_class
from lithify.workers import kernel_cache


def main(folder: Path) -> None:
    """Replace what lies in `folder`."""
    for codec in map(codec_class, FORMATS):
        if codec.facts.kernels:
            kernel_cache.make_kernels(codec)
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(kernel_cache._Unwritable):  # nothing is kept here: everybody makes them again
        shutil.copytree(kernel_cache._own_folder(), folder / "made")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
