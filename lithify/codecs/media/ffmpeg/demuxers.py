"""Which demuxer a file is for, by our own look at its first bytes: ffmpeg is never left to find out.

Its own search would also try playlists, lists of files and descriptions of streams, which make it open what they name.
Those formats are not here, and ffmpeg is allowed no other format than the one that is named.
"""

from lithify.codecs.media.avi_frames import is_avi
from lithify.codecs.media.pixel_files import Y4M

_PACKET_BYTES = 188
_PACKETS = 4
_MATROSKA = b"\x1a\x45\xdf\xa3"
_MOVIE_ATOMS = {b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip"}
MOVIE, MATROSKA, AVI, YUV4MPEG, TRANSPORT, FLASH = "mov", "matroska", "avi", "yuv4mpegpipe", "mpegts", "flv"
HEAD_BYTES = _PACKETS * _PACKET_BYTES


def demuxer_of(head: bytes) -> str | None:
    """The demuxer of the file that begins with `head`; None: it is no film that we know."""
    if head.startswith(_MATROSKA):
        return MATROSKA
    if head[4:8] in _MOVIE_ATOMS:
        return MOVIE
    if is_avi(head):
        return AVI
    if head.startswith(Y4M):
        return YUV4MPEG
    if head.startswith(b"FLV\x01"):
        return FLASH
    if len(head) >= HEAD_BYTES and head[:HEAD_BYTES:_PACKET_BYTES] == b"\x47" * _PACKETS:
        return TRANSPORT
    return None
