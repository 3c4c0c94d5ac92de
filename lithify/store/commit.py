"""Group commit: many waiting changes share one flushed pack append and one catalog transaction.

One fsync per small object would cap ingest at the disk's commit rate (about 70 a second on the disk we studied). Here
whoever waits is served together: prepare every change inside one open transaction, append all their blobs and records
to a pack under one flush, write all rows, commit once, then answer everybody. The open transaction orders writers of
all processes, which is what gives every record its place in the sequence (records.py).
"""

import queue
import threading
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Self

from sqlalchemy import Connection, func, insert, select, update

from lithify import limits
from lithify.crashpoints import crashpoint
from lithify.errors import LithifyError, StoreUnavailable
from lithify.store.blobs import Address, Blobs, Entry
from lithify.store.catalog import Catalog
from lithify.store.clock import read_clock
from lithify.store.highwater import HighWater
from lithify.store.records import Record, RecordKind
from lithify.store.tables import (
    Blob,
    Encoding,
    Fact,
    IdempotencyKey,
    Job,
    Measurement,
    Object,
    Revision,
    Table,
)

SEQUENCE = "sequence"

# Rows are written in this order, so that no row ever points at one that is not there yet.
_INSERT_ORDER: tuple[type[Table], ...] = (Object, Revision, Blob, Encoding, Measurement, Job, IdempotencyKey)


def sequence(connection: Connection) -> int:
    """The number of the last record that a committed transaction wrote."""
    return int(connection.scalar(select(Fact.value).where(Fact.name == SEQUENCE)) or 0)


class Moment:
    """One open transaction: the database's time, the sequence of records, and the rows to be written together."""

    def __init__(self, connection: Connection, blobs: Blobs, now: float) -> None:
        self.connection = connection
        self.blobs = blobs
        self.now = now
        self._rows: defaultdict[type[Table], list[dict[str, Any]]] = defaultdict(list)
        self._next_id: dict[type[Table], int] = {}
        self._sequence_found = sequence(connection)
        self._sequence = self._sequence_found
        self.ahead: dict[tuple[str, ...], Any] = {}
        """What `Change.look_ahead` found for the whole group with few statements."""

    def record(self, kind: RecordKind, facts: dict[str, Any]) -> Entry:
        """The next record of the sequence."""
        self._sequence += 1
        return Record(kind, self._sequence, self.now, facts).entry()

    def new_id(self, table: type[Object | Job]) -> int:
        """An id that no row of this table has or, inside this transaction, can get."""
        if table not in self._next_id:
            self._next_id[table] = int(self.connection.scalar(select(func.max(table.id))) or 0)
        self._next_id[table] += 1
        return self._next_id[table]

    def insert(self, table: type[Table], row: dict[str, Any]) -> None:
        """Write a row at the end of the group, together with its like."""
        self._rows[table].append(row)

    def flush(self) -> None:
        """Write the rows gathered so far."""
        for table in _INSERT_ORDER:
            if rows := self._rows.pop(table, None):
                self.connection.execute(insert(table), rows)
        assert not self._rows, f"tables missing from the insert order: {list(self._rows)}"

    def close(self) -> int:
        """Write what is left, and the sequence, which is also the answer."""
        self.flush()
        if self._sequence == self._sequence_found:
            return self._sequence
        value = str(self._sequence)
        changed = self.connection.execute(update(Fact).where(Fact.name == SEQUENCE).values(value=value))
        if changed.rowcount == 0:
            self.connection.execute(insert(Fact).values(name=SEQUENCE, value=value))
        return self._sequence


class Change(ABC):
    """Something to make true in the catalog, with the bytes it needs beside the blobs."""

    subject: tuple[str, ...] | None = None
    """What it changes. Two changes of one subject never share a group: the second must see the first's rows."""

    @classmethod
    def look_ahead(cls, moment: Moment, changes: Sequence[Self]) -> None:
        """Ask once, for all changes of this class in the group, what each would ask alone.

        A statement costs SQLAlchemy about 0.2 ms whatever it finds, which would cap small puts at 400 a second.
        """
        del moment, changes  # most classes ask so little that each change may ask for itself

    @abstractmethod
    def prepare(self, moment: Moment) -> list[Entry]:
        """Look, decide, and give what must be durable before any row is.

        Raises a LithifyError to refuse this change alone; it must not have touched anything then.
        """

    @abstractmethod
    def apply(self, moment: Moment, addresses: Sequence[Address]) -> Any:
        """Write the rows (or hand them to `moment.insert`) and give the answer; one address per entry."""


Waiting = tuple[Change, Future[Any]]


class GroupCommit:
    """A thread that commits whatever is waiting; any number of threads may wait."""

    def __init__(self, catalog: Catalog, blobs: Blobs, highwater: HighWater) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._highwater = highwater
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, change: Change) -> Future[Any]:
        """Queue a change; the future gives what its `apply` returned once it is durable."""
        future: Future[Any] = Future()
        with self._lock:
            if self._closed:
                raise StoreUnavailable("the archive is closing; nothing more can be written")
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="group-commit", daemon=True)
                self._thread.start()
            self._waiting.put((change, future))
        return future

    def run(self, change: Change) -> Any:
        """Commit a change and wait for it."""
        return self.submit(change).result()

    def close(self) -> None:
        """Commit what is waiting, then stop."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is not None:
            self._waiting.put(None)
            thread.join()

    def _serve(self) -> None:
        held: list[Waiting | None] = []
        closing = False
        while held or not closing:
            arrived = held or [self._waiting.get()]
            while len(arrived) < limits.COMMIT_GROUP_MAX and not self._waiting.empty():
                arrived.append(self._waiting.get())
            closing = closing or None in arrived
            group, held = _distinct([item for item in arrived if item is not None])
            if group:
                self._commit(group)

    def _commit(self, group: list[Waiting]) -> None:
        try:
            answers = self._transact([change for change, _ in group])
        except Exception as error:  # noqa: BLE001 - whoever waits must get an answer, whatever went wrong
            if isinstance(error, LithifyError) or len(group) == 1:
                for _, future in group:
                    future.set_exception(error)
            else:  # one change may have spoilt it for all: each gets its own transaction
                for item in group:
                    self._commit([item])
            return
        crashpoint("commit.before_reply")
        for (_, future), answer in zip(group, answers, strict=True):
            if isinstance(answer, LithifyError):
                future.set_exception(answer)
            else:
                future.set_result(answer)
        crashpoint("commit.after_reply")

    def _transact(self, changes: list[Change]) -> list[Any]:
        with self._catalog.writing() as connection:
            moment = Moment(connection, self._blobs, read_clock(connection))
            for kind, alike in _by_class(changes).items():
                kind.look_ahead(moment, alike)
            prepared = [_prepare(change, moment) for change in changes]
            entries = [entry for found in prepared if isinstance(found, list) for entry in found]
            addresses = iter(self._blobs.append(entries) if entries else [])
            crashpoint("commit.before_insert")
            answers = [
                found if isinstance(found, LithifyError) else change.apply(moment, [next(addresses) for _ in found])
                for change, found in zip(changes, prepared, strict=True)
            ]
            reached = moment.close()
            crashpoint("commit.after_insert")
            crashpoint("commit.before_commit")
        crashpoint("commit.after_commit")
        self._highwater.note(reached)
        return answers


def _by_class(changes: Sequence[Change]) -> dict[type[Change], list[Change]]:
    classes: defaultdict[type[Change], list[Change]] = defaultdict(list)
    for change in changes:
        classes[type(change)].append(change)
    return classes


def _prepare(change: Change, moment: Moment) -> list[Entry] | LithifyError:
    try:
        return change.prepare(moment)
    except LithifyError as refusal:
        return refusal


def _distinct(arrived: list[Waiting]) -> tuple[list[Waiting], list[Waiting | None]]:
    """The changes that may share a group, and those that must wait for it."""
    group: list[Waiting] = []
    held: list[Waiting | None] = []
    subjects = set()
    for change, future in arrived:
        if change.subject is not None and change.subject in subjects:
            held.append((change, future))
        else:
            subjects.add(change.subject)
            group.append((change, future))
    return group, held
