"""Files that send their readers elsewhere: playlists, documents, films, archives of them; more than five hundred.

Each kind, for each way to name the place; and each once more in disguise, behind the first bytes of another kind or
inside an archive.
"""

import base64
import gzip
import json
import struct
from collections.abc import Callable
from itertools import cycle

from tests.hostile.canaries import Canaries, film_with_entry, lists
from tests.unit.codecs.media.archives import gz, pdf, tarred, zipped
from tests.unit.codecs.media.clips import avi
from tests.unit.codecs.media.films import film

Make = Callable[[str], bytes]


def ways(there: Canaries) -> dict[str, str]:
    """How a file may name the canaries."""
    address, path = there.url.partition("//")[2], str(there.file)
    return {
        "http": f"{there.url}/segment.ts",
        "file": f"file:{path}",
        "file with slashes": f"file://{path}",
        "path": path,
        "path from below": "../" * 12 + path.lstrip("/"),
        "subfile": f"subfile,,start,0,end,9,,:{path}",
        "concat": f"concat:{path}|{there.url}/second.ts",
        "cache": f"cache:{there.url}/cached.ts",
        "crypto": f"crypto+file:{path}",
        "tcp": f"tcp://{address}",
        "rtmp": f"rtmp://{address}/app/stream",
        "share": f"\\\\{address.replace(':', '@')}\\share\\segment.ts",
    }


# --- playlists ----------------------------------------------------------------------------------------


def _lines(*lines: str) -> bytes:
    return "\n".join((*lines, "")).encode()


def _hls_part(where: str) -> bytes:
    map_tag, part = f'#EXT-X-MAP:URI="{where}"', f'#EXT-X-PART:DURATION=1,URI="{where}"'
    return _lines("#EXTM3U", "#EXT-X-TARGETDURATION:1", map_tag, part, "#EXTINF:1,", where, "#EXT-X-ENDLIST")


def _hls_master(where: str) -> bytes:
    media = f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",DEFAULT=YES,URI="{where}"'
    return _lines("#EXTM3U", media, '#EXT-X-STREAM-INF:BANDWIDTH=9,AUDIO="a"', where)


def _dash_template(where: str) -> bytes:
    names = f'<SegmentTemplate media="{where}?$Number$" initialization="{where}" startNumber="1" duration="1"/>'
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'type="static"><Period xlink:href="{where}" xlink:actuate="onLoad"><AdaptationSet mimeType="video/mp4">{names}'
        '<Representation id="1" bandwidth="1"/></AdaptationSet></Period></MPD>'
    ).encode()


def _sdp(where: str) -> bytes:
    port = where.rpartition(":")[2].partition("/")[0]
    name = f"u={where}"
    return _lines(
        "v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=x", name, "c=IN IP4 127.0.0.1", "t=0 0", f"m=video {port} RTP/AVP 96"
    )


PLAYLISTS: dict[str, tuple[str, Make]] = {
    "HLS with parts": ("a.m3u8", _hls_part),
    "HLS of lists": ("a.m3u8", _hls_master),
    "M3U": ("a.m3u", _lines),
    "PLS": ("a.pls", lambda where: _lines("[playlist]", f"File1={where}", "NumberOfEntries=1", "Version=2")),
    "XSPF": (
        "a.xspf",
        lambda where: (
            f"<playlist version='1'><trackList><track><location>{where}</location></track></trackList>"
            "</playlist>".encode()
        ),
    ),
    "ASX": ("a.asx", lambda where: f'<asx version="3"><entry><ref href="{where}"/></entry></asx>'.encode()),
    "SMIL": ("a.smil", lambda where: f'<smil><body><video src="{where}"/></body></smil>'.encode()),
    "RAM": ("a.ram", lambda where: _lines(where, "--stop--")),
    "concat with options": (
        "a.ffconcat",
        lambda where: _lines("ffconcat version 1.0", f"file '{where}'", "option protocol_whitelist all", "duration 1"),
    ),
    "DASH of templates": ("a.mpd", _dash_template),
    "SDP": ("a.sdp", _sdp),
    "a pattern of pictures": ("a%03d.png", lambda where: _lines(f"{where}.%03d.png")),
    "a cue sheet": ("a.cue", lambda where: _lines(f'FILE "{where}" WAVE', "  TRACK 01 AUDIO", "    INDEX 01 00:00:00")),
    "a script of AviSynth": ("a.avs", lambda where: _lines(f'DirectShowSource("{where}")')),
    "a graph of filters": ("a.txt", lambda where: _lines(f"movie=filename='{where}'[out0]")),
    "subtitles": ("a.srt", lambda where: _lines("1", "00:00:01,000 --> 00:00:02,000", f"<img src='{where}'>")),
    "styled subtitles": (
        "a.ass",
        lambda where: _lines("[Script Info]", f"Video File: {where}", f"Audio File: {where}", "[Events]"),
    ),
    "an index of subtitles": ("a.idx", lambda where: _lines("# VobSub index file, v7", f"id: en, file: {where}")),
    "a terminal's": ("a.ans", lambda where: b"\x1b[2J\x1b]8;;" + where.encode() + b"\x1b\\here\x1b]8;;\x1b\\\x1a"),
}

# --- documents ----------------------------------------------------------------------------------------


def _entity(where: str) -> bytes:
    return f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "{where}">]><a>&x;</a>'.encode()


def _relations(where: str) -> bytes:
    target = f'<Relationship Id="r1" Type="image" Target="{where}" TargetMode="External"/>'
    parts = {"word/_rels/document.xml.rels": f"<Relationships>{target}</Relationships>".encode()}
    return zipped({"[Content_Types].xml": _entity(where), **parts, "word/document.xml": _entity(where)})


def _foreign_stream(where: str) -> bytes:
    body = f"1 0 obj\n<< /Length 0 /F ({where}) /FFilter /FlateDecode >>\nstream\n\nendstream\nendobj\n"
    action = f"2 0 obj\n<< /S /URI /URI ({where}) >>\nendobj\n3 0 obj\n<< /S /Launch /F ({where}) >>\nendobj\n"
    return pdf([body.encode()]) + body.encode() + action.encode()


def _references_of_chunks(where: str) -> bytes:
    refs = {".zgroup": '{"zarr_format": 2}', "a/.zarray": "{}", "a/0.0": [where, 0, 100]}
    return json.dumps({"version": 1, "templates": {"u": where}, "refs": refs}).encode()


def _saved_object(where: str) -> bytes:
    """A pickle that would open the place: nothing here reads pickles."""
    return b"\x80\x02cbuiltins\nopen\n(X" + struct.pack("<I", len(where)) + where.encode() + b"tR."


DOCUMENTS: dict[str, tuple[str, Make]] = {
    "XML with an entity": ("a.xml", _entity),
    "SVG": (
        "a.svg",
        lambda where: (
            f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{where}"/><use href="{where}#a"/></svg>'.encode()
        ),
    ),
    "HTML": (
        "a.html",
        lambda where: f'<base href="{where}"><img src="{where}"><iframe src="{where}"></iframe>'.encode(),
    ),
    "PostScript": ("a.ps", lambda where: _lines("%!PS-Adobe-3.0", f"({where}) (r) file closefile", f"({where}) run")),
    "an office document": ("a.docx", _relations),
    "a PDF": ("a.pdf", _foreign_stream),
    "chunks elsewhere": ("a.json", _references_of_chunks),
    "a saved object": ("a.npy", _saved_object),
}

# --- films --------------------------------------------------------------------------------------------


def _atom(name: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I4s", 8 + len(body), name) + body


def _movie_of_references(where: str) -> bytes:
    place = where.encode() + b"\0"
    reference = _atom(b"rdrf", bytes(4), b"url ", struct.pack(">I", len(place)), place)
    moov = _atom(b"moov", _atom(b"rmra", _atom(b"rmda", reference)))
    return _atom(b"ftyp", b"qt  ", bytes(4), b"qt  ") + moov


def _movie_with_alias(where: str) -> bytes:
    """A film whose track names its data by an alias of the Macintosh."""
    name = where.encode()[-60:]
    alias = bytes(8) + struct.pack(">HH", 2, 0) + bytes([min(27, len(name))]) + name[:27].ljust(27, b"\0") + bytes(96)
    alias += struct.pack(">HH", 18, len(where)) + where.encode() + b"\0" * (len(where) & 1) + b"\xff\xff\0\0"
    return film_with_entry(_atom(b"alis", bytes(4), alias))


def _element(name: str, body: bytes) -> bytes:
    return bytes.fromhex(name) + (len(body) | 1 << 56).to_bytes(8, "big") + body


def _linked_segments(where: str) -> bytes:
    """A Matroska film that goes on in another file, whose chapters lie there, with an attachment of that name."""
    made = film("ffv1", "matroska", frames=2, sound=None, options=(("level", "3"),))
    at = made.index(bytes.fromhex("18538067"))
    elsewhere = bytes(range(16))
    info = _element("1549a966", _element("3eb923", elsewhere) + _element("3e83bb", where.encode()))
    chapter = _element("b6", _element("73c4", b"\1") + _element("91", b"\0") + _element("6e67", elsewhere))
    chapters = _element("1043a770", _element("45b9", _element("45dd", b"\1") + chapter))
    attached = _element("1941a469", _element("61a7", _element("466e", where.encode()) + _element("465c", b"x")))
    return made[:at] + bytes.fromhex("1853806701ffffffffffffff") + info + chapters + attached + made[at + 12 :]


def _transport_with_list(where: str) -> bytes:
    packets = b"".join(b"\x47\x1f\xff\x10" + bytes(184) for _ in range(4))
    return packets + _lines("#EXTM3U", "#EXTINF:1,", where)


def _avi_of_pieces(where: str) -> bytes:
    clip = avi(1)
    name = where.encode() + b"\0" * (1 + len(where) % 2)
    listed = b"IFIL" + struct.pack("<I", len(name)) + name
    return clip[:12] + b"LIST" + struct.pack("<I", 4 + len(listed)) + b"INFO" + listed + clip[12:]


def _flash_with_url(where: str) -> bytes:
    text = (
        b"\x02\0\x0aonMetaData\x08\0\0\0\1\0\x03url\x02" + struct.pack(">H", len(where)) + where.encode() + b"\0\0\x09"
    )
    tag = b"\x12" + len(text).to_bytes(3, "big") + bytes(7) + text
    return b"FLV\x01\x01\0\0\0\x09\0\0\0\0" + tag + struct.pack(">I", len(tag))


FILMS: dict[str, tuple[str, Make]] = {
    "a movie of references": ("a.mov", _movie_of_references),
    "a movie with an alias": ("a.mov", _movie_with_alias),
    "linked segments": ("a.mkv", _linked_segments),
    "a transport stream with a list": ("a.ts", _transport_with_list),
    "an AVI that names its file": ("a.avi", _avi_of_pieces),
    "a Flash film": ("a.flv", _flash_with_url),
}

# --- disguises ----------------------------------------------------------------------------------------

_HEADS = {
    "MP4": b"\0\0\0\x18ftypisom" + bytes(12),
    "Matroska": b"\x1a\x45\xdf\xa3\x80",
    "AVI": b"RIFF\xff\xff\0\0AVI LIST",
    "Y4M": b"YUV4MPEG2 W16 H16 F25:1 C420\n",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "JPEG": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xfe",
    "HDF5": b"\x89HDF\r\n\x1a\n",
    "a mark": b"\xef\xbb\xbf",
}


def _behind(head: bytes) -> Callable[[str, bytes], tuple[str, bytes]]:
    return lambda name, data: (name.partition(".")[0] + ".mp4", head + data)


DISGUISES: dict[str, Callable[[str, bytes], tuple[str, bytes]]] = {
    **{f"behind {name}'s first bytes": _behind(head) for name, head in _HEADS.items()},
    "in gzip": lambda name, data: (f"{name}.gz", gz(data, name=name)),
    "in gzip in gzip": lambda name, data: (f"{name}.gz.gz", gzip.compress(gz(data, name=name))),
    "in a zip file": lambda name, data: ("a.zip", zipped({name: data})),
    "in a zip file by its path": lambda name, data: ("a.zip", zipped({f"../../{name}": data, f"/{name}": data})),
    "in a zip in a zip": lambda name, data: ("a.zip", zipped({"b.zip": zipped({name: data}, method=0)}, method=0)),
    "in a tar archive": lambda name, data: ("a.tar", tarred({name: data, "b": data})),
    "in a tar.gz": lambda name, data: ("a.tgz", gz(tarred({name: data}))),
    "in a PDF": lambda name, data: ("a.pdf", pdf([data, data])),
    "in base64": lambda name, data: ("a.eml", b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(data)),
}


def references(there: Canaries) -> dict[str, tuple[str, bytes]]:
    """Every one of them: what it is, its file's name, and its bytes."""
    found = {f"{what}": ("a.m3u8", data) for what, data in lists(there).items()}
    disguises = cycle(DISGUISES.items())
    for what, (name, make) in {**PLAYLISTS, **DOCUMENTS, **FILMS}.items():
        for how, where in ways(there).items():
            plain = make(where)
            found[f"{what}, {how}"] = name, plain
            disguise, put_on = next(disguises)
            found[f"{what}, {how}, {disguise}"] = put_on(name, plain)
    return found
