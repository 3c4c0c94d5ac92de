"""The directory backend: the suite, and what only a directory can show."""

import fcntl
import os
import stat
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lithify import limits
from lithify.errors import BadName, Busy, Corrupt, LithifyError, NotFound, Truncated
from lithify.store.blobs import Address, Blobs, Entry, read_checked
from lithify.store.blobs_local import LocalBlobs
from tests.suites.blobs_suite import BlobsSuite, appended, staged


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[LocalBlobs]:
    opened = LocalBlobs(tmp_path / "archive")
    yield opened
    opened.close()


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def own_file(folder: Path, address: Address) -> Path:
    return folder / "archive/blobs" / address.digest[:2] / address.digest


class TestLocalBlobs(BlobsSuite):
    """The suite, on a disk."""

    @pytest.fixture
    def blobs(self, tmp_path: Path) -> Iterator[Blobs]:
        opened = LocalBlobs(tmp_path / "archive")
        yield opened
        opened.close()


# --- layout -----------------------------------------------------------------------------------------------


def test_opening_and_reading_create_nothing(tmp_path: Path, blobs: LocalBlobs) -> None:
    assert [] == list(blobs.files())
    assert [] == list(blobs.packs())
    assert 0 == blobs.sweep_staging()
    assert not (tmp_path / "archive").exists()


def test_a_file_is_named_by_the_digest_of_its_bytes_and_read_only(tmp_path: Path, blobs: LocalBlobs) -> None:
    address = staged(blobs, b"abc")
    path = own_file(tmp_path, address)

    assert [f"blobs/ba/{address.digest}"] == files_below(tmp_path / "archive")
    assert b"abc" == path.read_bytes()
    assert 0o444 == stat.S_IMODE(path.stat().st_mode)


def test_folders_and_packs_are_for_their_owner_only(tmp_path: Path, blobs: LocalBlobs) -> None:
    staged(blobs, b"own")
    (address,) = appended(blobs, b"packed")

    folders = [path for path in [tmp_path / "archive", *(tmp_path / "archive").rglob("*")] if path.is_dir()]
    assert {0o700} == {stat.S_IMODE(folder.stat().st_mode) for folder in folders}
    assert 0o600 == stat.S_IMODE((tmp_path / f"archive/packs/{address.pack}.pack").stat().st_mode)


def test_strangers_in_the_folders_are_left_alone(tmp_path: Path, blobs: LocalBlobs) -> None:
    address = staged(blobs, b"ours")
    (packed,) = appended(blobs, b"ours")
    for stranger in (
        "blobs/README",
        "blobs/ba/notes.txt",
        f"blobs/old/{address.digest}",
        f"blobs/ab/{address.digest}",
        "packs/lost+found",
        "packs/old.pack",
    ):
        (tmp_path / "archive" / stranger).parent.mkdir(exist_ok=True)
        (tmp_path / "archive" / stranger).write_bytes(b"stranger")
    (tmp_path / "archive/staging/folder").mkdir()

    assert [address] == list(blobs.files())
    assert [packed.pack] == list(blobs.packs())
    assert 0 == blobs.sweep_staging()


# --- staging ----------------------------------------------------------------------------------------------


def test_a_dead_process_litter_is_swept_and_a_living_one_is_not(tmp_path: Path, blobs: LocalBlobs) -> None:
    with blobs.stage() as stage:
        stage.write(b"alive")
        (tmp_path / "archive/staging/dead.blob").write_bytes(b"half a blo")
        assert 1 == LocalBlobs(tmp_path / "archive").sweep_staging()
        assert 1 == len(files_below(tmp_path / "archive/staging"))


def test_committing_replaces_a_damaged_file_of_the_same_name(tmp_path: Path, blobs: LocalBlobs) -> None:
    address = staged(blobs, b"good bytes")
    path = own_file(tmp_path, address)
    path.chmod(0o600)
    path.write_bytes(b"bad  bytes")

    assert address == staged(blobs, b"good bytes")
    blobs.verify(address)


def test_quarantine_keeps_every_suspect_aside(tmp_path: Path, blobs: LocalBlobs) -> None:
    for _ in range(2):
        blobs.quarantine(staged(blobs, b"suspect"))

    kept = list((tmp_path / "archive/quarantine").iterdir())
    assert [b"suspect"] * 2 == [path.read_bytes() for path in kept]


# --- readers ----------------------------------------------------------------------------------------------


def test_a_reader_shows_descriptor_offset_and_length(blobs: LocalBlobs) -> None:
    address = staged(blobs, b"own file")
    packed = appended(blobs, b"before", b"packed", b"after")[1]

    for place, payload in ((address, b"own file"), (packed, b"packed")):
        with blobs.open(place) as source:
            assert payload == os.pread(source.fileno(), source.length, source.fd_offset)


def test_a_reader_neither_uses_nor_moves_the_position_of_its_descriptor(blobs: LocalBlobs) -> None:
    with blobs.open(staged(blobs, b"shared descriptor")) as source:
        os.lseek(source.fileno(), 7, os.SEEK_SET)
        assert b"shared descriptor" == source.read()
        assert 7 == os.lseek(source.fileno(), 0, os.SEEK_CUR)


@pytest.mark.parametrize("packed", [False, True])
def test_a_reader_fills_a_larger_buffer_no_further_than_its_blob(blobs: LocalBlobs, packed: bool) -> None:
    address = appended(blobs, b"before", b"blob", b"after")[1] if packed else staged(blobs, b"blob")
    buffer = bytearray(100)

    with blobs.open(address) as source:
        assert 4 == source.readinto(buffer)
        assert 0 == source.readinto(buffer)
    assert b"blob" + bytes(96) == buffer


def test_a_reader_refuses_to_end_early_without_saying_so(tmp_path: Path, blobs: LocalBlobs) -> None:
    address = staged(blobs, b"x" * 100)
    with blobs.open(address) as source:
        own_file(tmp_path, address).chmod(0o600)
        os.truncate(own_file(tmp_path, address), 60)
        assert b"x" * 60 == source.read(60)
        with pytest.raises(Truncated, match="ends after 60 bytes; expected 100"):
            source.read()


@pytest.mark.parametrize(
    ("bytes_found", "error"), [(b"", Truncated), (b"abcd", Truncated), (b"abcdef", Corrupt), (b"abcdX", Corrupt)]
)
def test_a_file_that_is_empty_short_long_or_swapped_is_named(
    tmp_path: Path, blobs: LocalBlobs, bytes_found: bytes, error: type[LithifyError]
) -> None:
    address = staged(blobs, b"abcde")
    own_file(tmp_path, address).chmod(0o600)
    own_file(tmp_path, address).write_bytes(bytes_found)

    with pytest.raises(error, match=address.digest):
        blobs.verify(address)


def test_a_pack_cut_short_loses_only_what_lay_behind_the_cut(tmp_path: Path, blobs: LocalBlobs) -> None:
    first, second = appended(blobs, b"first", b"second")
    os.truncate(tmp_path / f"archive/packs/{first.pack}.pack", second.offset + 3)

    assert b"first" == read_checked(blobs, first)
    assert not blobs.exists(second)
    with pytest.raises(Truncated):
        blobs.open(second)


# --- names and links --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "/etc/passwd", "ab" * 31 + "/.", "A" * 64, "é" * 64])
def test_a_name_never_becomes_a_path(blobs: LocalBlobs, name: str) -> None:
    staged(blobs, b"so that the folders are there")
    for address in (Address(name, 1), Address("0" * 64, 1, pack=name)):
        with pytest.raises(BadName):
            blobs.open(address)
    for ask in (blobs.entries, blobs.damage, blobs.remove_pack):
        with pytest.raises(BadName):
            list(ask(name) or ())


def test_no_planted_link_is_followed_for_reading(tmp_path: Path, blobs: LocalBlobs) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"abc")
    address = staged(blobs, b"abc")
    (packed,) = appended(blobs, b"packed")
    for path in (own_file(tmp_path, address), tmp_path / f"archive/packs/{packed.pack}.pack"):
        path.unlink()
        path.symlink_to(secret)

    for place in (address, packed):
        assert not blobs.exists(place)
        with pytest.raises(Corrupt, match="no file of ours"):
            blobs.open(place)
    assert [] == list(blobs.files())


def test_a_shard_swapped_for_a_link_between_staging_and_commit_is_not_followed(
    tmp_path: Path, blobs: LocalBlobs
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with blobs.stage() as stage:
        stage.write(b"abc")
        (tmp_path / "archive/blobs").mkdir()
        (tmp_path / "archive/blobs/ba").symlink_to(outside)
        with pytest.raises(LithifyError):
            stage.commit()

    assert [] == list(outside.iterdir())
    assert [] == list((tmp_path / "archive/staging").iterdir())
    assert [] == list(blobs.files())


def test_a_planted_pipe_stalls_nobody(tmp_path: Path, blobs: LocalBlobs) -> None:
    address = staged(blobs, b"abc")
    own_file(tmp_path, address).unlink()
    os.mkfifo(own_file(tmp_path, address))

    with pytest.raises(Corrupt):
        blobs.open(address)


# --- packs shared by processes ----------------------------------------------------------------------------


def test_two_stores_on_one_folder_append_to_packs_of_their_own(tmp_path: Path, blobs: LocalBlobs) -> None:
    (ours,) = appended(blobs, b"ours")
    other = LocalBlobs(tmp_path / "archive")
    (theirs,) = appended(other, b"theirs")

    assert ours.pack != theirs.pack
    assert [b"ours", b"theirs"] == [read_checked(other, ours), read_checked(blobs, theirs)]
    with pytest.raises(Busy):
        blobs.remove_pack(str(theirs.pack))
    other.close()
    blobs.remove_pack(str(theirs.pack))


def test_a_pack_left_behind_is_continued(tmp_path: Path, blobs: LocalBlobs) -> None:
    (before,) = appended(blobs, b"before")
    blobs.close()
    (after,) = appended(LocalBlobs(tmp_path / "archive"), b"after")

    assert before.pack == after.pack
    assert before.offset < after.offset


def test_the_fullest_pack_with_room_is_continued(
    tmp_path: Path, blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PACK_BYTES_MAX", 1000)
    stores = [LocalBlobs(tmp_path / "archive") for _ in range(3)]
    packs = [appended(store, b"x" * size)[0].pack for store, size in zip(stores, (100, 500, 900), strict=True)]
    for store in stores:
        store.close()

    assert packs[1] == appended(blobs, b"y" * 200)[0].pack


@pytest.mark.parametrize("cut", [1, 30, 52])
def test_a_tail_torn_by_a_crash_is_cut_off_and_the_pack_continued(tmp_path: Path, blobs: LocalBlobs, cut: int) -> None:
    (kept,) = appended(blobs, b"kept")
    (torn,) = appended(blobs, b"torn")
    blobs.close()
    path = tmp_path / f"archive/packs/{kept.pack}.pack"
    os.truncate(path, path.stat().st_size - cut)
    assert [] == blobs.damage(str(kept.pack), read_data=True)

    (after,) = appended(blobs, b"after")
    assert (kept.pack, torn.offset) == (after.pack, after.offset)
    assert [kept, after] == [entry.address for entry in blobs.entries(str(kept.pack))]
    assert [] == blobs.damage(str(kept.pack), read_data=True)


@pytest.mark.parametrize("size", [0, 10, 25])
def test_a_pack_whose_maker_died_at_once_is_continued(tmp_path: Path, blobs: LocalBlobs, size: int) -> None:
    (gone,) = appended(blobs, b"gone")
    blobs.close()
    os.truncate(tmp_path / f"archive/packs/{gone.pack}.pack", size)
    assert [] == blobs.damage(str(gone.pack))

    (after,) = appended(blobs, b"after")
    assert (gone.pack, gone.offset) == (after.pack, after.offset)
    assert b"after" == read_checked(blobs, after)
    assert [] == blobs.damage(str(gone.pack), read_data=True)


def test_a_pack_with_a_damaged_tail_is_not_continued(tmp_path: Path, blobs: LocalBlobs) -> None:
    (address,) = appended(blobs, b"damaged")
    blobs.close()
    path = tmp_path / f"archive/packs/{address.pack}.pack"
    with path.open("r+b") as file:
        file.seek(address.offset)
        file.write(b"D")

    assert address.pack != appended(blobs, b"after")[0].pack
    assert 1 == len(blobs.damage(str(address.pack), read_data=True))
    assert [] == blobs.damage(str(address.pack))


def test_a_pack_of_a_newer_release_is_neither_continued_nor_misread(tmp_path: Path, blobs: LocalBlobs) -> None:
    (address,) = appended(blobs, b"today")
    blobs.close()
    newer = bytes.fromhex("894c5450 02") + bytes.fromhex(str(address.pack))
    path = tmp_path / f"archive/packs/{address.pack}.pack"
    path.write_bytes(newer + zlib.crc32(newer).to_bytes(4, "little") + b"whatever comes then")

    assert address.pack != appended(blobs, b"after")[0].pack
    with pytest.raises(LithifyError, match="has version 2; this release reads version 1"):
        blobs.damage(str(address.pack))


def test_an_adopter_leaves_a_pack_that_was_removed_before_its_lock(
    tmp_path: Path, blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    (old,) = appended(blobs, b"old")
    blobs.close()
    flock = fcntl.flock

    def removed_first(fd: int, operation: int) -> None:
        (tmp_path / f"archive/packs/{old.pack}.pack").unlink(missing_ok=True)
        flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", removed_first)
    (new,) = appended(blobs, b"new")

    assert new.pack != old.pack
    assert b"new" == read_checked(blobs, new)


def test_listing_in_many_threads_misses_nothing(blobs: LocalBlobs) -> None:
    expected = sorted(staged(blobs, b"%d" % number).digest for number in range(50))
    wrong: list[list[str]] = []

    def work() -> None:
        for _ in range(20):
            found = [address.digest for address in blobs.files()]
            if found != expected:
                wrong.append(found)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == wrong


def test_reading_a_pack_while_it_grows_gives_whole_entries_only(tmp_path: Path, blobs: LocalBlobs) -> None:
    (first,) = appended(blobs, b"first")
    entries = LocalBlobs(tmp_path / "archive").entries(str(first.pack))
    found = [next(entries).address]
    blobs.append([Entry("record", b"written meanwhile")])
    found += [entry.address for entry in entries]

    assert [first] == found


def test_a_missing_blob_says_where_it_should_be(tmp_path: Path, blobs: LocalBlobs) -> None:
    digest = "c0ffee" + "0" * 58
    with pytest.raises(NotFound, match=f"{tmp_path}/archive/blobs/c0/{digest} is not there"):
        blobs.open(Address(digest, 1))
