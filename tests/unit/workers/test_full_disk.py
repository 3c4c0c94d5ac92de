"""A disk that is full to the last byte: nothing more comes in, what is there can be read and taken away."""

from pathlib import Path

import pytest

from lithify import limits
from lithify.store import reserve
from lithify.workers.archive import Archive
from tests.mounts import mounts, run_in_namespace

FULL = """
import os, subprocess, sys
from pathlib import Path
from lithify.errors import OutOfSpace
from lithify.workers.archive import Archive

disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", disk], check=True)
with Archive(disk / "archive") as archive:
    archive.put("c", "kept", [b"rock"])
    archive.put("c", "removed", [b"sand"])
with (disk / "somebody elses").open("wb", buffering=0) as file:
    try:
        while file.write(bytes(4096)):
            pass
    except OSError:
        pass
assert not os.statvfs(disk).f_bavail

with Archive(disk / "archive", create=False) as archive:
    assert ["kept", "removed"] == [view.name for view in archive.list("c")]
    with archive.get("c", "kept") as content:
        assert b"rock" == b"".join(content)
    try:
        archive.put("c", "more", [b"x"])
    except OutOfSpace as error:
        print(error)
    archive.remove("c", "removed")
(disk / "somebody elses").unlink()
with Archive(disk / "archive") as archive:
    assert ["kept"] == [view.name for view in archive.list("c")]
    archive.put("c", "more", [b"x"])
assert 1 << 20 == (disk / "archive/reserve").stat().st_size
"""


@mounts
def test_on_a_full_disk_reading_and_removing_still_work(tmp_path: Path) -> None:
    assert "kept for reading and removing" in run_in_namespace(FULL, tmp_path)


def test_an_archive_takes_no_room_where_there_is_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserve, "_free_bytes", lambda folder: 1.5 * limits.RESERVE_BYTES)
    with Archive(tmp_path / "archive"):
        assert not (tmp_path / "archive/reserve").exists()
