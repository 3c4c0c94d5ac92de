"""Publish and Keep: how a job's verified result becomes what the archive serves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Connection, select, update

from lithify.crashpoints import crashpoint
from lithify.errors import NotFound
from lithify.store import encodings
from lithify.store.blobs import Address, Entry
from lithify.store.commit import Change, Moment
from lithify.store.encodings import NewEncoding, bring_in, hold, settle
from lithify.store.tables import Encoding, Measurement, Revision

Fence = Callable[[Connection], None]
"""Raises Fenced, inside the publishing transaction, when the job's token is no longer the newest."""

Finish = Callable[[Connection], None]
"""Closes the job inside the publishing transaction."""


@dataclass(slots=True)
class Publish(Change):
    """A verified encoding becomes current, and its job is done, in one fenced transaction."""

    revision_id: str
    encoding: NewEncoding
    fence: Fence
    finish: Finish
    _rows: tuple[dict[str, Any], ...] = ()

    @property
    def subject(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("revision", self.revision_id)

    @classmethod
    def look_ahead(cls, moment: Moment, changes: Sequence[Self]) -> None:
        places = [place for change in changes for place in (change.encoding.blob.address, change.encoding.primer)]
        encodings.look_ahead(moment, (place.digest for place in places if place is not None))

    def prepare(self, moment: Moment) -> list[Entry]:
        self.fence(moment.connection)
        _live_revision(moment.connection, self.revision_id)
        number = _next_number(moment.connection, self.revision_id)
        if self.encoding.primer is not None:
            hold(moment, self.encoding.primer)
        entries = bring_in(moment, self.encoding.blob)
        self._rows = self.encoding.rows(revision_id=self.revision_id, number=number, now=moment.now, verified=True)
        encoding, measurement = self._rows
        return [*entries, moment.record("encoding", {"encoding": encoding, "measurement": measurement})]

    def apply(self, moment: Moment, addresses: Sequence[Address]) -> str:
        encoding, measurement = self._rows
        current = (Encoding.revision_id == self.revision_id) & (Encoding.state == "current")
        crashpoint("publish.before_swap")
        moment.connection.execute(update(Encoding).where(current).values(state="retired"))
        settle(moment, self.encoding.blob, addresses[0] if len(addresses) > 1 else None)
        moment.insert(Encoding, encoding)
        moment.insert(Measurement, measurement)
        crashpoint("publish.after_swap")
        crashpoint("publish.before_finish")
        self.finish(moment.connection)
        crashpoint("publish.after_finish")
        return str(encoding["id"])


@dataclass(slots=True)
class Keep(Change):
    """Nothing smaller was found: the current encoding stays, now decoded and compared, with the route that says why."""

    encoding_id: str
    route: dict[str, Any]
    decode_seconds: float
    fence: Fence
    finish: Finish

    def prepare(self, moment: Moment) -> list[Entry]:
        self.fence(moment.connection)
        found = moment.connection.execute(select(*Encoding.__table__.c).where(Encoding.id == self.encoding_id)).one()
        measured = moment.connection.execute(
            select(*Measurement.__table__.c).where(Measurement.encoding_id == self.encoding_id)
        ).one()
        encoding = {**found._mapping, "route": self.route, "verified_at": moment.now}
        measurement = {**measured._mapping, "decode_seconds": self.decode_seconds}
        return [moment.record("encoding", {"encoding": encoding, "measurement": measurement})]

    def apply(self, moment: Moment, addresses: Sequence[Address]) -> str:
        del addresses  # the record's place is of no interest
        changed = {"route": self.route, "verified_at": moment.now}
        moment.connection.execute(update(Encoding).where(Encoding.id == self.encoding_id).values(changed))
        same = Measurement.encoding_id == self.encoding_id
        moment.connection.execute(update(Measurement).where(same).values(decode_seconds=self.decode_seconds))
        self.finish(moment.connection)
        return self.encoding_id


def _live_revision(connection: Connection, revision_id: str) -> None:
    live = (Revision.id == revision_id) & Revision.deleted_at.is_(None)
    if connection.scalar(select(Revision.id).where(live)) is None:
        raise NotFound(f"revision {revision_id} was removed while it was being encoded")


def _next_number(connection: Connection, revision_id: str) -> int:
    numbers = connection.scalars(select(Encoding.number).where(Encoding.revision_id == revision_id))
    return max(numbers, default=-1) + 1
