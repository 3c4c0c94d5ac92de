"""Sweep: remove what nothing refers to, after a grace measured by the database's clock.

The order is the reverse of writing: row, commit, tombstone, grace, a second look, unlink. The unlink happens inside the
transaction that takes the second look, because `put` also decides inside one whether a blob is already here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from lithify import limits
from lithify.crashpoints import crashpoint
from lithify.errors import Busy
from lithify.store import garbage, jobs, records
from lithify.store.blobs import Entry, StoredEntry, read_checked
from lithify.store.clock import read_clock
from lithify.store.put import encode_job
from lithify.store.removal import Tombstones
from lithify.store.tables import Encoding, Revision
from lithify.workers.kinds import queue_of

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

_BATCH = 200  # rows and files a transaction may hold the catalog for


@dataclass(slots=True)
class Swept:
    """What one sweep did."""

    condemned: int = 0
    removed_blobs: int = 0
    removed_bytes: int = 0
    forgotten_revisions: int = 0
    staging_files: int = 0
    rewritten_packs: int = 0
    requeued_revisions: int = 0


def sweep(archive: "Archive") -> dict[str, Any]:
    """Mark, remove what has been marked for longer than the grace, and rewrite packs that are mostly dead.

    Raises Conflict when the catalog is older than the cellar (put back from a backup): what it does not know of would
    look dead.
    """
    archive.refuse_old_catalog()
    swept = Swept(staging_files=archive.blobs.sweep_staging())
    swept.requeued_revisions = _requeue(archive)
    while removed := _missing_tombstones(archive):
        archive.commits.run(Tombstones(removed))
    _condemn(archive, swept)
    while _unlink_some(archive, swept):
        pass
    while forgotten := _forget_some(archive):
        swept.forgotten_revisions += forgotten
    with archive.catalog.writing() as connection:
        garbage.forget_answers(connection, read_clock(connection) - limits.IDEMPOTENCY_SECONDS)
    for pack in list(archive.blobs.packs()):
        swept.rewritten_packs += _rewrite_if_dead(archive, pack)
    return asdict(swept)


def _forget_some(archive: "Archive") -> int:
    with archive.catalog.writing() as connection:
        return garbage.forget_revisions(connection, _BATCH)


def _requeue(archive: "Archive") -> int:
    """Give a job to every revision that was never proved and has none: whatever lost it, nothing waits for ever."""
    with archive.catalog.writing() as connection:
        lost = jobs.revisions_without_job(connection, limits.LIST_PAGE_MAX)
        for revision, length, kind, model in lost:
            job = encode_job(length, queue_of(kind), model)
            archive.queue.defer(connection, **job, revision_id=revision)
    return len(lost)


def _missing_tombstones(archive: "Archive") -> list[str]:
    with archive.catalog.reading() as connection:
        return garbage.missing_tombstones(connection, _BATCH)


def _condemn(archive: "Archive", swept: Swept) -> None:
    crashpoint("sweep.before_condemn")
    files = archive.blobs.files()
    while batch := list(islice(files, _BATCH)):
        with archive.catalog.writing() as connection:
            swept.condemned += garbage.condemn_strays(connection, batch, read_clock(connection))
    with archive.catalog.writing() as connection:
        swept.condemned += garbage.condemn(connection, read_clock(connection))
    crashpoint("sweep.after_condemn")


def _unlink_some(archive: "Archive", swept: Swept) -> int:
    with archive.catalog.writing() as connection:
        dead = garbage.due(connection, read_clock(connection) - archive.grace_seconds, _BATCH)
        for address in dead:
            crashpoint("sweep.before_unlink")
            if address.pack is None:
                archive.blobs.remove(address)
            crashpoint("sweep.after_unlink")
            swept.removed_blobs += 1
            swept.removed_bytes += address.length
        garbage.forget_blobs(connection, [address.digest for address in dead])
    return len(dead)


# --- packs ----------------------------------------------------------------------------------------------


def _rewrite_if_dead(archive: "Archive", pack: str) -> bool:
    """Move what lives out of a pack that is mostly dead, then remove it. A pack somebody appends to is left alone."""
    try:
        with archive.blobs.hold_pack(pack):
            return _rewrite(archive, pack)
    except Busy:
        return False


def _rewrite(archive: "Archive", pack: str) -> bool:
    entries = list(archive.blobs.entries(pack))
    worth_keeping = limits.PACK_LIVE_FRACTION_MIN * sum(entry.address.length for entry in entries)
    with archive.catalog.reading() as connection:
        living_bytes = garbage.living_bytes(connection, pack)
    if living_bytes >= worth_keeping or archive.blobs.damage(pack, read_data=True):
        return False
    with archive.catalog.reading() as connection:
        kept = [entry for batch in _batches(entries) for entry in _living(archive, connection, pack, batch)]
    if sum(entry.address.length for entry in kept) >= worth_keeping:
        return False
    crashpoint("sweep.before_repack")
    for batch in _batches(kept):
        with archive.catalog.writing() as connection:
            _move(archive, connection, pack, batch)
    crashpoint("sweep.after_repack")
    moved = set(kept)
    while late := _move_late_or_drop(archive, pack, [entry for entry in entries if entry not in moved]):
        moved.update(late)
    return True


def _move_late_or_drop(archive: "Archive", pack: str, rest: Sequence[StoredEntry]) -> list[StoredEntry]:
    """Remove the pack; or, if something came alive since it was looked through, move that and give it.

    Whoever appended to the pack before it was held has committed by the time this transaction begins, or never will.
    The unlink shares its transaction with no move: a kill between the two would take back rows whose bytes are gone.
    """
    with archive.catalog.writing() as connection:
        late = _living(archive, connection, pack, rest)
        if late:
            _move(archive, connection, pack, late)
            return late
        crashpoint("sweep.before_drop_pack")
        archive.blobs.remove_pack(pack)
        crashpoint("sweep.after_drop_pack")
    return []


def _batches(entries: list[StoredEntry]) -> Iterator[list[StoredEntry]]:
    remaining = iter(entries)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def _living(archive: "Archive", connection: Connection, pack: str, entries: Sequence[StoredEntry]) -> list[StoredEntry]:
    """The entries that something still needs: blobs whose row points here, records of revisions that still stand.

    Tombstones are kept for ever (150 bytes each): a pack that still holds the removed revision's record may outlive
    this one. Rules and keys are few, and kept too.
    """
    parsed = {
        entry: records.parse(read_checked(archive.blobs, entry.address)) for entry in entries if entry.kind == "record"
    }
    revisions = garbage.known(connection, Revision, [_subject(r, "revision") for r in parsed.values()])
    encodings = garbage.known(connection, Encoding, [_subject(r, "encoding") for r in parsed.values()])

    def lives(entry: StoredEntry) -> bool:
        record = parsed.get(entry)
        if record is None:
            return garbage.packed_at(connection, entry.address.digest, pack, entry.address.offset)
        if record.kind == "revision":
            return _subject(record, "revision") in revisions
        if record.kind == "encoding":
            return _subject(record, "encoding") in encodings
        return True

    return [entry for entry in entries if lives(entry)]


def _subject(record: records.Record, kind: str) -> str:
    return str(record.facts[kind]["id"]) if record.kind == kind else ""


def _move(archive: "Archive", connection: Connection, pack: str, entries: Sequence[StoredEntry]) -> None:
    """Copy entries behind newer ones. Records keep their sequence, so a replay does not care where they lie."""
    addresses = archive.blobs.append(
        [Entry(entry.kind, read_checked(archive.blobs, entry.address)) for entry in entries]
    )
    for old, new in zip(entries, addresses, strict=True):
        if old.kind == "blob" and garbage.packed_at(connection, old.address.digest, pack, old.address.offset):
            garbage.move_blob(connection, new)
