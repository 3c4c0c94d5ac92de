"""Where the frames lie in a QuickTime movie that keeps them as they are."""

from collections.abc import Iterator

from lithify import limits
from lithify.codecs.codec import Source
from lithify.codecs.media.video_codes import deep_layout, is_size, layout_by_code, say_unknown
from lithify.codecs.media.video_planes import Layout, packed

_MOOV_BYTES_MAX = 16 * limits.MIB
_ATOMS_MAX = 10_000
_FRAMES_MAX = 1 << 22
_ENTRY_BYTES = 86
_PIXELS = {
    (b"raw ", 24): (3, (1, 2, 0)),
    (b"raw ", 32): (4, (2, 3, 1)),
    (b"raw ", 40): (1, (0,)),
    (b"24BG", 24): (3, (1, 0, 2)),
    (b"BGRA", 32): (4, (1, 0, 2)),
    (b"RGBA", 32): (4, (1, 2, 0)),
    (b"ABGR", 32): (4, (2, 1, 3)),
}
"""Bytes of a pixel, and where in it green, blue and red lie, or grey; by code and depth."""
_RAW = frozenset({b"raw ", bytes(4)})
_SEEN_BYTES = 64 * limits.KIB


def is_movie(head: bytes) -> bool:
    """Whether a file that begins so is one."""
    return head[4:8] in {b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip"}


def walk_movie(source: Source) -> tuple[Layout, Iterator[int]] | None:
    """The layout of the frames of the first track of pictures, and where each begins; None: they are compressed."""
    moov = _moov(source)
    for track in _inside(moov, b"trak"):
        media = next(_inside(track, b"mdia"), b"")
        handler = next(_inside(media, b"hdlr"), b"")
        if handler[8:12] != b"vide":
            continue
        table = next((table for info in _inside(media, b"minf") for table in _inside(info, b"stbl")), b"")
        named = {name: next(_inside(table, name), b"") for name in (b"stsd", b"stsz", b"stsc", b"stco", b"co64")}
        frame_bytes, count = _sizes(named[b"stsz"])
        seen = source.read(next(_starts(named, count, frame_bytes), 0), min(_SEEN_BYTES, frame_bytes))
        layout = _layout(named[b"stsd"][8:], frame_bytes, seen)
        return None if layout is None else (layout, _starts(named, count, frame_bytes))
    return None


def _moov(source: Source) -> bytes:
    """What the atom says that tells of all tracks; it may stand behind the pictures."""
    at = 0
    for _ in range(_ATOMS_MAX):
        head = source.read(at, 16)
        if len(head) < 8:
            return b""
        size, skipped = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, skipped = int.from_bytes(head[8:16], "big"), 16
        if head[4:8] == b"moov":
            return source.read(at + skipped, min(size - skipped, _MOOV_BYTES_MAX)) if size > skipped else b""
        if size < skipped:
            return b""
        at += size
    return b""


def _inside(data: bytes, name: bytes) -> Iterator[bytes]:
    """What atoms of a name hold that lie in another."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8:
            return
        if data[at + 4 : at + 8] == name:
            yield data[at + 8 : at + size]
        at += size


def _sizes(table: bytes) -> tuple[int, int]:
    """Bytes of every frame, and how many there are; 0 bytes where they differ."""
    size, count = (int.from_bytes(table[at : at + 4], "big") for at in (4, 8))
    if not size and count and len(table) == 12 + 4 * count and table[12:] == table[12:16] * count:
        size = int.from_bytes(table[12:16], "big")
    return size, min(count, _FRAMES_MAX)


def _layout(entry: bytes, frame_bytes: int, seen: bytes) -> Layout | None:
    """Of frames of so many bytes, of which the first begins as `seen`."""
    if len(entry) < _ENTRY_BYTES:
        return None
    code = entry[4:8]
    width, rows, depth = (int.from_bytes(entry[at : at + 2], "big") for at in (32, 34, 82))
    if not is_size(rows, width):
        return None
    if code in _RAW and (deep := deep_layout(rows, width, frame_bytes, seen)) is not None:
        return deep
    if (code, depth) in _PIXELS and frame_bytes % rows == 0:
        pixel_bytes, places = _PIXELS[code, depth]
        return packed(rows, width, pixel_bytes, places, frame_bytes // rows)
    if code in _RAW:
        say_unknown(f"{8 * frame_bytes // (rows * width)} bits a pixel")
    layout = layout_by_code(code, rows, width)
    return layout if layout is None or layout.length == frame_bytes else None


def _starts(tables: dict[bytes, bytes], count: int, frame_bytes: int) -> Iterator[int]:
    """Where each frame begins: chunks of some frames lie anywhere, in order."""
    width = 8 if tables[b"co64"] else 4
    places = (tables[b"co64"] or tables[b"stco"])[8:]
    runs = tables[b"stsc"][8:]
    row, held, left = 0, 0, count
    for chunk in range(len(places) // width):
        if row + 12 <= len(runs) and int.from_bytes(runs[row : row + 4], "big") == chunk + 1:
            held = int.from_bytes(runs[row + 4 : row + 8], "big")
            row += 12
        at = int.from_bytes(places[chunk * width : (chunk + 1) * width], "big")
        for number in range(min(held, left)):
            yield at + number * frame_bytes
        left -= min(held, left)
