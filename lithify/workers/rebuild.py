"""Rebuild: a new catalog from the records and blobs in the cellar, when the old one is gone or too old.

The new catalog is made beside the old and takes its name only when it is complete; a kill at any moment leaves either.
The old one, if any, is kept as `catalog.sqlite.before-rebuild`.
"""

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from lithify.crashpoints import crashpoint
from lithify.errors import BadBytes
from lithify.store import jobs, replay
from lithify.store.blobs import Blobs, StoredEntry, read_checked
from lithify.store.blobs_local import LocalBlobs
from lithify.store.catalog import Catalog
from lithify.store.clock import read_clock
from lithify.store.commit import sequence
from lithify.store.highwater import HighWater
from lithify.store.put import encode_job
from lithify.workers.folder import CATALOG, HIGH_WATER, hold_alone, read_about
from lithify.workers.kinds import queue_of


@dataclass(slots=True)
class Rebuilt:
    """What came back."""

    collections: int = 0
    objects: int = 0
    records: dict[str, int] = field(default_factory=dict)
    damaged_records: list[str] = field(default_factory=list)
    jobs: int = 0


def rebuild(folder: Path) -> dict[str, Any]:
    """Bring back the catalog of the archive in `folder`.

    Raises NotFound when there is no archive, Busy while any process has it open.
    """
    read_about(folder)
    with hold_alone(folder):
        draft = folder / f"{CATALOG}.rebuild"
        _discard(draft)
        blobs = LocalBlobs(folder)
        catalog = Catalog(draft)
        try:
            catalog.migrate()
            rebuilt = _replay(catalog, blobs)
            with catalog.reading() as connection:
                reached = sequence(connection)
        finally:
            catalog.close()
            blobs.close()
        _swap(folder, draft)
        HighWater(folder / HIGH_WATER).note(reached)
    return asdict(rebuilt)


def _replay(catalog: Catalog, blobs: Blobs) -> Rebuilt:
    rebuilt = Rebuilt()
    crashpoint("rebuild.before_replay")
    with catalog.writing() as connection:
        now = read_clock(connection)
        replay.prepare(connection)
        for pack in blobs.packs():
            for entry in blobs.entries(pack):
                _gather(connection, blobs, entry, rebuilt)
        for address in blobs.files():
            replay.gather_place(connection, address)
        rebuilt.records = replay.replay(connection, now)
        for revision, length, kind, model in replay.unproved(connection):
            jobs.defer(connection, **encode_job(length, queue_of(kind), model), revision_id=revision)
            rebuilt.jobs += 1
        rebuilt.collections, rebuilt.objects = replay.count_objects(connection)
    crashpoint("rebuild.after_replay")
    return rebuilt


def _gather(connection: Connection, blobs: Blobs, entry: StoredEntry, rebuilt: Rebuilt) -> None:
    if entry.kind == "blob":
        replay.gather_place(connection, entry.address)
        return
    try:
        damage = replay.gather_record(connection, read_checked(blobs, entry.address))
    except BadBytes as error:
        damage = error.message
    if damage is not None:
        rebuilt.damaged_records.append(f"pack {entry.address.pack} at byte {entry.address.offset}: {damage}")


def _discard(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _swap(folder: Path, draft: Path) -> None:
    crashpoint("rebuild.before_swap")
    catalog = folder / CATALOG
    if catalog.exists():
        for suffix in (
            "-wal",
            "-shm",
            "",
        ):  # the journal first: a catalog must never meet another one's journal
            old = catalog.with_name(catalog.name + suffix)
            if old.exists():
                old.replace(folder / f"{CATALOG}.before-rebuild{suffix}")
    else:
        _discard(catalog)
    draft.replace(catalog)
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    crashpoint("rebuild.after_swap")
