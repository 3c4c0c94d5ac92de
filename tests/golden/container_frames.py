"""How the golden frames of containers were made: short originals, each for some parts of the format."""

import io
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lithify.codecs.frame import FrameWriter
from lithify.codecs.media.containers.codec import Deflate
from lithify.codecs.media.containers.long_gzip import LongGzip, LongGzipParams
from lithify.codecs.media.whole_file import EffortParams
from tests.suites.codec_suite import framed
from tests.unit.codecs.media.archives import gz, pdf, tarred, zipped
from tests.unit.codecs.media.streams import deflated, paired, paragraphs, rows

HERE = Path(__file__).parent
_TEXT = paragraphs(3)
_FLUSHED = zlib.compressobj(6, zlib.DEFLATED, -15)
_LINES = b"".join(_FLUSHED.compress(line) + _FLUSHED.flush(zlib.Z_SYNC_FLUSH) for line in _TEXT.splitlines())

MADE: dict[str, Callable[[], bytes]] = {
    "gzip_and_tar": lambda: (
        gz(tarred({"a.txt": _TEXT, "b.bin": bytes(range(256)) * 2}), name="a.tar") + gz(_TEXT[:200]) + b"tail"
    ),
    "a_zip_in_a_zip": lambda: zipped(
        {"a.zip": zipped({"a.xml": b"<a>" + _TEXT, "b": _TEXT[:300]}), "c": _TEXT[90:400]}, method=0
    ),
    "a_document": lambda: pdf([_TEXT, b"<x>" + _TEXT[::-1]], level=9) + b"stream\n\xff\xd8\xff\xe0 an image\nendstream",
    "many_methods": lambda: b"".join(zipped({"x": b"."})[:31] + stream for stream in _streams()),
    "closed": lambda: b"nothing lies in here\n" * 9,
}
"""How the originals were made: kept as files beside the frames, since another zlib would write other streams."""


def _streams() -> list[bytes]:
    """A deflate stream by each way of writing that zlib and ISA-L have."""
    return [
        *(deflated(_TEXT, level) for level in range(10)),
        *(deflated(rows(2), 6, strategy=strategy) for strategy in range(5)),
        deflated(_TEXT, 6, window=9, memory=1),
        _LINES + _FLUSHED.flush(),
        *(paired(_TEXT, bits) for bits in (13, 15)),
    ]


def original(name: str) -> bytes:
    """The bytes that a frame of this name decodes to."""
    path = HERE / f"v0_1_0__media_deflate__{name}.original"
    if not path.exists():
        path.write_bytes(MADE[name]())
    return path.read_bytes()


def framed_whole(whole: bytes) -> bytes:
    """One chunk, as effort `max` makes it."""
    writer = FrameWriter(file := io.BytesIO())
    codec = Deflate(EffortParams("max"))
    writer.sink(codec).chunk(codec.encode_file(whole), whole)
    writer.finish()
    return file.getvalue()


CONTAINERS: dict[str, tuple[Callable[[], bytes], bytes]] = {
    name: (partial(framed_whole, original(name)), original(name)) for name in MADE
}
"""Name: how it was made, and what it decodes to."""


def _gzip() -> bytes:
    """A gzip file of short blocks, which end anywhere in a byte, and something behind it."""
    path = HERE / "v0_1_0__media_gzip__pieces_and_what_follows.original"
    if not path.exists():
        packer = zlib.compressobj(6, zlib.DEFLATED, 31, 1)
        path.write_bytes(packer.compress(_TEXT) + packer.flush() + b"and so on")
    return path.read_bytes()


GZIP: dict[str, tuple[Callable[[], bytes], bytes]] = {
    "pieces_and_what_follows": (lambda: framed(LongGzip(LongGzipParams("max", 700)), _gzip()), _gzip()),
}
