"""What codecs tell of the inside of originals: nothing is lost, nothing is told twice, and damage is refused."""

import io
import tarfile

import pytest

from lithify import limits
from lithify.codecs.codec import Codec
from lithify.codecs.frame import read_frame
from lithify.codecs.frame.search import FrameChunks
from lithify.codecs.inside import Inside, Member, merged
from lithify.codecs.media.containers.codec import Deflate
from lithify.codecs.media.containers.names import safe_name
from lithify.codecs.media.jpeg import Jpeg, take_apart
from lithify.codecs.media.jpeg_coders import LEPTON
from lithify.codecs.media.jpeg_scan import find_jpegs
from lithify.codecs.media.stills.codec import StillImage
from lithify.codecs.media.whole_file import EffortParams, WholeFile
from lithify.codecs.raw.zstd import Zstd
from lithify.errors import BadBytes
from tests.suites.codec_suite import framed, log_lines
from tests.unit.codecs.media import corpus
from tests.unit.codecs.media.archives import MARKUP, gz, tarred, zipped
from tests.unit.codecs.media.stills import SEDIMENT

LINES = log_lines(300)


def inside(codec: Codec, original: bytes) -> tuple[Inside, list[Inside]]:
    """Of an original that a codec keeps in one chunk."""
    file = io.BytesIO(framed(codec, original))
    (found,) = FrameChunks(file, read_frame(file)).contents()
    return found


def test_things_of_one_kind_inside_things_of_one_kind_are_told_together() -> None:
    rows = [
        Inside("chunk", "a", 10, 5),
        Inside("JPEG", "Lepton", 6, 3, depth=1),
        Inside("rest", "raw", 4, 2, depth=1),
        Inside("chunk", "b", 1, 1),
        Inside("JPEG", "Lepton", 1, 1, depth=1),
        Inside("chunk", "a", 20, 6),
        Inside("JPEG", "Lepton", 16, 4, 2, depth=1),
    ]
    assert [
        Inside("chunk", "a", 30, 11, 2),
        Inside("JPEG", "Lepton", 22, 7, 3, depth=1),
        Inside("rest", "raw", 4, 2, depth=1),
        Inside("chunk", "b", 1, 1),
        Inside("JPEG", "Lepton", 1, 1, depth=1),
    ] == merged(rows)
    assert merged(rows) == merged(merged(rows))
    one, two = (Inside("chunk", "a", 9, 5, members=(Member(name, 9),)) for name in ("x", "y"))
    assert ["x", "y"] == [member.name for row in merged([one, two]) for member in row.members]


def test_a_photograph_holds_its_thumbnail_and_what_stands_around() -> None:
    data = corpus.camera_jpeg()
    payload = take_apart(find_jpegs(data), (LEPTON,), "fast")
    assert payload is not None
    rows = Jpeg().contents(payload, shared=b"", length=len(data))
    assert [("JPEG", "Lepton"), ("JPEG", "Lepton")] == [(row.what, row.codec) for row in rows[:-1]]
    assert (len(data), "what stands around") == (sum(row.original_bytes for row in rows), rows[-1].what)
    assert sum(row.stored_bytes for row in rows) < len(payload)

    assert [("as it was", "raw.zstd")] == [(row.what, row.codec) for row in inside(Jpeg(), LINES)[1]]


def test_an_archive_holds_what_was_deflated_and_the_corrections_for_it() -> None:
    inner = zipped({"one.txt": LINES})
    outer = zipped({"photo.jpg": corpus.camera_jpeg(), "two.txt": LINES[:4000], "inner.zip": inner})
    chunk, rows = inside(Deflate(EffortParams("fast")), outer)

    assert "media.deflate" == chunk.codec
    told = {row.what for row in rows}
    assert {"deflated", "corrections", "table of pieces"} <= told
    assert {0, 1} <= {row.depth for row in rows}, "what lies inside an archive inside is told too"
    assert sum(row.stored_bytes for row in rows if not row.depth) <= chunk.stored_bytes
    assert any(row.codec == "logs.template" and row.depth for row in rows)


def names(original: bytes) -> dict[str, int]:
    """The names told of an archive, each with its bytes."""
    _, rows = inside(Deflate(EffortParams("fast")), original)
    return {member.name: member.original_bytes for row in rows for member in row.members}


def test_members_of_archives_are_told_by_their_names_and_by_those_of_what_lies_around_them() -> None:
    inner = zipped({"word/document.xml": MARKUP, "word/notes.txt": LINES})
    files = {"d/one.log": LINES, "d/inner.zip": inner, "d/empty": b"", "d/few": b"few bytes"}
    within = {"d/inner.zip/word/document.xml": len(MARKUP), "d/inner.zip/word/notes.txt": len(LINES)}
    told = {"d/one.log": len(LINES), "d/inner.zip": len(inner)} | within
    assert told | {"d/few": 9} == names(tarred(files))
    assert told.keys() <= names(zipped(files)).keys()
    assert told.keys() <= names(zipped(files, streamed=True)).keys()

    packed = names(gz(tarred(files), name="d.tar"))
    assert {f"d.tar/{name}": length for name, length in (told | {"d/few": 9}).items()} == packed
    assert packed.items() <= names(zipped({"d.tar": tarred(files)})).items()
    assert {"app.log.3": len(LINES)} == names(gz(LINES, name="app.log.3"))


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names_in_tar_archives_are_told(kind: int) -> None:
    name = "/".join(["a" * 60] * 3)
    assert {name: len(LINES), "b": 100} == names(tarred({name: LINES, "b": LINES[:100]}, kind=kind))


def test_names_that_would_move_a_cursor_or_are_no_text_are_spelled_out() -> None:
    assert {"\\x1b[31mred\\u202e": len(LINES)} == names(zipped({"\x1b[31mred\u202e": LINES}))
    assert "caf\\xe9" == safe_name("café".encode("latin-1"))
    assert "café" == safe_name("café".encode())
    assert limits.MEMBER_NAME_MAX == len(safe_name(b"n" * 100_000))


def test_of_many_members_only_some_are_told_by_name() -> None:
    _, rows = inside(Deflate(EffortParams("fast")), tarred({f"{number}": LINES[:100] for number in range(1200)}))
    assert limits.CONTENTS_MAX == sum(len(row.members) for row in rows)
    assert 1200 in {row.count for row in rows}


def test_what_was_not_opened_is_told_as_it_was() -> None:
    _, rows = inside(Deflate(EffortParams("fast")), LINES)
    assert [("as it was", len(LINES))] == [(row.what, row.original_bytes) for row in rows]


def test_the_form_in_which_a_picture_comes_back_is_told() -> None:
    assert ["comes back as image/jxl"] == [row.what for row in inside(StillImage(), SEDIMENT)[1]]
    assert not inside(StillImage(), LINES)[1]


def test_other_codecs_find_nothing_inside() -> None:
    assert not inside(Zstd(), LINES)[1]


@pytest.mark.parametrize("codec", [Deflate(EffortParams("fast")), Jpeg(EffortParams("fast"))])
def test_of_damaged_payloads_it_is_told_or_refused(codec: WholeFile) -> None:
    original = zipped({"photo.jpg": corpus.camera_jpeg(), "two.txt": LINES[:2000]})
    payload = codec.encode_file(original)
    if isinstance(codec, Jpeg):
        original = corpus.camera_jpeg()
        payload = take_apart(find_jpegs(original), (LEPTON,), "fast") or b""
    damaged = [payload[:at] for at in range(0, len(payload), 7)]
    damaged += [payload[:at] + bytes([payload[at] ^ 0x5A]) + payload[at + 1 :] for at in range(0, len(payload), 5)]
    for data in damaged:
        try:
            codec.contents(data, shared=b"", length=len(original))
        except BadBytes:
            continue
