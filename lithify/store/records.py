"""Records: the JSON facts kept in packs beside the blobs, from which a lost catalog is rebuilt.

Every record carries the `sequence` number that its transaction took, so replaying all of them in that order gives the
catalog back. A record is durable before the transaction that it describes commits; the one exception is a tombstone,
which follows its transaction, so that a crash between the two can only bring something back, never lose it.

kinds, and what their `facts` say:
  revision    a revision, its staged encoding and measurement, as the tables' columns; collection and name
  encoding    a published encoding, with its blob, the primer it needs, and measurement
  tombstone   {"revision_id"}
  policy      a collection and its policy's columns
  primer      a collection and its primer's columns; length of the primer
  schedule    a schedule's columns, or {"name", "removed": true}
  key         an API key's columns (the secret's hash, never the secret)
"""

import json
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from lithify import limits
from lithify.errors import Corrupt, LimitExceeded
from lithify.store.blobs import Entry

RecordKind = Literal["revision", "encoding", "tombstone", "policy", "primer", "schedule", "key"]
KINDS: tuple[str, ...] = get_args(RecordKind)


@dataclass(frozen=True, slots=True)
class Record:
    """One fact, in the order it became true."""

    kind: RecordKind
    sequence: int
    at: float
    facts: dict[str, Any]

    def entry(self) -> Entry:
        """The pack entry that holds this record."""
        document = {"kind": self.kind, "sequence": self.sequence, "at": self.at, "facts": self.facts}
        payload = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        if len(payload) > limits.RECORD_BYTES_MAX:
            raise LimitExceeded(f"{self.kind} record of {len(payload)} bytes; at most {limits.RECORD_BYTES_MAX}")
        return Entry("record", payload)


def parse(payload: bytes) -> Record:
    """The record held by a pack entry. Raises Corrupt when it is none."""
    try:
        document = json.loads(payload)
        kind, sequence, at, facts = (document[name] for name in ("kind", "sequence", "at", "facts"))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Corrupt(f"not a record: {payload[:80]!r} ({error})") from error
    if kind not in KINDS:
        raise Corrupt(f"record of kind {kind!r:.40}; expected one of {KINDS}")
    if not (isinstance(sequence, int) and isinstance(at, int | float) and isinstance(facts, dict)):
        raise Corrupt(f"{kind} record with sequence {sequence!r:.40} at {at!r:.40}; expected numbers, and facts")
    return Record(cast("RecordKind", kind), sequence, float(at), facts)
