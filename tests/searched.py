"""Frames to search, cut anywhere, and what GNU grep says of the same bytes."""

import subprocess
from collections.abc import Iterable
from io import BytesIO
from itertools import pairwise
from pathlib import Path

from hypothesis import strategies as st

from lithify.codecs.frame import FrameWriter, read_frame
from lithify.codecs.frame.search import FrameChunks
from lithify.codecs.raw.zstd import Zstd
from lithify.workers.frame_lines import FrameLines

WORDS = (
    *(b"error", b"Error", b"ERR", b"a", b"b", b"7", b" ", b"", b"-- ", b":", b"."),
    *(b"\0", b"\xff\xfe", b"\xc3\xa9", b"\r"),
)
LOGS = st.builds(
    lambda lines, last: b"\n".join(b"".join(words) for words in lines) + last,
    st.lists(st.lists(st.sampled_from(WORDS), max_size=4), max_size=24),
    st.sampled_from([b"", b"\n"]),
)
"""Lines as logs do not have them: empty, CRLF, NUL, not UTF-8, no end at the end."""


def frame_of(data: bytes, cuts: Iterable[int]) -> bytes:
    """A frame whose chunks end at these places."""
    out = BytesIO()
    writer = FrameWriter(out)
    codec = Zstd()
    sink = writer.sink(codec)
    for start, end in pairwise([0, *sorted({cut for cut in cuts if 0 < cut < len(data)}), len(data)]):
        if start < end:
            sink.chunk(codec.encode_block(data[start:end]), data[start:end])
    writer.finish()
    return out.getvalue()


def lines_of(frame: bytes) -> FrameLines:
    """The lines of a frame."""
    file = BytesIO(frame)
    return FrameLines(FrameChunks(file, read_frame(file)))


def grep(*words: str | bytes, data: bytes | None = None, cwd: Path | None = None) -> tuple[int, bytes]:
    """What grep answers: its exit code and its output."""
    command = ["grep", "-a", *words]
    done = subprocess.run(command, input=data, capture_output=True, check=False, cwd=cwd, env={"LC_ALL": "C"})
    assert done.returncode in {0, 1}, (command, done.stderr)
    return done.returncode, done.stdout
