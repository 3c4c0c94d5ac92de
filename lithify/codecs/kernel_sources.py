"""Everything that a kernel may be made of: the file that it stands in, and all of ours that this imports, and so on.

numba takes machine code that it kept for fresh if the file of the kernel has not changed, though it was compiled
together with kernels and constants of other files: after an upgrade decoders would be half old. Workers keep kernels in
a folder that is named by all of our sources (workers/kernel_cache.py); libraries in other people's programs (xarray,
Zarr, numcodecs) keep them where numba does, and are told by what stands here.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

_HOUSE = Path(__file__).resolve().parents[1]
_IMPORT = re.compile(r"^from (lithify[\w.]*) import (\([^)]*\)|[^\n]*)|^import (lithify[\w.]*)", re.M)


@cache
def digest_of(file: Path) -> str:
    """SHA-256 of the file, and of every file of ours that its imports lead to."""
    digest = hashlib.sha256()
    for path in sorted(_reached(file.resolve())):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _reached(file: Path) -> set[Path]:
    found, left = {file}, [file]
    while left:
        new = _imported(left.pop()) - found
        found |= new
        left += new
    return found


@cache
def _imported(file: Path) -> frozenset[Path]:
    """The files of ours that a file imports when it is imported itself, wherever the name may be a module's."""
    found: set[Path] = set()
    for module, names, alone in _IMPORT.findall(file.read_text(encoding="utf-8")):
        place = _HOUSE.parent.joinpath(*(module or alone).split("."))
        modules = (place, *(place / name for name in re.findall(r"\w+", names)))
        found.update(path.with_suffix(".py") for path in modules)
        found.update(path / "__init__.py" for path in modules)
    return frozenset(path for path in found if path.is_file())
