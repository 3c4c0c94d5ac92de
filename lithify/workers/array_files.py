"""Files of arrays that lithify keeps, opened without unpacking them: for programs that read arrays, not files."""

from pathlib import Path

from lithify.codecs.arrays.labelled import Labelled, LabelledFile, label
from lithify.codecs.arrays.opened import ArrayFile, LazyArray, open_arrays
from lithify.codecs.frame import is_frame

__all__ = ["ArrayFile", "Labelled", "LabelledFile", "LazyArray", "is_kept", "label", "open_file"]


def open_file(path: Path) -> ArrayFile:
    """The file of arrays that the frame at `path` keeps, to be closed. Raises as reading a frame does."""
    file = path.open("rb")
    try:
        return open_arrays(file)
    except BaseException:
        file.close()
        raise


def is_kept(path: Path) -> bool:
    """Whether there is a frame at `path`."""
    try:
        with path.open("rb") as file:
            return is_frame(file)
    except OSError:
        return False
