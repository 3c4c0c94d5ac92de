"""The rows of a PNG: filtered bytes to pixels and back (PNG specification, third edition, sections 7 to 9).

Kernels, because a pixel's filter may need the pixel before it. Their indices are counted up to the lengths of arrays
that were made for them.
"""

from collections.abc import Iterator

import numpy as np

from lithify.codecs.array_types import U8
from lithify.codecs.kernel import bare, inlined, unsigned, wide
from lithify.codecs.media.pictures import Picture
from lithify.codecs.media.png_chunks import Header
from lithify.codecs.media.png_layout import Pass, passes, plain_length, row_bytes
from lithify.errors import Corrupt

_FILTERS = 5


def to_picture(plain: bytes, header: Header) -> tuple[Picture, bytes] | None:
    """The pixels and the filter of each row; None if a filter does not exist, or there are bits behind a row's end."""
    kind = np.uint16 if header.depth == 16 else np.uint8
    picture = np.zeros((header.height, header.width, header.channels), kind)
    filters = []
    for one, rows in _cut(np.frombuffer(plain, np.uint8).copy(), header):
        filters.append(rows[:, 0].tobytes())
        if rows[:, 0].max() >= _FILTERS:
            return None
        unfilter(rows, _pixel_bytes(header))
        samples = _unpacked(rows[:, 1:], header, one.width)
        if samples is None:
            return None
        picture[one.top :: one.down, one.left :: one.right] = samples
    return picture, b"".join(filters)


def to_plain(picture: Picture, filters: bytes, header: Header) -> U8:
    """The filtered bytes again. Raises Corrupt for a filter that does not exist, or a sample beyond the depth."""
    told = np.frombuffer(filters, np.uint8)
    if told.size and told.max() >= _FILTERS:
        raise Corrupt(f"a row is filtered by method {told.max()}, which does not exist")
    if header.depth < 8 and picture.max() >> header.depth:
        raise Corrupt(f"a sample of {picture.max()} in a picture of {header.depth} bits")
    plain = np.zeros(plain_length(header), np.uint8)
    at = 0
    for one, rows in _cut(plain, header):
        raw = np.empty_like(rows)
        samples = picture[one.top :: one.down, one.left :: one.right]
        if header.depth == 8:
            raw[:, 1:].reshape(samples.shape, copy=False)[:] = samples
        else:
            raw[:, 1:] = _packed(samples, header)
        raw[:, 0] = told[at : at + one.height]
        at += one.height
        refilter(raw, rows, _pixel_bytes(header))
    return plain


def _cut(plain: U8, header: Header) -> Iterator[tuple[Pass, U8]]:
    """Each pass with its rows, views of `plain`."""
    at = 0
    for one in passes(header):
        size = one.height * (1 + row_bytes(header, one.width))
        yield one, plain[at : at + size].reshape(one.height, -1)
        at += size


def _pixel_bytes(header: Header) -> int:
    """How far back the filters look."""
    return max(1, header.channels * header.depth // 8)


def _unpacked(rows: U8, header: Header, width: int) -> Picture | None:
    """The samples of rows; None if bits are left that belong to none."""
    shape = len(rows), width, header.channels
    if header.depth == 16:
        return np.ascontiguousarray(rows).view(">u2").astype(np.uint16).reshape(shape)
    if header.depth == 8:
        return rows.reshape(shape)
    each = 8 // header.depth
    shifts = np.arange(each - 1, -1, -1, dtype=np.uint8) * np.uint8(header.depth)
    samples = (rows[:, :, np.newaxis] >> shifts) & np.uint8((1 << header.depth) - 1)
    samples = samples.reshape(len(rows), -1)
    return None if samples[:, width:].any() else samples[:, :width].reshape(shape)


def _packed(samples: Picture, header: Header) -> U8:
    """The rows of samples of other depths than 8 as bytes."""
    flat = samples.reshape(len(samples), -1)
    if header.depth == 16:
        return np.ascontiguousarray(flat.astype(">u2")).view(np.uint8)
    each = 8 // header.depth
    filled = np.zeros((len(flat), -(-flat.shape[1] // each) * each), np.uint8)
    filled[:, : flat.shape[1]] = flat
    shifts = np.arange(each - 1, -1, -1, dtype=np.uint8) * np.uint8(header.depth)
    octets: U8 = np.bitwise_or.reduce(filled.reshape(len(flat), -1, each) << shifts, axis=2)
    return octets


# --- kernels ----------------------------------------------------------------------------------------------


@inlined
def _expected(method: int, left: int, up: int, corner: int) -> int:
    """What a filter takes a byte for."""
    if method == 1:
        return left
    if method == 2:
        return up
    if method == 3:
        return (left + up) >> 1
    if method == 4:
        base = left + up - corner
        far_left, far_up, far_corner = abs(base - left), abs(base - up), abs(base - corner)
        if far_left <= far_up and far_left <= far_corner:
            return left
        return up if far_up <= far_corner else corner
    return wide(0)


@bare
def unfilter(rows: U8, pixel: int) -> None:
    """Filtered bytes become bytes, in place; the first of each row is its filter."""
    for y in range(rows.shape[0]):
        method = wide(rows[y, 0])
        if method:
            for x in range(1, rows.shape[1]):
                left = wide(rows[y, x - pixel]) if x > pixel else wide(0)
                up = wide(rows[y - 1, x]) if y else wide(0)
                corner = wide(rows[y - 1, x - pixel]) if y and x > pixel else wide(0)
                rows[y, x] = (wide(rows[y, x]) + _expected(method, left, up, corner)) & 255


@bare
def refilter(raw: U8, rows: U8, pixel: int) -> None:
    """The filtered bytes of `raw`, whose first byte of each row is its filter. A loop for each filter: all but Paeth's
    become vectors."""
    columns = raw.shape[1]
    for y in range(raw.shape[0]):
        here, above, out = raw[y], raw[max(y - 1, 0)], rows[y]
        method = wide(here[0])
        out[0] = method
        beginning = min(1 + pixel, columns) if y else columns
        for x in range(1, beginning):
            left = wide(here[x - pixel]) if x > pixel else wide(0)
            up = wide(above[x]) if y else wide(0)
            out[x] = (wide(here[x]) - _expected(method, left, up, wide(0))) & 255
        if method == 0:
            for x in range(beginning, columns):
                out[unsigned(x)] = here[unsigned(x)]
        elif method == 1:
            for x in range(beginning, columns):
                out[unsigned(x)] = here[unsigned(x)] - here[unsigned(x - pixel)]
        elif method == 2:
            for x in range(beginning, columns):
                out[unsigned(x)] = here[unsigned(x)] - above[unsigned(x)]
        elif method == 3:
            for x in range(beginning, columns):
                both = wide(here[unsigned(x - pixel)]) + wide(above[unsigned(x)])
                out[unsigned(x)] = wide(here[unsigned(x)]) - (both >> 1)
        else:
            for x in range(beginning, columns):
                left, up = wide(here[unsigned(x - pixel)]), wide(above[unsigned(x)])
                corner = wide(above[unsigned(x - pixel)])
                out[unsigned(x)] = wide(here[unsigned(x)]) - _expected(method, left, up, corner)
