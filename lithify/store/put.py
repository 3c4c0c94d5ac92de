"""Put: a new revision of an object, with its staged encoding and the job that will find the densest form."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from sqlalchemy import Connection, Row, func, insert, select, update

from lithify import limits
from lithify.errors import Conflict, PreconditionFailed
from lithify.store import encodings, jobs
from lithify.store.blobs import Address, Entry
from lithify.store.commit import Change, Moment
from lithify.store.encodings import NewEncoding, bring_in, hold, settle
from lithify.store.tables import (
    Collection,
    Encoding,
    IdempotencyKey,
    Job,
    Measurement,
    Object,
    Policy,
    Revision,
)
from lithify.store.views import Receipt

MODELS_QUEUE = "gpu"
"""The queue of jobs that need a language model: they are left to workers that have it."""

_POLICY_COLUMNS = (Collection.id, Collection.name, Policy.contract, Policy.effort, Policy.codecs, Policy.model)


@dataclass(slots=True)
class Put(Change):
    """A new revision of an object, with its staged encoding and the job that will find the densest form."""

    GROWS: ClassVar[bool] = False
    """Whether the revision may be taken away by the next append, which begins with all of its bytes."""

    collection: str
    name: str
    digest: str
    length: int
    staged: NewEncoding
    kind: str
    queue: str
    content_type: str | None = None
    contract: str | None = None
    effort: str | None = None
    effort_default: str = "default"
    model: str | None = None
    """SHA-256 of the language model that is to tell it."""
    is_text: bool = True
    """Whether the model of the collection's policy is for it too."""
    idempotency_key: str | None = None
    if_match: str | None = None
    if_none_match: bool = False
    _plan: "_PutPlan | Receipt | None" = None

    @property
    def subject(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("object", self.collection, self.name)

    @classmethod
    def look_ahead(cls, moment: Moment, changes: Sequence[Self]) -> None:
        names: dict[str, list[str]] = {change.collection: [] for change in changes}
        for change in changes:
            names[change.collection].append(change.name)
        policies = select(*_POLICY_COLUMNS).outerjoin(Policy).where(Collection.name.in_(names))
        for row in moment.connection.execute(policies).all():
            moment.ahead["collection", row.name] = row
            objects = (
                select(
                    Object.id.label("object_id"),
                    Object.name,
                    Object.revisions_count,
                    Encoding.decoded_digest,
                    *Revision.__table__.c,
                )
                .outerjoin(Revision, Revision.id == Object.revision_id)
                .outerjoin(Encoding, (Encoding.revision_id == Revision.id) & (Encoding.state == "current"))
                .where(Object.collection_id == row.id, Object.name.in_(names[row.name]))
            )
            for found in moment.connection.execute(objects):
                moment.ahead["object", row.name, found.name] = found
        places = [place for change in changes for place in (change.staged.blob.address, change.staged.primer)]
        encodings.look_ahead(moment, (place.digest for place in places if place is not None))

    def prepare(self, moment: Moment) -> list[Entry]:
        if (answered := self._answered(moment.connection)) is not None:
            self._plan = answered
            return []
        policy = moment.ahead.get(("collection", self.collection))
        found = moment.ahead.get(self.subject)
        current = found if found is not None and found.id is not None else None
        self.refuse(current)
        contract = self.contract or (policy and policy.contract) or "exact"
        effort = self.effort or (policy and policy.effort) or self.effort_default
        if current is not None and self._is_kept(current, contract):
            self._plan = receipt(self.collection, self.name, current, unchanged=True)
            return []
        model = self.model or (policy.model if policy and self.is_text else None)
        return self._new_revision(moment, found, policy, {"contract": contract, "effort": effort, "model": model})

    def _is_kept(self, current: Any, contract: str) -> bool:
        """Whether nothing is asked for that the current revision was not promised."""
        return (current.digest, current.contract) == (self.digest, contract) and self.model in {None, current.model}

    def refuse(self, current: Any) -> None:
        """Raise unless this may follow the object's current revision, which is None where there is none."""
        found = current and (current.decoded_digest or current.digest)  # what a reader was told
        check_conditions(found, self.if_match, if_none_match=self.if_none_match)

    def _answered(self, connection: Connection) -> Receipt | None:
        """The receipt already given under this idempotency key."""
        if self.idempotency_key is None:
            return None
        return answered(connection, self.idempotency_key, self.fingerprint())

    def fingerprint(self) -> str:
        """What was asked: the same key with another fingerprint is a conflict."""
        return f"{self.collection}/{self.name} {self.digest} {self.contract or ''}{self.model or ''}"

    def _new_revision(self, moment: Moment, found: Any, policy: Any, promise: dict[str, str | None]) -> list[Entry]:
        revision: dict[str, Any] = {
            "id": uuid.uuid4().hex,
            "number": (found.revisions_count if found else 0) + 1,
            "digest": self.digest,
            "length": self.length,
            "content_type": self.content_type,
            "kind": self.kind,
            **promise,
            "codecs": list(policy.codecs) if policy and policy.codecs else [],
            "created_at": moment.now,
            "deleted_at": None,
            "tombstone": False,
            "grows": self.GROWS,
        }
        encoding, measurement = self.staged.rows(revision_id=revision["id"], number=0, now=moment.now, verified=False)
        if self.staged.primer is not None:
            hold(moment, self.staged.primer)
        entries = bring_in(moment, self.staged.blob)
        record = moment.record(
            "revision",
            {
                "collection": self.collection,
                "name": self.name,
                "revision": revision,
                "encoding": encoding,
                "measurement": measurement,
            },
        )
        self._plan = _PutPlan(
            collection_id=policy.id if policy else None,
            object_id=found.object_id if found else None,
            revision=revision,
            encoding=encoding,
            measurement=measurement,
        )
        return [*entries, record]

    def apply(self, moment: Moment, addresses: Sequence[Address]) -> Receipt:
        if isinstance(self._plan, Receipt):
            if self._plan.unchanged:
                self._remember(moment, self._plan.revision)
            return self._plan
        plan = self._plan
        assert plan is not None, "apply before prepare"
        object_id = self._object_row(moment, plan)
        moment.insert(Revision, {**plan.revision, "object_id": object_id})
        settle(moment, self.staged.blob, addresses[0] if len(addresses) > 1 else None)
        moment.insert(Encoding, plan.encoding)
        moment.insert(Measurement, plan.measurement)
        job_id = self.give_job(moment, plan.revision)
        self._remember(moment, plan.revision["id"])
        return Receipt(
            collection=self.collection,
            name=self.name,
            revision=plan.revision["id"],
            job=job_id,
            **{column: plan.revision[column] for column in _RECEIPT_COLUMNS},
        )

    def give_job(self, moment: Moment, revision: dict[str, Any]) -> int:
        """See to the job that will find the densest form; gives its id."""
        job_id = moment.new_id(Job)
        moment.insert(Job, {"id": job_id, **self.job_row(moment, revision)})
        return job_id

    def job_row(self, moment: Moment, revision: dict[str, Any], **columns: Any) -> dict[str, Any]:
        """That job's columns, but for its id."""
        job = encode_job(self.length, self.queue, revision["model"])
        return jobs.new_row(**job, now=moment.now, revision_id=revision["id"], **columns)

    def _remember(self, moment: Moment, revision_id: str) -> None:
        """Let the same request, sent again under its key, be answered the same."""
        if self.idempotency_key is not None:
            answer = {"key": self.idempotency_key, "revision_id": revision_id}
            moment.insert(IdempotencyKey, {**answer, "fingerprint": self.fingerprint(), "created_at": moment.now})

    def _object_row(self, moment: Moment, plan: "_PutPlan") -> int:
        revision_id, number = plan.revision["id"], plan.revision["number"]
        if plan.object_id is not None:
            row = {"revision_id": revision_id, "revisions_count": number}
            moment.connection.execute(update(Object).where(Object.id == plan.object_id).values(row))
            return plan.object_id
        object_id = moment.new_id(Object)
        within = plan.collection_id or self._new_collection(moment)
        moment.insert(
            Object,
            {
                "id": object_id,
                "collection_id": within,
                "name": self.name,
                "revision_id": revision_id,
                "revisions_count": number,
                "created_at": moment.now,
            },
        )
        return object_id

    def _new_collection(self, moment: Moment) -> int:
        key = ("new collection", self.collection)
        if key not in moment.ahead:
            moment.ahead[key] = collection_id(moment.connection, self.collection, moment.now)
        return int(moment.ahead[key])


@dataclass(frozen=True, slots=True)
class _PutPlan:
    collection_id: int | None
    object_id: int | None
    revision: dict[str, Any]
    encoding: dict[str, Any]
    measurement: dict[str, Any]


_RECEIPT_COLUMNS = ("number", "digest", "length", "kind", "contract", "effort", "created_at")


def receipt(collection: str, name: str, revision: Row[*tuple[Any, ...]], *, unchanged: bool) -> Receipt:
    """The receipt of a revision that stands."""
    columns = {column: getattr(revision, column) for column in _RECEIPT_COLUMNS}
    return Receipt(collection=collection, name=name, revision=revision.id, unchanged=unchanged, **columns)


def answered(connection: Connection, key: str, fingerprint: str) -> Receipt | None:
    """The receipt given under an idempotency key. Raises Conflict when the key was used for something else."""
    found = connection.execute(
        select(
            *Revision.__table__.c,
            IdempotencyKey.fingerprint,
            Object.name,
            Collection.name.label("collection"),
            select(func.min(Job.id)).where(Job.revision_id == Revision.id).scalar_subquery().label("job"),
        )
        .select_from(IdempotencyKey)
        .join(Revision, Revision.id == IdempotencyKey.revision_id)
        .join(Object, Object.id == Revision.object_id)
        .join(Collection, Collection.id == Object.collection_id)
        .where(IdempotencyKey.key == key)
    ).one_or_none()
    if found is None:
        return None
    if found.fingerprint != fingerprint:
        raise Conflict(f"idempotency key {key[:80]!r} was used for another request; expected the same name and bytes")
    return replace(receipt(found.collection, found.name, found, unchanged=False), job=found.job)


def check_conditions(current: str | None, if_match: str | None, *, if_none_match: bool) -> None:
    """Raise PreconditionFailed unless the object stands as the request says; `current` is its digest or None."""
    if if_none_match and current is not None:
        raise PreconditionFailed(f"the object exists (digest {current}); the request asked for it not to")
    if if_match is not None and if_match != current and not (if_match == "*" and current is not None):
        raise PreconditionFailed(
            f"the object's digest is {current or 'none, it does not exist'}; the request expected {if_match}"
        )


def encode_kind(length: int) -> str:
    """The kind of job that encodes an original of so many bytes; small ones are done many at a time."""
    return "encode_small" if length <= limits.SMALL_BYTES else "encode"


def encode_job(length: int, queue: str, model: str | None) -> dict[str, Any]:
    """Kind, queue and arguments of the job that encodes an original.

    queue  of its kind
    model  the language model that is to tell it, by its SHA-256
    """
    if model is None:
        return {"kind": encode_kind(length), "queue": queue, "args": {}}
    return {"kind": encode_kind(limits.SMALL_BYTES + 1), "queue": MODELS_QUEUE, "args": {"model": model}}


def collection_id(connection: Connection, name: str, now: float) -> int:
    """The id of a collection, made on first use."""
    found = connection.scalar(select(Collection.id).where(Collection.name == name))
    if found is not None:
        return int(found)
    made = connection.execute(insert(Collection).values(name=name, created_at=now).returning(Collection.id))
    return int(made.scalar_one())
