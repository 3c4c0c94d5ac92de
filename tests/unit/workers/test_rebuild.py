"""A lost catalog comes back from the records beside the blobs, complete."""

import random
import shutil
from pathlib import Path

import pytest

from lithify.errors import Busy, Conflict, NotFound
from lithify.workers.archive import Archive
from lithify.workers.loop import Worker
from lithify.workers.rebuild import rebuild
from tests.unit.workers.conftest import Opening

LOG = b"".join(b"%d worker done item=%d\n" % (n, n * n) for n in range(30_000))


def fill(folder: Path, opening: Opening) -> dict[str, object]:
    """An archive with everything a catalog can know; gives what must come back."""
    with opening(folder, effort="fast", grace_seconds=0) as archive:
        for number in range(20):
            archive.put("small", f"n/{number}", [random.Random(number).randbytes(900)])
        archive.put("logs", "app.log", [LOG], contract="bounded:abs=0.5")
        archive.put("logs", "app.log", [LOG * 2])
        archive.put("logs", "gone.log", [LOG[:1000]])
        archive.remove("logs", "gone.log")
        Worker(archive).run(until_idle=True)
        archive.set_policy("logs", contract="exact", effort="max", keep_seconds=1e9)
        archive.add_schedule("mine", "scrub", "5 4 * * *")
        archive.remove_schedule("scrub-daily")
        key, _ = archive.add_key("robot", ["read"])
        archive.revoke_key(key.id)
        archive.put("small", "waiting", [b"not encoded yet"])
        return remembered(archive)


def remembered(archive: Archive) -> dict[str, object]:
    """All that must survive."""
    views = [view for name in archive.collections() for view in archive.list(name)]
    stats = [archive.stat(view.collection, view.name) for view in views]
    return {
        "objects": [(v.collection, v.name, v.revision, v.digest, v.length, v.contract, v.kind) for v in stats],
        "encodings": [(e.id, e.state, e.codec, e.blob, e.ratio, e.route) for v in stats for e in v.encodings],
        "policy": archive.policy("logs"),
        "schedules": [(s.name, s.kind, s.cron) for s in archive.schedules()],
        "keys": archive.keys(),
    }


def lose_catalog(folder: Path) -> None:
    for path in folder.glob("catalog.sqlite*"):
        path.unlink()


def test_everything_comes_back(tmp_path: Path, opening: Opening) -> None:
    folder = tmp_path / "archive"
    expected = fill(folder, opening)
    lose_catalog(folder)
    rebuild(folder)
    with opening(folder, effort="fast", grace_seconds=0) as archive:
        assert expected == remembered(archive)
        with archive.get("logs", "app.log") as content:
            assert LOG * 2 == b"".join(content)
        assert () == archive.check(read_data=True).findings
        Worker(archive).run(until_idle=True)
        assert archive.stat("small", "waiting").verified_at is not None
        archive.start_upkeep("sweep")
        Worker(archive).run(until_idle=True)
        assert () == archive.check(read_data=True).findings


def test_a_rebuild_of_a_rebuild_is_the_same(tmp_path: Path, opening: Opening) -> None:
    folder = tmp_path / "archive"
    expected = fill(folder, opening)
    for _ in range(2):
        rebuild(folder)
    with Archive(folder) as archive:
        assert expected == remembered(archive)
    assert (folder / "catalog.sqlite.before-rebuild").exists()


def test_an_archive_without_its_catalog_is_not_opened_as_an_empty_one(tmp_path: Path, opening: Opening) -> None:
    fill(tmp_path / "archive", opening)
    lose_catalog(tmp_path / "archive")
    with pytest.raises(Conflict, match="lithify rebuild"):
        Archive(tmp_path / "archive")


def test_a_catalog_from_a_backup_is_refused_until_it_is_rebuilt(tmp_path: Path) -> None:
    folder, backup = tmp_path / "archive", tmp_path / "backup"
    with Archive(folder) as archive:
        archive.put("c", "a", [b"before"])
    shutil.copy(folder / "catalog.sqlite", backup)
    with Archive(folder) as archive:
        archive.put("c", "b", [b"after"])
    lose_catalog(folder)
    shutil.copy(backup, folder / "catalog.sqlite")
    with pytest.raises(Conflict, match="forgot some of what the archive keeps"):
        Archive(folder)
    rebuild(folder)
    with Archive(folder) as archive:
        assert 5 == archive.stat("c", "b").length


def test_a_rebuild_waits_for_nobody_and_refuses_an_open_archive(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive"), pytest.raises(Busy, match="open in another process"):
        rebuild(tmp_path / "archive")


def test_there_is_nothing_to_rebuild_in_an_ordinary_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        rebuild(tmp_path)
