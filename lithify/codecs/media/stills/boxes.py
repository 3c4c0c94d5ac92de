"""Notes around a stream of pixels: the boxes of JPEG XL (ISO/IEC 18181-2) and the chunks of WebP (RFC 9649)."""

from collections.abc import Iterator

from lithify.codecs.media.stills.exif import stripped
from lithify.codecs.media.stills.still import Notes

JXL_SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
_JXL_TYPE = b"jxl \0\0\0\0jxl "
_EXIF_SKIPS = bytes(4)  # how far behind this number Exif begins
_PROFILE, _OPACITY, _EXIF, _XMP = 0x20, 0x10, 0x08, 0x04
_KNOWN_CHUNKS = frozenset({b"VP8X", b"VP8L", b"VP8 ", b"ALPH", b"ICCP", b"EXIF", b"XMP "})
_PARTS_MAX = 4096


def jxl_with_notes(stream: bytes, notes: Notes) -> bytes:
    """A JPEG XL file of a bare stream and what is said about its picture, but for the profile: that has no box."""
    if not notes.exif and not notes.xmp:
        return stream
    parts = [JXL_SIGNATURE, _box(b"ftyp", _JXL_TYPE)]
    parts += [_box(b"Exif", _EXIF_SKIPS + notes.exif)] if notes.exif else []
    parts += [_box(b"xml ", notes.xmp)] if notes.xmp else []
    return b"".join([*parts, _box(b"jxlc", stream)])


def jxl_notes(data: bytes) -> tuple[bytes, bytes]:
    """Exif and XMP of a JPEG XL file; of boxes that are packed nothing is told."""
    exif = xmp = b""
    for kind, content in _boxes(data) if data.startswith(JXL_SIGNATURE) else ():
        if kind == b"Exif" and not exif:
            exif = stripped(content[4 + int.from_bytes(content[:4], "big") :])
        if kind == b"xml " and not xmp:
            xmp = content
    return exif, xmp


def _box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in range(_PARTS_MAX):
        length, kind, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        end = len(data) if length == 0 else at + length
        if at + head > len(data) or not at + head <= end <= len(data):
            return
        yield kind, data[at + head : end]
        at = end


def webp_with_notes(file: bytes, notes: Notes, width: int, height: int, *, opacity: bool) -> bytes:
    """A WebP file of one lossless stream, `file`, with what is said about its picture."""
    said = ((b"ICCP", notes.profile, _PROFILE), (b"EXIF", notes.exif, _EXIF), (b"XMP ", notes.xmp, _XMP))
    if not any(content for _, content, _ in said):
        return file
    flags = _OPACITY * opacity + sum(flag for _, content, flag in said if content)
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    profile, *behind = (_chunk(kind, content) if content else b"" for kind, content, _ in said)
    body = b"".join([b"WEBP", _chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sizes), profile, file[12:], *behind])
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def unknown_chunks(data: bytes) -> tuple[str, ...]:
    """Names of the chunks of a WebP file that are neither pixels nor notes."""
    names: list[bytes] = []
    at = 12
    while at + 8 <= len(data) and len(names) < _PARTS_MAX:
        names.append(data[at : at + 4])
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + (length & 1)
    return tuple(dict.fromkeys(name.decode("latin-1") for name in names if name not in _KNOWN_CHUNKS))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) & 1)
