"""The catalog: one database with everything the archive knows. This file opens it, and frames transactions.

Who asks takes a connection from `reading` or `writing` and hands it to the functions of queries.py, jobs.py, claims.py
and their neighbours, which hold the SQL. One `with` is one transaction.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from lithify.errors import StoreUnavailable
from lithify.store import schema, sqlite
from lithify.store.clock import DatabaseNow


class Catalog:
    """A catalog in an SQLite file. Safe to share between threads, not across a fork."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._readers = sqlite.reading_engine(path)
        self._writers = sqlite.writing_engine(path)
        self.failure: str | None = None
        """Why nothing more may be written and the process should end, once a flush has failed."""

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A snapshot: all asked inside sees one moment. Keep it short, the log cannot shrink meanwhile.

        Raises StoreUnavailable, Corrupt, Busy or OutOfSpace when the catalog cannot be used.
        """
        with sqlite.explained(self.path), self._readers.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The only writer of all processes while it lasts; flushed at the end, or undone by an exception.

        Raises StoreUnavailable, Corrupt, Busy or OutOfSpace when the catalog cannot be used.
        """
        if self.failure is not None:
            raise StoreUnavailable(self.failure)
        with sqlite.explained(self.path):
            try:
                with self._writers.begin() as connection:
                    yield connection
            except DBAPIError as error:
                # After a failed fsync the kernel drops what was not written, and the next one seems to work.
                if getattr(error.orig, "sqlite_errorname", None) in sqlite.FLUSH_FAILED:
                    self.failure = f"a flush of the catalog {self.path} failed; this process must be restarted"
                raise

    def migrate(self) -> None:
        """Create the catalog, or bring it up to this release's schema; 2 ms when there is nothing to do.

        Raises UnknownFormat for a catalog of a newer lithify, Conflict for a database of something else.
        """
        sqlite.create(self.path)
        with self.reading() as connection:
            found = schema.version(connection)
        if found != schema.HEAD:
            schema.bring_up(self.path)

    def now(self) -> DatabaseNow:
        """The database's clock as an SQL expression, in seconds since 1970 UTC."""
        return DatabaseNow()

    def close(self) -> None:
        """Let go of all connections; the last one of all processes folds the log into the file."""
        self._readers.dispose()
        self._writers.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
