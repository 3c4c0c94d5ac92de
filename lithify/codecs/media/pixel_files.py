"""Where the pixels lie in files of pictures that are not compressed: DICOM, TIFF, BMP, Netpbm, Y4M, raw video.

Only enough of each format is read to find them; a file that says nonsense has none.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from lithify import limits
from lithify.codecs.media.video_guess import Plane, guess_planes


class Region(NamedTuple):
    """Rows of pixels that follow one another in a file."""

    start: int
    height: int
    width: int
    channels: int
    octets: int
    """Bytes of a sample, 1 or 2."""
    big: bool
    signed: bool
    padding: int
    """Bytes behind each row."""
    blue_first: bool = False
    """Whether the first three channels are blue, green, red."""

    @property
    def row_bytes(self) -> int:
        return self.width * self.channels * self.octets + self.padding

    @property
    def end(self) -> int:
        return self.start + self.height * self.row_bytes


_REGIONS_MAX = 4096
_PIXELS_MIN = 64
_SIDE_MAX = 1 << 20


def find_pixels(data: bytes, length: int | None = None) -> list[Region]:
    """The pictures of a file that begins with `data`, in its order; none where there are none, or they are compressed.

    length  of the whole file; None: `data` is all of it
    """
    length = len(data) if length is None else length
    found: list[Region] = []
    at = 0
    for region in _regions(data, length):
        sound = region.start >= at and region.end <= length and is_sound(region)
        if sound and len(found) < _REGIONS_MAX:
            found.append(region)
            at = region.end
    return found


def is_sound(region: Region) -> bool:
    """Whether it has an area, and no more than any picture may have."""
    pixels = region.height * region.width
    return (
        1 <= region.height <= _SIDE_MAX
        and 1 <= region.width <= _SIDE_MAX
        and 1 <= region.channels <= 4
        and pixels >= _PIXELS_MIN
        and pixels * region.channels <= limits.IMAGE_SAMPLES_MAX
    )


def _regions(data: bytes, length: int) -> Iterator[Region]:
    if data[128:132] == b"DICM":
        yield from _dicom(data)
    elif is_tiff(data):
        yield from _tiff(data, length)
    elif data[:2] == b"BM":
        yield from _bmp(data)
    elif data.startswith(Y4M):
        yield from _y4m(data, length)
    elif _NETPBM.match(data):
        yield from _netpbm(data)
    else:
        yield from _planes(guess_planes(data, length), length)


# --- DICOM ------------------------------------------------------------------------------------------------

_LONG_FORMS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT"})
_EXPLICIT, _IMPLICIT, _EXPLICIT_BIG = b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.2"
_TRANSFER, _SAMPLES, _PLANES, _FRAMES, _ROWS, _COLUMNS = 0x20010, 0x280002, 0x280006, 0x280008, 0x280010, 0x280011
_ALLOCATED, _STORED_SIGNED, _PIXELS = 0x280100, 0x280103, 0x7FE00010
_ELEMENTS_MAX = 100_000
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_STACKED_SAMPLES = 1 << 24


def _dicom(data: bytes) -> Iterator[Region]:
    """Frames of one size, one behind another, in the last element that matters."""
    values: dict[int, bytes] = {}
    syntax, big = _EXPLICIT, False
    depth = 0
    at = 132
    for _ in range(_ELEMENTS_MAX):
        is_meta = data[at : at + 2] == b"\2\0"
        order: str = "big" if big and not is_meta else "little"
        found = _element(data, at, order, explicit=is_meta or syntax != _IMPLICIT)
        if found is None:
            return
        tag, size, at = found
        if tag == _PIXELS and not depth:
            if size != _UNDEFINED:
                yield from _dicom_frames(values, at, size, order)
            return
        depth += (tag in {_ITEM} and size == _UNDEFINED) - (tag in {_ITEM_END, _SEQUENCE_END})
        if size == _UNDEFINED:
            depth += tag != _ITEM
            continue
        if tag == _ITEM and depth:
            continue
        if not depth and size <= 64:
            values[tag] = data[at : at + size]
        at += size
        if tag == _TRANSFER:
            syntax = values.get(tag, b"").rstrip(b"\0 ")
            if syntax not in {_EXPLICIT, _IMPLICIT, _EXPLICIT_BIG}:
                return
            big = syntax == _EXPLICIT_BIG


def _element(data: bytes, at: int, order: str, *, explicit: bool) -> tuple[int, int, int] | None:
    """Tag, length and place of the value of the element at `at`."""
    if at + 8 > len(data):
        return None
    tag = _int(data, at, 2, order) << 16 | _int(data, at + 2, 2, order)
    if tag >> 16 == 0xFFFE or not explicit:
        return tag, _int(data, at + 4, 4, order), at + 8
    if data[at + 4 : at + 6] in _LONG_FORMS:
        return (tag, _int(data, at + 8, 4, order), at + 12) if at + 12 <= len(data) else None
    return tag, _int(data, at + 6, 2, order), at + 8


def _dicom_frames(values: dict[int, bytes], start: int, size: int, order: str) -> Iterator[Region]:
    def value(tag: int, otherwise: int) -> int:
        found = values.get(tag, b"")
        return _int(found, 0, 2, order) if len(found) == 2 else otherwise

    rows, columns, bits = value(_ROWS, 0), value(_COLUMNS, 0), value(_ALLOCATED, 0)
    samples, planes, signed = value(_SAMPLES, 1), value(_PLANES, 0), value(_STORED_SIGNED, 0) == 1
    if bits not in {8, 16} or not rows or not columns or not 1 <= samples <= 4:
        return
    channels = 1 if planes else samples
    frame = rows * columns * channels
    pictures = size // (frame * bits // 8)
    stacked = max(1, _STACKED_SAMPLES // frame)
    at = start
    for first in range(0, pictures, stacked):
        height = rows * min(stacked, pictures - first)
        region = Region(at, height, columns, channels, bits // 8, order == "big", signed, 0)
        yield region
        at = region.end


def _int(data: bytes, at: int, width: int, order: str) -> int:
    piece = data[at : at + width]
    return int.from_bytes(piece, "big" if order == "big" else "little") if len(piece) == width else 0


# --- TIFF -------------------------------------------------------------------------------------------------

_TIFF_TYPES = {1: 1, 3: 2, 4: 4}
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _STRIPS, _PER_PIXEL, _ROWS_PER_STRIP = 256, 257, 258, 259, 273, 277, 278
_STRIP_BYTES, _PLANAR, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES, _FORMAT = 279, 284, 322, 323, 324, 325, 339
_PLAIN, _PACK_BITS = 1, 32_773
_DIRECTORIES_MAX = 1000
_STRIPS_MAX = 4096


def is_tiff(data: bytes) -> bool:
    """Whether it begins like one."""
    return data[:4] in {b"II*\0", b"MM\0*"}


def find_packed_strips(data: bytes) -> list[tuple[Region, int]]:
    """The strips of a TIFF that are packed by PackBits, in order: place and form of their pixels, and their length."""
    if not is_tiff(data):
        return []
    found = sorted((form._replace(start=start), size) for form, start, size in _tiff_strips(data, _PACK_BITS))
    return found if all(one.start > 0 and one.start + size <= len(data) for one, size in found) else []


def _tiff(data: bytes, length: int) -> Iterator[Region]:
    pieces = [
        form._replace(start=start, height=size // form.row_bytes)
        for form, start, size in _tiff_strips(data, _PLAIN)
        if start > 0 and start + size <= length and size >= form.row_bytes
    ]
    yield from joined(sorted(pieces))


def _tiff_strips(data: bytes, compression: int) -> Iterator[tuple[Region, int, int]]:
    """The form of the pixels, the start and the length of each strip or tile that is compressed so."""
    order = "little" if data[:2] == b"II" else "big"
    at, seen = _int(data, 4, 4, order), set[int]()
    while at and at not in seen and len(seen) < _DIRECTORIES_MAX:
        seen.add(at)
        count = _int(data, at, 2, order)
        tags = {}
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tags[_int(data, entry, 2, order)] = entry
        yield from _tiff_pictures(data, order, tags, compression)
        at = _int(data, at + 2 + 12 * count, 4, order)


def _tiff_values(data: bytes, order: str, tags: dict[int, int], tag: int) -> list[int]:
    entry = tags.get(tag)
    if entry is None:
        return []
    kind, count = _int(data, entry + 2, 2, order), _int(data, entry + 4, 4, order)
    width = _TIFF_TYPES.get(kind, 0)
    if not width or not 0 < count <= _STRIPS_MAX:
        return []
    start = entry + 8 if width * count <= 4 else _int(data, entry + 8, 4, order)
    return [_int(data, start + i * width, width, order) for i in range(count)]


def _tiff_pictures(
    data: bytes, order: str, tags: dict[int, int], compression: int
) -> Iterator[tuple[Region, int, int]]:
    def values(tag: int) -> list[int]:
        return _tiff_values(data, order, tags, tag)

    def value(tag: int, otherwise: int) -> int:
        return (values(tag) or [otherwise])[0]

    bits, formats = set(values(_BITS) or [1]), set(values(_FORMAT) or [1])
    if value(_COMPRESSION, _PLAIN) != compression or bits not in ({8}, {16}) or not formats <= {1, 2}:
        return
    octets, signed, big = bits.pop() // 8, formats == {2}, order == "big"
    channels = 1 if value(_PLANAR, 1) == 2 else value(_PER_PIXEL, 1)
    width, height = value(_WIDTH, 0), value(_HEIGHT, 0)
    if _TILES in tags:
        width, rows = value(_TILE_WIDTH, 0), value(_TILE_HEIGHT, 0)
        starts, sizes = values(_TILES), values(_TILE_BYTES)
    else:
        rows = value(_ROWS_PER_STRIP, height)
        starts, sizes = values(_STRIPS), values(_STRIP_BYTES)
    if not width or not channels or not rows:
        return
    form = Region(0, rows, width, channels, octets, big, signed, 0)
    yield from ((form, start, size) for start, size in zip(starts, sizes, strict=False))


def joined(pieces: list[Region]) -> Iterator[Region]:
    """Strips that follow one another are one picture."""
    whole: Region | None = None
    for piece in pieces:
        if whole is not None and whole.end == piece.start and whole.height * whole.width < _STACKED_SAMPLES:
            whole = whole._replace(height=whole.height + piece.height)
            continue
        if whole is not None:
            yield whole
        whole = piece
    if whole is not None:
        yield whole


# --- BMP, Netpbm, Y4M -------------------------------------------------------------------------------------


def _bmp(data: bytes) -> Iterator[Region]:
    start, head = _int(data, 10, 4, "little"), _int(data, 14, 4, "little")
    if head < 40 or len(data) < 54:
        return
    width = _int(data, 18, 4, "little")
    height = int.from_bytes(data[22:26], "little", signed=True)
    bits, compression = _int(data, 28, 2, "little"), _int(data, 30, 4, "little")
    if bits in {8, 24, 32} and compression in ({0} if bits != 32 else {0, 3}):
        row = width * bits // 8
        yield Region(start, abs(height), width, bits // 8, 1, False, False, -row % 4, bits > 8)


_NETPBM = re.compile(rb"P([56])(?:\s+|#[^\n]*\n)+(\d{1,7})(?:\s+|#[^\n]*\n)+(\d{1,7})(?:\s+|#[^\n]*\n)+(\d{1,5})\s")


def _netpbm(data: bytes) -> Iterator[Region]:
    found = _NETPBM.match(data)
    if found is None:
        return
    channels = 1 if found[1] == b"5" else 3
    yield Region(found.end(), int(found[3]), int(found[2]), channels, 1 + (int(found[4]) > 255), True, False, 0)


_CHROMA = {b"420": (2, 2), b"422": (2, 1), b"444": (1, 1), b"411": (4, 1), b"mono": (0, 0)}
Y4M = b"YUV4MPEG2 "
_FRAME = b"FRAME"
FRAME_LINE_BYTES_MAX = 256


class Y4m(NamedTuple):
    """What the first line of a Y4M file says."""

    end: int
    """Where the line ends and frames begin."""
    planes: list[Plane]
    octets: int
    """Bytes of a sample, 1 or 2."""


def y4m_head(data: bytes) -> Y4m | None:
    """Of the file that begins with `data`; None: it is none, or of a form that is not known here."""
    line_end = data.find(b"\n", 0, 1024)
    if line_end < 0 or not data.startswith(Y4M):
        return None
    fields = data[:line_end].split(b" ")[1:]
    told = {field[:1]: field[1:] for field in fields if field}
    chroma = told.get(b"C", b"420")
    octets = 2 if re.search(rb"p(9|1[0246])$", chroma) or chroma.startswith((b"mono1", b"mono9")) else 1
    kind = next((kind for kind in _CHROMA if chroma.startswith(kind)), None)
    if kind is None or b"alpha" in chroma or not (told.get(b"W", b"").isdigit() and told.get(b"H", b"").isdigit()):
        return None
    across, down = _CHROMA[kind]
    width, height = int(told[b"W"][:7]), int(told[b"H"][:7])
    planes = [(height, width)]
    if across:
        planes += [(-(-height // down), -(-width // across))] * 2
    return Y4m(line_end + 1, planes, octets)


def frame_line_end(data: bytes, at: int) -> int | None:
    """Where the line ends that each frame of a Y4M file begins with; None: there is none at `at`."""
    end = data.find(b"\n", at, at + FRAME_LINE_BYTES_MAX)
    return end + 1 if end >= 0 and data[at : at + len(_FRAME)] == _FRAME else None


def _y4m(data: bytes, length: int) -> Iterator[Region]:
    """Each plane of each frame."""
    head = y4m_head(data)
    if head is None:
        return
    at = head.end
    while (start := frame_line_end(data, at)) is not None:
        at = start
        for rows, columns in head.planes:
            region = Region(at, rows, columns, 1, head.octets, False, False, 0)
            yield region
            at = region.end
        if at > length:
            return


def _planes(planes: list[Plane], length: int) -> Iterator[Region]:
    """Frames of these planes, to the end of the file."""
    at = 0
    while planes and at < length:
        for rows, columns in planes:
            region = Region(at, rows, columns, 1, 1, False, False, 0)
            yield region
            at = region.end
