"""Contracts looser than exact: what comes back is within them, measured, and known by its own digest."""

import hashlib
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from lithify import limits
from lithify.codecs.frame import read_frame
from lithify.errors import Conflict, FidelityBroken, PreconditionFailed
from lithify.store.views import ObjectView
from lithify.workers.archive import Archive
from lithify.workers.check import check_archive
from lithify.workers.loop import Worker
from lithify.workers.pack import frame_info, pack_file, unpack_file
from lithify.workers.rebuild import rebuild
from lithify.workers.sandbox import Sandbox
from lithify.workers.sweep import sweep
from tests import guests, loose_codec
from tests.loose_codec import ID, LIAR, RAISER, Uncut
from tests.unit.workers.conftest import Opening, opening_with

C = "measurements"
LOOSE = "bounded:abs=7"
VALUES = bytes(min(255, max(0, int(random.Random(5).gauss(128, 40)))) for _ in range(100)) + random.Random(6).randbytes(
    400_000
)


@pytest.fixture(scope="module", autouse=True)
def opening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opening]:
    """The codec is there, in a sandbox of its own."""
    with loose_codec.installed(tmp_path_factory.mktemp("site")), Sandbox(modules=(loose_codec.__name__,)) as boxed:
        yield opening_with(boxed)


@pytest.fixture
def archive(tmp_path: Path, opening: Opening) -> Iterator[Archive]:
    with opening(tmp_path / "archive", grace_seconds=0) as opened:
        yield opened


def work(archive: Archive) -> None:
    Worker(archive).run(until_idle=True)


def get(archive: Archive, name: str = "x") -> bytes:
    with archive.get(C, name) as content:
        return b"".join(content)


def settled(archive: Archive, content: bytes = VALUES, contract: str = LOOSE) -> ObjectView:
    archive.put(C, "x", [content], contract=contract)
    work(archive)
    return archive.stat(C, "x")


def worst(before: bytes, after: bytes) -> int:
    return max(abs(one - other) for one, other in zip(before, after, strict=True))


def test_what_comes_back_is_within_the_contract_and_smaller_than_any_exact_form(archive: Archive) -> None:
    exact = settled(archive, contract="exact")
    loose = settled(archive)
    back = get(archive)
    assert 0 < worst(VALUES, back) <= 7
    assert loose.stored_bytes < 0.7 * exact.stored_bytes
    assert (LOOSE, LOOSE, ID) == (loose.contract, loose.fidelity, loose.codec)
    assert {"max_abs_error": 7} == loose.encodings[-1].measured


def test_what_comes_back_is_known_by_its_own_digest(archive: Archive) -> None:
    view = settled(archive)
    assert hashlib.sha256(get(archive)).hexdigest() == view.digest
    assert archive.verify(C, "x").kept
    assert hashlib.sha256(VALUES).hexdigest() != view.digest


def test_under_the_default_contract_it_is_not_made_use_of(archive: Archive) -> None:
    view = settled(archive, contract="exact")
    assert VALUES == get(archive)
    assert "exact" == view.fidelity


def test_a_codec_that_breaks_the_contract_is_caught_and_the_original_stays(archive: Archive) -> None:
    lies = LIAR + VALUES
    archive.put(C, "x", [lies], contract=LOOSE)
    Worker(archive).run(until_idle=True)
    assert lies == get(archive)
    (job,) = [job for job in archive.jobs() if job.kind == "encode"]
    assert "fidelity_broken" == (job.error or {}).get("code")


def test_the_same_original_put_again_is_unchanged_and_another_is_not(archive: Archive) -> None:
    settled(archive)
    assert archive.put(C, "x", [VALUES], contract=LOOSE).unchanged
    assert not archive.put(C, "x", [get(archive)], contract=LOOSE).unchanged


def test_conditions_are_about_what_a_reader_was_told(archive: Archive) -> None:
    view = settled(archive)
    original = hashlib.sha256(VALUES).hexdigest()
    with pytest.raises(PreconditionFailed):
        archive.put(C, "x", [b"new"], if_match=original)
    with pytest.raises(PreconditionFailed):
        archive.remove(C, "x", if_match=original)
    archive.put(C, "x", [b"new"], if_match=view.digest)


def test_nothing_is_appended_to_it(archive: Archive) -> None:
    settled(archive)
    with pytest.raises(Conflict, match="not exactly"):
        archive.append(C, "x", [b"more"])


def test_encoding_it_again_loses_nothing_more(archive: Archive) -> None:
    before, back = settled(archive), get(archive)
    archive.start_upkeep("reencode")
    work(archive)
    sweep(archive)
    after = archive.stat(C, "x")
    assert back == get(archive)
    assert (before.digest, before.fidelity, before.length) == (after.digest, after.fidelity, after.length)
    assert [one.measured for one in before.encodings][-1] == after.encodings[-1].measured


def test_a_rebuilt_catalog_knows_what_comes_back(archive: Archive, tmp_path: Path, opening: Opening) -> None:
    before, back = settled(archive), get(archive)
    sweep(archive)
    archive.close()
    (tmp_path / "archive" / "catalog.sqlite").unlink()
    rebuild(tmp_path / "archive")
    with opening(tmp_path / "archive", grace_seconds=0) as again:
        assert back == get(again)
        found = again.stat(C, "x")
        assert (before.digest, before.fidelity) == (found.digest, found.fidelity)
        assert () == check_archive(again, read_data=True).findings


def test_a_file_is_packed_within_a_contract_that_its_frame_names(tmp_path: Path) -> None:
    (tmp_path / "values").write_bytes(VALUES)
    with (tmp_path / "values").open("rb") as original, (tmp_path / "values.lith").open("w+b") as frame:
        told = pack_file(original, frame, contract=LOOSE)
        assert {"kept": LOOSE, "max_abs_error": 7} == told["fidelity"]
        assert json.dumps(told)
        assert LOOSE == frame_info(frame)["contract"] == str(read_frame(frame).contract)
        assert hashlib.sha256(VALUES).hexdigest() == frame_info(frame)["sha256"]
        back = io.BytesIO()
        unpack_file(frame, back)
    assert 0 < worst(VALUES, back.getvalue()) <= 7


def test_a_frame_that_breaks_its_contract_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "values").write_bytes(LIAR + VALUES)
    with (
        (tmp_path / "values").open("rb") as original,
        (tmp_path / "out.lith").open("w+b") as frame,
        pytest.raises(FidelityBroken, match="off; bounded:abs=7 was promised"),
    ):
        pack_file(original, frame, contract=LOOSE)


def test_an_original_in_parts_is_kept_exactly(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PART_BYTES", limits.SMALL_BYTES)
    view = settled(archive)
    assert ("exact", VALUES) == (view.fidelity, get(archive))
    assert all("contract" not in one for one in view.encodings[-1].route["candidates"] if one["codec"] == ID)


def test_a_codec_that_needs_the_whole_of_a_long_original_keeps_the_contract(
    tmp_path: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PART_BYTES", limits.SMALL_BYTES)
    with guests.installed(Uncut, tmp_path / "another site"), Archive(tmp_path / "archive", grace_seconds=0) as again:
        view = settled(again)
        assert LOOSE == view.fidelity
        assert 0 < worst(VALUES, get(again)) <= 7
        found = {one["codec"]: one.get("found") for one in view.encodings[-1].route["candidates"]}
        assert 1 == found["tests.uncut"]["parts_won"]
        assert 0 == found[ID]["parts_won"]


def test_a_codec_that_fails_on_the_whole_of_a_long_original_costs_only_itself(
    tmp_path: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PART_BYTES", limits.SMALL_BYTES)
    with guests.installed(Uncut, tmp_path / "another site"), Archive(tmp_path / "archive", grace_seconds=0) as again:
        original = RAISER + VALUES
        view = settled(again, original, "exact")
        assert original == get(again)
        found = {one["codec"]: one.get("found") for one in view.encodings[-1].route["candidates"]}
        assert "codec_crashed" == found["tests.uncut"]["error"]
