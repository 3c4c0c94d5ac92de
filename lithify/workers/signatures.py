"""Formats that say what they are in their first bytes, and names that say it where the bytes cannot."""

import re
import struct

Found = tuple[str, str, str]
"""Kind, MIME type, and how we know."""

_BINARY = "application/octet-stream"

# (offset, bytes, kind, MIME type, what people call it); the longer of two that fit comes first.
_SIGNATURES = (
    (0, b"\x89HDF\r\n\x1a\n", "array", "application/x-hdf5", "HDF5 or NetCDF 4"),
    (0, b"CDF\x01", "array", "application/x-netcdf", "NetCDF 3"),
    (0, b"CDF\x02", "array", "application/x-netcdf", "NetCDF 3"),
    (0, b"CDF\x05", "array", "application/x-netcdf", "NetCDF 3"),
    (0, b"\x93NUMPY", "array", "application/x-npy", "a NumPy array"),
    (0, b"GRIB", "array", "application/x-grib", "GRIB"),
    (0, b"BUFR", "array", "application/x-bufr", "BUFR"),
    (0, b"SIMPLE  =", "array", "image/fits", "FITS"),
    (0, b"MATLAB 5.0 MAT-file", "array", "application/x-matlab-data", "a MATLAB file"),
    (344, b"n+1\0", "array", "application/x-nifti", "NIfTI"),
    (344, b"ni1\0", "array", "application/x-nifti", "NIfTI"),
    (4, b"n+2\0\r\n\x1a\n", "array", "application/x-nifti", "NIfTI 2"),
    (128, b"DICM", "image", "application/dicom", "DICOM"),
    (0, b"\x89PNG\r\n\x1a\n", "image", "image/png", "PNG"),
    (0, b"\xff\xd8\xff", "image", "image/jpeg", "JPEG"),
    (0, b"GIF87a", "image", "image/gif", "GIF"),
    (0, b"GIF89a", "image", "image/gif", "GIF"),
    (0, b"II*\0", "image", "image/tiff", "TIFF"),
    (0, b"MM\0*", "image", "image/tiff", "TIFF"),
    (0, b"II+\0", "image", "image/tiff", "BigTIFF"),
    (0, b"MM\0+", "image", "image/tiff", "BigTIFF"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "image", "image/jxl", "JPEG XL"),
    (0, b"\xff\x0a", "image", "image/jxl", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "image", "image/jp2", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "image", "image/j2c", "JPEG 2000"),
    (0, b"8BPS\0\x01", "image", "image/vnd.adobe.photoshop", "Photoshop"),
    (0, b"v/1\x01", "image", "image/x-exr", "OpenEXR"),
    (0, b"#?RADIANCE", "image", "image/vnd.radiance", "Radiance HDR"),
    (0, b"qoif", "image", "image/qoi", "QOI"),
    (0, b"DDS |", "image", "image/vnd-ms.dds", "DDS"),
    (0, b"fLaC", "audio", "audio/flac", "FLAC"),
    (0, b"ID3", "audio", "audio/mpeg", "MP3"),
    (0, b"\xff\xfb", "audio", "audio/mpeg", "MP3"),
    (0, b"\xff\xf3", "audio", "audio/mpeg", "MP3"),
    (0, b"\xff\xf1", "audio", "audio/aac", "AAC"),
    (0, b"wvpk", "audio", "audio/x-wavpack", "WavPack"),
    (0, b"MAC ", "audio", "audio/x-ape", "Monkey's Audio"),
    (0, b"MThd", "audio", "audio/midi", "MIDI"),
    (0, b".snd", "audio", "audio/basic", "AU"),
    (0, b"\x1a\x45\xdf\xa3", "video", "video/x-matroska", "Matroska or WebM"),
    (0, b"YUV4MPEG2 ", "video", "video/x-yuv4mpeg", "raw video (Y4M)"),
    (0, b"FLV\x01", "video", "video/x-flv", "Flash video"),
    (0, b"\0\0\x01\xba", "video", "video/mpeg", "MPEG"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video", "video/x-ms-asf", "Windows Media"),
    (0, b"%PDF-", "document", "application/pdf", "PDF"),
    (0, b"%!PS", "document", "application/postscript", "PostScript"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "document", "application/x-ole-storage", "an old Office file"),
    (0, b"\x1f\x8b\x08", "archive", "application/gzip", "gzip"),
    (0, b"\x28\xb5\x2f\xfd", "archive", "application/zstd", "zstd"),
    (0, b"\xfd7zXZ\0", "archive", "application/x-xz", "xz"),
    (0, b"7z\xbc\xaf\x27\x1c", "archive", "application/x-7z-compressed", "7-Zip"),
    (0, b"\x04\x22\x4d\x18", "archive", "application/x-lz4", "LZ4"),
    (0, b"Rar!\x1a\x07", "archive", "application/vnd.rar", "RAR"),
    (0, b"\x1f\x9d", "archive", "application/x-compress", "compress"),
    (0, b"\xff\x06\0\0sNaPpY", "archive", "application/x-snappy-framed", "Snappy"),
    (0, b"\x89LTH", "archive", "application/x-lithify", "a lithify frame"),
    (0, b"!<arch>\n", "archive", "application/x-archive", "an ar archive"),
    (257, b"ustar", "archive", "application/x-tar", "tar"),
    (0, b"SQLite format 3\0", "database", "application/vnd.sqlite3", "an SQLite database"),
    (0, b"PAR1", "database", "application/vnd.apache.parquet", "Parquet"),
    (0, b"ARROW1\0\0", "database", "application/vnd.apache.arrow.file", "Arrow"),
    (0, b"ORC", "database", "application/x-orc", "ORC"),
    (0, b"Obj\x01", "database", "application/avro", "Avro"),
    (0, b"\x7fELF", "executable", "application/x-elf", "an ELF program"),
    (0, b"\0asm", "executable", "application/wasm", "WebAssembly"),
    (0, b"\xca\xfe\xba\xbe", "executable", "application/java-vm", "Java or macOS code"),
    (0, b"\xcf\xfa\xed\xfe", "executable", "application/x-mach-binary", "a macOS program"),
)
_BY_START: dict[int, list[tuple[int, bytes, str, str, str]]] = {}
_DEEPER = [entry for entry in _SIGNATURES if entry[0]]
for _entry in _SIGNATURES:
    if not _entry[0]:
        _BY_START.setdefault(_entry[1][0], []).append(_entry)

_BZIP2 = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")
_NETPBM = re.compile(rb"P[1-7]\s+(#[^\n]*\n\s*)*(\d+\s+\d+\s|WIDTH )")
_RIFF = {
    b"WAVE": ("audio", "audio/wav", "WAV"),
    b"AVI ": ("video", "video/x-msvideo", "AVI"),
    b"WEBP": ("image", "image/webp", "WebP"),
}
_FORM = {b"AIFF": ("audio", "audio/aiff", "AIFF"), b"AIFC": ("audio", "audio/aiff", "AIFF")}
_AVIF_BRANDS = (b"avif", b"avis")
_IMAGE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1")
_AUDIO_BRANDS = (b"M4A ", b"M4B ")
_ZIP_MEMBERS = (
    (b".zarray", "array", "application/x-zarr", "a Zarr array in a zip file"),
    (b".zgroup", "array", "application/x-zarr", "a Zarr group in a zip file"),
    (b"zarr.json", "array", "application/x-zarr", "a Zarr array in a zip file"),
    (b".npy", "array", "application/x-npz", "NumPy arrays in a zip file"),
    (b"[Content_Types].xml", "document", "application/vnd.openxmlformats-officedocument", "an Office document"),
    (b"mimetypeapplication/", "document", "application/vnd.oasis.opendocument", "an OpenDocument or EPUB file"),
)
_ZIP_BYTES = 4096
_TRANSPORT_PACKET_BYTES = 188
_BITMAP_HEADERS = (12, 40, 52, 56, 64, 108, 124)

_NAMES = (
    (re.compile(r"\.(yuv|nv12|nv21|i420|yv12)$"), "video", _BINARY, "raw video"),
    (re.compile(r"\.(pcm|s16le|f32le|s8|u8)$"), "audio", _BINARY, "raw audio"),
    (re.compile(r"\.(f32|f64|i16|u16|i32|float32|float64)$"), "array", _BINARY, "a raw array"),
)


_TIFF_ORDERS = {b"II": "<", b"MM": ">"}
_TIFF_BITS, _TIFF_COMPRESSION, _TIFF_FORMAT = 258, 259, 339
_TIFF_OPENED = (1, 5, 8, 32946)
"""How strips may be compressed so that the coder of arrays reaches their numbers."""


def from_signature(head: bytes) -> Found | None:
    """What the first bytes say, if they say it."""
    if head[:2] in _TIFF_ORDERS and _holds_measurements(head):
        return "array", "image/tiff", "its first tags are those of a TIFF of measurements"
    for offset, magic, kind, mime, title in (*_BY_START.get(head[0], ()), *_DEEPER):
        if head.startswith(magic, offset):
            return kind, mime, f"its first bytes are those of {title}"
    found = _container(head)
    return found and (found[0], found[1], f"its first bytes are those of {found[2]}")


def _holds_measurements(head: bytes) -> bool:
    """Whether the first page of a TIFF, if it lies here, has samples of more than 8 bits: few pictures do."""
    order = _TIFF_ORDERS[head[:2]]
    try:
        (version,) = struct.unpack_from(order + "H", head, 2)
        is_big = version == 43
        (at,) = struct.unpack_from(order + ("Q" if is_big else "I"), head, 8 if is_big else 4)
        (count,) = struct.unpack_from(order + ("Q" if is_big else "H"), head, at)
        entry = struct.Struct(order + ("HHQH" if is_big else "HHIH"))  # tag, type, count, and the first short of it
        first, step = (at + 8, 20) if is_big else (at + 2, 12)
        tags = [entry.unpack_from(head, first + step * number) for number in range(min(count, 100))]
    except (struct.error, OverflowError):
        return False
    if version not in (42, 43):
        return False
    short = {tag: value for tag, _, length, value in tags if length == 1}
    return short.get(_TIFF_COMPRESSION, 1) in _TIFF_OPENED and (
        short.get(_TIFF_FORMAT, 1) == 3 or short.get(_TIFF_BITS, 1) in (16, 32, 64)
    )


def from_name(name: str) -> Found | None:
    """What the name says of binary data without a signature."""
    for pattern, kind, mime, title in _NAMES:
        if pattern.search(name):
            return kind, mime, f"its name is one for {title}"
    return None


def _container(head: bytes) -> Found | None:  # noqa: PLR0911 - one line per family of containers
    start = head[:4]
    if start == b"PK\x03\x04":
        return _zip(head)
    if start in {b"RIFF", b"RIFX", b"RF64"}:
        return _RIFF.get(head[8:12])
    if start == b"FORM":
        return _FORM.get(head[8:12])
    if start == b"OggS":
        return ("video", "video/ogg", "Ogg video") if b"theora" in head[:64] else ("audio", "audio/ogg", "Ogg audio")
    if head[4:8] == b"ftyp":
        return _iso_media(head[8:12])
    if start[:2] == b"BM" and head[14:18] in [size.to_bytes(4, "little") for size in _BITMAP_HEADERS]:
        return "image", "image/bmp", "a Windows bitmap"
    if start[:1] == b"\x47" and head[_TRANSPORT_PACKET_BYTES::_TRANSPORT_PACKET_BYTES][:4] == b"\x47" * 4:
        return "video", "video/mp2t", "an MPEG transport stream"
    if start[:2] == b"MZ" and b"PE\0\0" in head[:1024]:
        return "executable", "application/vnd.microsoft.portable-executable", "a Windows program"
    if _BZIP2.match(head):
        return "archive", "application/x-bzip2", "bzip2"
    if _NETPBM.match(head):
        return "image", "image/x-portable-anymap", "a Netpbm image"
    return None


def _zip(head: bytes) -> Found:
    for member, kind, mime, title in _ZIP_MEMBERS:
        if member in head[:_ZIP_BYTES]:
            return kind, mime, title
    return "archive", "application/zip", "a zip file"


def _iso_media(brand: bytes) -> Found:
    if brand in _IMAGE_BRANDS:
        return ("image", "image/avif", "AVIF") if brand in _AVIF_BRANDS else ("image", "image/heif", "HEIF or AVIF")
    if brand in _AUDIO_BRANDS:
        return "audio", "audio/mp4", "MPEG-4 audio"
    return "video", "video/mp4", "MPEG-4 or QuickTime"
