"""Questions about age: which revisions a policy lets go, which encodings are the oldest."""

from sqlalchemy import Connection, func, or_, select

from lithify.store.clock import DatabaseNow
from lithify.store.tables import Encoding, Job, Object, Policy, Revision


def expired_revisions(connection: Connection, limit: int) -> list[str]:
    """Live revisions older than their collection's policy keeps, or behind more newer ones than it keeps."""
    place = func.row_number().over(partition_by=Revision.object_id, order_by=Revision.number.desc())
    live = (
        select(Revision.id, Revision.created_at, place.label("place"), Policy.keep_seconds, Policy.keep_revisions)
        .join(Object, Object.id == Revision.object_id)
        .join(Policy, Policy.collection_id == Object.collection_id)
        .where(Revision.deleted_at.is_(None))
        .where(or_(Policy.keep_seconds.is_not(None), Policy.keep_revisions.is_not(None)))
        .subquery()
    )
    too_old = live.c.created_at < DatabaseNow() - live.c.keep_seconds
    too_many = live.c.place > live.c.keep_revisions
    return list(connection.scalars(select(live.c.id).where(or_(too_old, too_many)).limit(limit)))


def oldest_encodings(connection: Connection, limit: int) -> list[tuple[str, int, str, str | None]]:
    """(revision, length, kind, model) of verified current encodings, oldest first, but for those with a job."""
    busy = select(Job.revision_id).where(Job.state.in_(("waiting", "running")), Job.revision_id.is_not(None))
    rows = connection.execute(
        select(Revision.id, Revision.length, Revision.kind, Revision.model)
        .join(Encoding, (Encoding.revision_id == Revision.id) & (Encoding.state == "current"))
        .where(Revision.deleted_at.is_(None), Encoding.verified_at.is_not(None), Revision.id.not_in(busy))
        .order_by(Encoding.verified_at)
        .limit(limit)
    )
    return [(revision, length, kind, model) for revision, length, kind, model in rows]
