"""The tasks of searching: how lines travel, what serves when the current encoding cannot, templates put together."""

import io
import os
import socket
import struct
from array import array
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest

from lithify import limits
from lithify.codecs import registry
from lithify.codecs.codec import Facts, Format
from lithify.codecs.frame import FrameWriter
from lithify.codecs.lines import Template
from lithify.codecs.raw.zstd import Zstd
from lithify.errors import BadArgument, CodecCrashed, Conflict, TimedOut
from lithify.workers.archive import Archive
from lithify.workers.child import Call
from lithify.workers.found import Found, FoundLines, Query, Searched, Where
from lithify.workers.frame_search import search_file, search_frame
from lithify.workers.loop import Worker
from lithify.workers.needs import Needs
from lithify.workers.pack import pack_file
from lithify.workers.primer_files import make_primer_of
from lithify.workers.sandbox import Sandbox
from lithify.workers.search_tasks import batches, templates
from lithify.workers.sources import Place
from lithify.workers.templates import object_templates
from tests import primed_codec
from tests.searched import frame_of

HERE = Where("logs", "a", "r")


def file_with(frame: bytes, tmp_path: Path) -> BinaryIO:
    path = tmp_path / "frame"
    path.write_bytes(frame)
    return path.open("rb")


# --- batches ----------------------------------------------------------------------------------------------


def batch(numbers: list[int], text: bytes, *, count: int | None = None, length: int | None = None) -> bytes:
    head = struct.pack("<IQ", len(numbers) if count is None else count, len(text) if length is None else length)
    return head + array("Q", numbers).tobytes() + b"\1" * len(numbers) + text


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_batches_come_out_of_blocks_of_any_size(size: int) -> None:
    sent = batch([1, 2], b"a\nb\n") + batch([7], b"\n")
    blocks = [sent[at : at + size] for at in range(0, len(sent), size)]
    found = list(batches(blocks, HERE))
    assert [([1, 2], b"a\nb\n"), ([7], b"\n")] == [(list(one.numbers), one.text) for one in found]
    assert [b"a", b"b"] == found[0].lines()


@pytest.mark.parametrize(
    "sent",
    [
        batch([1], b"a\n")[:-1],
        batch([1], b"a\n")[:9],
        batch([1], b"a"),
        batch([1], b"a\nb\n"),
        batch([1], b"a\n", count=0),
        batch([1], b"a\n", count=limits.SEARCH_LINES_AT_ONCE + 1),
        batch([1], b"a\n", length=1 << 40),
        batch([1, 2], b"a\nb"),
    ],
)
def test_what_does_not_add_up_is_a_codec_gone_wrong(sent: bytes) -> None:
    with pytest.raises(CodecCrashed):
        list(batches([sent], HERE))


def test_many_and_long_lines_arrive_whole(tmp_path: Path) -> None:
    data = b"x" * (3 * limits.COPY_BYTES) + b"\n" + b"".join(b"%d\n" % number for number in range(50_000))
    with Sandbox() as boxed, file_with(frame_of(data, range(limits.MIB, len(data), limits.MIB)), tmp_path) as file:
        found = list(search_frame(Needs(boxed), file, HERE, Query(b""), newest=None))
    assert data == b"".join(one.text for one in found)
    assert list(range(1, 50_002)) == [number for one in found for number in one.numbers]
    assert max(len(one.text) for one in found) < 4 * limits.MIB


def test_whoever_leaves_early_costs_nothing(tmp_path: Path) -> None:
    data = b"".join(b"%d\n" % number for number in range(500_000))
    with Sandbox() as boxed, file_with(frame_of(data, range(limits.MIB, len(data), limits.MIB)), tmp_path) as file:
        found = search_frame(Needs(boxed), file, HERE, Query(b""), newest=None)
        assert 1 == next(found).numbers[0]
        found.close()
        assert 1 == len(list(search_frame(Needs(boxed), file, HERE, Query(b"^77777$"), newest=None)))


def test_a_pattern_that_takes_for_ever_is_ended(tmp_path: Path) -> None:
    frame = frame_of(b"a" * 5000, [])
    with Sandbox(wall_seconds=1.0) as boxed, file_with(frame, tmp_path) as file, pytest.raises(TimedOut):
        list(search_frame(Needs(boxed), file, HERE, Query(b"^(a|aa)+[^a]$"), newest=None))


# --- archives ---------------------------------------------------------------------------------------------


def matches(found: Iterator[Found]) -> list[tuple[str, int | str]]:
    return [
        (one.where.name, one.error.code if one.error else one.matches) for one in found if isinstance(one, Searched)
    ]


def test_an_object_is_searched_staged_and_encoded(archive: Archive) -> None:
    data = b"".join(b"2026-11-21 01:15:%02d line %d\n" % (n % 60, n) for n in range(60_000))
    receipt = archive.put("logs", "a", [data])
    staged = list(archive.search("logs", "a", Query(rb"line \d*77$")))
    archive.wait([receipt.revision])
    encoded = list(archive.search("logs", "a", Query(rb"line \d*77$")))
    assert archive.stat("logs", "a").verified_at is not None
    assert 600 == matches(iter(encoded))[0][1]
    texts = [[one.text for one in found if isinstance(one, FoundLines)] for found in (staged, encoded)]
    assert b"".join(texts[0]) == b"".join(texts[1])


def test_a_retired_encoding_serves_when_the_current_one_cannot_be_read(archive: Archive) -> None:
    data = b"".join(b"%d north %d\n" % (number, number * number) for number in range(40_000))
    archive.set_policy("logs", codecs=["raw.xz"])
    archive.wait([archive.put("logs", "a", [data], effort="default").revision])
    view = archive.stat("logs", "a")
    current = next(one for one in view.encodings if one.state == "current")
    assert "raw.xz" == current.codec
    (path,) = (one for one in (archive.folder / "blobs").rglob(f"*{current.blob[8:]}") if one.is_file())
    damaged = bytearray(path.read_bytes())
    damaged[20] ^= 1
    path.chmod(0o600)
    path.write_bytes(damaged)
    assert [("a", 1)] == matches(archive.search("logs", "a", Query(b"^777 ")))


def test_a_limit_ends_the_search_of_many(archive: Archive) -> None:
    for name in "abcd":
        archive.put("logs", name, [b"x\n" * 10])
    assert [("a", 10), ("b", 5)] == matches(archive.search("logs", "", Query(b"x"), limit=15))
    assert [("a", 7), ("b", 7), ("c", 1)] == matches(archive.search("logs", "", Query(b"x", max_count=7), limit=15))


def test_names_on_many_pages_are_all_searched(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lithify.workers.search.PAGE", 3)
    for number in range(10):
        archive.put("logs", f"n{number}", [b"x\n"])
    assert 10 == len(matches(archive.search("logs", "", Query(b"x"))))
    assert 10 == len(matches(archive.search("logs", "n*", Query(b"x"))))


def test_what_nothing_can_be_found_with_is_refused_at_once(archive: Archive) -> None:
    archive.put("logs", "a", [b"x\n"])
    for wrong in ({"before": -1}, {"max_count": 0}, {"since": float("nan")}, {"until": float("inf")}):
        with pytest.raises(BadArgument):
            Query(b"", **wrong)
    with pytest.raises(BadArgument):
        list(archive.search("logs", "", Query(b"(")))


def test_what_is_raised_on_progress_ends_the_search(archive: Archive) -> None:
    archive.put("logs", "a", [b"a" * 5000 + b"\n"])

    def tired(steps: int) -> None:
        raise TimedOut(f"after {steps} steps")

    found = archive.search("logs", "a", Query(b"^(a|aa)+[^a]$"), on_progress=tired)
    assert [("a", "timed_out")] == matches(found)


# --- primers ----------------------------------------------------------------------------------------------


@pytest.fixture
def _primed_codec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("lithify.workers.needs.Sandbox", partial(Sandbox, modules=(primed_codec.__name__,)))
    with primed_codec.installed(tmp_path / "site"):
        yield


@pytest.mark.usefixtures("_primed_codec")
def test_what_was_encoded_with_a_primer_is_searched_with_it(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive", grace_seconds=0) as archive:
        archive.set_policy("web", codecs=[primed_codec.ID])
        for day in range(1, 5):
            archive.put("web", str(day), [primed_codec.daily_log(day)])
            Worker(archive).run(until_idle=True)
        assert any(one.primer for one in archive.stat("web", "4").encodings if one.state == "current")
        assert [("4", 25)] == matches(archive.search("web", "4", Query(rb"T00:\d\d:07Z INFO .* us$", max_count=25)))


@pytest.mark.usefixtures("_primed_codec")
def test_a_frame_on_disk_is_searched_with_the_primer_that_is_given(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        (tmp_path / f"{day}.log").write_bytes(primed_codec.daily_log(day))
    primer, _ = make_primer_of([tmp_path / "1.log", tmp_path / "2.log"], primed_codec.ID)
    (tmp_path / "web.primer").write_bytes(primer)
    with (tmp_path / "3.log").open("rb") as original, (tmp_path / "3.lith").open("w+b") as frame:
        assert pack_file(original, frame, codec=primed_codec.ID, primer=primer)["primer"]
        assert [("3.lith", "missing_primer")] == matches(search_file(frame, "3.lith", Query(b"07Z")))
        given = search_file(frame, "3.lith", Query(b"07Z"), [tmp_path / "web.primer"])
        assert [("3.lith", 1500)] == matches(given)


# --- templates --------------------------------------------------------------------------------------------


class Shapes(Zstd):
    """Knows templates, as a codec for logs does."""

    facts = Facts("test", "shapes", Format(0x8FFF, 1, 0))

    def templates(self, payload: bytes, *, shared: bytes, length: int) -> list[Template]:
        lines = self.decode(payload, shared=shared, length=length).split(b"\n")[:-1]
        kinds = {line[:1].decode("latin-1") for line in lines}
        starts = {kind: [line for line in lines if line.startswith(kind.encode("latin-1"))] for kind in kinds}
        return [Template(f"{kind}<n>", len(found), found[0]) for kind, found in sorted(starts.items())]


@pytest.fixture
def _shapes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = {**registry.known_formats(), 0x8FFF: f"{__name__}:Shapes"}
    monkeypatch.setattr(registry, "known_formats", lambda: known)
    yield
    registry.codec_class.cache_clear()


def answer(frame: bytes, tmp_path: Path, most: int) -> tuple[dict[str, object], list[bytes]]:
    ours, theirs = socket.socketpair()
    with file_with(frame, tmp_path) as file, ours, theirs:
        args = {"input": Place(0, len(frame), framed=True).as_json(), "most": most}
        reply = templates(Call(theirs, args, (file.fileno(),), ()))
    return reply.document, list(reply.attached)


def shaped(*chunks: bytes) -> bytes:
    out = io.BytesIO()
    writer = FrameWriter(out)
    codec = Shapes()
    sink = writer.sink(codec)
    for chunk in chunks:
        sink.chunk(codec.encode_block(chunk), chunk)
    writer.finish()
    return out.getvalue()


@pytest.mark.usefixtures("_shapes")
def test_templates_of_all_chunks_are_put_together(tmp_path: Path) -> None:
    document, examples = answer(shaped(b"a1\nb1\na2\n", b"c9\nb2\nb3\n", b"b4\n"), tmp_path, 2)
    assert {"known": True, "lines": 7, "templates": 3} == {
        key: document[key] for key in ("known", "lines", "templates")
    }
    assert [{"pattern": "b<n>", "count": 4}, {"pattern": "a<n>", "count": 2}] == document["items"]
    assert [b"b1", b"a1"] == examples


@pytest.mark.usefixtures("_shapes")
def test_the_rarest_of_too_many_templates_are_only_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TEMPLATES_MAX", 4)
    chunks = [b"".join(bytes([65 + n]) + b"x\n" for n in range(26)), b"Ax\n" * 5]
    document, _ = answer(shaped(*chunks), tmp_path, 1)
    assert (31, [{"pattern": "A<n>", "count": 6}]) == (document["lines"], document["items"])


def test_a_codec_that_knows_no_templates_is_named(archive: Archive) -> None:
    receipt = archive.put("pictures", "a", [os.urandom(5000)])
    with pytest.raises(Conflict, match="still staged"):
        archive.templates("pictures", "a")
    archive.wait([receipt.revision])
    view = archive.stat("pictures", "a")
    with pytest.raises(Conflict, match=view.codec):
        object_templates(archive, view, 10)
