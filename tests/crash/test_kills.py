"""Kills with -9 at named points: the short form of `make crash`, which does hundreds under load."""

import os
import random
import signal
from pathlib import Path

import pytest

from lithify.crashpoints import NAMES
from tests.crash.campaign import SERVER_POINTS, check_clean, judge, live_once
from tests.crash.ledger import Ledger
from tests.forked import ended
from tests.unit.api import running as in_process

GROUPS = 4
"""Lives that share an archive; several archives, so that the tests spread over the cores."""

pytestmark = pytest.mark.crash


@pytest.mark.parametrize("group", range(GROUPS))
def test_no_receipt_is_lost_at_any_point(tmp_path: Path, group: int) -> None:
    archive, ledger = tmp_path / "archive", Ledger()
    kills = 0
    for life, point in enumerate(SERVER_POINTS[group::GROUPS]):
        rng = random.Random(f"{group} {life}")
        kills += live_once(archive, point, ledger, rng, life, operations=12, patience_seconds=2.0)
    judge(archive, ledger)
    check_clean(archive)
    assert ledger.kept
    assert kills >= len(SERVER_POINTS) // GROUPS // 2, "most points should be reached under load"


def run(archive: Path, *words: str) -> int:
    """Run a command that nothing is to kill, in this process; gives its exit code."""
    return in_process.run("--archive", str(archive), *words).exit_code


def killed(archive: Path, *words: str, crashpoint: str) -> bool:
    """Run a command in a process armed at a point; whether it was killed there."""
    environment = os.environ | {"LITHIFY_CRASHPOINT": crashpoint}
    return ended("--archive", str(archive), *words, environment=environment) == -signal.SIGKILL


def put_some(archive: Path, folder: Path) -> None:
    folder.mkdir()
    for number in range(20):
        (folder / f"{number}").write_bytes(random.Random(number).randbytes(500 + 20_000 * (number % 3)))
    assert run(archive, "put", str(folder)) == 0


@pytest.mark.parametrize("point", [name for name in NAMES if name.startswith("rebuild.")])
def test_a_rebuild_that_was_killed_can_be_done_again(tmp_path: Path, point: str) -> None:
    archive = tmp_path / "archive"
    put_some(archive, tmp_path / "files")
    (archive / "catalog.sqlite").unlink()
    assert killed(archive, "rebuild", crashpoint=point)
    run(archive, "rebuild")
    assert run(archive, "check", "--read-data") == 0
    assert run(archive, "get", "-r", "default/files", "-o", str(tmp_path / "back")) == 0
    for number in range(20):
        assert (tmp_path / "files" / f"{number}").read_bytes() == next(
            (tmp_path / "back").rglob(f"{number}")
        ).read_bytes()


@pytest.mark.parametrize("point", [name for name in NAMES if name.startswith("migrate.")])
def test_a_migration_that_was_killed_can_be_done_again(tmp_path: Path, point: str) -> None:
    archive, file = tmp_path / "archive", tmp_path / "file"
    file.write_bytes(b"content")
    assert killed(archive, "put", str(file), crashpoint=point)
    assert run(archive, "put", str(file)) == 0
    assert run(archive, "check", "--read-data") == 0


@pytest.mark.parametrize("point", [name for name in NAMES if name.startswith(("pack.", "commit.", "ingest."))])
def test_a_put_that_was_killed_left_all_or_nothing(tmp_path: Path, point: str) -> None:
    archive, file = tmp_path / "archive", tmp_path / "file"
    file.write_bytes(b"content")
    assert killed(archive, "put", str(file), crashpoint=point)
    assert run(archive, "check", "--read-data") == 0
    assert run(archive, "put", str(file)) == 0
    assert run(archive, "get", "default/file", "-o", str(tmp_path / "back")) == 0
    assert (tmp_path / "back").read_bytes() == b"content"
