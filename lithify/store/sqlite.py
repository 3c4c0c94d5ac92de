"""SQLite as the catalog's database: how it is opened, and what its errors mean to somebody outside.

WAL lets readers go on while one writer works. synchronous=FULL flushes the log at every commit: with NORMAL a
power cut may take back the last commits, and a receipt must not be taken back.
"""

import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from lithify import limits
from lithify.errors import BadArgument, Busy, Corrupt, LithifyError, OutOfSpace, StoreUnavailable
from lithify.store.disk import disk_errors, open_folder

_READERS_KEPT = 8  # a thread beyond these opens its own connection, which takes about 0.3 ms

_LOOK_SECONDS = 0.002

FLUSH_FAILED = frozenset({"SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC"})


def reading_engine(path: Path) -> Engine:
    """Connections that see one snapshot per transaction and cannot write."""
    return _engine(path, _begin_reading, pragmas=("query_only=ON",), pool_size=_READERS_KEPT, overflow=-1)


def writing_engine(path: Path) -> Engine:
    """The one writing connection of this process.

    Threads queue for it here, in order; between processes there is SQLite's lock, see `_begin_writing`.
    """
    return _engine(path, _begin_writing, pragmas=("foreign_keys=ON", "busy_timeout=0"), pool_size=1, overflow=0)


def migrating_engine(path: Path) -> Engine:
    """Like writing, without foreign keys: SQLite changes a table by replacing it (schema.py checks them after)."""
    return _engine(path, _begin_writing, pragmas=("foreign_keys=OFF", "busy_timeout=0"), pool_size=1, overflow=0)


def _engine(
    path: Path, begin: Callable[[Connection], None], *, pragmas: tuple[str, ...], pool_size: int, overflow: int
) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=_connector(path, pragmas),
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=overflow,
        pool_timeout=limits.SQLITE_BUSY_SECONDS,
    )
    # The driver begins nothing by itself (isolation_level=None below): left alone it would open no transaction
    # for reads or for DDL, and a migration could be cut in half.
    event.listen(engine, "begin", begin)
    return engine


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection) -> None:
    """Take SQLite's write lock, or raise its "database is locked" when that takes too long.

    The lock is taken before anything is read: who reads first and writes later may find that what it read is no
    longer true, and no waiting would help it. SQLite itself waits up to 0.1 s between looks, and longer the
    longer it has waited: of three busy writers the unluckiest waited 2.9 s; with a look every 2 ms, 0.7 s.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection), "an SQLite engine hands out SQLite connections"
    give_up_at = time.monotonic() + limits.SQLITE_BUSY_SECONDS
    while True:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > give_up_at:
                raise
        else:
            return
        time.sleep(random.uniform(0.5, 1.5) * _LOOK_SECONDS)  # noqa: S311 - only so that waiters do not march in step


def _connector(path: Path, pragmas: tuple[str, ...]) -> Callable[[], sqlite3.Connection]:
    # mode=rw: a mistyped path is an error, never a new empty catalog. Only `create` makes the file.
    uri = f"{path.absolute().as_uri()}?mode=rw"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=limits.SQLITE_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", *pragmas):
                connection.execute(f"PRAGMA {pragma}").close()
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    return connect


def create(path: Path) -> None:
    """Unless there is one, make an empty file that only its owner may read (hashes of keys go in), durably named."""
    with disk_errors(path):
        if path.exists():
            return
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        folder = open_folder(path.parent)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the database's errors into ours; our own mistakes (a broken constraint) pass unchanged."""
    try:
        yield
    except UnicodeEncodeError as error:  # Python's strings may hold lone surrogates, UTF-8 has none
        raise BadArgument(f"{error.object[:80]!a} is not valid Unicode at character {error.start}") from error
    except (DBAPIError, sqlite3.Error) as error:
        ours = explain(path, error.orig if isinstance(error, DBAPIError) else error)
        if ours is None:
            raise
        raise ours from error
    except PoolTimeout as error:
        raise Busy(f"the catalog {path} was not free for {limits.SQLITE_BUSY_SECONDS:.0f} s") from error


def explain(path: Path, error: BaseException | None) -> LithifyError | None:
    """What an error of SQLite means for the one who asked; None when it is a mistake of the asking code."""
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Busy(f"the catalog {path} was locked for {limits.SQLITE_BUSY_SECONDS:.0f} s by another process")
    if name.startswith("SQLITE_FULL") or (name.startswith("SQLITE_IOERR") and _is_full(path)):
        return OutOfSpace(f"no space left for the catalog {path}; nothing was changed")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return Corrupt(f"the catalog {path} is damaged ({error}); `lithify rebuild` makes it anew")
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_IOERR", "SQLITE_NOLFS")):
        return StoreUnavailable(f"the catalog {path} {_why_unusable(path)} ({error})")
    return None


def _why_unusable(path: Path) -> str:
    if not os.access(path, os.F_OK):
        return "does not exist, or not for this user"
    if not path.is_file():
        return "is not a file"
    if not os.access(path, os.R_OK | os.W_OK):
        return "may not be read and written by this user"
    return "cannot be used"


def _is_full(path: Path) -> bool:
    """Whether the disk has no block left. SQLite calls some of these an I/O error (growing its -shm file)."""
    try:
        return os.statvfs(path.parent).f_bavail == 0
    except OSError:
        return False
