"""Containers made in memory: what people send."""

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Mapping

from tests.suites.codec_suite import log_lines
from tests.unit.codecs.media.corpus import PNGS, camera_jpeg, sample_bytes, tone, wav
from tests.unit.codecs.media.streams import paragraphs, rows

MARKUP = b'<?xml version="1.0"?>\n<w:document>' + b"".join(
    b'<w:p w:rsid="%08X"><w:r><w:t>%s</w:t></w:r></w:p>' % (number * 7919, line[:60])
    for number, line in enumerate(paragraphs(60).splitlines())
)
FILES = {
    "[Content_Types].xml": MARKUP[:300],
    "word/document.xml": MARKUP,
    "word/notes.txt": paragraphs(25),
    "word/media/image.bmp": rows(30),
}


def gz(plain: bytes, *, level: int = 6, name: str = "app.log") -> bytes:
    """A gzip file with a name and a time."""
    out = io.BytesIO()
    with gzip.GzipFile(name, "wb", level, out, mtime=1_600_000_000) as file:
        file.write(plain)
    return out.getvalue()


class _Pipe(io.RawIOBase):
    """What cannot seek: zip members then tell their lengths behind their data."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self.data += piece
        return len(piece)


def zipped(
    files: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED, streamed: bool = False, level: int = 6
) -> bytes:
    """A zip file; streamed: as written into a pipe, with data descriptors."""
    out = _Pipe() if streamed else io.BytesIO()
    with zipfile.ZipFile(out, "w", method, compresslevel=level) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 21, 1, 15, 58)), content, method, level)
    return out.data if isinstance(out, _Pipe) else out.getvalue()


def tarred(files: Mapping[str, bytes], *, kind: int = tarfile.DEFAULT_FORMAT) -> bytes:
    """A tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def pdf(contents: list[bytes], *, level: int = 6) -> bytes:
    """Something like a PDF, with a stream for each content."""
    out = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"
    for number, content in enumerate(contents, 1):
        stream = zlib.compress(content, level)
        out += b"%d 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n" % (number, len(stream))
        out += stream + b"\nendstream\nendobj\n"
    return out + b"trailer\n<< /Size %d >>\nstartxref\n0\n%%%%EOF\n" % (len(contents) + 1)


PAGES = [
    b"BT /F1 10 Tf 72 %d Td (%s) Tj ET\n" % (700 - number, line[:70])
    for number, line in enumerate(paragraphs(40).splitlines())
]
LOGS = log_lines(3000)

ARCHIVES = {
    "a log": gz(LOGS),
    "two members and a tail": gz(LOGS[:20_000]) + gz(paragraphs(9), level=9, name="") + b"\0" * 700,
    "a document": zipped(FILES),
    "a document by a stream": zipped(FILES, streamed=True),
    "a zip of stored members": zipped(FILES, method=zipfile.ZIP_STORED),
    "a zip in a zip": zipped({"inner.zip": zipped(FILES), "a.txt": paragraphs(3)}, method=zipfile.ZIP_STORED),
    "a tar of logs": gz(tarred({"var/log/app.log": LOGS, "etc/notes": paragraphs(5)}), name="backup.tar"),
    "a PDF": pdf([b"".join(PAGES[i::4]) for i in range(4)]),
    "a program with an archive behind it": b"\x7fELF" + bytes(range(256)) * 20 + zipped(FILES),
}


def small_archives() -> tuple[bytes, ...]:
    """One of each kind, of some KB: what is to be damaged in a hundred thousand ways."""
    log, prose = LOGS[:2000], paragraphs(4)
    inside = {"a.jpg": camera_jpeg(), "a.wav": wav(sample_bytes(tone(200, 1, 9000), 2), 1, 2), "a.png": PNGS[0]}
    return (
        gz(log),
        gz(prose, level=1) + gz(log, level=9, name=""),
        gz(tarred({"a.log": log, "b.txt": prose})),
        tarred({"a.log": log, "b.txt": prose, **inside}),
        zipped({"a.xml": MARKUP[:900], "b.txt": prose}),
        zipped({"a.xml": MARKUP[:900], "b.txt": prose}, streamed=True),
        zipped(inside, method=zipfile.ZIP_STORED),
        zipped({"a.zip": zipped({"b.gz": gz(prose)}), "c.txt": prose}),
        pdf([PAGES[0] * 9, b"".join(PAGES[:4])]),
        pdf([b"".join(PAGES[:3])], level=9) + log,
        zlib.compress(prose, 3),
    )
