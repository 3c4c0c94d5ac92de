"""Files of one picture, read: JPEG, PNG, TIFF, BMP, Netpbm, WebP, AVIF and JPEG XL.

Pillow says what a file says about its picture, imagecodecs has the pixels: it keeps 16 bits where Pillow does not.
Whatever could not be kept whole is refused in a sentence (BadArgument): several pictures in one file, inks, palettes
of a TIFF. Sizes are read before anything is decoded.
"""

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from lithify import limits
from lithify.codecs.media.fence import fenced
from lithify.codecs.media.jxl_size import jxl_size
from lithify.codecs.media.pictures import Picture
from lithify.codecs.media.pixel_files import find_pixels
from lithify.codecs.media.stills import boxes
from lithify.codecs.media.stills.exif import UPRIGHT, stripped
from lithify.codecs.media.stills.forms import AVIF, BMP, JPEG, JXL, NETPBM, PNG, TIFF, WEBP, form_of
from lithify.codecs.media.stills.still import Notes, Still
from lithify.errors import BadArgument

if TYPE_CHECKING:
    from PIL.Image import Image

_PILLOW = {JPEG: ("JPEG", "MPO"), PNG: ("PNG",), TIFF: ("TIFF",), BMP: ("BMP",), WEBP: ("WEBP",), AVIF: ("AVIF",)}
_JPEG_END = b"\xff\xd9"
_JPEG_KNOWN = ((b"JFIF\0",), (b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"), (b"ICC_PROFILE\0",), (b"Adobe",))
_PNG_KNOWN = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP", b"eXIf", b"sRGB"})
_PNG_XMP = b"XML:com.adobe.xmp\0\0\0"
"""A name, and that what follows is not compressed: other XMP is told as something that is not carried."""
_PNG_SRGB = {b"gAMA": 45_455, b"cHRM": (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)}
_BITS, _PHOTOMETRIC, _EXTRA_SAMPLES, _SAMPLE_FORMAT, _XMP, _PROFILE = 258, 262, 338, 339, 700, 34_675
_TIFF_ORIENTATION = 274
_TIFF_LAYOUT = frozenset(
    {254, 255, 256, 257, 258, 259, 262, 263, 266, 273, 274, 277, 278, 279, 284, 317, 322, 323, 324, 325, 338, 339}
    | {_XMP, _PROFILE}
)
"""Tags that say how the file is made, and those that are told by themselves."""
_TIFF_EXIF = frozenset({270, 271, 272, 282, 283, 296, 305, 306, 315, 316, 33_432, 34_665, 34_853})
"""Tags that Exif has too."""
_DARK_IS_LOW, _COLOURS, _UNASSOCIATED = 1, 2, 2


def read_still(data: bytes) -> Still:
    """The picture of a file. Raises BadArgument with a sentence, Corrupt or LimitExceeded."""
    form = form_of(data)
    if form is None:
        raise BadArgument(f"it is no picture of a form that is known here; it begins with {data[:8].hex(' ')}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of oddities that are not about pixels, and of sizes, which are looked at here
        return _fenced(form, partial(_READERS[form], data))


def _fenced(form: str, read: Callable[[], Still]) -> Still:
    """What `read` gives; whatever a library raises is Corrupt, and what we raise stays what it is."""
    refusal: list[BadArgument] = []

    def attempt() -> Still | None:
        try:
            return read()
        except BadArgument as error:
            refusal.append(error)
            return None

    found = fenced(form, attempt)
    if found is None:
        raise refusal[0]
    return found


def _opened(data: bytes, form: str) -> "Image":
    """What Pillow says of a file of one picture; nothing is decoded."""
    from PIL import Image

    image = Image.open(BytesIO(data), formats=_PILLOW[form])
    _check(image.width, image.height)
    count = getattr(image, "n_frames", 1)
    if count > 1:
        raise BadArgument(f"the file holds {count} pictures, and only files of one are turned into another form")
    return image


def _check(width: int, height: int) -> None:
    if width * height > limits.STILL_PIXELS_MAX:
        raise BadArgument(f"it has {width} x {height} pixels; at most {limits.STILL_PIXELS_MAX:,} are looked at")


def _notes(image: "Image") -> Notes:
    said: Mapping[Any, Any] = image.info
    xmp = said.get("xmp") or b""
    return Notes(
        profile=bytes(said.get("icc_profile") or b""),
        exif=stripped(bytes(said.get("exif") or b"")),
        xmp=xmp.encode() if isinstance(xmp, str) else bytes(xmp),
    )


def _still(array: Any, form: str, notes: Notes, **told: Any) -> Still:
    """Raises BadArgument for pixels of a kind that is not kept."""
    if array.dtype not in (np.uint8, np.uint16) or not 2 <= array.ndim <= 3:
        raise BadArgument(
            f"its samples are {array.dtype} in {array.ndim} dimensions; only whole numbers are known here"
        )
    picture = cast("Picture", np.ascontiguousarray(array if array.ndim == 3 else array[:, :, np.newaxis]))
    if not 1 <= picture.shape[2] <= 4:
        raise BadArgument(f"it has {picture.shape[2]} channels; at most colours and opacity are known here")
    if picture.shape[2] in {2, 4} and (picture[:, :, -1] == np.iinfo(picture.dtype).max).all():
        picture = cast("Picture", np.ascontiguousarray(picture[:, :, :-1]))  # opaque everywhere: nothing is said by it
    told.setdefault("bits", 8 * picture.dtype.itemsize)
    return Still(picture=picture, media_type=form, notes=notes, **told)


# --- JPEG -------------------------------------------------------------------------------------------------


def _read_jpeg(data: bytes) -> Still:
    import imagecodecs

    image = _opened(data, JPEG)
    if image.mode not in {"L", "RGB"}:
        raise BadArgument(f"its colours are {image.mode}, of inks; only grey and red, green, blue are known here")
    if not data.endswith(_JPEG_END):
        raise BadArgument("the JPEG does not end where its picture does: it was cut, or something stands behind")
    others = [name for name, content in cast("Any", image).applist if not content.startswith(_known_jpeg(name))]
    pixels = imagecodecs.jpeg8_decode(data)
    return _still(pixels, JPEG, _notes(image), others=tuple(dict.fromkeys(others)))


def _known_jpeg(name: str) -> tuple[bytes, ...]:
    return dict(zip(("APP0", "APP1", "APP2", "APP14"), _JPEG_KNOWN, strict=True)).get(name, ())


# --- PNG --------------------------------------------------------------------------------------------------


def _read_png(data: bytes) -> Still:
    import imagecodecs

    from lithify.codecs.media.png_chunks import take_png_apart

    image, png = _opened(data, PNG), take_png_apart(data)
    if png is None or png.header is None:
        raise BadArgument("the PNG is animated, or not as its standard says")
    chunks = (*png.before, *png.after)
    others = [name.decode("latin-1") for name, said in chunks if not _is_known_png(name, said)]
    others += ["bytes behind its end"] if png.tail else []
    bits = 8 if png.header.colour == 3 else png.header.depth
    exif = next((said for name, said in chunks if name == b"eXIf"), b"")
    xmp = next((said for name, said in chunks if name == b"iTXt" and said.startswith(_PNG_XMP)), b"")
    notes = Notes(_notes(image).profile, stripped(exif), _text_of(xmp))
    return _still(imagecodecs.png_decode(data), PNG, notes, others=tuple(dict.fromkeys(others)), bits=bits)


def _text_of(said: bytes) -> bytes:
    """Of an iTXt chunk that is not compressed: behind its name, two flags, a language and a translation."""
    return said[len(_PNG_XMP) :].split(b"\0", 2)[-1] if said else b""


def _is_known_png(name: bytes, said: bytes) -> bool:
    """Whether a chunk is kept, or says no more than that colours are sRGB, as they are without."""
    if name in _PNG_KNOWN or (name == b"iTXt" and said.startswith(_PNG_XMP)):
        return True
    numbers = tuple(int.from_bytes(said[at : at + 4], "big") for at in range(0, len(said), 4))
    return name in _PNG_SRGB and (numbers if name == b"cHRM" else numbers[0]) == _PNG_SRGB[name]


# --- TIFF, BMP, Netpbm ------------------------------------------------------------------------------------


def _read_tiff(data: bytes) -> Still:
    import imagecodecs

    image = _opened(data, TIFF)
    tags = cast("Any", image).tag_v2
    colours = int(tags.get(_PHOTOMETRIC, -1))
    extra = tuple(tags.get(_EXTRA_SAMPLES, ()))
    bits, kinds = set(tags.get(_BITS, (1,))), set(tags.get(_SAMPLE_FORMAT, (1,)))
    if colours not in {_DARK_IS_LOW, _COLOURS} or extra not in {(), (_UNASSOCIATED,)}:
        raise BadArgument(
            f"the TIFF has photometric {colours} and extra samples {extra}; only grey, colours, opacity are"
        )
    if bits not in ({8}, {16}) or kinds != {1}:
        raise BadArgument(
            f"the TIFF has samples of {sorted(bits)} bits, format {sorted(kinds)}; only 8 or 16 are known"
        )
    notes = _notes(image)
    notes = Notes(notes.profile, _exif_of_tags(image), bytes(tags.get(_XMP, b"") or b""))
    others = tuple(f"tag {tag}" for tag in tags if tag not in _TIFF_LAYOUT | _TIFF_EXIF)
    turn = int(tags.get(_TIFF_ORIENTATION, UPRIGHT))
    pixels = imagecodecs.tiff_decode(data)
    expected = (1 if colours == _DARK_IS_LOW else 3) + len(extra)
    if pixels.shape[2:] not in {(expected,), ()}:
        raise BadArgument(f"the TIFF's pixels come as {pixels.shape}; they are not known")
    return _still(pixels, TIFF, notes, others=others, turn=turn if 1 <= turn <= 8 else UPRIGHT)


def _exif_of_tags(image: "Image") -> bytes:
    """What the directory of a TIFF says about the picture, as Exif."""
    exif = image.getexif()
    for tag in list(exif):
        if tag not in _TIFF_EXIF:
            del exif[tag]
    return stripped(exif.tobytes()) if len(exif) else b""


def _read_bmp(data: bytes) -> Still:
    """By Pillow: what imagecodecs has for it was seen to read beyond the end of damaged files."""
    image = _opened(data, BMP)
    if image.mode not in {"L", "P", "RGB", "RGBA"}:
        raise BadArgument(f"the BMP's pixels are of mode {image.mode}; only grey, palettes and colours are known here")
    densities = {int.from_bytes(data[at : at + 4], "little") for at in (38, 42)} if data[14] >= 40 else {0}
    others = ("its density",) * (densities != {0}) + ("a colour space",) * (data[14] > 40)
    pixels = np.asarray(image.convert("RGB") if image.mode == "P" else image)
    return _still(pixels, BMP, _notes(image), others=others)


def _read_netpbm(data: bytes) -> Still:
    regions = find_pixels(data)
    if len(regions) != 1:
        raise BadArgument("it begins like a Netpbm file and has no pixels that are kept as bytes")
    region = regions[0]
    _check(region.width, region.height)
    highest = data[: region.start].split()[-1]
    if highest != (b"255", b"65535")[region.octets - 1]:
        raise BadArgument(f"its samples reach up to {highest.decode('latin-1')[:8]}; only 255 and 65535 are known here")
    samples = np.frombuffer(data, f">u{region.octets}", region.height * region.width * region.channels, region.start)
    pixels = samples.reshape(region.height, region.width, region.channels).astype(f"u{region.octets}")
    others = ("bytes behind its pixels",) * (region.end != len(data))
    others += ("a comment",) * (b"#" in data[: region.start])
    return _still(pixels, NETPBM, Notes(), others=others)


# --- WebP, AVIF, JPEG XL ----------------------------------------------------------------------------------


def _read_webp(data: bytes) -> Still:
    import imagecodecs

    image = _opened(data, WEBP)
    pixels = imagecodecs.webp_decode(data, hasalpha=image.mode == "RGBA")
    return _still(pixels, WEBP, _notes(image), others=boxes.unknown_chunks(data))


def _read_avif(data: bytes) -> Still:
    import imagecodecs

    image = _opened(data, AVIF)
    pixels = imagecodecs.avif_decode(data, numthreads=1)
    return _still(pixels, AVIF, _notes(image))


def _read_jxl(data: bytes) -> Still:
    import imagecodecs

    _check(*jxl_size(data))
    exif, xmp = boxes.jxl_notes(data)
    pixels = imagecodecs.jpegxl_decode(data, keeporientation=True, numthreads=1)
    return _still(pixels, JXL, Notes(b"", exif, xmp))


_READERS: dict[str, Callable[[bytes], Still]] = {
    JPEG: _read_jpeg,
    PNG: _read_png,
    TIFF: _read_tiff,
    BMP: _read_bmp,
    NETPBM: _read_netpbm,
    WEBP: _read_webp,
    AVIF: _read_avif,
    JXL: _read_jxl,
}
