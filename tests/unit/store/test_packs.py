"""The pack format's reader: what it calls an entry, what it calls damage, and what it takes for a crash's litter."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lithify import limits
from lithify.errors import UnknownFormat
from lithify.store import packs
from lithify.store.blobs import Entry
from lithify.store.packs import (
    ENTRY_HEADER_BYTES,
    PACK_HEADER_BYTES,
    PackReader,
    encode_group,
    pack_header,
)

PACK = "00112233445566778899aabbccddeeff"
OTHER = "ffeeddccbbaa99887766554433221100"

ReaderOf = Callable[[bytes], PackReader]


@pytest.fixture
def reader_of(tmp_path: Path) -> Iterator[ReaderOf]:
    """Writes bytes to a file and reads them as the pack PACK."""
    with ExitStack() as files:

        def make(data: bytes) -> PackReader:
            path = tmp_path / "pack"
            path.write_bytes(data)
            return PackReader(files.enter_context(path.open("rb")).fileno(), PACK)

        yield make


def pack_of(*groups: list[bytes], pack: str = PACK) -> bytes:
    """A pack of blobs, each list flushed together."""
    data = pack_header(pack)
    for group in groups:
        data += encode_group(pack, len(data), [Entry("blob", payload) for payload in group])[0]
    return data


def payloads(reader: PackReader, data: bytes) -> list[bytes]:
    found = [entry.address for entry in reader.entries()]
    return [data[address.offset : address.offset + address.length] for address in found]


def test_entries_come_back_with_place_kind_and_digest(reader_of: ReaderOf) -> None:
    data, addresses = encode_group(PACK, PACK_HEADER_BYTES, [Entry("blob", b"frame"), Entry("record", b"{}")])
    found = list(reader_of(pack_header(PACK) + data).entries())

    assert addresses == [entry.address for entry in found]
    assert ["blob", "record"] == [entry.kind for entry in found]
    assert hashlib.sha256(b"frame").hexdigest() == addresses[0].digest
    assert PACK_HEADER_BYTES + ENTRY_HEADER_BYTES == addresses[0].offset


def test_headers_have_the_sizes_that_the_format_document_says() -> None:
    assert (25, 49) == (PACK_HEADER_BYTES, ENTRY_HEADER_BYTES)


def test_a_pack_of_only_its_header_is_empty_and_whole(reader_of: ReaderOf) -> None:
    reader = reader_of(pack_header(PACK))

    assert [] == list(reader.entries())
    assert [] == reader.damage()


def test_a_damaged_header_costs_its_own_entry_and_no_other(reader_of: ReaderOf) -> None:
    data = bytearray(pack_of([b"one"], [b"two"], [b"three"]))
    place = data.index(b"two")
    data[place - 1] ^= 1
    reader = reader_of(bytes(data))

    assert [b"one", b"three"] == payloads(reader, bytes(data))
    start = place - ENTRY_HEADER_BYTES
    assert [f"pack {PACK}: bytes {start} to {place + 3} are lost: no entry begins there"] == reader.damage(())


def test_a_damaged_payload_is_named_by_whoever_reads_it(reader_of: ReaderOf) -> None:
    data = pack_of([b"one"], [b"two"]).replace(b"one", b"0ne")
    digest = hashlib.sha256(b"one").hexdigest()
    reader = reader_of(data)

    assert [] == reader.damage(())
    assert [] == reader.damage(("record",))
    assert [f"pack {PACK}: bytes 25 to 77 are lost: the payload of blob {digest} has another digest"] == reader.damage(
        ("blob",)
    )


def test_damage_in_the_last_group_is_damage_too(reader_of: ReaderOf) -> None:
    data = bytearray(pack_of([b"one"], [b"two"]))
    for place in (data.index(b"two"), data.index(b"two") - 1):
        broken = data.copy()
        broken[place] ^= 0x10
        assert 1 == len(reader_of(bytes(broken)).damage())


def test_a_stretch_of_rubble_is_one_damage(reader_of: ReaderOf) -> None:
    data = bytearray(pack_of([b"one"], [b"two"], [b"three"], [b"four"]))
    data[30 : data.index(b"three") - ENTRY_HEADER_BYTES + 2] = b"\xee" * (data.index(b"three") - 30 - 47)
    reader = reader_of(bytes(data))

    assert [b"four"] == payloads(reader, bytes(data))
    assert 1 == len(reader.damage())


def test_after_damage_a_header_without_its_payload_is_not_believed(reader_of: ReaderOf) -> None:
    data = bytearray(pack_of([b"one"], [b"two"], [b"three"]))
    data[data.index(b"one") - 1] ^= 1
    data[data.index(b"two")] ^= 1

    assert [b"three"] == payloads(reader_of(bytes(data)), bytes(data))


def test_rubble_larger_than_a_window_is_passed(reader_of: ReaderOf, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(pack_of([b"one"], [b"x" * 1000], [b"three"]))
    data[data.index(b"xxx") - 1] ^= 1
    for window in range(60, 75):
        monkeypatch.setattr(limits, "COPY_BYTES", window)
        assert [b"one", b"three"] == payloads(reader_of(bytes(data)), bytes(data))


# --- what a crash leaves ------------------------------------------------------------------------------------


def test_a_tail_that_ends_too_early_is_no_damage(reader_of: ReaderOf) -> None:
    whole = pack_of([b"kept"])
    for data in (pack_of([b"kept"], [b"torn off"]), pack_of([b"kept"], [b"lost", b"torn off"])):
        for length in range(len(whole), len(data)):
            assert [] == reader_of(data[:length]).damage()
    for length in range(len(whole)):
        assert [] == reader_of(whole[:length]).damage()


def test_sectors_of_the_last_group_that_never_reached_the_disk_are_no_damage(reader_of: ReaderOf) -> None:
    data = pack_of([b"kept"], [bytes([number]) * 300 for number in range(1, 30)])
    start = len(pack_of([b"kept"]))
    sectors = range(start - start % packs.SECTOR_BYTES, len(data), packs.SECTOR_BYTES)
    for sector in sectors:
        torn = bytearray(data)
        begin, end = max(sector, start), min(sector + packs.SECTOR_BYTES, len(data))
        torn[begin:end] = bytes(end - begin)
        reader = reader_of(bytes(torn))
        assert [] == reader.damage(), f"sector at {sector}"
        found = payloads(reader, bytes(torn))
        assert b"kept" == found[0]
        assert 25 <= len(found) < 30
        assert all(len(set(payload)) == 1 for payload in found[1:])


def test_the_same_loss_in_an_earlier_group_is_damage(reader_of: ReaderOf) -> None:
    torn = bytearray(pack_of([b"x" * 3000], [b"the group before was flushed"]))
    torn[1024:1536] = bytes(512)

    assert 1 == len(reader_of(bytes(torn)).damage())


def test_zeros_of_a_file_made_longer_but_never_written_are_no_damage(reader_of: ReaderOf) -> None:
    for zeros in (1, 48, 49, 600, 5000):
        data = pack_of([b"kept"]) + bytes(zeros)
        reader = reader_of(data)
        assert [b"kept"] == payloads(reader, bytes(data))
        assert [] == reader.damage()


# --- things that look like entries --------------------------------------------------------------------------


def test_a_pack_kept_as_a_blob_inside_a_pack_is_never_taken_for_entries(reader_of: ReaderOf) -> None:
    inner = pack_of([b"inner one", b"inner two"], pack=OTHER)
    data = bytearray(pack_of([b"before"], [inner], [b"after"]))
    data[data.index(inner) - 1] ^= 1

    assert [b"before", b"after"] == payloads(reader_of(bytes(data)), bytes(data))


def test_an_entry_copied_to_another_place_of_its_own_pack_is_not_believed(reader_of: ReaderOf) -> None:
    data = pack_of([b"one"])
    moved = data + data[PACK_HEADER_BYTES:]

    assert [b"one"] == payloads(reader_of(moved), moved)
    assert 1 == len(reader_of(moved).damage())


def test_a_pack_under_another_name_is_named_and_gives_nothing(reader_of: ReaderOf) -> None:
    reader = reader_of(pack_of([b"one"], pack=OTHER))

    assert [] == list(reader.entries())
    assert (
        f"pack {PACK}: its header is {pack_header(OTHER).hex()}, expected {pack_header(PACK).hex()}"
        == reader.damage()[0]
    )


def test_a_damaged_pack_header_hides_no_entry(reader_of: ReaderOf) -> None:
    data = bytearray(pack_of([b"one"]))
    data[4] ^= 0x80
    reader = reader_of(bytes(data))

    assert [b"one"] == payloads(reader, bytes(data))
    assert 1 == len(reader.damage())


def test_an_entry_of_a_kind_yet_unknown_is_refused_by_name(
    reader_of: ReaderOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(packs._KIND_NUMBERS, "blob", 3)
    data = pack_of([b"from the future"])

    with pytest.raises(UnknownFormat, match="entry of kind 3; this release knows"):
        list(reader_of(data).entries())


# --- finding the end ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 70_000, 300_000])
def test_the_last_entry_is_found_from_behind_whatever_its_size(reader_of: ReaderOf, size: int) -> None:
    before = pack_of([b"x" * 1000] * 3)
    last = reader_of(pack_of([b"x" * 1000] * 3, [b"y", packs.ENTRY_MAGIC * (size // 4)])).last_entry()

    assert last is not None
    assert (len(before), len(before) + ENTRY_HEADER_BYTES + 1) == (last.group, last.start)


@pytest.mark.parametrize("cut", [1, 48, 49, 60])
def test_a_torn_pack_has_no_last_entry(reader_of: ReaderOf, cut: int) -> None:
    assert reader_of(pack_of([b"kept"], [b"0123456789" * 2])[:-cut]).last_entry() is None
