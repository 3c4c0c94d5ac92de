"""The forms of files of one picture, as media types, and their first bytes."""

JPEG, PNG, TIFF, BMP, NETPBM, WEBP, AVIF, JXL = (
    "image/jpeg", "image/png", "image/tiff", "image/bmp", "image/x-portable-anymap", "image/webp", "image/avif",
    "image/jxl",
)  # fmt: skip
_SIGNS = (
    (b"\xff\xd8\xff", JPEG), (b"\x89PNG\r\n\x1a\n", PNG), (b"II*\0", TIFF), (b"MM\0*", TIFF), (b"BM", BMP),
    (b"P5", NETPBM), (b"P6", NETPBM), (b"\0\0\0\x0cJXL \r\n\x87\n", JXL), (b"\xff\x0a", JXL),
)  # fmt: skip


def form_of(data: bytes) -> str | None:
    """The media type of a file that may hold one picture, by its first bytes."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data[4:8] == b"ftyp" and data[8:12] in {b"avif", b"mif1"}:
        return AVIF
    return next((form for sign, form in _SIGNS if data.startswith(sign)), None)
