"""Policies: what a collection's objects are promised, how hard to work on them, and how long to keep them."""

from typing import Any

from sqlalchemy import Connection, insert, select, update

from lithify.errors import BadArgument
from lithify.store.put import collection_id
from lithify.store.tables import Collection, Policy
from lithify.store.views import PolicyView


def get(connection: Connection, collection: str, *, effort_default: str) -> PolicyView:
    """The rule of a collection; the defaults when it has none, or does not exist yet."""
    found = connection.execute(
        select(*Policy.__table__.c).join(Collection).where(Collection.name == collection)
    ).one_or_none()
    if found is None:
        return PolicyView(collection, "exact", effort_default, (), None, None)
    return PolicyView(
        collection,
        found.contract,
        found.effort,
        tuple(found.codecs),
        found.keep_seconds,
        found.keep_revisions,
        found.model,
    )


def set_policy(
    connection: Connection, collection: str, now: float, *, effort_default: str, **changes: Any
) -> dict[str, Any]:
    """Change the named columns and leave the rest; gives the facts.

    None leaves a column as it is, 0 lifts a retention rule, and an empty text the rule that names a model.
    """
    for name in ("keep_seconds", "keep_revisions"):
        if changes.get(name) is not None and changes[name] < 0:
            raise BadArgument(f"{name} {changes[name]!r}: expected a number above 0, or 0 to keep everything")
    before = get(connection, collection, effort_default=effort_default)
    wanted = {name: value for name, value in changes.items() if value is not None}
    columns = {
        "contract": wanted.get("contract", before.contract),
        "effort": wanted.get("effort", before.effort),
        "codecs": list(wanted.get("codecs", before.codecs)),
        "model": wanted.get("model", before.model) or None,
        "keep_seconds": wanted.get("keep_seconds", before.keep_seconds) or None,
        "keep_revisions": wanted.get("keep_revisions", before.keep_revisions) or None,
        "updated_at": now,
    }
    restore(connection, {"collection": collection, "policy": columns}, now)
    return {"collection": collection, "policy": columns}


def restore(connection: Connection, facts: dict[str, Any], now: float) -> None:
    """Write the row that `facts` (of a policy record) describe."""
    within = collection_id(connection, facts["collection"], now)
    columns = facts["policy"]
    changed = connection.execute(update(Policy).where(Policy.collection_id == within).values(columns))
    if changed.rowcount == 0:
        connection.execute(insert(Policy).values(collection_id=within, **columns))
