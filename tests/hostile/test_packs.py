"""Packs with every prefix cut and every byte changed: never a wrong payload, never a crash, and damage is named.

Why: an archive outlives its disks. One flipped bit may cost one entry, and whoever reads the rest must not notice.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lithify.errors import BadBytes
from lithify.store.blobs import Entry, read_checked
from lithify.store.blobs_local import LocalBlobs
from lithify.store.packs import ENTRY_MAGIC, PACK_HEADER_BYTES, PackReader, encode_group, pack_header

PACK = "00112233445566778899aabbccddeeff"
GROUPS = (
    [Entry("blob", b"\x89LTH a staged frame"), Entry("record", b'{"kind":"revision"}')],
    [Entry("blob", b""), Entry("blob", ENTRY_MAGIC * 3), Entry("record", b'{"kind":"key"}')],
    [Entry("record", b'{"kind":"tombstone"}')],
)


def small_pack() -> bytes:
    data = pack_header(PACK)
    for group in GROUPS:
        data += encode_group(PACK, len(data), group)[0]
    return data


WHOLE = small_pack()
WRITTEN = {hashlib.sha256(entry.payload).hexdigest(): entry.payload for group in GROUPS for entry in group}


def mutations(found: int) -> Iterator[int]:
    """Each bit flipped, all bits clear, all bits set."""
    yield from ({found ^ (1 << bit) for bit in range(8)} | {0x00, 0xFF}) - {found}


@pytest.fixture
def file() -> Iterator[int]:
    """A file in memory: there are thousands of packs to write here."""
    fd = os.memfd_create("pack")
    yield fd
    os.close(fd)


def read_back(data: bytes, file: int) -> tuple[set[str], list[str]]:
    """The digests of all entries whose payload is as it was written, and what is called damage."""
    os.ftruncate(file, 0)
    os.pwrite(file, data, 0)
    reader = PackReader(file, PACK)
    good = set()
    for entry in reader.entries():
        address = entry.address
        payload = os.pread(file, address.length, address.offset)
        if hashlib.sha256(payload).hexdigest() == address.digest:
            assert WRITTEN[address.digest] == payload
            good.add(address.digest)
    return good, reader.damage()


def test_every_changed_byte_costs_at_most_its_own_entry_and_is_named(file: int) -> None:
    starts = [PACK_HEADER_BYTES]
    for entry in (entry for group in GROUPS for entry in group):
        starts.append(starts[-1] + 49 + len(entry.payload))
    digests = [hashlib.sha256(entry.payload).hexdigest() for group in GROUPS for entry in group]
    assert len(WHOLE) == starts[-1]

    for position, found in enumerate(WHOLE):
        struck = {
            digest for digest, start, end in zip(digests, starts, starts[1:], strict=False) if start <= position < end
        }
        for byte in mutations(found):
            mutant = WHOLE[:position] + bytes([byte]) + WHOLE[position + 1 :]
            good, damage = read_back(mutant, file)
            assert set(digests) - struck == good, f"byte {position} set to {byte:#04x}"
            assert 1 == len(damage), f"byte {position} set to {byte:#04x}"


def test_every_prefix_gives_the_whole_entries_before_the_cut(file: int) -> None:
    previous: set[str] = set()
    for length in range(len(WHOLE) + 1):
        good, damage = read_back(WHOLE[:length], file)
        assert previous <= good
        assert [] == damage
        previous = good
    assert set(WRITTEN) == previous


def test_every_piece_left_out_is_survived(file: int) -> None:
    for start in range(0, len(WHOLE), 7):
        for length in (1, 20, 60, 130):
            good, _ = read_back(WHOLE[:start] + WHOLE[start + length :], file)
            assert good <= set(WRITTEN)


def test_a_store_with_any_broken_pack_still_takes_new_entries(tmp_path: Path) -> None:
    path = tmp_path / "packs" / f"{PACK}.pack"
    path.parent.mkdir()
    for position in range(0, len(WHOLE), 5):
        path.write_bytes(WHOLE[:position] + bytes([WHOLE[position] ^ 0x55]) + WHOLE[position + 1 :])
        blobs = LocalBlobs(tmp_path)
        (address,) = blobs.append([Entry("blob", b"new")])
        blobs.verify(address)
        blobs.close()
        for pack in list(blobs.packs()):
            for entry in blobs.entries(pack):
                with suppress(BadBytes):
                    assert read_checked(blobs, entry.address) in (*WRITTEN.values(), b"new")
            blobs.remove_pack(pack)


def test_headers_that_promise_the_largest_sizes_allocate_nothing(file: int) -> None:
    for length in (0xFFFFFFFF, 0x7FFFFFFF, 16 * 1024 * 1024):
        forged = WHOLE[:30] + length.to_bytes(4, "little") + WHOLE[34:]
        good, damage = read_back(forged, file)
        assert len(WRITTEN) - 1 == len(good)
        assert 1 == len(damage)
