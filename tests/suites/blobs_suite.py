"""What every Blobs backend promises. A backend's test class inherits this one and gives the `blobs` fixture."""

import hashlib
import os
import threading

import pytest

from lithify import limits
from lithify.errors import BadArgument, Busy, Corrupt, LimitExceeded, NotFound, Truncated
from lithify.store.blobs import Address, Blobs, Entry, read_checked

ABSENT = Address("0" * 64, 3)
ABSENT_PACK = "0" * 32


def staged(blobs: Blobs, payload: bytes) -> Address:
    """A blob with a file of its own."""
    with blobs.stage() as stage:
        stage.write(payload)
        return stage.commit()


def appended(blobs: Blobs, *payloads: bytes) -> list[Address]:
    """Blobs in a pack, flushed together."""
    return blobs.append([Entry("blob", payload) for payload in payloads])


class BlobsSuite:
    """Inherit, and override `blobs`."""

    @pytest.fixture
    def blobs(self) -> Blobs:
        raise NotImplementedError

    # --- blobs with a file of their own --------------------------------------------------------------------

    def test_staged_bytes_come_back_under_their_digest(self, blobs: Blobs) -> None:
        with blobs.stage() as stage:
            stage.write(b"loose data ")
            stage.write(b"settles")
            address = stage.commit()

        assert Address(hashlib.sha256(b"loose data settles").hexdigest(), 18) == address
        assert b"loose data settles" == read_checked(blobs, address)
        assert [address] == list(blobs.files())

    def test_a_stage_may_be_empty(self, blobs: Blobs) -> None:
        address = staged(blobs, b"")

        assert b"" == read_checked(blobs, address)
        assert blobs.exists(address)

    def test_the_same_bytes_twice_are_one_blob(self, blobs: Blobs) -> None:
        assert staged(blobs, b"twin") == staged(blobs, b"twin")
        assert 1 == len(list(blobs.files()))

    def test_nothing_of_a_stage_is_visible_before_commit(self, blobs: Blobs) -> None:
        with blobs.stage() as stage:
            stage.write(b"not yet")
            assert [] == list(blobs.files())

    def test_leaving_a_stage_without_commit_forgets_it(self, blobs: Blobs) -> None:
        with blobs.stage() as stage:
            stage.write(b"never")

        assert [] == list(blobs.files())
        assert 0 == blobs.sweep_staging()

    def test_abort_after_commit_does_nothing(self, blobs: Blobs) -> None:
        stage = blobs.stage()
        stage.write(b"kept")
        address = stage.commit()
        stage.abort()
        stage.abort()

        assert blobs.exists(address)

    def test_a_living_stage_survives_a_sweep(self, blobs: Blobs) -> None:
        with blobs.stage() as stage:
            stage.write(b"alive")
            assert 0 == blobs.sweep_staging()
            address = stage.commit()

        assert b"alive" == read_checked(blobs, address)

    def test_a_removed_blob_is_gone_and_removing_it_again_is_no_error(self, blobs: Blobs) -> None:
        address = staged(blobs, b"short-lived")
        blobs.remove(address)
        blobs.remove(address)

        assert not blobs.exists(address)
        assert [] == list(blobs.files())

    def test_a_reader_outlives_the_removal_of_its_blob(self, blobs: Blobs) -> None:
        address = staged(blobs, b"still being read")
        with blobs.open(address) as source:
            blobs.remove(address)
            assert b"still being read" == source.read()

    def test_a_quarantined_blob_is_no_longer_found(self, blobs: Blobs) -> None:
        address = staged(blobs, b"suspicious")
        blobs.quarantine(address)
        blobs.quarantine(address)

        assert not blobs.exists(address)
        assert [] == list(blobs.files())

    # --- packs ---------------------------------------------------------------------------------------------

    def test_small_things_share_a_pack_and_come_back(self, blobs: Blobs) -> None:
        payloads = [b"first", b"", b"third" * 1000]
        addresses = appended(blobs, *payloads)

        assert payloads == [read_checked(blobs, address) for address in addresses]
        assert 1 == len({address.pack for address in addresses})
        assert [hashlib.sha256(payload).hexdigest() for payload in payloads] == [found.digest for found in addresses]

    def test_a_pack_tells_its_entries_in_the_order_of_writing(self, blobs: Blobs) -> None:
        first, second = blobs.append([Entry("blob", b"frame"), Entry("record", b"{}")])
        (third,) = blobs.append([Entry("blob", b"later")])
        assert first.pack is not None

        stored = [(entry.kind, entry.address) for entry in blobs.entries(first.pack)]
        assert [("blob", first), ("record", second), ("blob", third)] == stored
        assert [] == blobs.damage(first.pack, read_data=True)

    def test_appending_nothing_makes_no_pack(self, blobs: Blobs) -> None:
        assert [] == blobs.append([])
        assert [] == list(blobs.packs())

    def test_packed_blobs_have_no_file_of_their_own(self, blobs: Blobs) -> None:
        appended(blobs, b"small")

        assert [] == list(blobs.files())

    def test_an_entry_larger_than_any_pack_takes_is_refused_and_nothing_is_written(self, blobs: Blobs) -> None:
        large = b"\0" * (limits.PACK_ENTRY_BYTES_MAX + 1)
        with pytest.raises(LimitExceeded):
            appended(blobs, b"small", large)

        assert [] == list(blobs.packs())

    def test_no_pack_grows_over_its_limit(self, blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "PACK_BYTES_MAX", 1000)
        payloads = [bytes([number]) * 300 for number in range(7)]
        addresses = appended(blobs, *payloads)

        assert payloads == [read_checked(blobs, address) for address in addresses]
        assert len(list(blobs.packs())) > 1
        assert all(address.offset + address.length <= 1000 for address in addresses)

    def test_removing_one_packed_blob_is_refused(self, blobs: Blobs) -> None:
        (address,) = appended(blobs, b"one of many")

        with pytest.raises(BadArgument):
            blobs.remove(address)
        assert blobs.exists(address)

    def test_quarantine_leaves_a_packed_blob_where_it_is(self, blobs: Blobs) -> None:
        (address,) = appended(blobs, b"one of many")
        blobs.quarantine(address)

        assert b"one of many" == read_checked(blobs, address)

    def test_a_pack_being_appended_to_can_be_neither_held_nor_removed(self, blobs: Blobs) -> None:
        (address,) = appended(blobs, b"busy")
        assert address.pack is not None

        with pytest.raises(Busy):
            blobs.remove_pack(address.pack)
        with pytest.raises(Busy), blobs.hold_pack(address.pack):
            pass
        assert b"busy" == read_checked(blobs, address)

    def test_a_closed_pack_can_be_removed_and_removing_it_again_is_no_error(self, blobs: Blobs) -> None:
        (address,) = appended(blobs, b"old")
        assert address.pack is not None
        blobs.close()
        blobs.remove_pack(address.pack)
        blobs.remove_pack(address.pack)

        assert not blobs.exists(address)
        assert [] == list(blobs.packs())

    def test_whoever_holds_a_pack_may_remove_it(self, blobs: Blobs) -> None:
        (address,) = appended(blobs, b"rewritten elsewhere")
        assert address.pack is not None
        blobs.close()
        with blobs.hold_pack(address.pack):
            blobs.remove_pack(address.pack)

        assert [] == list(blobs.packs())

    def test_nobody_appends_to_a_pack_while_it_is_held(self, blobs: Blobs) -> None:
        (old,) = appended(blobs, b"old")
        assert old.pack is not None
        blobs.close()
        with blobs.hold_pack(old.pack):
            (new,) = appended(blobs, b"new")
            assert [old] == [entry.address for entry in blobs.entries(old.pack)]

        assert new.pack != old.pack

    def test_appending_goes_on_after_close(self, blobs: Blobs) -> None:
        (before,) = appended(blobs, b"before")
        blobs.close()
        (after,) = appended(blobs, b"after")

        assert [b"before", b"after"] == [read_checked(blobs, before), read_checked(blobs, after)]

    def test_appends_of_many_threads_all_arrive(self, blobs: Blobs) -> None:
        found: dict[bytes, Address] = {}

        def work(thread: int) -> None:
            for number in range(20):
                payload = b"%d of thread %d" % (number, thread)
                (found[payload],) = appended(blobs, payload)

        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert 80 == len(found)
        assert list(found) == [read_checked(blobs, address) for address in found.values()]

    # --- reading -------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("packed", [False, True])
    def test_a_reader_gives_exactly_its_blob(self, blobs: Blobs, packed: bool) -> None:
        payload = bytes(range(200))
        address = appended(blobs, b"before", payload, b"after")[1] if packed else staged(blobs, payload)

        with blobs.open(address) as source:
            assert source.seekable()
            assert payload[:3] == source.read(3)
            assert 3 == source.tell()
            assert 190 == source.seek(-10, os.SEEK_END)
            assert payload[190:] == source.read(1000)
            assert b"" == source.read(1)
            assert 50 == source.seek(50)
            assert 55 == source.seek(5, os.SEEK_CUR)
            assert payload[55:] == source.read()
            source.seek(500)
            assert b"" == source.read()
            with pytest.raises(ValueError):
                source.seek(-1)

    def test_reading_what_is_not_there_is_not_found(self, blobs: Blobs) -> None:
        for address in (ABSENT, Address(ABSENT.digest, 3, ABSENT_PACK, 74)):
            assert not blobs.exists(address)
            with pytest.raises(NotFound):
                blobs.open(address)
            with pytest.raises(NotFound):
                blobs.verify(address)
            if address.pack is None:
                blobs.remove(address)
                blobs.quarantine(address)

    def test_asking_about_a_pack_that_is_not_there_is_not_found(self, blobs: Blobs) -> None:
        with pytest.raises(NotFound):
            list(blobs.entries(ABSENT_PACK))
        with pytest.raises(NotFound):
            blobs.damage(ABSENT_PACK)
        with pytest.raises(NotFound), blobs.hold_pack(ABSENT_PACK):
            pass

    def test_verify_names_a_blob_that_is_shorter_longer_or_another(self, blobs: Blobs) -> None:
        address = staged(blobs, b"honest bytes")
        other = staged(blobs, b"other  bytes")
        (packed,) = appended(blobs, b"honest bytes")

        blobs.verify(address)
        blobs.verify(packed)
        with pytest.raises(Truncated, match=address.digest):
            blobs.verify(Address(address.digest, 13))
        with pytest.raises(Corrupt, match=address.digest):
            blobs.verify(Address(address.digest, 11))
        with pytest.raises(Corrupt, match=other.digest):
            blobs.verify(Address(other.digest, packed.length, packed.pack, packed.offset))

    def test_a_new_store_is_empty_and_takes_every_question(self, blobs: Blobs) -> None:
        assert [] == list(blobs.files())
        assert [] == list(blobs.packs())
        assert 0 == blobs.sweep_staging()
        blobs.close()
