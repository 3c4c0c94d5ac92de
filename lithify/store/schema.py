"""The catalog's schema version: looked up without Alembic, brought up to date with it.

Who finds its own version starts at once; importing Alembic takes 0.4 s and happens only to migrate.
"""

import threading
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

from lithify.crashpoints import crashpoint
from lithify.errors import Conflict, Corrupt, UnknownFormat
from lithify.store import sqlite

HEAD = "0005"
"""The newest file in migrations/versions; a test holds the two together."""

_SCRIPTS = "lithify:migrations"
_ALEMBIC_VERSION = table("alembic_version", column("version_num"))

# Alembic keeps what it is working on in module globals, so threads of one process migrate one after another.
_lock = threading.Lock()


def version(connection: Connection) -> str | None:
    """The schema version of the database; None when no migration ever ran on it."""
    if not inspect(connection).has_table(_ALEMBIC_VERSION.name):
        return None
    return connection.scalar(select(_ALEMBIC_VERSION.c.version_num))


def bring_up(path: Path) -> None:
    """Run the missing migrations, all in one transaction: whoever looks sees the old schema or the new one.

    Raises UnknownFormat for a catalog of a newer lithify, Conflict for a database of something else.
    """
    engine = sqlite.migrating_engine(path)
    try:
        with _lock, sqlite.explained(path), engine.begin() as connection:
            # Looked up again: another process may have migrated while this one waited for the lock.
            if (found := version(connection)) != HEAD:
                _upgrade(connection, found, path)
    finally:
        engine.dispose()


def _upgrade(connection: Connection, found: str | None, path: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", _SCRIPTS)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise UnknownFormat(
            f"the catalog {path} has schema {found}, and this lithify knows up to {HEAD}: "
            "it was used by a newer lithify, which can read it"
        )
    if found is None and (tables := inspect(connection).get_table_names()):
        raise Conflict(f"{path} is the database of something else: it has a table {tables[0]!r} and no version")
    crashpoint("migrate.before_apply")
    command.upgrade(config, "head")
    _check_references(connection, path)
    crashpoint("migrate.after_apply")


def _check_references(connection: Connection, path: Path) -> None:
    """Foreign keys were off while tables were replaced; look at them all before this becomes true."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise Corrupt(f"the catalog {path}: row {broken[1]} of {broken[0]} points at no row of {broken[2]}")
