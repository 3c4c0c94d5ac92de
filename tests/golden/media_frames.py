"""How the golden frames of the media family were made: small files, each for one part of its format."""

import hashlib
import io
from collections.abc import Callable

from lithify.codecs.fidelity import Contract
from lithify.codecs.frame import FrameWriter
from lithify.codecs.media import general
from lithify.codecs.media.audio import Audio, AudioParams
from lithify.codecs.media.gif import Gif
from lithify.codecs.media.jpeg import Jpeg, take_apart
from lithify.codecs.media.jpeg_coders import JXL, LEPTON, RECODED
from lithify.codecs.media.jpeg_scan import find_jpegs
from lithify.codecs.media.pixels import Pixels
from lithify.codecs.media.png import PngCodec
from lithify.codecs.media.stills.codec import StillImage
from lithify.codecs.media.video import MovingPictures
from lithify.codecs.media.video_payload import pack_stretch
from tests.unit.codecs.media import corpus
from tests.unit.codecs.media.clips import avi, p010_avi, stretch_of, v210_avi, y4m
from tests.unit.codecs.media.corpus import sample_bytes, tone, wav
from tests.unit.codecs.media.gifs import GIFS
from tests.unit.codecs.media.stills import SEDIMENT

JPEGS = corpus.camera_jpeg(), corpus.two_jpegs(), corpus.PROGRESSIVE, b"no picture at all", corpus.PROGRESSIVE[:-2]
JPEG_CODERS = RECODED, LEPTON, JXL, LEPTON, RECODED
SOUNDS = (
    wav(sample_bytes(tone(150, 2, 20_000), 2), 2, 2, tail=b"LIST\x04\0\0\0tail"),
    wav(sample_bytes([[9 * x for x in frame] for frame in tone(100, 1, 9000)], 3), 1, 3),
    corpus.aiff(sample_bytes(tone(150, 3, 9000), 2, big=True), 3, 2),
    wav(bytes(range(250, 130, -2)), 1, 1, code=7),
    wav(corpus.floats(tone(60, 1, 9000), 2.0**-15), 1, 4, code=3),
    b"RIFF and no sound",
)
PIXELS = (
    b"P6 12 8 65535\n"
    + corpus.row_bytes([[x & ~1023 for x in row] for row in corpus.slope(8, 12, 3, 60_000)], 2, big=True),
    corpus.tiff(30, 20),
    corpus.bmp(),
    corpus.y4m(),
    corpus.dicom(24, 20),
    corpus.packed_tiff(),
    b"P5 # flat\n20 10\n255\n" + bytes([7]) * 200 + b"tail",
    b"P5 and no pixels",
)
CLIPS = (
    *(y4m(3, 18, 20, chroma, bits=bits) for chroma, bits in (("420", 8), ("411", 8), ("444", 10), ("422", 12))),
    *(avi(2, 12, 14, bits=24), avi(2, 12, 14, bits=32), avi(2, 12, 16, code=b"YUY2", bits=16)),
    y4m(3, 17, 19, "mono") + b"FRAME\n",
    *(v210_avi(2, 6, 44), p010_avi(2, 8, 12)),
)
PNGS = *corpus.PNGS, corpus.PNG_DEEP[:-1]


def jpegs() -> bytes:
    """Runs, a thumbnail, a tail, what only looks like a JPEG; no picture; several scans, and no end."""
    writer = FrameWriter(file := io.BytesIO())
    sink = writer.sink(Jpeg())
    for coder, data in zip(JPEG_CODERS, JPEGS, strict=True):
        apart = take_apart(find_jpegs(data), (coder,), "default")
        sink.chunk(apart or Jpeg().encode_file(data), data)
    writer.finish()
    return file.getvalue()


def sounds() -> bytes:
    """Kinds of samples, one, two and three channels, a step, presets."""
    efforts = ("default", "fast", "default", "default", "default", "fast")
    writer = FrameWriter(file := io.BytesIO())
    sink = writer.sink(Audio())
    for effort, data in zip(efforts, SOUNDS, strict=True):
        sink.chunk(Audio(AudioParams(effort=effort)).encode_group(data), data)
    writer.finish()
    return file.getvalue()


def pixels() -> bytes:
    """Every coder, forms of all kinds, gaps, padding; and no pixels."""
    writer = FrameWriter(file := io.BytesIO())
    sink = writer.sink(Pixels())
    for number, data in enumerate(PIXELS):
        sink.chunk(Pixels().encode_file(data, (number % 7,)), data)
    writer.finish()
    return file.getvalue()


def pngs() -> bytes:
    """Every colour type but two, depths, filters, passes; no PNG."""
    writer = FrameWriter(file := io.BytesIO())
    sink = writer.sink(PngCodec())
    for data in PNGS:
        sink.chunk(PngCodec().encode_file(data), data)
    writer.finish()
    return file.getvalue()


def gifs() -> bytes:
    """Palettes, passes, disposals, choices of LZW; no GIF."""
    writer = FrameWriter(file := io.BytesIO())
    sink = writer.sink(Gif())
    for data in (*GIFS, b"GIF8 and no images"):
        sink.chunk(Gif().encode_file(data), data)
    writer.finish()
    return file.getvalue()


def clips() -> bytes:
    """Both coders, layouts of all kinds, regular and not; a stretch without frames."""
    writer = FrameWriter(file := io.BytesIO())
    sink = writer.sink(MovingPictures())
    for number, data in enumerate(CLIPS):
        sink.chunk(pack_stretch(data, stretch_of(data), "default", (number % 2,)), data)
    sink.chunk(pack_stretch(b"and no frames", None, "default"), b"and no frames")
    writer.finish()
    return file.getvalue()


def still() -> bytes:
    """A picture that keeps a floor, of a file that is gone."""
    writer = FrameWriter(file := io.BytesIO())
    writer.sink(StillImage()).chunk(general.pack(SEDIMENT, "fast"), SEDIMENT)
    writer.finish(
        contract=Contract.parse("floor:ssim=0.5"),
        original_length=1000,
        original_digest=hashlib.sha256(b"a file that is gone").digest(),
    )
    return file.getvalue()


MEDIA: dict[str, tuple[Callable[[], bytes], bytes]] = {
    "media_jpeg__three_coders_and_the_rest": (jpegs, b"".join(JPEGS)),
    "media_png__colours_depths_and_passes": (pngs, b"".join(PNGS)),
    "media_pixels__every_coder": (pixels, b"".join(PIXELS)),
    "media_gif__palettes_passes_and_disposals": (gifs, b"".join(GIFS) + b"GIF8 and no images"),
    "media_video__layouts_and_coders": (clips, b"".join(CLIPS) + b"and no frames"),
    "media_audio__kinds_and_presets": (sounds, b"".join(SOUNDS)),
    "media_image__a_floor": (still, SEDIMENT),
}
"""Name: how it was made, and what it decodes to."""
