"""Primers in an archive: made by itself, named by encodings, kept while needed, missed by name, rebuilt."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from lithify import limits
from lithify.codecs.frame import decode_frame, primers_of, read_frame
from lithify.errors import Busy, MissingPrimer, NotFound
from lithify.store import primers, queries
from lithify.store.blobs import Address
from lithify.store.encodings import NewBlob
from lithify.store.tables import Blob, Primer
from lithify.workers import encode_small
from lithify.workers.archive import Archive
from lithify.workers.check import check_archive
from lithify.workers.loop import Worker
from lithify.workers.rebuild import rebuild
from lithify.workers.sandbox import Sandbox
from lithify.workers.scrub import scrub
from lithify.workers.sweep import sweep
from tests import primed_codec
from tests.primed_codec import ID, MAGIC, daily_log
from tests.unit.workers.conftest import Opening, opening_with

C = "web"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module", autouse=True)
def opening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opening]:
    """The codec is there, in a sandbox of its own."""
    with primed_codec.installed(tmp_path_factory.mktemp("site")), Sandbox(modules=(primed_codec.__name__,)) as boxed:
        yield opening_with(boxed)


@pytest.fixture
def archive(tmp_path: Path, opening: Opening) -> Iterator[Archive]:
    with opening(tmp_path / "archive", grace_seconds=0) as opened:
        opened.set_policy(C, codecs=[ID])
        yield opened


def put(archive: Archive, day: int, *, lines: int = 1500, settle: bool = True) -> str:
    name = f"{day:02d}.log"
    archive.put(C, name, [daily_log(day, lines)])
    if settle:
        work(archive)
    return name


def work(archive: Archive) -> None:
    Worker(archive).run(until_idle=True)
    assert [] == [(job.kind, job.error) for job in archive.jobs() if job.state != "done"]


def get(archive: Archive, name: str, start: int = 0, end: int | None = None) -> bytes:
    with archive.get(C, name, start=start, end=end) as content:
        return b"".join(content)


def primer_of(archive: Archive, name: str) -> str | None:
    return archive.stat(C, name).encodings[-1].primer


def place(archive: Archive, digest: str) -> Address:
    with archive.catalog.reading() as connection:
        found = queries.blob(connection, digest)
    assert found is not None, "the catalog has forgotten the primer"
    return found


def is_kept(archive: Archive, digest: str) -> bool:
    with archive.catalog.reading() as connection:
        return queries.blob(connection, digest) is not None


def lose(archive: Archive, digest: str) -> None:
    """What a failing disk does to a blob with a file of its own, or to one in a pack."""
    at = place(archive, digest)
    folder = archive.folder
    if at.pack is None:
        (folder / "blobs" / digest[:2] / digest).unlink()
        return
    path = folder / "packs" / f"{at.pack}.pack"
    with path.open("r+b") as file:
        file.seek(at.offset + at.length // 2)
        file.write(b"\0" * 8)


@pytest.mark.parametrize("lines", [40, 1000, 4000], ids=["small", "in a batch", "alone"])
def test_after_two_logs_a_collection_has_a_primer_and_the_next_log_is_smaller_for_it(
    archive: Archive, lines: int
) -> None:
    names = [put(archive, day, lines=lines) for day in (1, 2, 3)]
    first, _, third = (archive.stat(C, name) for name in names)
    assert [None, None] == [primer_of(archive, name) for name in names[:2]]
    assert archive.primer(C).digest == primer_of(archive, names[2])
    assert third.stored_bytes < 0.9 * first.stored_bytes
    assert [daily_log(day, lines) for day in (1, 2, 3)] == [get(archive, name) for name in names]
    assert daily_log(3, lines)[700:1900] == get(archive, names[2], 700, 1900)
    assert archive.verify(C, names[2]).kept
    assert () == check_archive(archive, read_data=True).findings


def test_the_route_says_that_a_primer_was_tried_and_what_it_gave(archive: Archive) -> None:
    for day in (1, 2, 3):
        name = put(archive, day)
    route = archive.stat(C, name).encodings[-1].route
    plain, primed = (one for one in route["candidates"] if one["codec"] == ID)
    assert "primer" not in plain
    assert archive.primer(C).digest == primed["primer"]
    assert primed["found"]["stored_bytes"] < plain["found"]["stored_bytes"]
    assert route["winner"].startswith(f"{ID} with primer {primed['primer'][:12]}: ")


def test_the_frame_itself_names_its_primer_and_decodes_anywhere_with_it(archive: Archive) -> None:
    for day in (1, 2, 3):
        name = put(archive, day)
    encoding = archive.stat(C, name).encodings[-1]
    with archive.blobs.open(place(archive, encoding.blob)) as blob:
        frame = io.BytesIO(blob.read())
    assert {encoding.primer} == primers_of(read_frame(frame))
    exported = archive.read_primer(C, name)
    assert exported.startswith(MAGIC)
    assert daily_log(3) == b"".join(decode_frame(frame, primers=lambda _: exported))


def test_what_is_no_log_is_neither_learnt_from_nor_primed(archive: Archive) -> None:
    for number in range(4):
        archive.put(C, f"{number}.bin", [os.urandom(5000)])
        work(archive)
    with pytest.raises(NotFound, match="has no primer"):
        archive.primer(C)


def test_a_primer_is_renewed_when_there_are_twice_as_many_logs(archive: Archive) -> None:
    digests = []
    for day in range(1, 9):
        put(archive, day, lines=60)
        digests.append(None if day < 2 else archive.primer(C).digest)
    assert digests[1] == digests[2]
    assert digests[3] == digests[4] == digests[5] == digests[6]
    assert 4 == len({*digests})
    assert [2, 4, 8] == [
        job.result["samples"] for job in reversed(archive.jobs()) if job.kind == "primer" and job.result
    ]


def test_one_job_makes_a_primer_however_many_logs_come_at_once(archive: Archive) -> None:
    for day in range(1, 20):
        put(archive, day, lines=60, settle=False)
    work(archive)
    assert 1 == sum(job.kind == "primer" for job in archive.jobs())


def test_a_large_primer_gets_a_file_of_its_own(archive: Archive) -> None:
    for day in (1, 2, 3):
        name = put(archive, day, lines=3000)
    digest = primer_of(archive, name)
    assert digest is not None
    assert place(archive, digest).length > limits.SMALL_BYTES
    assert place(archive, digest).pack is None


def test_sweep_keeps_a_primer_while_anything_names_it_and_removes_it_then(archive: Archive) -> None:
    for day in (1, 2, 3):
        third = put(archive, day)
    old = archive.primer(C).digest
    fourth = put(archive, 4)  # still with that primer, and then there is a new one
    assert [old, old] == [primer_of(archive, third), primer_of(archive, fourth)] != [archive.primer(C).digest] * 2
    archive.remove(C, third)
    sweep(archive)
    sweep(archive)
    assert daily_log(4) == get(archive, fourth)
    archive.remove(C, fourth)
    sweep(archive)  # its encoding goes, and from now on nothing names the primer
    sweep(archive)
    assert not is_kept(archive, old)
    assert is_kept(archive, archive.primer(C).digest)
    assert () == check_archive(archive, read_data=True).findings


def test_a_retired_encoding_keeps_its_primer_until_it_is_swept(archive: Archive) -> None:
    for day in (1, 2, 3):
        third = put(archive, day)
    old = archive.primer(C).digest
    put(archive, 4)
    with archive.catalog.writing() as connection:
        revision = archive.stat(C, third).revision
        archive.queue.defer(connection, kind="encode_small", queue="logs", revision_id=revision)
    work(archive)
    view = archive.stat(C, third)
    assert [None, old, archive.primer(C).digest] == [one.primer for one in view.encodings][-3:]
    with archive.catalog.reading() as connection:
        assert old in connection.scalars(select(Blob.digest)).all()
    assert daily_log(3) == get(archive, third)


def test_a_lost_catalog_comes_back_with_its_primers(archive: Archive, tmp_path: Path, opening: Opening) -> None:
    for day in (1, 2, 3, 4):
        name = put(archive, day)
    before = [(primer_of(archive, f"{day:02d}.log"), archive.primer(C)) for day in (1, 2, 3, 4)]
    archive.close()
    for path in (tmp_path / "archive").glob("catalog.sqlite*"):
        path.unlink()
    assert rebuild(tmp_path / "archive")["records"]["primer"] == 2
    with opening(tmp_path / "archive", grace_seconds=0) as again:
        assert before == [(primer_of(again, f"{day:02d}.log"), again.primer(C)) for day in (1, 2, 3, 4)]
        sweep(again)
        sweep(again)
        assert daily_log(4) == get(again, name)
        assert () == check_archive(again, read_data=True).findings


def test_a_rebuild_lets_an_older_encoding_serve_when_the_primer_is_gone(
    archive: Archive, tmp_path: Path, opening: Opening
) -> None:
    for day in (1, 2, 3):
        name = put(archive, day, lines=3000)
    digest = primer_of(archive, name)
    assert digest is not None
    lose(archive, digest)
    archive.close()
    for path in (tmp_path / "archive").glob("catalog.sqlite*"):
        path.unlink()
    rebuild(tmp_path / "archive")
    with opening(tmp_path / "archive", grace_seconds=0) as again:
        assert "current" == again.stat(C, name).encodings[0].state
        assert daily_log(3, 3000) == get(again, name)


@pytest.mark.parametrize("lines", [1000, 3000], ids=["in a pack", "in a file"])
def test_a_missing_primer_is_damage_that_names_it(archive: Archive, lines: int) -> None:
    for day in (1, 2, 3):
        name = put(archive, day, lines=lines)
    sweep(archive)  # the staged copies, which would serve instead
    digest = primer_of(archive, name)
    assert digest is not None
    lose(archive, digest)
    with pytest.raises(MissingPrimer, match=f"needs primer {digest}, which cannot be read"):
        get(archive, name)
    verdict = archive.verify(C, name)
    assert not verdict.kept
    assert digest in verdict.detail
    found = {(finding.where, finding.code) for finding in check_archive(archive, read_data=True).findings}
    assert found >= {(f"{C}/{name}", "missing_primer"), (C, "missing_primer")}
    assert daily_log(1, lines) == get(archive, "01.log")


def test_scrub_finds_a_damaged_primer_and_lets_what_is_left_take_over(archive: Archive) -> None:
    for day in (1, 2, 3):
        name = put(archive, day)
    digest = primer_of(archive, name)
    assert digest is not None
    lose(archive, digest)
    found = scrub(archive, fraction=1)
    assert [digest] == found["damaged"]
    assert [archive.stat(C, name).revision] == found["mended"]
    assert daily_log(3) == get(archive, name)


def test_a_damaged_primer_is_used_by_nothing_new_and_made_again(archive: Archive, opening: Opening) -> None:
    for day in (1, 2):
        put(archive, day)
    lost = archive.primer(C).digest
    lose(archive, lost)
    third = put(archive, 3)
    assert primer_of(archive, third) is None
    candidate = archive.stat(C, third).encodings[-1].route["candidates"][-1]
    assert candidate["verdict"].startswith(f"not run: the frame needs primer {lost}, which cannot be read")
    scrub(archive, fraction=1)
    with opening(archive.folder, grace_seconds=0) as another:  # one that has counted nothing yet
        for day in (4, 5):
            fifth = put(another, day)
        assert another.primer(C).digest == primer_of(another, fifth)
        assert () == check_archive(another, read_data=True).findings


def test_re_encoding_reads_with_the_old_primer_and_writes_with_the_new(archive: Archive) -> None:
    for day in range(1, 5):
        put(archive, day, lines=2500)
    assert primer_of(archive, "03.log") != archive.primer(C).digest
    archive.start_upkeep("reencode")
    work(archive)
    assert daily_log(3, 2500) == get(archive, "03.log")
    assert () == check_archive(archive, read_data=True).findings


def test_a_batch_of_many_collections_is_shared_out_by_its_primers(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PRIMERS_PER_TASK_MAX", 2)
    shares: list[int] = []
    encode = encode_small._encode

    def counted(opened: Archive, tasks: list[encode_small._Task], settle: encode_small.Settle) -> None:
        shares.append(len(set().union(*(task.primers for task in tasks))))
        encode(opened, tasks, settle)

    for number in range(5):
        archive.set_policy(f"c{number}", codecs=[ID])
    for day in (1, 2, 3):
        for number in range(5):
            archive.put(f"c{number}", f"{day}.log", [f"collection {number}\n".encode() + daily_log(day, 60 + number)])
        if day == 3:
            monkeypatch.setattr(encode_small, "_encode", counted)
        work(archive)
    assert [2, 2, 1] == shares


def test_publishing_refuses_a_primer_that_was_swept_meanwhile(archive: Archive) -> None:
    for day in (1, 2):
        put(archive, day)
    third = put(archive, 3, settle=False)
    found = archive.primer(C)
    with archive.catalog.writing() as connection:  # the moment between encoding and publishing
        connection.execute(update(Primer).values(blob_digest=archive.stat(C, third).encodings[0].blob))
        at = queries.blob(connection, found.digest)
    assert at is not None
    sweep(archive)
    assert not is_kept(archive, found.digest)
    archive.commits.run(primers.SetPrimer(C, NewBlob.small(b"another"), ID, 2))
    from lithify.store.encodings import NewEncoding
    from lithify.store.publish import Publish

    new = NewEncoding(NewBlob.small(b"frame"), ID, "0x8001 1.0", "exact", {}, 5, 0.1, primer=at)
    revision = archive.stat(C, third).revision
    with pytest.raises(Busy, match=f"primer {found.digest} was lost"):
        archive.commits.run(Publish(revision, new, fence=lambda _: None, finish=lambda _: None))


TEACH = """
import pathlib, sys, threading
from lithify.workers.archive import Archive
from lithify.workers.control import Control
from lithify.workers.queue import Claim
from lithify.workers.teach import teach
from tests import primed_codec
folder = pathlib.Path(sys.argv[1])
with primed_codec.installed(folder / "another site"), Archive(folder / "archive", grace_seconds=0) as archive:
    claim = Claim(0, "primer", "logs", 1, 1, None, {})
    teach(archive, Control(archive.queue, claim, threading.Event()), "web")
"""


@pytest.mark.parametrize("lines", [200, 3000], ids=["in a pack", "in a file"])
@pytest.mark.parametrize(
    "point", ["blob.after_rename", "pack.after_fsync", "commit.after_insert", "commit.after_commit"]
)
def test_a_kill_while_a_primer_is_made_leaves_nothing_that_a_sweep_does_not_settle(
    archive: Archive, tmp_path: Path, point: str, lines: int
) -> None:
    for day in (1, 2, 3):
        put(archive, day, lines=lines)
    before = archive.primer(C).digest
    archive.put(C, "04.log", [daily_log(4, lines)])
    environment = {**os.environ, "LITHIFY_CRASHPOINT": point}
    command = [sys.executable, "-c", TEACH, str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    is_file = lines == 3000
    assert ended == (0 if point.startswith("blob.") and not is_file else -signal.SIGKILL)
    after = archive.primer(C).digest
    assert (after != before) == (ended == 0 or point == "commit.after_commit")
    sweep(archive)
    sweep(archive)
    work(archive)
    assert daily_log(3, lines) == get(archive, "03.log")
    assert daily_log(4, lines) == get(archive, "04.log")
    assert () == check_archive(archive, read_data=True).findings
