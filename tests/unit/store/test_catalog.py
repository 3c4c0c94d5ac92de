"""The catalog's transactions, and what becomes of the database's errors."""

import os
import sqlite3
import stat
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from lithify import limits
from lithify.errors import BadArgument, Busy, Corrupt, OutOfSpace, StoreUnavailable
from lithify.store import sqlite
from lithify.store.catalog import Catalog
from lithify.store.clock import DatabaseNow, read_clock
from lithify.store.tables import Blob, Encoding, Fact
from lithify.store.tables import Collection as CollectionRow


def put_fact(catalog: Catalog, name: str, value: str = "x") -> None:
    with catalog.writing() as connection:
        connection.execute(insert(Fact).values(name=name, value=value))


def facts(catalog: Catalog) -> list[str]:
    with catalog.reading() as connection:
        return list(connection.scalars(select(Fact.name).order_by(Fact.name)))


def test_what_is_written_is_there_after_reopening(catalog: Catalog) -> None:
    put_fact(catalog, "kept")
    catalog.close()
    with Catalog(catalog.path) as again:
        assert ["kept"] == facts(again)


def fail_while_writing(catalog: Catalog, error: Exception) -> None:
    with catalog.writing() as connection:
        connection.execute(insert(Fact).values(name="half", value="x"))
        raise error


def test_an_exception_undoes_the_whole_transaction(catalog: Catalog) -> None:
    with pytest.raises(ZeroDivisionError):
        fail_while_writing(catalog, ZeroDivisionError())
    assert [] == facts(catalog)


def test_a_reader_sees_one_moment_while_others_write(catalog: Catalog) -> None:
    put_fact(catalog, "before")
    with catalog.reading() as connection:
        first = connection.scalars(select(Fact.name)).all()
        put_fact(catalog, "meanwhile")
        second = connection.scalars(select(Fact.name)).all()
    assert (["before"], ["before"]) == (first, second)
    assert ["before", "meanwhile"] == facts(catalog)


def test_writers_of_one_process_take_turns(catalog: Catalog) -> None:
    with catalog.writing() as connection:
        connection.execute(insert(CollectionRow).values(name="counter", created_at=0.0))

    def count() -> None:
        for _ in range(20):
            with catalog.writing() as connection:
                found = connection.scalar(select(CollectionRow.created_at)) or 0.0
                connection.execute(update(CollectionRow).values(created_at=found + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with catalog.reading() as connection:
        assert 80.0 == connection.scalar(select(CollectionRow.created_at))


def test_a_reading_connection_cannot_write(catalog: Catalog) -> None:
    with pytest.raises(StoreUnavailable, match="readonly"), catalog.reading() as connection:
        connection.execute(insert(Fact).values(name="slip", value="x"))


def test_foreign_keys_are_enforced(catalog: Catalog) -> None:
    row = {"id": "1", "revision_id": "none", "number": 0, "blob_digest": "none", "state": "current", "codec": "c"}
    rest = {"format": "f", "fidelity": "exact", "route": {}, "created_at": 0.0, "verified_at": None}
    with pytest.raises(IntegrityError, match="FOREIGN KEY"), catalog.writing() as connection:
        connection.execute(insert(Encoding).values({**row, **rest}))


def test_every_commit_is_flushed_and_readers_never_block_it(catalog: Catalog) -> None:
    with catalog.writing() as connection:
        assert "wal" == connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        assert 2 == connection.exec_driver_sql("PRAGMA synchronous").scalar()  # 2 is FULL


def test_the_databases_clock_is_seconds_since_1970(catalog: Catalog) -> None:
    with catalog.reading() as connection:
        before, found, after = time.time(), read_clock(connection), time.time()
    assert before - 0.01 <= found <= after + 0.01


def test_the_databases_clock_is_one_value_within_a_statement(catalog: Catalog) -> None:
    with catalog.reading() as connection:
        first, second = connection.execute(select(DatabaseNow(), DatabaseNow())).one()
    assert first == second


def test_only_the_owner_may_read_the_catalog(tmp_path: Path) -> None:
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        catalog.migrate()
    assert 0o600 == stat.S_IMODE((tmp_path / "catalog.sqlite").stat().st_mode)


def test_a_lock_held_too_long_is_busy(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SQLITE_BUSY_SECONDS", 0.05)
    with Catalog(catalog.path) as other, catalog.writing():
        started = time.monotonic()
        with pytest.raises(Busy, match="another process"), other.writing():
            pass
        assert time.monotonic() - started < 5


def test_waiting_too_long_for_the_writers_turn_is_busy(catalog_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SQLITE_BUSY_SECONDS", 0.05)
    with (
        Catalog(catalog_path) as catalog,
        catalog.writing(),
        pytest.raises(Busy, match="not free"),
        catalog.writing(),
    ):
        pass


def test_a_missing_catalog_is_named_and_not_made(tmp_path: Path) -> None:
    with (
        Catalog(tmp_path / "typo.sqlite") as catalog,
        pytest.raises(StoreUnavailable, match=r"typo\.sqlite does not exist"),
        catalog.reading(),
    ):
        pass
    assert [] == list(tmp_path.iterdir())


def test_a_folder_in_the_catalogs_place_is_named(tmp_path: Path) -> None:
    with Catalog(tmp_path) as catalog, pytest.raises(StoreUnavailable, match="is not a file"):
        catalog.migrate()


def test_a_catalog_in_no_folder_is_named(tmp_path: Path) -> None:
    with Catalog(tmp_path / "absent/catalog.sqlite") as catalog, pytest.raises(StoreUnavailable, match="No such file"):
        catalog.migrate()


def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(b"these are not the tables you are looking for" * 100)
    with Catalog(path) as catalog, pytest.raises(Corrupt, match="damaged"):
        catalog.migrate()
    assert path.read_bytes().startswith(b"these are not")


def test_pages_of_noise_are_corrupt(catalog: Catalog) -> None:
    catalog.close()
    with catalog.path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(catalog.path.stat().st_size - 4096))
    with pytest.raises(Corrupt, match="lithify rebuild"):
        facts(catalog)


def test_a_full_database_is_out_of_space_and_changes_nothing(catalog: Catalog) -> None:
    with catalog.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1")  # SQLite then says SQLITE_FULL, as on a full disk
    with pytest.raises(OutOfSpace, match="nothing was changed"):
        put_fact(catalog, "big", "x" * 10_000_000)
    assert [] == facts(catalog)


def test_an_io_error_on_a_full_disk_is_out_of_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
    assert isinstance(sqlite.explain(tmp_path / "c", error), StoreUnavailable)
    full = os.statvfs_result((4096, 4096, 100, 0, 0, 10, 10, 10, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: full)
    assert isinstance(sqlite.explain(tmp_path / "c", error), OutOfSpace)


def test_nothing_is_written_after_a_failed_flush(catalog: Catalog) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
    with pytest.raises(StoreUnavailable):
        fail_while_writing(catalog, OperationalError("COMMIT", {}, error))
    with pytest.raises(StoreUnavailable, match="must be restarted"), catalog.writing():
        pass
    assert [] == facts(catalog)


def test_text_that_is_no_unicode_is_refused(catalog: Catalog) -> None:
    with pytest.raises(BadArgument, match="not valid Unicode at character 2"), catalog.reading() as connection:
        connection.execute(select(Fact).where(Fact.name == "ab\ud800"))


def test_our_own_mistakes_are_not_blamed_on_the_disk(catalog: Catalog) -> None:
    put_fact(catalog, "twice")
    with pytest.raises(IntegrityError):
        put_fact(catalog, "twice")


def test_many_threads_read_at_once(catalog: Catalog) -> None:
    together = threading.Barrier(12, timeout=30)
    seen = []

    def read() -> None:
        with catalog.reading() as connection:
            together.wait()
            seen.append(connection.scalar(select(Blob.digest)))

    threads = [threading.Thread(target=read) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [None] * 12 == seen
