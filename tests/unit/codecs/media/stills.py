"""Small files of one picture, in every form that is read, with everything a file may say about its picture."""

import base64
import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, PngImagePlugin

Pixels = npt.NDArray[np.uint8]
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rock/></x:xmpmeta>'
SEDIMENT = base64.b64decode(
    "AAAADEpYTCANCocKAAAAFGZ0eXBqeGwgAAAAAGp4bCAAAAA/eG1sIDx4OnhtcG1ldGEgeG1sbnM6eD0iYWRvYmU6bnM6bWV0YS8iPjxyb2Nr"
    "Lz48L3g6eG1wbWV0YT4AAABWanhsY/8KQwYAFYgGAAwBkVoWAIAKlVHGDV7O9Xz5ocNi2sZ1hrbatrCEsdleGCQkiRXcLh0FPLABN8/tlzdi"
    "pygzmEMgriRxAuP2l3DzbEGIIg=="
)
"""16 by 16 pixels by JPEG XL with loss, in a container with XMP."""


def photo(height: int = 40, width: int = 56, channels: int = 3) -> Pixels:
    """Waves, so that something can be won with loss, and a little noise."""
    down, across = np.mgrid[0:height, 0:width]
    waves = [128 + 90 * np.sin(down / (5 + 2 * c)) * np.cos(across / (9 - c)) for c in range(channels)]
    noise = np.random.default_rng(7).normal(0, 3, (height, width, channels))
    return np.clip(np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8)


def see_through(height: int = 40, width: int = 56) -> Pixels:
    """A round picture in colours on nothing."""
    down, across = np.mgrid[0:height, 0:width]
    far = np.hypot(down - height / 2, across - width / 2)
    opacity = np.clip(255 * (height / 2 - far) / 6, 0, 255).astype(np.uint8)
    return np.concatenate([photo(height, width), opacity[:, :, None]], axis=2)


def exif(orientation: int | None = None) -> bytes:
    """Exif with a maker, and perhaps how the picture is to be turned."""
    made = Image.Exif()
    made[0x010F] = "Granite & Sons"
    if orientation is not None:
        made[0x0112] = orientation
    return made.tobytes()


def saved(pixels: Any, form: str, **said: Any) -> bytes:
    """A file by Pillow."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form, **said)
    return out.getvalue()


def png_with_text() -> bytes:
    """A PNG that says something no other form has a place for."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "sandstone")
    return saved(photo(), "PNG", pnginfo=text)


def with_xmp() -> PngImagePlugin.PngInfo:
    """XMP as PNG has it."""
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return text


def netpbm(pixels: Any) -> bytes:
    """P5 or P6, 8 or 16 bits."""
    height, width = pixels.shape[:2]
    octets = pixels.dtype.itemsize
    kind = b"P6" if pixels.ndim == 3 else b"P5"
    head = b"%s\n%d %d\n%d\n" % (kind, width, height, 255 if octets == 1 else 65535)
    samples: bytes = pixels.astype(f">u{octets}").tobytes()
    return head + samples
