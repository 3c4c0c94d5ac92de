"""What a film may not touch: a server and a file that tell whether somebody came, and lists that send players there."""

import contextlib
import ctypes
import os
import select
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.unit.codecs.media.clips import avi
from tests.unit.codecs.media.films import film

SECRET = b"the canary sang: 5f1d8a77c2"


_READ = 0x01 | 0x20
"""inotify(7): IN_ACCESS, IN_OPEN."""


@dataclass
class Canaries:
    """A server and a file that nobody has a reason to reach."""

    url: str
    file: Path
    visits: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    """Connections, whatever was said in them."""
    watch: int = -1
    """A descriptor that can be read once the file was opened."""

    @property
    def port(self) -> bytes:
        return self.url.rpartition(":")[2].encode()

    def untouched(self) -> bool:
        """Whether nobody came to either."""
        readable, _, _ = select.select([self.watch], [], [], 0)
        return not (self.visits or self.calls or readable)


@contextlib.contextmanager
def canaries(folder: Path) -> Iterator[Canaries]:
    """Inside, both are there."""
    visits: list[str] = []
    calls: list[str] = []

    class Server(ThreadingHTTPServer):
        def verify_request(self, request: object, client_address: object) -> bool:
            calls.append(str(client_address))
            return True

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            visits.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(film())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    file = folder / "canary.ts"
    file.write_bytes(SECRET)
    with Server(("127.0.0.1", 0), Handler) as server, _watched(file) as watch:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Canaries(f"http://127.0.0.1:{server.server_port}", file, visits, calls, watch)
        server.shutdown()


@contextlib.contextmanager
def _watched(file: Path) -> Iterator[int]:
    """A descriptor that can be read as soon as somebody opens the file."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_CLOEXEC)
    assert watch >= 0
    assert libc.inotify_add_watch(watch, os.fsencode(file), _READ) >= 0
    try:
        yield watch
    finally:
        os.close(watch)


def lists(there: Canaries) -> dict[str, bytes]:
    """Files that would send a player to the canaries, by what they are."""
    named = {
        "http": f"{there.url}/segment.ts",
        "file": f"file:{there.file}",
        "subfile": f"subfile,,start,0,end,9,,:{there.file}",
    }
    found = {}
    for how, where in named.items():
        hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\n{where}\n#EXT-X-ENDLIST\n".encode()
        found[f"HLS, {how}"] = hls
        found[f"HLS with a key, {how}"] = hls.replace(
            b"#EXTINF", f'#EXT-X-KEY:METHOD=AES-128,URI="{where}"\n#EXTINF'.encode()
        )
        found[f"a list of files, {how}"] = f"ffconcat version 1.0\nfile '{where}'\n".encode()
        found[f"DASH, {how}"] = (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
            "<Period duration='PT4S'><AdaptationSet mimeType='video/mp4'><Representation id='1' bandwidth='1'>"
            f"<BaseURL>{where}</BaseURL></Representation></AdaptationSet></Period></MPD>"
        ).encode()
        found[f"subtitles in an AVI, {how}"] = _with_subtitles(hls)
        found[f"a film with a foreign track, {how}"] = _with_reference(where)
    port = there.url.rpartition(":")[2]
    found["SDP"] = (
        f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n".encode()
    )
    found["HLS behind a film's first bytes"] = b"\0\0\0\x18ftypisom" + bytes(12) + found["HLS, http"]
    found["HLS behind Matroska's first bytes"] = b"\x1a\x45\xdf\xa3\x80" + found["HLS, http"]
    found["data"] = b"#EXTM3U\n#EXTINF:1,\ndata:text/plain;base64,I0VYVE0zVQo=\n#EXT-X-ENDLIST\n"
    return found


def _with_subtitles(hls: bytes) -> bytes:
    """An AVI with a stream of subtitles in which a list lies: early players opened it with whatever it looked like."""
    clip = avi(1)
    name = "x\0".encode("utf-16-le")
    text = b"GAB2\0" + struct.pack("<HI", 2, len(name)) + name + struct.pack("<HI", 4, len(hls)) + hls
    head = b"LIST" + struct.pack("<I", 4 + 8 + 56 + 8) + b"strl" + b"strh" + struct.pack("<I", 56) + b"txts" + bytes(52)
    head += b"strf" + struct.pack("<I", 0)
    body = (
        clip[12:]
        .replace(b"LIST", head + b"LIST", 2)
        .replace(b"movi", b"movi02tx" + struct.pack("<I", len(text)) + text, 1)
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"AVI " + body


def _with_reference(where: str) -> bytes:
    """A film whose track says that its samples lie elsewhere."""
    return film_with_entry(struct.pack(">I4sI", 12 + len(where) + 1, b"url ", 0) + where.encode() + b"\0")


def film_with_entry(entry: bytes) -> bytes:
    """A film whose track has this entry in its list of where data lie, and boxes as long as that makes them."""
    made = film(sound=None)
    at = made.index(b"dref")
    grown = len(entry) - 12
    out = bytearray(made[: at + 12] + entry + made[at + 24 :])
    struct.pack_into(">I", out, at - 4, int.from_bytes(made[at - 4 : at], "big") + grown)
    for parent in (b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        place = bytes(out).rindex(parent, 0, at) - 4
        struct.pack_into(">I", out, place, int.from_bytes(out[place : place + 4], "big") + grown)
    return bytes(out)
