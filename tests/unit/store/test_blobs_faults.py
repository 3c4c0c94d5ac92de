"""The directory backend when the disk fails, is full, or the process is killed: what was acknowledged is there."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from lithify.errors import LithifyError, OutOfSpace, StoreUnavailable
from lithify.store.blobs import Address, Entry, read_checked
from lithify.store.blobs_local import LocalBlobs
from tests.mounts import mounts, run_in_namespace
from tests.suites.blobs_suite import appended, staged

FLUSHES = ("fsync", "fdatasync")
CALLS = (*FLUSHES, "open", "mkdir", "pwrite", "rename", "ftruncate", "fchmod", "unlink")


class FailingCalls:
    """Counts calls into the operating system and fails the N-th, or all from the N-th on."""

    def __init__(self, number: int, error: int, *, for_ever: bool) -> None:
        self.number, self.error, self.for_ever = number, error, for_ever
        self.count = 0
        self.flush_failed = False

    def wrap(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*args: Any, **named: Any) -> Any:
            self.count += 1
            if self.count == self.number or (self.for_ever and self.count > self.number):
                self.flush_failed |= name in FLUSHES
                raise OSError(self.error, os.strerror(self.error))
            return real(*args, **named)

        return call

    @contextmanager
    def installed(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, self.wrap(name))
            yield


def everyday(blobs: LocalBlobs, faults: FailingCalls) -> Iterator[Address]:
    """A little of everything, going on after each refusal; gives what was acknowledged."""
    steps: list[Callable[[], list[Address]]] = [
        lambda: [staged(blobs, b"first file" * 100)],
        lambda: blobs.append([Entry("blob", b"small"), Entry("record", b"{}")]),
        lambda: [staged(blobs, b"second file")],
        lambda: appended(blobs, b"more", b"and more"),
    ]
    for step in steps:
        flush_failed_before = faults.flush_failed
        with suppress(LithifyError):
            for address in step():
                assert not flush_failed_before, "a receipt after a failed flush"
                yield address


def assert_whole(folder: Path, acknowledged: list[Address]) -> None:
    """What the judge of every fault asks: all that was acknowledged is there, and nothing is half there."""
    blobs = LocalBlobs(folder)
    blobs.sweep_staging()
    for address in [*acknowledged, *blobs.files()]:
        blobs.verify(address)
    for pack in blobs.packs():
        assert [] == blobs.damage(pack, read_data=True)
    staging = folder / "staging"
    assert not staging.exists() or [] == list(staging.iterdir())
    assert b"life goes on" == read_checked(blobs, appended(blobs, b"life goes on")[0])
    blobs.close()


@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for ever"])
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def test_whichever_call_fails_nothing_acknowledged_is_lost_and_nothing_leaks(
    tmp_path: Path, error: int, for_ever: bool
) -> None:
    for number in range(1, calls_when_all_is_well(tmp_path / "healthy") + 1):
        folder = tmp_path / str(number)
        descriptors = open_descriptors()
        faults = FailingCalls(number, error, for_ever=for_ever)
        blobs = LocalBlobs(folder)
        with faults.installed():
            acknowledged = list(everyday(blobs, faults))
            blobs.close()
        assert faults.count >= number
        assert descriptors == open_descriptors(), f"call {number} leaks a descriptor"
        assert_whole(folder, acknowledged)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def calls_when_all_is_well(folder: Path) -> int:
    faults = FailingCalls(0, 0, for_ever=False)
    with faults.installed():
        assert 6 == len(list(everyday(LocalBlobs(folder), faults)))
    return faults.count


def recorded(folder: Path, action: Callable[[], object]) -> list[str]:
    """The writing calls an action makes, in order: `fsync blobs/ba`. Random names are shown by their suffix."""
    calls: list[str] = []

    def wrap(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(first: Any, *args: Any, **named: Any) -> Any:
            path = Path(f"/proc/self/fd/{first}").readlink() if isinstance(first, int) else Path(first)
            shown = path.relative_to(folder.parent) if path.is_absolute() else path
            calls.append(f"{name} {shown.parent / ('*' + shown.suffix) if shown.suffix else shown}")
            return real(first, *args, **named)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in (*FLUSHES, "mkdir", "pwrite", "rename"):
            patch.setattr(os, name, wrap(name))
        action()
    return calls


def test_bytes_are_flushed_before_their_name_and_the_name_before_the_receipt(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    blobs = LocalBlobs(folder)
    preparation = [
        "mkdir archive",
        "fsync .",
        "mkdir archive/staging",
        "fsync archive",
        "pwrite archive/staging/*.blob",
    ]
    last = ["rename *.blob", "fsync archive/blobs/ba"]

    first = recorded(folder, lambda: staged(blobs, b"abc"))
    assert preparation == first[:5]
    assert ["fsync archive/staging/*.blob", "fsync .", "mkdir archive/blobs", "fsync archive"] == first[5:9]
    assert ["mkdir ba", "fsync archive/blobs", *last] == first[9:]
    again = recorded(folder, lambda: staged(blobs, b"abc"))
    assert ["pwrite archive/staging/*.blob", "fsync archive/staging/*.blob", *last] == again


def test_a_new_pack_is_durable_before_its_first_group_and_each_group_takes_one_flush(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    blobs = LocalBlobs(folder)
    group = ["pwrite archive/packs/*.pack", "fdatasync archive/packs/*.pack"]
    new = ["pwrite archive/packs/*.pack", "fsync archive/packs/*.pack", "fsync archive/packs"]

    assert [*new, *group] == recorded(folder, lambda: appended(blobs, b"a", b"b"))[-5:]
    assert group == recorded(folder, lambda: appended(blobs, b"c", b"d"))


def test_what_a_dead_process_may_not_have_flushed_is_flushed_before_anything_is_built_on_it(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    first = LocalBlobs(folder)
    staged(first, b"abc")
    appended(first, b"abc")
    first.close()
    second = LocalBlobs(folder)

    adopting = recorded(folder, lambda: appended(second, b"abc"))
    assert ["fsync .", "fsync archive"] == [call for call in adopting if call.startswith("fsync")][:2]
    assert ["fsync archive/packs/*.pack", "fsync archive/packs"] == adopting[-4:-2]
    assert "fsync archive/blobs" in recorded(folder, lambda: staged(second, b"abc"))


@pytest.mark.parametrize("flush", FLUSHES)
def test_a_failed_flush_is_never_repeated_and_ends_all_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flush: str
) -> None:
    blobs = LocalBlobs(tmp_path)
    before = staged(blobs, b"before"), *appended(blobs, b"before")
    flushed: list[int] = []

    def fails_once_then_lies(fd: int) -> None:
        flushed.append(fd)
        if len(flushed) == 1:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, flush, fails_once_then_lies)
    write = staged if flush == "fsync" else appended
    with pytest.raises(StoreUnavailable, match=r"flushing .* failed \(Input/output error\); nothing more is written"):
        write(blobs, b"lost")

    assert blobs.failure is not None
    for refused in (blobs.stage, lambda: appended(blobs, b"refused"), lambda: blobs.quarantine(before[0])):
        with pytest.raises(StoreUnavailable, match="nothing more is written by this process"):
            refused()
    assert 1 == len(flushed)
    assert [b"before"] * 2 == [read_checked(blobs, address) for address in before]
    assert_whole(tmp_path, list(before))


def test_a_stage_begun_before_a_flush_failed_is_not_committed_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = LocalBlobs(tmp_path)
    with blobs.stage() as stage:
        stage.write(b"begun before")
        monkeypatch.setattr(os, "fdatasync", FailingCalls(1, errno.EIO, for_ever=False).wrap("fdatasync"))
        with pytest.raises(StoreUnavailable):
            appended(blobs, b"fails")
        with pytest.raises(StoreUnavailable):
            stage.commit()

    assert [] == list(blobs.files())


@pytest.mark.parametrize("taken", [1, 7, 1000])
def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: pwrite(fd, data[:taken], offset))
    blobs = LocalBlobs(tmp_path)
    payload = bytes(range(256)) * 8

    assert payload == read_checked(blobs, staged(blobs, payload))
    assert payload == read_checked(blobs, appended(blobs, payload)[0])


def test_a_pack_filled_to_the_last_byte_of_the_disk_is_taken_back_to_its_last_whole_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = LocalBlobs(tmp_path)
    (kept,) = appended(blobs, b"kept")
    pwrite = os.pwrite

    def full_after_ten_bytes(fd: int, data: bytes, offset: int) -> int:
        if len(data) < 100:
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(fd, data[:10], offset)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full_after_ten_bytes)
        with pytest.raises(OutOfSpace, match=r"no room left on the disk for .*pack"):
            appended(blobs, b"x" * 60)
    assert kept.offset + kept.length == (tmp_path / f"packs/{kept.pack}.pack").stat().st_size
    (after,) = appended(blobs, b"after")

    assert (kept.pack, kept.offset + kept.length) == (after.pack, after.offset - 49)
    assert [kept, after] == [entry.address for entry in blobs.entries(str(kept.pack))]


# --- a real full disk: a small tmpfs in a mount namespace of its own -----------------------------------------

LADDER = """
import subprocess, sys
from pathlib import Path
from lithify.errors import OutOfSpace
from lithify.store.blobs_local import LocalBlobs
from tests.suites.blobs_suite import appended, staged
from tests.unit.store.test_blobs_faults import assert_whole

refusals = 0
for blocks in range(1, 33):
    folder = Path(sys.argv[1]) / str(blocks)
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={blocks * 4096}", "none", folder], check=True)
    blobs, acknowledged = LocalBlobs(folder), []
    for number in range(8):
        for write in (staged, lambda blobs, payload: appended(blobs, payload, payload[:99])[0]):
            try:
                acknowledged.append(write(blobs, bytes([number]) * 5000))
            except OutOfSpace:
                refusals += 1
    blobs.close()
    for address in acknowledged:
        blobs.verify(address)
    for address in list(blobs.files()):
        blobs.remove(address)
    subprocess.run(["mount", "-o", f"remount,size={blocks * 4096 + 65536}", folder], check=True)
    assert_whole(folder, [address for address in acknowledged if address.pack])
    subprocess.run(["umount", "-l", folder], check=True)
print(refusals)
"""


@mounts
def test_on_a_disk_of_any_size_a_receipt_is_kept_and_a_refusal_leaves_nothing(tmp_path: Path) -> None:
    assert int(run_in_namespace(LADDER, tmp_path)) > 100


# --- kill -9 at every named point ---------------------------------------------------------------------------

VICTIM = """
import sys
from pathlib import Path
from lithify.store.blobs_local import LocalBlobs
from tests.suites.blobs_suite import appended, staged

blobs = LocalBlobs(Path(sys.argv[1]))
for number in range(3):
    for address in (staged(blobs, b"file %d" % number), *appended(blobs, b"small %d" % number, b"record")):
        print(address.digest, address.length, address.pack or "-", address.offset, flush=True)
"""
POINTS = [
    f"{room}.{when}_{step}"
    for room, step in (
        ("ingest", "stage"),
        ("blob", "fsync"),
        ("blob", "rename"),
        ("blob", "fsync_directory"),
        ("pack", "append"),
        ("pack", "fsync"),
    )
    for when in ("before", "after")
]


@pytest.mark.crash
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_loses_nothing_acknowledged(tmp_path: Path, point: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", VICTIM, str(tmp_path)],
        env={**os.environ, "LITHIFY_CRASHPOINT": f"{point}:2"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    acknowledged = [
        Address(digest, int(length), None if pack == "-" else pack, int(offset))
        for digest, length, pack, offset in lines
    ]

    assert -signal.SIGKILL == done.returncode
    assert 3 <= len(acknowledged) < 9
    assert_whole(tmp_path, acknowledged)
