"""A folder of blobs, used by two processes at once and killed now and then, compared with the perfect store."""

import itertools
import os
import secrets
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from lithify.errors import Busy, Refused
from lithify.store.blobs import Address, Entry, EntryKind, read_checked
from lithify.store.blobs_local import LocalBlobs
from lithify.store.blobs_memory import MemoryBlobs
from lithify.store.packs import SECTOR_BYTES, encode_group
from tests.examples import examples

PAYLOADS = st.binary(max_size=60) | st.integers(0, 4000).map(lambda size: b"\0" * size)
KINDS: st.SearchStrategy[EntryKind] = st.sampled_from(["blob", "record"])
GROUPS = st.lists(st.builds(Entry, KINDS, PAYLOADS), min_size=1, max_size=5)
STORES = st.integers(0, 1)


class BlobsMachine(RuleBasedStateMachine):
    """Two LocalBlobs on one folder, as two processes would; `twin` maps each address to the model's."""

    addresses = Bundle("addresses")

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.patch = pytest.MonkeyPatch()
        names = itertools.count()  # random ones would make a failure that depends on their order hard to replay
        self.patch.setattr(secrets, "token_hex", lambda size: f"{next(names):0{2 * size}x}")
        self.stores = [LocalBlobs(self.folder), LocalBlobs(self.folder)]
        self.appending_to: list[str | None] = [None, None]
        self.model = MemoryBlobs()
        self.twin: dict[Address, Address] = {}

    @rule(target=addresses, store=STORES, payload=PAYLOADS, cut=st.integers(0, 60))
    def stage(self, store: int, payload: bytes, cut: int) -> Address:
        with self.stores[store].stage() as stage, self.model.stage() as twin:
            for piece in (payload[:cut], payload[cut:]):
                stage.write(piece)
                twin.write(piece)
            address = stage.commit()
            self.twin[address] = twin.commit()
        return address

    @rule(store=STORES, payload=PAYLOADS)
    def stage_and_change_ones_mind(self, store: int, payload: bytes) -> None:
        with self.stores[store].stage() as stage:
            stage.write(payload)

    @rule(target=addresses, store=STORES, group=GROUPS)
    def append(self, store: int, group: list[Entry]) -> object:
        found = self.stores[store].append(group)
        self.twin.update(zip(found, self.model.append(group), strict=True))
        self.model.close()  # a pack for each append, so that the model's can be removed with ours
        self.appending_to[store] = found[-1].pack
        return multiple(*found)

    @rule(address=consumes(addresses), store=STORES)
    def remove(self, address: Address, store: int) -> None:
        if address.pack is not None:
            with pytest.raises(Refused):
                self.stores[store].remove(address)
        else:
            self.stores[store].remove(address)
            self.model.remove(self.twin.get(address, address))

    @rule(address=addresses, store=STORES)
    def quarantine(self, address: Address, store: int) -> None:
        self.stores[store].quarantine(address)
        self.model.quarantine(self.twin[address])

    @rule(address=addresses, store=STORES)
    def remove_its_pack(self, address: Address, store: int) -> None:
        if address.pack is None:
            return
        if address.pack in self.appending_to:
            with pytest.raises(Busy):
                self.stores[store].remove_pack(address.pack)
        else:
            self.stores[store].remove_pack(address.pack)
            for place, twin in self.twin.items():
                if place.pack == address.pack:
                    self.model.remove_pack(str(twin.pack))

    @rule(store=STORES)
    def restart(self, store: int) -> None:
        self.stores[store].close()
        self.stores[store] = LocalBlobs(self.folder)
        self.appending_to[store] = None

    @rule(store=STORES, payload=PAYLOADS, part=st.floats(0, 1, exclude_max=True), zeros=st.booleans())
    def die_while_appending(self, store: int, payload: bytes, part: float, zeros: bool) -> None:
        """Leave the first part of an entry that nobody got an answer for; or some sectors, and zeros for the rest."""
        pack = self.appending_to[store]
        self.restart(store)
        if pack is None:
            return
        with (self.folder / "packs" / f"{pack}.pack").open("r+b") as file:
            start = file.seek(0, os.SEEK_END)
            data, _ = encode_group(pack, start, [Entry("record", payload + b".")])
            kept = int(part * len(data))
            if zeros:
                kept = max(0, kept - (start + kept) % SECTOR_BYTES)
            file.write(data[:kept] + bytes(len(data) - kept) * zeros)

    @rule(store=STORES, litter=PAYLOADS)
    def die_while_staging(self, store: int, litter: bytes) -> None:
        self.restart(store)
        (self.folder / "staging").mkdir(exist_ok=True)
        (self.folder / "staging" / "dead.blob").write_bytes(litter)
        assert 1 == self.stores[store].sweep_staging()

    @invariant()
    def both_hold_the_same(self) -> None:
        for store in self.stores:
            assert [blob.digest for blob in self.model.files()] == [blob.digest for blob in store.files()]
            found = [(entry.kind, entry.address) for pack in store.packs() for entry in store.entries(pack)]
            expected = [
                (entry.kind, entry.address) for pack in self.model.packs() for entry in self.model.entries(pack)
            ]
            assert sorted((kind, self.twin[place].digest) for kind, place in found) == sorted(
                (kind, place.digest) for kind, place in expected
            )

    @invariant()
    def every_address_gives_the_same_answer(self) -> None:
        for address, twin in self.twin.items():
            for store in self.stores:
                assert self.model.exists(twin) == store.exists(address)
                if self.model.exists(twin):
                    assert read_checked(self.model, twin) == read_checked(store, address)

    @invariant()
    def nothing_is_called_damaged(self) -> None:
        for pack in self.stores[0].packs():
            assert [] == self.stores[0].damage(pack, read_data=True)

    def teardown(self) -> None:
        for store in self.stores:
            store.close()
        self.patch.undo()
        shutil.rmtree(self.folder)


TestBlobsMachine = BlobsMachine.TestCase
TestBlobsMachine.settings = settings(
    max_examples=examples(60), stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
