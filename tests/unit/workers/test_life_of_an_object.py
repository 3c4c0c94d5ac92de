"""An object's life: put, receipt, densest form, get; overwritten, removed, swept."""

import hashlib
import random
from pathlib import Path

import pytest

from lithify import limits
from lithify.errors import BadName, Conflict, DigestMismatch, NotFound, PreconditionFailed, RangeNotSatisfiable
from lithify.store.blobs import Address
from lithify.workers import check as checking
from lithify.workers import scrub as scrubbing
from lithify.workers.archive import Archive
from lithify.workers.ingest import PutFailure, PutItem
from lithify.workers.loop import Worker
from lithify.workers.sweep import sweep

LINE = b"2026-11-21 01:15:%02d host sshd[%d]: session %d opened\n"
LOG = b"".join(LINE % (n % 60, n % 977, n) for n in range(40_000))
NOISE = random.Random(7).randbytes(300_000)


def put(archive: Archive, name: str, content: bytes, collection: str = "c", effort: str | None = None) -> str:
    receipt = archive.put(collection, name, [content], effort=effort)
    assert hashlib.sha256(content).hexdigest() == receipt.digest
    return receipt.revision


def get(archive: Archive, name: str, start: int = 0, end: int | None = None, revision: str | None = None) -> bytes:
    with archive.get("c", name, start=start, end=end, revision=revision) as content:
        return b"".join(content)


def work(archive: Archive) -> None:
    Worker(archive).run(until_idle=True)
    unhappy = [job for job in archive.jobs() if job.state not in {"done", "cancelled"}]
    assert [] == unhappy


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"x" * 1000, NOISE, LOG, LOG * 3],
    ids=["empty", "byte", "small", "noise", "log", "large log"],
)
def test_every_byte_returns_before_and_after_the_work(archive: Archive, content: bytes) -> None:
    put(archive, "thing", content)
    assert content == get(archive, "thing")
    work(archive)
    assert content == get(archive, "thing")
    view = archive.stat("c", "thing")
    assert view.verified_at is not None
    overhead = limits.FRAME_OVERHEAD_BYTES + len(content) * limits.FRAME_OVERHEAD_FRACTION
    assert view.stored_bytes <= len(content) + overhead


def test_work_makes_a_log_denser_and_says_why(archive: Archive) -> None:
    put(archive, "app.log", LOG, effort="default")
    staged = archive.stat("c", "app.log")
    work(archive)
    settled = archive.stat("c", "app.log")
    assert settled.stored_bytes < staged.stored_bytes
    assert "log" == settled.kind
    route = settled.encodings[-1].route
    assert route["reason"]
    assert any("predicted" in candidate for candidate in route["candidates"])
    assert any("found" in candidate for candidate in route["candidates"])


@pytest.mark.parametrize(
    ("start", "end"), [(0, 1), (0, 0), (1_000_000, 1_000_100), (5, None), (1 << 20, (1 << 20) + 1)]
)
def test_a_range_gives_exactly_its_bytes(archive: Archive, start: int, end: int | None) -> None:
    put(archive, "app.log", LOG)
    for _ in range(2):
        assert LOG[start:end] == get(archive, "app.log", start, end)
        work(archive)


def test_a_range_past_the_end_is_refused(archive: Archive) -> None:
    put(archive, "a", b"123")
    with pytest.raises(RangeNotSatisfiable, match="has 3 bytes"):
        get(archive, "a", 4)


def test_a_wrong_digest_leaves_nothing(archive: Archive) -> None:
    with pytest.raises(DigestMismatch, match="was announced"):
        archive.put("c", "a", [LOG], digest="0" * 64)
    with pytest.raises(NotFound):
        archive.stat("c", "a")
    assert [] == list(archive.blobs.files())


def test_a_wrong_length_leaves_nothing(archive: Archive) -> None:
    with pytest.raises(DigestMismatch, match="5 bytes were announced"):
        archive.put("c", "a", [b"1234"], length=5)


def test_the_same_bytes_again_are_no_new_revision(archive: Archive) -> None:
    first = put(archive, "a", LOG)
    again = archive.put("c", "a", [LOG])
    assert (first, True) == (again.revision, again.unchanged)


def test_the_same_bytes_under_two_names_are_one_blob(archive: Archive) -> None:
    put(archive, "a", NOISE)
    put(archive, "b", NOISE)
    assert 1 == len(list(archive.blobs.files()))


def test_an_overwritten_object_still_gives_its_old_revision(archive: Archive) -> None:
    old = put(archive, "a", b"old")
    new = put(archive, "a", b"new")
    assert b"new" == get(archive, "a")
    assert b"old" == get(archive, "a", revision=old)
    assert b"new" == get(archive, "a", revision=new)
    assert 2 == archive.stat("c", "a").number


def test_conditions_hold_or_nothing_changes(archive: Archive) -> None:
    put(archive, "a", b"one")
    with pytest.raises(PreconditionFailed):
        archive.put("c", "a", [b"two"], if_none_match=True)
    with pytest.raises(PreconditionFailed):
        archive.put("c", "a", [b"two"], if_match="0" * 64)
    archive.put("c", "a", [b"two"], if_match=hashlib.sha256(b"one").hexdigest())
    assert b"two" == get(archive, "a")


def test_an_idempotency_key_gives_one_receipt(archive: Archive) -> None:
    first = archive.put("c", "a", [b"one"], idempotency_key="k")
    archive.put("c", "a", [b"two"])
    assert first.revision == archive.put("c", "a", [b"one"], idempotency_key="k").revision
    with pytest.raises(Conflict, match="was used for another request"):
        archive.put("c", "a", [b"three"], idempotency_key="k")


def test_a_key_sent_with_bytes_already_there_is_remembered_too(archive: Archive) -> None:
    first = put(archive, "a", b"one")
    archive.put("c", "a", [b"one"], idempotency_key="k")
    archive.put("c", "a", [b"two"])
    assert first == archive.put("c", "a", [b"one"], idempotency_key="k").revision
    assert b"two" == get(archive, "a")


def test_a_removed_object_is_gone_and_its_bytes_after_a_sweep_too(archive: Archive) -> None:
    put(archive, "a", NOISE)
    archive.remove("c", "a")
    with pytest.raises(NotFound):
        archive.stat("c", "a")
    archive.start_upkeep("sweep")
    work(archive)
    assert [] == list(archive.blobs.files())


def test_a_sweep_leaves_what_somebody_can_still_ask_for(archive: Archive) -> None:
    put(archive, "a", NOISE)
    put(archive, "b", NOISE)
    put(archive, "log", LOG)
    archive.remove("c", "a")
    work(archive)
    for _ in range(2):
        archive.start_upkeep("sweep")
        work(archive)
    assert NOISE == get(archive, "b")
    assert LOG == get(archive, "log")
    assert () == archive.check(read_data=True).findings


def test_a_name_may_be_used_again_after_removal(archive: Archive) -> None:
    put(archive, "a", b"one")
    archive.remove("c", "a")
    put(archive, "a", b"two")
    assert b"two" == get(archive, "a")


def test_mostly_dead_packs_are_rewritten_and_what_lives_survives(archive: Archive) -> None:
    contents = {f"{n}": random.Random(n).randbytes(2000) for n in range(200)}
    for name, content in contents.items():
        put(archive, name, content)
    work(archive)
    archive.blobs.close()  # a pack that is being appended to is left alone
    for name in list(contents)[5:]:
        archive.remove("c", name)
    archive.blobs.close()
    before = set(archive.blobs.packs())
    archive.start_upkeep("sweep")
    work(archive)
    assert before - set(archive.blobs.packs())
    for name in list(contents)[:5]:
        assert contents[name] == get(archive, name)
    assert () == archive.check(read_data=True).findings


@pytest.mark.parametrize("look", ["scrub", "check"])
def test_what_a_sweep_moves_while_it_is_looked_at_is_not_taken_for_damaged(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    contents = {f"{n}": random.Random(n).randbytes(2000) for n in range(200)}
    for name, content in contents.items():
        put(archive, name, content)
    work(archive)
    for name in list(contents)[5:]:
        archive.remove("c", name)
    archive.blobs.close()
    before, inspect = set(archive.blobs.packs()), scrubbing.inspect

    def inspect_late(looked_through: Archive, place: Address) -> str | None:
        if before <= set(archive.blobs.packs()):
            sweep(archive)
        return inspect(looked_through, place)

    for module in (scrubbing, checking):
        monkeypatch.setattr(module, "inspect", inspect_late)
    if look == "scrub":
        assert [] == scrubbing.scrub(archive, fraction=1)["damaged"]
    findings = archive.check(read_data=True).findings
    assert before - set(archive.blobs.packs())
    assert () == findings


def test_many_files_are_put_together_and_a_bad_one_fails_alone(archive: Archive, tmp_path: Path) -> None:
    items = []
    for number in range(300):
        path = tmp_path / f"{number}"
        path.write_bytes(b"file %d" % number)
        items.append(PutItem("c", f"files/{number}", path))
    items.insert(100, PutItem("c", "missing", tmp_path / "nowhere"))
    items.insert(50, PutItem("c", "../escape", tmp_path / "1"))
    answers = list(archive.put_many(items))
    failures = [answer for answer in answers if isinstance(answer, PutFailure)]
    assert {NotFound, BadName} == {type(failure.error) for failure in failures}
    assert 300 == len(answers) - len(failures)
    work(archive)
    assert b"file 77" == get(archive, "files/77")


def test_a_policy_decides_what_the_request_leaves_open(archive: Archive) -> None:
    archive.set_policy("c", contract="bounded:rel=1e-3", effort="fast", codecs=["raw.zstd"])
    receipt = archive.put("c", "a", [LOG])
    assert ("bounded:rel=0.001", "fast") == (receipt.contract, receipt.effort)
    work(archive)
    view = archive.stat("c", "a")
    assert "exact" == view.fidelity
    assert view.codec in {"raw.zstd", "raw.stored"}


def test_retention_by_count_keeps_the_newest(archive: Archive) -> None:
    archive.set_policy("c", keep_revisions=2)
    revisions = [put(archive, "a", b"%d" % n) for n in range(4)]
    archive.start_upkeep("retention")
    work(archive)
    for revision in revisions[:2]:
        with pytest.raises(NotFound):
            archive.stat("c", "a", revision)
    assert b"2" == get(archive, "a", revision=revisions[2])
    assert b"3" == get(archive, "a")


def test_retention_by_age_lets_objects_expire(archive: Archive) -> None:
    put(archive, "a", b"old")
    put(archive, "b", b"kept", collection="other")
    archive.set_policy("c", keep_seconds=1e-9)
    archive.start_upkeep("retention")
    work(archive)
    with pytest.raises(NotFound):
        archive.stat("c", "a")
    assert archive.stat("other", "b").length == 4


def test_re_encoding_tries_again_and_keeps_what_is_best(archive: Archive) -> None:
    put(archive, "a", LOG)
    work(archive)
    before = archive.stat("c", "a").stored_bytes
    archive.start_upkeep("reencode")
    work(archive)
    assert archive.stat("c", "a").stored_bytes <= before
    assert LOG == get(archive, "a")
