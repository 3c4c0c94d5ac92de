"""The one tag of Exif that says how a picture is to be turned before it is shown, and turning it."""

from typing import Literal, cast

import numpy as np

from lithify.codecs.media.pictures import Picture

_PREFIX = b"Exif\0\0"
Order = Literal["little", "big"]
_ORDERS: dict[bytes, Order] = {b"II*\0": "little", b"MM\0*": "big"}
_ENTRY_BYTES, _ORIENTATION, _SHORT = 12, 0x0112, 3
UPRIGHT = 1


def stripped(exif: bytes) -> bytes:
    """Exif without the six bytes that JPEG puts before it."""
    return exif.removeprefix(_PREFIX)


def orientation(exif: bytes) -> int:
    """1 to 8, as Exif numbers them; 1, upright, where it says nothing that has a meaning."""
    found = _place(exif)
    if found is None:
        return UPRIGHT
    at, order = found
    value = int.from_bytes(exif[at : at + 2], order)
    return value if 1 <= value <= 8 else UPRIGHT


def with_orientation(exif: bytes, value: int) -> bytes:
    """The same Exif saying so, where it says anything of it; no other byte is touched, nor moved."""
    found = _place(exif)
    if found is None:
        return exif
    at, order = found
    return exif[:at] + value.to_bytes(2, order) + exif[at + 2 :]


def disguised(exif: bytes) -> bytes:
    """The same Exif with the next number on that tag: Pillow writes all of it anew where it sees the tag."""
    found = _place(exif)
    if found is None:
        return exif
    at, order = found
    return exif[: at - 8] + (_ORIENTATION + 1).to_bytes(2, order) + exif[at - 6 :]


def turned(picture: Picture, how: int) -> Picture:
    """A picture as it is to be shown that has this orientation."""
    if how > 4:  # rows and columns change places
        picture = picture.transpose(1, 0, 2)
    down = how in {3, 4, 7, 8}
    across = how in {2, 3, 6, 7}
    made = picture[:: -1 if down else 1, :: -1 if across else 1]
    return cast("Picture", np.ascontiguousarray(made))


def _place(exif: bytes) -> tuple[int, Order] | None:
    """Where the value lies, and in which order of bytes."""
    order = _ORDERS.get(exif[:4])
    if order is None:
        return None
    at = int.from_bytes(exif[4:8], order)
    count = int.from_bytes(exif[at : at + 2], order)
    for entry in range(at + 2, min(at + 2 + _ENTRY_BYTES * count, len(exif) - _ENTRY_BYTES + 1), _ENTRY_BYTES):
        tag, kind = (int.from_bytes(exif[entry + i : entry + i + 2], order) for i in (0, 2))
        if tag == _ORIENTATION and kind == _SHORT:
            return entry + 8, order
    return None
