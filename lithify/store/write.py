"""Write: a row that no blob stands for, with the record that lets a rebuild bring it back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from lithify.store.blobs import Address, Entry
from lithify.store.commit import Change, Moment
from lithify.store.records import RecordKind


@dataclass(slots=True)
class Write(Change):
    """A row that has no blob (a policy, a schedule, a key), and the record that lets a rebuild bring it back."""

    kind: RecordKind
    write: Callable[[Connection, float], dict[str, Any]]
    """Writes the row and gives the facts for the record."""
    _facts: dict[str, Any] = field(default_factory=dict)

    def prepare(self, moment: Moment) -> list[Entry]:
        with moment.connection.begin_nested():
            self._facts = self.write(moment.connection, moment.now)
        return [moment.record(self.kind, self._facts)]

    def apply(self, moment: Moment, addresses: Sequence[Address]) -> dict[str, Any]:
        del moment, addresses  # the row is written, the record's place is of no interest
        return self._facts
