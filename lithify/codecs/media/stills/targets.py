"""The forms that a picture may come back in: AVIF and JPEG XL with loss, JPEG XL and WebP without.

What a form cannot carry it is not offered: AVIF holds 8 bits here, JPEG XL as imagecodecs writes it no profile, WebP
8 bits in colours.
"""

from io import BytesIO

from lithify.codecs.codec import Effort
from lithify.codecs.media.pictures import JXL as JXL_CODER
from lithify.codecs.media.pictures import WEBP as WEBP_CODER
from lithify.codecs.media.pictures import encode_picture
from lithify.codecs.media.stills.boxes import jxl_with_notes, webp_with_notes
from lithify.codecs.media.stills.exif import UPRIGHT, disguised
from lithify.codecs.media.stills.still import Still
from lithify.errors import Corrupt

AVIF_LEVELS = tuple(round(100 * step / 63) for step in range(64))
"""Qualities of AVIF, the worst first: one for each quantizer there is."""
JXL_LEVELS = tuple(round(16 * 0.92**step, 4) for step in range(64))
"""Distances of JPEG XL, the worst first: 16, of which 1 is said to be hard to see, to 0.08."""
_AVIF_SPEEDS: dict[Effort, int] = {"fast": 8, "default": 6, "max": 4}
_JXL_EFFORTS: dict[Effort, int] = {"fast": 5, "default": 7, "max": 8}


def fits_avif(still: Still) -> bool:
    """Whether AVIF carries it whole, but for the loss."""
    return still.picture.dtype.itemsize == 1 and still.picture.shape[2] != 2 and still.orientation == UPRIGHT


def fits_jxl(still: Still) -> bool:
    """Whether JPEG XL does."""
    return not still.notes.profile and still.orientation == UPRIGHT


def fits_webp(still: Still) -> bool:
    """Whether lossless WebP does."""
    shape = still.picture.shape
    return still.picture.dtype.itemsize == 1 and shape[2] >= 3 and max(shape) <= 16_383 and still.turn == UPRIGHT


def avif(still: Still, quality: int, *, subsampling: str, effort: Effort) -> bytes:
    """With loss; `subsampling` is that of the colours, `4:2:0` or `4:4:4`."""
    from PIL import Image

    picture, out = still.picture, BytesIO()
    image = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)
    stand_in = disguised(still.notes.exif)
    image.save(
        out,
        "AVIF",
        quality=quality,
        speed=_AVIF_SPEEDS[effort],
        subsampling="4:0:0" if picture.shape[2] == 1 else subsampling,
        codec="aom",
        max_threads=1,
        icc_profile=still.notes.profile,
        exif=stand_in,
        xmp=still.notes.xmp,
    )
    return _put_back(out.getvalue(), stand_in, still.notes.exif)


def _put_back(file: bytes, stand_in: bytes, exif: bytes) -> bytes:
    if stand_in == exif:
        return file
    if file.count(stand_in) != 1:
        raise Corrupt(f"Exif should lie in an AVIF once, and was found {file.count(stand_in)} times")
    return file.replace(stand_in, exif)


def jxl(still: Still, far: float, *, effort: Effort) -> bytes:
    """With loss, as far from the original as JPEG XL's own distance says."""
    import imagecodecs

    picture = still.picture[:, :, 0] if still.picture.shape[2] == 1 else still.picture
    stream = imagecodecs.jpegxl_encode(picture, distance=far, lossless=False, effort=_JXL_EFFORTS[effort], numthreads=1)
    return jxl_with_notes(bytes(stream), still.notes)


def lossless_jxl(still: Still, effort: Effort) -> bytes | None:
    """None: the library could not."""
    coder, stream = encode_picture(still.picture, effort, (JXL_CODER,))
    return jxl_with_notes(stream, still.notes) if coder == JXL_CODER else None


def lossless_webp(still: Still, effort: Effort) -> bytes | None:
    """None: the library could not."""
    coder, file = encode_picture(still.picture, effort, (WEBP_CODER,))
    if coder != WEBP_CODER:
        return None
    height, width, _ = still.picture.shape
    return webp_with_notes(file, still.notes, width, height, opacity=still.has_opacity)
