"""API keys: `lith_<id>_<secret>`, a public id and 256 random bits, of which only the SHA-256 is kept.

A plain hash is enough for a random secret: there is no dictionary to try. The id finds the row, and the hashes are
compared in constant time; an unknown id is compared with a hash that nothing has, so that it takes the same steps.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select, update

from lithify.errors import BadArgument, NotFound, Unauthenticated
from lithify.store.clock import DatabaseNow
from lithify.store.tables import Key
from lithify.store.views import KeyView, iso

SCOPES = ("read", "write", "admin")

_TEXT = re.compile(r"lith_(?P<id>[0-9a-f]{16})_(?P<secret>[A-Za-z0-9_-]{43})")
_NO_ID = "0" * 16
_NO_DIGEST = "0" * 64
_LABEL_CHARACTERS_MAX = 128
_EXPIRES_SECONDS_MAX = 100 * 365 * 86400.0  # far beyond it are times that no calendar can write


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made: the only moment its text is known."""

    id: str
    label: str
    scopes: tuple[str, ...]
    text: str = field(repr=False)
    secret_digest: str = field(repr=False)


def new(label: str, scopes: Sequence[str]) -> NewKey:
    """A fresh key, not yet in any catalog. Raises BadArgument."""
    unknown = sorted(set(scopes).difference(SCOPES))
    if unknown or not scopes:
        raise BadArgument(f"scopes {', '.join(unknown) or 'none'!r}: expected some of {', '.join(SCOPES)}")
    if len(label) > _LABEL_CHARACTERS_MAX or not label.isprintable():
        raise BadArgument(f"label {label[:80]!a}: expected at most {_LABEL_CHARACTERS_MAX} printable characters")
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    granted = tuple(scope for scope in SCOPES if scope in scopes)
    return NewKey(key_id, label, granted, f"lith_{key_id}_{secret}", _digest(secret))


def add(connection: Connection, key: NewKey, now: float, expires_seconds: float | None = None) -> dict[str, Any]:
    """Let a key in, for so many seconds or for good; gives the facts for its record. Raises BadArgument."""
    if expires_seconds is not None and not 0 < expires_seconds <= _EXPIRES_SECONDS_MAX:
        raise BadArgument(f"expires_seconds {expires_seconds!r}: expected above 0, at most {_EXPIRES_SECONDS_MAX:.0f}")
    facts = {
        "id": key.id,
        "secret_digest": key.secret_digest,
        "label": key.label,
        "scopes": list(key.scopes),
        "created_at": now,
        "expires_at": None if expires_seconds is None else now + expires_seconds,
        "revoked_at": None,
    }
    restore(connection, facts, now)
    return facts


def revoke(connection: Connection, key_id: str, now: float) -> dict[str, Any]:
    """End a key at once; gives the facts for its record. Revoking twice changes nothing. Raises NotFound."""
    still = (Key.id == key_id) & Key.revoked_at.is_(None)
    connection.execute(update(Key).where(still).values(revoked_at=now))
    found = connection.execute(select(*Key.__table__.c).where(Key.id == key_id)).one_or_none()
    if found is None:
        raise NotFound(f"there is no API key {key_id!r}")
    return dict(found._mapping)


def restore(connection: Connection, facts: dict[str, Any], now: float) -> None:
    """Make true what the facts of a key record say."""
    del now  # a key brings its own times
    if connection.execute(update(Key).where(Key.id == facts["id"]).values(facts)).rowcount == 0:
        connection.execute(insert(Key).values(facts))


def list_keys(connection: Connection) -> list[KeyView]:
    """All keys, oldest first, revoked and expired ones too."""
    rows = connection.execute(select(*Key.__table__.c).order_by(Key.created_at, Key.id))
    return [view(row._mapping) for row in rows]


def authenticate(connection: Connection, text: str) -> KeyView:
    """The key that `text` is, if it is one and still counts by the database's clock. Raises Unauthenticated."""
    parsed = _TEXT.fullmatch(text)
    key_id, secret = parsed.groups() if parsed else (_NO_ID, "")
    expired = (Key.expires_at <= DatabaseNow()).label("expired")
    found = connection.execute(select(*Key.__table__.c, expired).where(Key.id == key_id)).one_or_none()
    expected = _NO_DIGEST if found is None else found.secret_digest
    if not hmac.compare_digest(_digest(secret), expected) or found is None:
        raise Unauthenticated("this API key is not known here")
    if found.revoked_at is not None:
        raise Unauthenticated(f"API key {found.id} was revoked at {iso(found.revoked_at)}")
    if found.expired:
        raise Unauthenticated(f"API key {found.id} expired at {iso(found.expires_at)}")
    return view(found._mapping)


def allows(key: KeyView, scope: str) -> bool:
    """Whether a key may do what needs `scope`. Admin may do everything; write does not include read."""
    return "admin" in key.scopes or scope in key.scopes


def view(columns: Mapping[Any, Any]) -> KeyView:
    """A key's columns without the hash of its secret."""
    return KeyView(
        id=columns["id"],
        label=columns["label"],
        scopes=tuple(columns["scopes"]),
        created_at=columns["created_at"],
        expires_at=columns["expires_at"],
        revoked_at=columns["revoked_at"],
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
