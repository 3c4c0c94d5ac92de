"""What something is: hard cases by hand, promises for any bytes, and the development data where it is at hand."""

import gzip
import io
import json
import lzma
import random
import struct
import sys
import tarfile
import time
import wave
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.workers import kinds
from lithify.workers.kinds import QUEUES, look
from tests.examples import examples
from tests.unit.codecs.arrays.files import lzw, smooth, tiff

DATA = Path(__file__).parents[4] / "shared/data"

SYSLOG = b"""\
Jun  9 06:06:20 combo syslogd 1.4.1: restart.
Jun  9 06:06:20 combo syslog: klogd startup succeeded
Jun 10 11:31:44 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh
Jun 10 11:32:20 combo sshd(pam_unix)[19937]: check pass; user unknown
"""
ACCESS = b"""\
83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /kibana-search.png HTTP/1.1" 200 203023 "http://a.b/" "Mozilla/5.0"
83.149.9.216 - - [17/May/2015:10:05:43 +0000] "GET /dashboard3.png HTTP/1.1" 200 171717 "http://a.b/" "Mozilla/5.0"
"""
TRACE = b"""\
2024-03-01 12:00:00,123 ERROR worker-3 [app.jobs] job 17 failed
Traceback (most recent call last):
  File "/srv/app/jobs.py", line 31, in run
    step()
  File "/srv/app/steps.py", line 7, in step
    raise ValueError(step)
ValueError: 7
2024-03-01 12:00:01,007 INFO worker-3 [app.jobs] job 18 started
"""
JAVA_TRACE = b"""\
Exception in thread "main" java.lang.NullPointerException: name
\tat com.example.Names.of(Names.java:12)
\tat com.example.Main.main(Main.java:5)
Caused by: java.io.IOException: gone
\t... 2 more
"""
PYTHON_LOG = b"".join(b"2024-01-01 12:00:%02d,123 INFO started job %d\n" % (n, n * 7) for n in range(30))
CSV = b"time,station,temperature\n" + b"".join(
    b"2024-01-%02d 12:00:00,%s,%.1f\n" % (day, [b"oslo", b"bergen"][day % 2], day / 3) for day in range(1, 29)
)
MARKDOWN = b"""\
# Storing things

Call `put` once, and wait for the receipt; everything after that is our business, not yours.

```python
from store import put
receipt = put("thing", b"bytes")
```

| column | meaning |
| --- | --- |
| name | what you call it, in words you will understand a year from now |

The receipt says when the bytes were made durable, for example at 12:00:01 in the morning.
"""
PROSE = b"""\
It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was
the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of Darkness.
"""
CODE = b"""\
import os

def walk(top):
    for name in os.listdir(top):
        path = os.path.join(top, name)
        if os.path.isdir(path):
            yield from walk(path)
        else:
            yield path
"""
JSON_LINES = b"".join(json.dumps({"time": n, "user": f"u{n}", "list": [1, 2]}).encode() + b"\n" for n in range(20))
JSON_PRETTY = json.dumps({"servers": [{"name": f"s{n}", "at": f"12:00:{n:02}", "port": n} for n in range(9)]}, indent=2)
HTML = b"<!DOCTYPE html>\n<html><head><title>x</title></head>\n<body><p>Hello</p></body></html>\n"
SUBTITLES = b"1\n00:00:01,000 --> 00:00:02,500\nHello there.\n\n2\n00:00:03,000 --> 00:00:05,000\nGeneral Kenobi.\n"


@pytest.mark.parametrize(
    ("expected", "content"),
    [
        ("log", SYSLOG),
        ("log", ACCESS),
        ("log", TRACE),
        ("log", JAVA_TRACE),
        ("log", PYTHON_LOG),
        ("log", SYSLOG.replace(b"\n", b"\r\n")),
        ("log", SYSLOG.replace(b"\n", b"\r")),
        ("log", SYSLOG.replace(b"unknown", b"\xff\xfe\x00")),
        ("log", SYSLOG.decode().encode("utf-16")),
        ("log", SYSLOG.decode().encode("utf-16-be")),
        ("log", b"[    0.000000] Linux version 6.1\n[    0.004712] Memory: 2048K\n[    1.200001] usb 1-1: new\n"),
        ("log", b"081109 203615 148 INFO dfs.DataNode: PacketResponder 1\n081109 203807 222 INFO dfs.DataNode: x\n"),
        ("log", b"time=1 level=info msg=started\nlevel=warn msg=slow\nlevel=info msg=done\n"),
        ("csv", CSV),
        ("csv", CSV.replace(b",", b"\t")),
        ("csv", CSV.replace(b",", b";")),
        ("csv", b'id,name,note\n1,"a, b","said ""no"""\n2,c,\n3,d,e\n'),
        ("json", JSON_PRETTY.encode()),
        ("json", b'{"a": [1, 2, {"b": null}]}'),
        ("json", b"[]"),
        ("json-lines", JSON_LINES),
        ("markup", HTML),
        ("markup", b'<?xml version="1.0"?>\n<feed><entry at="12:00:00"/></feed>\n'),
        ("prose", PROSE),
        ("prose", MARKDOWN),
        ("prose", "Größenwahn und Überdruß, schrieb er, sind Geschwister.\n".encode("latin-1")),
        ("prose", "Жили-были старик со старухой у самого синего моря; они жили в ветхой землянке.\n".encode()),
        ("code", CODE),
        ("code", b"int main(void)\n{\n    int i = 0;\n    while (i < 3) {\n        i++;\n    }\n    return i;\n}\n"),
        ("empty", b""),
    ],
)  # fmt: skip
def test_text_is_told_apart_by_its_lines(expected: str, content: bytes) -> None:
    assert expected == look(content).kind


def test_subtitles_have_times_and_are_no_log() -> None:
    assert look(SUBTITLES).kind in {"prose", "text"}


def test_a_name_decides_where_the_bytes_leave_it_open() -> None:
    assert "code" == look(b"flag: yes\nother: no\n", "deploy/settings.yaml").kind
    assert "log" == look(b"starting up!! (#1)\nready...\n", "var/log/app.log.3").kind
    assert "prose" == look(CODE, "tutorial.md").kind
    assert "video" == look(bytes(4096), "clip.yuv").kind
    assert "json-lines" == look(b'{"a": 1}\n', "events.jsonl").kind


def test_a_name_does_not_decide_against_the_bytes() -> None:
    assert "image" == look(b"\x89PNG\r\n\x1a\n" + bytes(100), "access.log").kind
    assert "log" == look(SYSLOG, "book.txt").kind
    assert "json" == look(JSON_PRETTY.encode(), "page.html").kind


# --- formats that sign themselves -----------------------------------------------------------------------


def zipped(*members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member in members:
            archive.writestr(member, "x" * 100)
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("notes.txt"), io.BytesIO(b""))
    return out.getvalue()


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", "NONE"))
        file.writeframes(bytes(1000))
    return out.getvalue()


@pytest.mark.parametrize(
    ("expected", "content"),
    [
        ("array", b"\x89HDF\r\n\x1a\n" + bytes(100)),
        ("array", b"CDF\x01\0\0\0\0" + bytes(100)),
        ("array", b"GRIB\0\0\0\x01" + bytes(100)),
        ("array", b"\x93NUMPY\x01\0v\0{'descr': '<f4'}"),
        ("array", b"SIMPLE  =                    T / a FITS file"),
        ("array", struct.pack("<i", 348) + bytes(340) + b"n+1\0"),
        ("array", zipped("temperature/.zarray", "temperature/0.0")),
        ("array", zipped("zarr.json")),
        ("array", zipped("weights.npy")),
        *(("array", tiff([smooth((9, 20), "f4")], order=order, big=big)) for order in "<>" for big in (False, True)),
        ("array", tiff([smooth((9, 20), "u2")])),
        ("array", tiff([smooth((9, 20), "u2")], predictor=2)),
        ("array", tiff([smooth((9, 20), "f4")], predictor=3, packed=lzw)),
        ("image", tiff([smooth((9, 20), "u1")], predictor=2)),
        ("image", tiff([smooth((9, 20), "u1")])),
        ("image", tiff([smooth((9, 20, 3), "u2")])),
        ("image", b"II*\0\x08\0\0\0" + bytes(100)),
        ("image", b"MM\0+\0\x08\0\0" + b"\xff" * 100),
        ("image", bytes(128) + b"DICM" + bytes(100)),
        ("image", b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(100)),
        ("image", b"RIFF\x10\0\0\0WEBPVP8 " + bytes(20)),
        ("image", b"P5\n# a comment\n640 480\n255\n" + bytes(100)),
        ("image", b"\0\0\0\x20ftypavif" + bytes(40)),
        ("audio", sound()),
        ("audio", b"OggS\0\x02" + bytes(22) + b"\x01\x13OpusHead" + bytes(30)),
        ("video", b"\0\0\0\x20ftypisom" + bytes(40)),
        ("video", b"YUV4MPEG2 W352 H288 F30:1\nFRAME\n" + bytes(100)),
        ("video", b"\x1aE\xdf\xa3\x01\0\0\0" + bytes(40)),
        ("document", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"),
        ("document", zipped("[Content_Types].xml", "word/document.xml")),
        ("archive", gzip.compress(SYSLOG)),
        ("archive", lzma.compress(SYSLOG)),
        ("archive", zipped("notes.txt")),
        ("archive", tarred()),
        ("database", b"SQLite format 3\0" + bytes(100)),
        ("executable", b"\x7fELF\x02\x01\x01" + bytes(100)),
        ("opaque", random.Random(1).randbytes(5000)),
        ("binary", bytes(5000)),
        ("binary", struct.pack("<500i", *range(0, 500_000, 1000))),
    ],
)
def test_a_signature_is_believed(expected: str, content: bytes) -> None:
    found = look(content)
    assert expected == found.kind
    assert QUEUES[expected] == found.queue


def test_what_we_do_not_know_is_asked_of_the_library() -> None:
    font = b"\0\x01\0\0\0\x0f\0\x80\0\x03\0pGSUB" + bytes(200)
    assert "binary data of no known form" != look(font).reason


def test_a_library_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        @staticmethod
        def magic_string(head: bytes) -> list[str]:
            raise RuntimeError("no idea")

    monkeypatch.setitem(sys.modules, "puremagic", Broken)
    assert "binary" == look(bytes(500)).kind


# --- promises for any bytes -----------------------------------------------------------------------------


@given(
    st.one_of(
        st.binary(max_size=3000),
        st.text(max_size=2000).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.text(alphabet='[]{}",:0123456789.-+eE\\ \n\t<>/!|;=', max_size=2000).map(str.encode),
    ),
    st.one_of(st.none(), st.text(max_size=40)),
)
@settings(max_examples=examples(300), deadline=None)
def test_looking_never_raises(content: bytes, name: str | None) -> None:
    found = look(content, name, len(content) + 1)
    assert found.kind in QUEUES
    assert found.queue == QUEUES[found.kind]
    assert found.reason


@pytest.mark.parametrize(
    "content",
    [
        b"<" * 65536,
        b"<a" * 32768,
        b"<a " * 20000,
        b'"' * 65536,
        b'{"' + b"\\" * 65000,
        b"[" * 65536,
        b'["' + b"a" * 65000,
        b"1," * 32768,
        b"," * 65536,
        b" " * 65536,
        b"\n" * 65536,
        b"a" * 65536,
        b"a b" * 20000,
        b"12:34:5" * 9000,
        b"\tat " * 16000,
        (b"x" * 159 + b"(\n") * 400,
        (b" " * 159 + b"\n") * 400,
        b"INFO" * 16000,
        b"2024-01-01T" * 6000,
        b"\x00\x01" * 32768,
        b"P5 #" * 16000,
        b"P5\n" + b"#\n" * 30000,
    ],
)
def test_no_text_makes_the_look_slow(content: bytes) -> None:
    look(content, None, 10**9)
    quickest = min(_seconds(content) for _ in range(3))
    assert quickest < 0.05, "typical is 0.5 ms; anything quadratic would take seconds"


def _seconds(content: bytes) -> float:
    started = time.thread_time()
    look(content, None, 10**9)
    return time.thread_time() - started


def test_only_the_start_of_a_sample_is_looked_at() -> None:
    assert look(SYSLOG * 400).kind == look(SYSLOG * 400 + bytes(10_000_000)).kind == "log"


def test_every_kind_has_a_queue_that_workers_serve() -> None:
    assert {"logs", "text", "arrays", "media", "general"} == set(kinds.QUEUES.values())


# --- the development data -------------------------------------------------------------------------------

FOLDERS = {
    "arrays": {"array"},
    "media/audio": {"audio"},
    "media/dicom": {"image"},
    "media/gif": {"image"},
    "media/jpeg": {"image"},
    "media/kodak": {"image"},
    "media/png_misc": {"image"},
    "media/screens": {"image"},
    "media/tiff": {"image"},
    "media/video": {"video"},
    "media/y4m": {"video"},
    "media/docs": {"document", "archive"},
}


@pytest.mark.skipif(not DATA.is_dir(), reason="the development data is not at hand (../shared/data)")
@pytest.mark.parametrize("folder", FOLDERS)
def test_development_files_are_what_their_folder_says(folder: str) -> None:
    wrong = {}
    for path in (DATA / folder).iterdir():
        with path.open("rb") as file:
            found = look(file.read(65536), path.name, path.stat().st_size)
        if found.kind not in FOLDERS[folder]:
            wrong[path.name] = found
    assert {} == wrong


@pytest.mark.skipif(not DATA.is_dir(), reason="the development data is not at hand (../shared/data)")
@pytest.mark.parametrize("length", [1024, 65536])
def test_development_logs_wait_in_the_queue_for_logs(length: int) -> None:
    wrong = {}
    for path in (DATA / "logs").iterdir():
        with lzma.open(path) as file:
            found = look(file.read(length), path.stem, 10**7)
        if found.queue != "logs":
            wrong[path.name] = found
    assert {} == wrong
