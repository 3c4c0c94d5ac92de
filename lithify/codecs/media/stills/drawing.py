"""Original, what comes back, and what differs, side by side, as a PNG for people."""

from io import BytesIO
from typing import Any, cast

import numpy as np

from lithify.codecs.media.pictures import Picture
from lithify.codecs.media.stills.reading import read_still
from lithify.codecs.media.stills.still import Still
from lithify.errors import BadArgument

_PANEL_MAX = 1024
"""Columns or rows of a panel; larger pictures are shrunk by a whole number, differences by their largest."""
_PANEL_MIN = 240
"""Columns of a panel, so that its title has room."""
_GAP, _TITLE = 12, 34
_PAPER, _INK = 255, 32
_ALL_BUT = 99.9
"""Percentile of differences that the brightest shade stands for; the few beyond are as bright."""


def drawn(original: bytes, decoded: bytes) -> bytes:
    """Raises BadArgument for a file that holds no picture that can be shown."""
    before, after = read_still(original), read_still(decoded)
    if before.upright().picture.shape == after.picture.shape:
        before = before.upright()
    if before.picture.shape != after.picture.shape or before.picture.dtype != after.picture.dtype:
        raise BadArgument(f"{before.picture.shape} and {after.picture.shape} samples cannot be laid over each other")
    difference = _difference(before.picture, after.picture)
    factor = _factor(difference, _highest(before))
    shrink = -(-max(before.picture.shape[:2]) // _PANEL_MAX)
    panels = [
        (_panel(_shrunk(_seen(before), shrink, np.mean)), _title("original", before)),
        (_panel(_shrunk(_seen(after), shrink, np.mean)), _title("comes back", after)),
        (_panel(_shrunk(_amplified(difference, factor, before), shrink, np.max)), _said(difference, factor, before)),
    ]
    return _side_by_side(panels)


def _difference(one: Picture, two: Picture) -> np.ndarray[Any, np.dtype[np.int32]]:
    return cast("np.ndarray[Any, np.dtype[np.int32]]", np.abs(one.astype(np.int32) - two.astype(np.int32)))


def _highest(still: Still) -> int:
    return int(np.iinfo(still.picture.dtype).max)


def _factor(difference: Any, highest: int) -> int:
    """A power of two that makes nearly all differences as bright as can be seen; 1 where none is."""
    most = float(np.percentile(difference, _ALL_BUT)) or float(difference.max())
    return 1 if not most else max(1, 1 << int(np.log2(max(1.0, highest / most))))


def _amplified(difference: Any, factor: int, still: Still) -> Any:
    scaled = np.minimum(difference * factor * 255 // _highest(still), 255)
    return _as_colours(scaled.astype(np.uint8), opaque=True)


def _seen(still: Still) -> Any:
    eight = still.picture if still.picture.dtype == np.uint8 else (still.picture >> 8).astype(np.uint8)
    return _as_colours(eight, opaque=False)


def _as_colours(picture: Any, *, opaque: bool) -> Any:
    """Red, green, blue; what can be seen through stands on paper, a difference of opacity is shown as grey."""
    channels = picture.shape[2]
    colours = picture[:, :, :3] if channels >= 3 else np.repeat(picture[:, :, :1], 3, axis=2)
    if channels in {1, 3}:
        return colours
    last = picture[:, :, -1:]
    if opaque:
        return np.maximum(colours, last)
    share = last.astype(np.float32) / 255
    return (colours * share + _PAPER * (1 - share)).astype(np.uint8)


def _shrunk(colours: Any, by: int, how: Any) -> Any:
    if by == 1:
        return colours
    height, width = (side // by * by for side in colours.shape[:2])
    return how(colours[:height, :width].reshape(height // by, by, width // by, by, 3), axis=(1, 3)).astype(np.uint8)


def _panel(colours: Any) -> Any:
    """The picture, as it is or each pixel a square: small ones are drawn larger."""
    times = max(1, min(_PANEL_MIN // colours.shape[1], _PANEL_MAX // max(colours.shape[:2])))
    return colours.repeat(times, axis=0).repeat(times, axis=1)


def _title(what: str, still: Still) -> str:
    height, width, _ = still.picture.shape
    return f"{what}: {still.media_type.removeprefix('image/')}, {width} x {height}"


def _said(difference: Any, factor: int, still: Still) -> str:
    most = int(difference.max())
    if not most:
        return "nothing differs"
    return f"difference x {factor} (largest {most} of {_highest(still)})"


def _side_by_side(panels: list[tuple[Any, str]]) -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    widths = [max(panel.shape[1], _PANEL_MIN) for panel, _ in panels]
    height = max(panel.shape[0] for panel, _ in panels)
    sheet = Image.new("RGB", (sum(widths) + _GAP * 4, height + _TITLE + _GAP), (_PAPER,) * 3)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    at = _GAP
    for (panel, title), width in zip(panels, widths, strict=True):
        sheet.paste(Image.fromarray(panel), (at, _TITLE))
        pen.text((at, _TITLE // 4), title, fill=(_INK,) * 3, font=font)
        at += width + _GAP
    out = BytesIO()
    sheet.save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()
