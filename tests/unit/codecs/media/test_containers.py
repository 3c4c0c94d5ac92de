"""The suite, run by the codec for containers; what it finds inside, and by whom that is kept."""

import random
import zlib
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.codecs.codec import Codec, Effort
from lithify.codecs.media.containers import codec, opening
from lithify.codecs.media.containers.closing import close_all
from lithify.codecs.media.containers.codec import CLOSED, DEPTH_MAX, OPENED, Budget, Deflate
from lithify.codecs.media.containers.find import ADLER, GZIP, Found, Walk
from lithify.codecs.media.containers.layout import Piece, Segment, pack_table, unpack_table
from lithify.codecs.media.containers.looks import Look, look_at
from lithify.codecs.media.containers.nested import pack_part, unpack_part
from lithify.codecs.media.containers.opening import open_all
from lithify.codecs.media.containers.recalled import NEW, Recalled
from lithify.codecs.media.containers.signs import may_hold_streams
from lithify.codecs.media.containers.tar import later_part, members
from lithify.codecs.media.whole_file import EffortParams
from lithify.codecs.raw.brotli import Brotli
from lithify.codecs.raw.xz import Xz
from lithify.errors import BadBytes, Corrupt, LimitExceeded, Truncated
from tests.examples import examples
from tests.suites.codec_suite import ORIGINALS, CodecSuite
from tests.unit.codecs.arrays.files import Numbers, nifti, smooth, tiff
from tests.unit.codecs.arrays.test_containers import hdf5
from tests.unit.codecs.media.archives import ARCHIVES, FILES, LOGS, MARKUP, gz, pdf, tarred, zipped
from tests.unit.codecs.media.streams import PLAIN, deflated, paragraphs, rows


class TestDeflate(CodecSuite):
    codec = Deflate
    originals: ClassVar[dict[str, bytes]] = {
        **ORIGINALS,
        "counters": gz(ORIGINALS["counters"]),
        "all bytes": ARCHIVES["a PDF"],
    }


def encoded(original: bytes, effort: str = "default") -> bytes:
    payload = Deflate(EffortParams(effort)).encode_file(original)
    assert original == Deflate().decode(payload, shared=b"", length=len(original))
    return payload


def codecs_inside(payload: bytes, length: int) -> set[str]:
    """The codecs that keep what is inside."""
    seen = set()

    def see(codec: Codec) -> Codec:
        seen.add(codec.facts.id)
        return codec

    close_all(payload, length, Budget(), see)
    return seen


def found_in(data: bytes) -> list[Found]:
    return list(Walk(data, limits.OPENED_BYTES_MAX).found())


# --- what is found ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_comes_back_from_less_than_the_best_general_codec_makes_of_it(name: str) -> None:
    original = ARCHIVES[name]
    general = min(len(codec(codec.params_for("max", len(original))).encode_block(original)) for codec in (Brotli, Xz))
    payload = encoded(original)

    assert OPENED == payload[0]
    assert len(payload) < (0.95 if "zip in a" in name or "stored" in name else 0.8) * general


def test_a_rotated_log_reaches_the_codec_for_logs() -> None:
    for name in ("a log", "a tar of logs"):
        assert "logs.template" in codecs_inside(encoded(ARCHIVES[name]), len(ARCHIVES[name]))


def test_a_document_reaches_the_codec_for_text() -> None:
    assert "text.mixing" in codecs_inside(encoded(ARCHIVES["a document"]), len(ARCHIVES["a document"]))


def test_a_zip_in_a_zip_is_opened_too() -> None:
    original = ARCHIVES["a zip in a zip"]

    assert "media.deflate" in codecs_inside(encoded(original), len(original))


def test_checksums_and_lengths_behind_a_stream_are_not_kept() -> None:
    (member,) = found_in(gz(LOGS) + b"more")
    assert (GZIP, len(gz(LOGS))) == (member.trailer, member.end)
    streams = found_in(pdf([MARKUP, paragraphs(4)]))
    assert [ADLER, ADLER] == [stream.trailer for stream in streams]
    (wrong,) = found_in(gz(LOGS)[:-8] + b"12345678")
    assert (0, len(gz(LOGS)) - 8) == (wrong.trailer, wrong.end)


def test_every_member_of_a_zip_is_found_whether_lengths_come_before_or_behind() -> None:
    for archive in (zipped(FILES), zipped(FILES, streamed=True)):
        plain = [found.opened.plain for found in found_in(archive) if found.opened]
        assert list(FILES.values()) == plain


def test_what_a_zip_stores_is_found_as_it_is() -> None:
    archive = zipped(FILES, method=0)

    assert list(FILES.values()) == [archive[found.start : found.end] for found in found_in(archive)]


def test_an_image_in_a_pdf_is_taken_out() -> None:
    image = b"\xff\xd8\xff\xe0" + random.Random(1).randbytes(3000).replace(b"endstream", b"") + b"\xff\xd9"
    document = b"%PDF-1.4\n1 0 obj\n<</Filter/DCTDecode>>\nstream\r\n" + image + b"\nendstream\n"
    (found,) = found_in(document)

    assert image + b"\n" == document[found.start : found.end]


def test_nothing_that_was_found_overlaps() -> None:
    archive = zipped({"a": zipped(FILES) * 2, "b": gz(LOGS) * 2}, method=0) + gz(zipped(FILES))
    at = 0
    for found in found_in(archive):
        assert at <= found.start < found.end
        at = found.end


def test_members_of_a_tar_lie_where_it_says() -> None:
    archive = tarred({"a": LOGS, "b": b"short", "c": MARKUP})

    assert [LOGS, MARKUP] == [archive[start:end] for start, end in members(archive)]
    assert [] == list(members(archive[:124] + b"-0000000001\0" + archive[136:]))
    assert [] == list(members(archive[:124] + b"\x80" * 12 + archive[136:]))


def test_looks_tell_text_from_markup_logs_tables_and_what_is_kept_alone() -> None:
    looks = {
        Look.TEXT: paragraphs(3),
        Look.MARKUP: MARKUP[:9000],
        Look.LOG: LOGS[:9000],
        Look.NUMERIC: b"0.25 17 1003 m 44.5 17 l S\n" * 90,
        Look.BINARY: bytes(range(256)) * 9,
        Look.ALONE: b"\xff\xd8\xff\xe0 an image",
    }
    for look, data in looks.items():
        assert look == look_at(data)
    assert Look.ALONE == look_at(LOGS)


@pytest.mark.parametrize("make", [nifti, lambda values: nifti(values, version=2), lambda values: tiff(list(values))])
def test_scans_and_measurements_inside_are_kept_as_numbers(make: Callable[[Numbers], bytes]) -> None:
    scan = make(np.rint(smooth((6, 40, 50), "f4") * 900).astype("<f4"))
    payload = encoded(gz(scan))
    (kept,) = (one for one in Deflate().contents(payload, shared=b"", length=len(gz(scan))) if one.what == "deflated")

    assert "arrays.values" == kept.codec


def test_nothing_inside_is_kept_as_a_whole() -> None:
    for original in (b"x", PLAIN["noise"], paragraphs(5)):
        assert CLOSED == encoded(original)[0]


# --- probing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a log", "a document", "a PDF", "a tar of logs"])
def test_a_probe_promises_something_and_no_more_than_comes_true(name: str) -> None:
    original = ARCHIVES[name]
    estimate = Deflate.probe(original, len(original), "default")
    assert estimate is not None

    assert 1.05 < estimate.ratio < 1.25 * len(original) / len(encoded(original))


def test_a_probe_sees_a_stream_that_goes_on_behind_its_sample() -> None:
    original = gz(b"".join(b"%d is not %d\n" % (n * n, n) for n in range(200_000)))
    estimate = Deflate.probe(original[: limits.PROBE_BYTES // 3], len(original), "default")

    assert estimate is not None
    assert estimate.ratio > 1.2


def test_hdf5_is_left_to_who_reads_it_where_its_library_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("h5py")
    values = smooth((9, 40, 50), "f4")
    data = hdf5(lambda file: file.create_dataset("t", data=values, chunks=(3, 40, 50), compression="gzip"))
    assert Deflate.probe(data, len(data), "default") is None
    monkeypatch.setattr(codec, "find_spec", lambda _: None)
    assert Deflate.probe(data, len(data), "default") is not None


def test_a_probe_has_no_use_for_what_holds_nothing() -> None:
    for original in (b"", PLAIN["noise"], paragraphs(9), bytes(9000)):
        assert Deflate.probe(original, len(original), "default") is None


# --- any bytes ----------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        gz(paragraphs(2)),
        zlib.compress(rows(3), 9),
        zipped({"a": paragraphs(2), "b": b"rock" * 30}),
        pdf([paragraphs(1)]),
        deflated(paragraphs(2)),
        b"PK\x03\x04",
        b"\x1f\x8b\x08\x1f",
        b"\x1f\x8b\x08\x08" + bytes(40),
        b"stream\n\x78\x9c",
        b"PK\x03\x04" + bytes(4) + b"\x08\x00" + b"\xff" * 20,
        b"\x78\xda" * 9,
    ]
)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=60)), min_size=1, max_size=6), st.data())
def test_whatever_holds_whatever_comes_back(pieces: list[bytes], data: st.DataObject) -> None:
    original = b"".join(pieces)
    cut = data.draw(st.integers(1, max(1, len(original))))
    encoded(original[:cut] or b"\0", "fast")


def test_every_cut_of_an_archive_comes_back() -> None:
    original = zipped({"a": paragraphs(1), "b": MARKUP[:400]}) + gz(b"rock and sand " * 9)
    for cut in range(1, len(original), 7):
        encoded(original[:cut], "fast")


# --- tables and parts ---------------------------------------------------------------------------------


def test_a_table_survives() -> None:
    pieces = [
        Piece((Segment(0, 30),)),
        Piece((Segment(1, 9), Segment(2, 400)), 7, GZIP),
        Piece((Segment(1, 1),), 0, ADLER),
        Piece((Segment(1, 5),), 0, ADLER, 2),
    ]

    assert pieces == unpack_table(pack_table(pieces))
    for wrong in (b"", b"\x05", pack_table(pieces) + b"\0", pack_table(pieces)[:-1], b"\x02\xff\xff\x7f\x00\x00"):
        with pytest.raises(BadBytes):
            unpack_table(wrong)


def test_a_tar_archive_is_judged_by_members_from_all_over_it() -> None:
    noise = random.Random(3).randbytes(300_000)
    found = [
        Deflate.probe(archive, len(archive), "default")
        for archive in (tarred({"a": noise}), tarred({"a": noise, "b": 40 * LOGS}))
    ]
    assert found[0] is not None
    assert found[1] is not None
    assert found[1].ratio > 1.2 * found[0].ratio


def test_members_of_a_tar_archive_go_to_the_codecs_made_for_them() -> None:
    archive = tarred({"a.log": LOGS, "b.html": MARKUP, "c.log.gz": gz(LOGS), "d.txt": paragraphs(9), "small": b"sand"})
    opened = open_all(archive, Budget(), "default")

    assert opened is not None
    kept = [group for group in opened.groups if LOGS in group or gz(LOGS) in group]
    assert 2 == len(kept)
    assert may_hold_streams(archive)
    estimate = Deflate.probe(archive, len(archive), "default")
    assert estimate is not None
    assert estimate.ratio > 1
    assert len(encoded(archive)) < len(Xz().encode_block(archive))


def test_short_texts_lie_together_in_groups_that_can_be_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TEXT_INSIDE_BYTES_MAX", 20_000)
    monkeypatch.setattr(opening, "_MIXED_BYTES_MAX", 60_000)
    archive = tarred({f"{number}.txt": paragraphs(12, number) for number in range(30)})

    def groups(effort: Effort) -> list[int]:
        opened = open_all(archive, Budget(), effort)
        assert opened is not None
        return [sum(map(len, group)) for group in opened.groups[1:]]

    *mixed, rest = groups("default")
    assert 3 <= len(mixed)
    assert max(mixed) <= 20_000 < rest
    assert [sum((*mixed, rest))] == groups("fast") == groups("max")
    encoded(archive)


def test_a_later_part_of_a_long_tar_archive_is_known_for_one() -> None:
    archive = tarred({"a.txt": paragraphs(20), "b.log": LOGS, "c.txt": paragraphs(9, 2), "d.log": LOGS[:3000]})
    for cut in (700, 513, 5000, len(paragraphs(20)) + 600):
        part = archive[cut:-4000]
        opened = open_all(part, Budget(), "default")
        assert opened is not None
        assert any(LOGS in group for group in opened.groups)
        encoded(part, "fast")
    assert later_part(paragraphs(20)) is None
    assert later_part(paragraphs(20) + tarred({"few": bytes(100)})[:1024] + paragraphs(20)) is None


def test_a_stream_is_seen_in_pieces_of_a_long_one() -> None:
    stream = gz(random.Random(1).randbytes(300_000).hex().encode())
    pieces = stream[:90_000] + stream[150_000:240_000] + stream[-90_000:]
    assert Deflate.probe(pieces, len(stream), "default") is not None


def test_a_cut_tar_archive_comes_back() -> None:
    archive = tarred({"a.log": LOGS[:900], "b.html": MARKUP[:700]})
    for cut in range(1, len(archive), 311):
        encoded(archive[:cut], "fast")


def test_streams_of_one_writer_tell_their_recipe_once() -> None:
    texts = [paragraphs(2)[n : n + 90] for n in range(40)]
    opened = open_all(b"".join(b"stream\n" + zlib.compress(text) for text in texts), Budget(), "default")

    assert opened is not None
    streams = [piece for piece in opened.pieces if piece.recipe_length is not None]
    assert 40 == len(streams)
    assert sum(piece.recipe_length or 0 for piece in streams) < 12


@given(
    st.lists(st.sampled_from([b"a", b"bb", b"", bytes(64), bytes(65), b"ccc"]) | st.binary(max_size=2), max_size=300)
)
def test_recipes_are_recalled_alike_in_both_directions(recipes: list[bytes]) -> None:
    writer, reader = Recalled(), Recalled()
    for recipe in recipes:
        rank = writer.rank(recipe)
        if rank == NEW:
            reader.keep(recipe)
        else:
            assert recipe == reader.recipe(rank)


def test_a_recipe_that_was_not_told_is_not_recalled() -> None:
    recalled = Recalled()
    recalled.keep(b"\x05\x32")
    assert b"\x05\x32" == recalled.recipe(1)
    for rank in (-1, NEW, 2):
        with pytest.raises(Corrupt):
            recalled.recipe(rank)


def test_a_part_says_all_that_decoding_needs() -> None:
    for data in (b"", b"rock", paragraphs(30), LOGS):
        part = pack_part(data, "default", lambda codec: codec)
        assert (data, len(part)) == unpack_part(part, 0, len(data), lambda codec: codec)
        for length in (len(data) + 1, max(0, len(data) - 1)):
            if length != len(data):
                with pytest.raises(BadBytes):
                    unpack_part(part, 0, length, lambda codec: codec)


def test_containers_lie_only_so_deep_in_each_other() -> None:
    archive = paragraphs(9)
    for _ in range(DEPTH_MAX + 3):
        archive = zipped({"inner.zip": archive, "a.txt": paragraphs(2)}, method=0)

    encoded(archive)


def _as_it_is(data: bytes) -> bytes:
    return pack_part(data, "fast", lambda _: None)


def test_payloads_that_nest_deeper_are_refused() -> None:
    payload, length = bytes([OPENED]), 9
    part = pack_part(b"settles.\n", "fast", lambda codec: codec if codec.facts.family == "raw" else None)
    table = pack_table([Piece((Segment(0, length),))])
    for _ in range(DEPTH_MAX + 1):
        payload = bytes([OPENED, len(table)]) + _as_it_is(table) + _as_it_is(b"") + b"\x01" + bytes([length]) + part
        part = b"\x80\x0a\x01\x00\x00\x00\x01" + bytes([len(payload), length]) + payload if len(payload) < 128 else part
    with pytest.raises(BadBytes):
        Deflate().decode(payload[:1] + b"\x7f" + payload[2:], shared=b"", length=length)


# --- what is refused ----------------------------------------------------------------------------------


def test_payloads_that_are_none_are_refused() -> None:
    with pytest.raises(Truncated):
        Deflate().decode(b"", shared=b"", length=4)
    with pytest.raises(BadBytes, match="does not exist"):
        Deflate().decode(b"\x07rock", shared=b"", length=4)
    with pytest.raises(LimitExceeded):
        Deflate().decode(b"\x01", shared=b"", length=limits.PART_BYTES + 1)
    with pytest.raises(BadBytes):
        Deflate().decode(b"\x01", shared=b"x", length=4)


def test_what_is_too_long_is_refused_before_it_is_read() -> None:
    class Long:
        length = limits.PART_BYTES + 1

        def read(self, offset: int, length: int) -> bytes:
            raise AssertionError("it should not be read")

    with pytest.raises(LimitExceeded):
        Deflate().encode(Long(), None)  # type: ignore[arg-type]
