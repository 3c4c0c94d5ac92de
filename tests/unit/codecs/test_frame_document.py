"""FRAME.md is held to the code: its example is a frame, its tables are the limits, its example explains every byte."""

import io
import re
from pathlib import Path

import pytest

from lithify import limits
from lithify.codecs import registry
from lithify.codecs.frame import FrameWriter, decode_frame, read_frame
from lithify.codecs.raw.stored import Stored

DOCUMENT = (Path(registry.__file__).parent / "FRAME.md").read_text("utf-8")


def example() -> bytes:
    block = re.search(r"```hex\n(.*?)```", DOCUMENT, re.DOTALL)
    assert block is not None
    columns = (re.split(r" {2,}", line)[0] for line in block[1].splitlines())
    return bytes.fromhex(" ".join(columns))


def test_the_example_is_a_frame_of_what_it_says() -> None:
    assert b"loose sand\n" == b"".join(decode_frame(io.BytesIO(example())))
    assert f"in {len(example())} bytes" in DOCUMENT


def test_the_writer_makes_the_example() -> None:
    file = io.BytesIO()
    writer = FrameWriter(file)
    writer.sink(Stored()).chunk(b"loose sand\n", b"loose sand\n")
    writer.finish()

    assert example() == file.getvalue()
    assert read_frame(file).frame_length == len(example())


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("decoded bytes of a chunk", f"1 to {limits.CHUNK_BYTES_MAX:,}"),
        ("payload of a chunk", f"1 to {limits.CHUNK_STORED_BYTES_MAX:,}"),
        ("chunks", f"{limits.CHUNK_COUNT_MAX:,}"),
        ("formats", f"{limits.FORMATS_PER_FRAME_MAX}"),
        ("trailer", f"{limits.TRAILER_BYTES_MAX:,} bytes"),
        ("shared block", f"{limits.SHARED_BYTES_MAX:,} bytes"),
        ("params", f"{limits.PARAMS_BYTES_MAX:,} bytes"),
        (
            "bytes of the original",
            f"2^{limits.ORIGINAL_BYTES_MAX.bit_length() - 1}; chunks cannot decode to more than a quarter of that",
        ),
    ],
)
def test_its_limits_are_the_limits(what: str, value: str) -> None:
    assert f"| {what} | {value} |" in DOCUMENT
