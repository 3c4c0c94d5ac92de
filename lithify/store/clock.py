"""The database's clock: the only one that decides leases, grace, expiry and what is due.

A worker's own clock may be wrong by years; what processes must agree on is compared with this one, in SQL.
"""

from typing import Any

from sqlalchemy import Connection, Float, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement


class DatabaseNow(FunctionElement[float]):
    """Seconds since 1970 UTC, as an SQL expression; the same value everywhere in one statement."""

    type = Float(53)
    name = "database_now"
    inherit_cache = True


@compiles(DatabaseNow, "sqlite")
def _sqlite(element: DatabaseNow, compiler: SQLCompiler, **options: Any) -> str:
    del element, compiler, options  # the clock has no arguments
    # unixepoch('now', 'subsec') needs SQLite 3.42 and Debian 12 has 3.40. A Julian day resolves to 40 µs.
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(DatabaseNow, "postgresql")
def _postgresql(element: DatabaseNow, compiler: SQLCompiler, **options: Any) -> str:
    del element, compiler, options  # the clock has no arguments
    return "extract(epoch FROM statement_timestamp())::double precision"


_NOW = select(DatabaseNow())


def read_clock(connection: Connection) -> float:
    """The database's time."""
    return float(connection.scalar(_NOW) or 0.0)
