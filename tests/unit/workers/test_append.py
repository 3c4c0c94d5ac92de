"""An object that grows: every append makes it longer, and leaves neither crumbs nor copies behind."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lithify import limits
from lithify.codecs.frame import read_frame
from lithify.errors import BadArgument, Busy, Conflict, DigestMismatch, NotFound, PreconditionFailed
from lithify.store.tables import Revision
from lithify.store.views import Receipt
from lithify.workers.archive import Archive
from lithify.workers.found import Query, Searched
from lithify.workers.rebuild import rebuild
from lithify.workers.reencode import reencode
from lithify.workers.sweep import sweep
from tests.unit.workers.conftest import Opening

LINE = b"2026-11-21 01:15:%02d INFO worker[%d] took job %d of queue logs\n"


@pytest.fixture
def archive(tmp_path: Path, opening: Opening) -> Iterator[Archive]:
    with opening(tmp_path / "archive", effort="fast", grace_seconds=0, repack_seconds=0) as found:
        yield found


def lines(count: int, seed: int = 0) -> bytes:
    rng = random.Random(seed)
    return b"".join(LINE % (n % 60, rng.randrange(99), n) for n in range(count))


def content(archive: Archive, name: str = "log", **span: int | str) -> bytes:
    with archive.get("c", name, **span) as found:  # type: ignore[arg-type]
        return b"".join(found)


def append(archive: Archive, *blocks: bytes, name: str = "log", **wishes: str | bool | int) -> Receipt:
    return archive.append("c", name, blocks, **wishes)


def frame_of(archive: Archive) -> list[int]:
    """The decoded lengths of the chunks of the current encoding."""
    with archive.catalog.reading() as connection:
        from lithify.store.append import find_base

        base = find_base(connection, "c", "log")
    assert base is not None
    with archive.blobs.open(base.standing.blob) as blob:
        return list(read_frame(blob).chunks.lengths())


def files(archive: Archive) -> list[int]:
    return [address.length for address in archive.blobs.files()]


@pytest.mark.parametrize(
    "parts",
    [
        [b""],
        [b"", b"", b"x", b""],
        [bytes([n]) for n in range(60)],
        [b"a line that is cu", b"t in two\nand", b" another\n"],
        [b"\xff\xfe\x00 not UTF-8 \xc3", b"\x28\xa0\xa1\n"],
        [lines(30_000, 1), lines(1), lines(40_000, 2), b"x", random.Random(3).randbytes(3_000_000), b"end"],
        [bytes(limits.STAGE_CHUNK_BYTES), bytes(limits.STAGE_CHUNK_BYTES), b"1"],
    ],
    ids=["nothing", "empty steps", "single bytes", "cut lines", "no text", "all sizes", "whole chunks"],
)
def test_what_was_appended_is_there_at_once_and_after_all_of_it_was_packed(
    archive: Archive, parts: list[bytes]
) -> None:
    whole = b""
    for part in parts:
        whole += part
        receipt = append(archive, part)
        assert (hashlib.sha256(whole).hexdigest(), len(whole)) == (receipt.digest, receipt.length)
        assert whole == content(archive)
    archive.wait([receipt.revision])
    assert archive.stat("c", "log").verified_at is not None
    assert whole == content(archive)
    assert archive.check(read_data=True).findings == ()


def test_appending_goes_on_behind_a_put_and_behind_a_packed_form_in_another_process(archive: Archive) -> None:
    first, second, third = lines(40_000, 1), lines(25_000, 2), lines(9, 3)
    put = archive.put("c", "log", [first], content_type="text/plain")
    archive.wait([put.revision])
    dense = archive.stat("c", "log")
    append(archive, second)
    mixed = archive.stat("c", "log")
    assert mixed.codec == f"{dense.codec}+raw.zstd"
    assert mixed.content_type == "text/plain"
    archive.appends.__init__()  # type: ignore[misc] # what another process knows: nothing
    receipt = append(archive, third)
    assert first + second + third == content(archive)
    assert second[:10] == content(archive, start=len(first), end=len(first) + 10)
    archive.wait([receipt.revision])
    assert archive.stat("c", "log").stored_bytes < mixed.stored_bytes
    assert first + second + third == content(archive)
    assert first == content(archive, revision=put.revision), "what was put is a revision like any other"


def test_short_steps_do_not_fill_the_frame_with_crumbs(archive: Archive) -> None:
    for number in range(40):
        append(archive, lines(700, number))
    *whole, last = frame_of(archive)
    assert set(whole) == {limits.STAGE_CHUNK_BYTES}
    assert last < limits.STAGE_CHUNK_BYTES


def test_fifty_steps_leave_one_blob_and_one_job(archive: Archive) -> None:
    whole = b""
    for number in range(50):
        part = lines(1500, number)
        whole += part
        receipt = append(archive, part)
        assert len(files(archive)) <= 2, "the one before is removed when the next is there"
    assert [receipt.revision] == [job.revision for job in archive.jobs() if job.kind.startswith("encode")]
    sweep(archive)
    assert sum(files(archive)) == archive.stat("c", "log").stored_bytes
    with archive.catalog.reading() as connection:
        assert [receipt.revision] == list(
            connection.scalars(Revision.__table__.select().with_only_columns(Revision.id))
        )
    assert whole == content(archive)
    assert archive.check(read_data=True).findings == ()


def test_readers_have_a_while_to_open_what_was_outgrown(tmp_path: Path, opening: Opening) -> None:
    with opening(tmp_path / "archive") as archive:
        first = append(archive, lines(10_000))
        with archive.get("c", "log") as reading:
            append(archive, b"more")
            assert lines(10_000) == b"".join(reading)
        assert len(files(archive)) == 2
        with pytest.raises(NotFound):
            archive.stat("c", "log", first.revision)


def test_an_object_that_rests_is_packed_and_one_that_grows_is_not(tmp_path: Path, opening: Opening) -> None:
    with opening(tmp_path / "archive", effort="fast", repack_seconds=600) as archive:
        whole = lines(20_000)
        receipt = append(archive, whole)
        job = archive.job(receipt.job or 0)
        assert (job.state, job.run_at - job.created_at) == ("waiting", 600)
        assert archive.queue.claim(["logs", "text", "general"], "worker") == []
        again = append(archive, b"one more line\n")
        assert (again.job, archive.job(receipt.job or 0).revision) == (receipt.job, again.revision)
        assert reencode(archive) == {"queued": 0}, "nothing that has a job"
        archive.retry_job(receipt.job or 0)
        archive.wait([again.revision])
        view = archive.stat("c", "log")
        assert view.verified_at is not None
        assert "zstd" not in view.codec
        assert reencode(archive) == {"queued": 1}
        assert whole + b"one more line\n" == content(archive)


def test_a_job_under_way_ends_when_its_object_grows(archive: Archive) -> None:
    receipt = append(archive, lines(20_000))
    (claim,) = archive.queue.claim(["logs", "text", "general"], "worker")
    again = append(archive, b"more\n")
    assert archive.queue.renew(claim).cancel_requested
    assert again.job != receipt.job
    archive.wait([again.revision])
    assert archive.stat("c", "log").verified_at is not None


def test_one_at_a_time_in_a_process(archive: Archive) -> None:
    with archive.appends.hold("c", "log"):
        with pytest.raises(Busy, match="one at a time"):
            append(archive, b"x")
        append(archive, b"x", name="other")
    append(archive, b"x")


@pytest.mark.parametrize("start", [b"", b"something\n"], ids=["new", "old"])
def test_of_two_appenders_one_gets_a_conflict_and_nothing_mixes(archive: Archive, start: bytes) -> None:
    if start:
        append(archive, start)
    with archive.appending("c", "log") as one, archive.appending("c", "log") as other:
        for _ in range(3):
            one.write(b"one\n")
            other.write(b"other\n")
        one.commit()
        with pytest.raises(Conflict, match="changed while it was appended to"):
            other.commit()
    assert start + 3 * b"one\n" == content(archive)


@pytest.mark.parametrize("meanwhile", ["put", "remove"])
def test_a_put_or_a_delete_meanwhile_is_a_conflict(archive: Archive, meanwhile: str) -> None:
    append(archive, b"first\n")
    with archive.appending("c", "log") as appending:
        appending.write(b"second\n")
        if meanwhile == "put":
            archive.put("c", "log", [b"another"])
        else:
            archive.remove("c", "log")
        with pytest.raises(Conflict):
            appending.commit()
    append(archive, b"third\n")
    assert content(archive) == (b"anotherthird\n" if meanwhile == "put" else b"third\n")


def test_what_is_announced_of_the_appended_bytes_is_compared(archive: Archive) -> None:
    append(archive, b"first\n")
    good, bad = hashlib.sha256(b"second\n").hexdigest(), hashlib.sha256(b"first\nsecond\n").hexdigest()
    with pytest.raises(DigestMismatch):
        append(archive, b"second\n", digest=bad)
    with pytest.raises(DigestMismatch):
        append(archive, b"second\n", length=8)
    append(archive, b"second\n", digest=good, length=7)
    assert content(archive) == b"first\nsecond\n"


def test_a_key_makes_a_repetition_harmless(archive: Archive) -> None:
    first = append(archive, b"first\n")
    wishes = {"idempotency_key": "k", "if_match": first.digest}
    second = append(archive, b"second\n", **wishes)
    assert replace(second, unchanged=False) == append(archive, b"second\n", **wishes)
    with pytest.raises(Conflict, match="used for another request"):
        append(archive, b"third\n", **wishes)
    with pytest.raises(PreconditionFailed):
        append(archive, b"third\n", if_match=first.digest)
    assert content(archive) == b"first\nsecond\n"


def test_a_promise_is_not_changed_by_appending(archive: Archive) -> None:
    append(archive, b"first\n", contract="exact")
    with pytest.raises(Conflict, match="cannot be promised"):
        append(archive, b"second\n", contract="content")
    with pytest.raises(BadArgument):
        append(archive, b"second\n", contract="nonsense")
    assert content(archive) == b"first\n"


def test_a_search_that_comes_late_finds_the_object_as_it_has_grown(archive: Archive) -> None:
    append(archive, b"first\n", name="a")
    append(archive, lines(20_000), name="b")
    found: list[tuple[str, int]] = []
    for one in archive.search("c", "", Query(b"first")):
        if isinstance(one, Searched):
            found.append((one.where.name, one.matches))
            append(archive, b"first\n", name="b")
            append(archive, b"first\n", name="b")
    assert found == [("a", 1), ("b", 2)]


def test_a_lost_catalog_comes_back_with_what_has_grown(tmp_path: Path, opening: Opening) -> None:
    folder, whole = tmp_path / "archive", lines(50_000)
    with opening(folder) as archive:
        for start in range(0, len(whole), 300_000):
            receipt = append(archive, whole[start : start + 300_000])
    for path in folder.glob("catalog.sqlite*"):
        path.unlink()
    rebuild(folder)
    with opening(folder, effort="fast", grace_seconds=0, repack_seconds=0) as archive:
        assert (receipt.revision, whole) == (archive.stat("c", "log").revision, content(archive))
        again = append(archive, b"more\n")
        with pytest.raises(NotFound):  # it is known that an append made it
            archive.stat("c", "log", receipt.revision)
        archive.wait([again.revision])
        sweep(archive)
        assert files(archive) == [], "what is packed is small enough for a pack, and all else is gone"
        assert archive.check(read_data=True).findings == ()


def test_damage_is_not_carried_into_a_new_blob(archive: Archive) -> None:
    whole = random.Random(1).randbytes(3_000_000)
    append(archive, whole)
    (blob,) = archive.blobs.files()
    path = next((archive.folder / "blobs").rglob(blob.digest))
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(500_000)
        file.write(b"damage")
    with pytest.raises(Exception, match=r"checksum|decodes"):
        append(archive, b"more")
    assert [blob.digest] == [address.digest for address in archive.blobs.files()]
    assert list((archive.folder / "staging").iterdir()) == []
